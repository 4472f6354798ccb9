"""``bandpress data``: list, fetch and check a study's data without running it."""

from collections.abc import Iterator
from pathlib import Path

import click

from bandpress.datasets import fetch, find_scenes
from bandpress.datasets.fetch import MOST
from bandpress.datasets.inventory import Item, inventory, origin
from bandpress.datasets.models import fetch_models
from bandpress.datasets.prepare import open_scene
from bandpress.datasets.size import in_words
from bandpress.errors import BandpressError, DataError
from bandpress.study.file import load_study
from bandpress.study.schema import Study

_ACTIONS = {
    "download": "a run or bandpress data fetch downloads it",
    "page": "a run or bandpress data fetch finds it on that page and downloads it",
    "hand": "put it into that folder by hand",
    "install": "comes with a package that is not installed",
}

_study = click.option(
    "--study",
    "path",
    default="config.yaml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Study file.",
)
_retrain = click.option(
    "--retrain",
    is_flag=True,
    help="Include training sets of kept models, as with --config retrain=true.",
)


@click.group()
def command() -> None:
    """List, fetch and check the data sets and models that a study needs.

    They are stored in the folder BANDPRESS_DATA, by default data/.

    \b
    Examples:
      bandpress data list --study studies/public.yaml
      bandpress data fetch AVIRIS_test --study studies/public.yaml --yes
      bandpress data check
    """


@command.command("list")
@_study
@_retrain
@click.option("--ask", is_flag=True, help="Ask the servers whether missing files exist, and their sizes.")
def list_(path: Path, retrain: bool, ask: bool) -> None:
    """List what the study needs: source, licence, size, and whether it is here.

    Opens no connection without --ask.

    \b
    Example:
      bandpress data list --study studies/public.yaml
    """
    study = load_study(path)
    for item in inventory(study, retrain=retrain, lock=_lock(path)):
        state = f"here, {in_words(item.size or 0)}" if item.here else f"missing: {_ACTIONS[item.action]}"
        click.echo(f"{item.name} ({item.kind}, {item.use}): {state}")
        click.echo(f"  folder   {item.folder}")
        for address in item.addresses:
            click.echo(f"  address  {address}")
        if ask and item.action in ("download", "page"):
            for answer in _answers(study, item):
                click.echo(f"  offered  {answer}")
        if item.licence:
            click.echo(f"  licence  {item.licence}")


@command.command("fetch")
@click.argument("names", nargs=-1, required=True)
@_study
@click.option("--yes", is_flag=True, help=f"Allow downloads of more than {MOST / 1e9:g} GB.")
def fetch_(names: tuple[str, ...], path: Path, yes: bool) -> None:
    """Fetch, check and unpack the study's data sets or families of models NAMES.

    Files already here are not fetched again; interrupted downloads resume.

    \b
    Example:
      bandpress data fetch AVIRIS_test Hyperion_test AVIRIS-k1
    """
    study = load_study(path)
    known = [*study.datasets, *(name for name, family in study.models.items() if family.source == "fetch")]
    for name in names:
        if name not in known:
            raise click.UsageError(f"{name}: not in {path}; expected one of {', '.join(known)}")
    for name in names:
        click.echo(f"{name}: {_fetched(study, name, _lock(path), None if yes else MOST)}")


@command.command()
@_study
@_retrain
def check(path: Path, retrain: bool) -> None:
    """Check the local files: compare SHA-256 sums, open every scene. Downloads nothing.

    Exits with 1 if anything is missing or wrong.

    \b
    Example:
      bandpress data check
    """
    study, lock = load_study(path), _lock(path)
    faults = 0
    for item in inventory(study, retrain=retrain, lock=lock):
        try:
            if not item.here:
                raise DataError(f"missing: {_ACTIONS[item.action]}")
            found = _checked(study, item, lock)
        except BandpressError as error:
            faults += 1
            click.echo(f"{item.name}: {error}", err=True)
            continue
        click.echo(f"{item.name}: {found}")
    if faults:
        raise DataError(f"{path}: {faults} data sets or models are missing or wrong; expected none")


def _answers(study: Study, item: Item) -> Iterator[str]:
    """Yield a line for each missing file: its size on the server, or the failure."""
    from bandpress.datasets.answers import PATIENCE, Failure, probe
    from bandpress.datasets.offered import look

    files = item.addresses
    if item.action == "page":
        source, parts = origin(study, item)
        try:
            _, offers = look(source, item.name, parts, PATIENCE)
        except DataError as error:
            yield str(error)
            return
        files = tuple(offer.address for offer in offers)
    for address in files:
        try:
            size = probe(address, PATIENCE).size
            yield f"{address}: {'size not told' if size is None else in_words(size)}"
        except Failure as failure:
            yield f"{address}: {failure}"


def _lock(path: Path) -> Path:
    return path.with_suffix(".lock.json")


def _fetched(study: Study, name: str, lock: Path, most: int | None) -> str:
    """Fetch a data set or a family of models and return a summary."""
    if name in study.datasets:
        dataset = study.datasets[name]
        found = fetch(dataset, name, lock=lock, most=most)
        return f"{len(find_scenes(dataset, name, found))} scenes in {found}"
    family = study.models[name]
    assert family.source == "fetch"
    members = fetch_models(family.archive, name, family.members, lock=lock, most=most)
    return f"{len(members)} models in {members[0].parent}"


def _checked(study: Study, item: Item, lock: Path) -> str:
    """Check a local data set or family of models and return a summary."""
    if item.kind != "data set":
        return _fetched(study, item.name, lock, 0)
    dataset = study.datasets[item.name]
    found = fetch(dataset, item.name, lock=lock, most=0)
    said = []
    for name, entry in find_scenes(dataset, item.name, found).items():
        with open_scene(dataset, item.name, name, entry, found) as scene:
            said.append(f"{name} {scene.bands} x {scene.lines} x {scene.samples} {scene.dtype.name}")
    return "; ".join(said)
