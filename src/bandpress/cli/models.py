"""``bandpress models``: list, copy and import models."""

from pathlib import Path

import click

from bandpress import model_folders
from bandpress.contexts import store as context_store
from bandpress.environment import tensorflow_for
from bandpress.errors import ModelError
from bandpress.hyperprior import store


@click.group()
def command() -> None:
    """List and copy models, or import the authors' models.

    \b
    Examples:
      bandpress models list
      bandpress models copy AVIRIS-k3 models/AVIRIS-half --half
      bandpress models import AVIRIS_3bands_2 models/AVIRIS-theirs --lambda 0.001
    """


@command.command("list")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def list_(folder: Path | None) -> None:
    """List the models in FOLDER, or all models that are found by name, with their digests.

    \b
    Example:
      bandpress models list
    """
    places = model_folders.folders() if folder is None else [folder]
    found = {path.resolve(): path for place in places for path in model_folders.within(place, depth=2)}
    if not found:
        searched = ", ".join(map(str, places)) or "no folder"
        raise ModelError(f"{searched}: no models; expected folders with {model_folders.CARD}")
    for path in found.values():
        if context_store.is_context_model(path):
            contexts = context_store.load(path)
            click.echo(
                f"{path}: context model, {contexts.macs} multiplications per coefficient, digest {contexts.digest}"
            )
            continue
        model = store.load(path)
        a = model.architecture
        lambda_ = model.card.get("lambda", "?")
        click.echo(
            f"{model.path}: {a.bands_per_cluster} bands per cluster, {a.filters} filters, "
            f"lambda {lambda_}, digest {model.digest}"
        )


@command.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--half", is_flag=True, help="Store weights in float16, half the size; gives the copy a new digest."
)
def copy(model: Path, out: Path, half: bool) -> None:
    """Copy MODEL, a folder or a name, to the new folder OUT, and check every byte.

    Without --half the copy has the same digest and decodes the same files. With --half it has a new digest, and cannot
    decode files written with MODEL.

    \b
    Example:
      bandpress models copy AVIRIS-k3 models/AVIRIS-half --half
    """
    model = _one(model)
    if context_store.is_context_model(model):
        if half:
            raise ModelError(f"{model}: a context model holds only integers; expected a copy without --half")
        contexts = context_store.copy(context_store.load(model), out)
        click.echo(f"{out}: digest {contexts.digest}")
        return
    found = store.load(model)
    made = store.save(out, found, half=True) if half else store.copy(found, out)
    click.echo(f"{made.path}: digest {made.digest}")


def _one(model: Path) -> Path:
    """Return the folder of the model of that path or name."""
    found = list(model_folders.within(model_folders.resolve(model)))
    if len(found) > 1:
        raise ModelError(
            f"{model}: a family of {len(found)} models; expected one of {', '.join(map(str, found))}"
        )
    return found[0]


@command.command("import")
@click.argument("saved_model", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--lambda", "lambda_", type=float, help="Lambda of the training, for the model's card.")
@click.option("--sensor", help="Name of the sensor, for the model's card.")
def import_(saved_model: Path, out: Path, lambda_: float | None, sensor: str | None) -> None:
    """Import SAVED_MODEL, a model of the authors' script, into the model folder OUT.

    Only its variables are read; the saved graph is never run.

    \b
    Example:
      bandpress models import AVIRIS_3bands_2 models/AVIRIS-theirs --lambda 0.001 --sensor AVIRIS
    """
    with tensorflow_for("importing a SavedModel"):
        from bandpress.hyperprior.authors.models import import_model
    known = {"lambda": lambda_, "sensor": sensor}
    model = import_model(saved_model, out, {key: value for key, value in known.items() if value is not None})
    click.echo(f"{model.path}: {model_folders.CARD}, digest {model.digest}")
