"""``bandpress train``: train a network on scenes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bandpress.cli.progress import bands_bar, training_bar
from bandpress.cli.training import scenes_to_train, training_options
from bandpress.cli.types import Widths
from bandpress.environment import tensorflow_for
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.components import component_clusters, ladder, unit_lambda
from bandpress.hyperprior.training.patches import Components
from bandpress.hyperprior.training.schedule import PRECISIONS, Settings
from bandpress.scene import Scene
from bandpress.training.scenes import with_validation

_STEPS = 4000
#: Largest standard deviation of latents of components.
_WIDEST_SCALE = 2048.0


@click.command()
@training_options(_STEPS)
@click.option(
    "-k",
    "--bands-per-cluster",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Bands per cluster.",
)
@click.option(
    "--filters",
    type=(Widths(), click.IntRange(1)),
    default=(64, 192),
    show_default=True,
    help="Hidden and latent channels. Hidden: one number, or three, such as 16,64,128.",
)
@click.option(
    "--hyper",
    type=click.IntRange(0),
    default=0,
    help="Channels of the hyper networks. Default: as many as latent channels.",
)
@click.option(
    "--borders",
    type=click.Choice(["zero", "mirror"]),
    default="zero",
    show_default=True,
    help="Padding of the transforms: zeros (as in the paper) or the mirrored image.",
)
@click.option(
    "--lambda",
    "lambdas",
    multiple=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Weight of the squared error in DN² against bits per pixel. Repeat it to train one network for several.",
)
@click.option(
    "--patch", type=click.IntRange(16), default=96, show_default=True, help="Lines and samples of a patch."
)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Patches per step.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), default=5e-4, show_default=True)
@click.option(
    "--coding-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Learning rate of the hyper networks and the prior, as a multiple of --learning-rate.",
)
@click.option(
    "--coding-first",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of the training, at its start, that trains only the hyper networks and the prior.",
)
@click.option(
    "--averaging",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Steps over which weights are averaged; 0 for no averaging.",
)
@click.option(
    "--sharpen",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Sharpen patches by up to this share of their fine detail, since unseen scenes may be sharper.",
)
@click.option(
    "--spread",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of patches with bands that are not adjacent, like clusters across an absorption band.",
)
@click.option(
    "--start",
    type=click.Choice(["block", "overlap"]),
    default="block",
    show_default=True,
    help="Kind of warm start.",
)
@click.option("--random-start", is_flag=True, help="Start from random weights, as the paper does.")
@click.option(
    "--klt",
    is_flag=True,
    help="Train for klt-learned, on components of the KLT over all bands; --lambda then sets the scenes' operating "
    "points.",
)
@click.option(
    "--qualities",
    type=click.IntRange(2, 16),
    default=6,
    show_default=True,
    help="With --klt: number of qualities.",
)
@click.option("--init-from", type=click.Path(path_type=Path), help="Start from the weights of this model.")
@click.option(
    "--patience",
    type=click.IntRange(0),
    default=0,
    help="Stop after this many validations without progress; 0: never.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="mixed: gradients in bfloat16, faster on processors with AVX512-BF16 or AMX.",
)
@click.option("--tensorboard", type=click.Path(path_type=Path), help="Folder for TensorBoard's event files.")
@click.option("--resume", is_flag=True, help="Continue an interrupted training, if there is one.")
@click.option("--restart", is_flag=True, help="Discard an interrupted training.")
def command(
    scenes: tuple[Path, ...],
    output: Path,
    validate: tuple[Path, ...],
    bands_per_cluster: int,
    filters: tuple[int | tuple[int, ...], int],
    hyper: int,
    borders: str,
    lambdas: tuple[float, ...],
    steps: int | None,
    minutes: float | None,
    start: str,
    random_start: bool,
    klt: bool,
    qualities: int,
    init_from: Path | None,
    threads: int | None,
    tensorboard: Path | None,
    sensor: str | None,
    resume: bool,
    restart: bool,
    **options: Any,
) -> None:
    """Train a network on SCENES (files or folders).

    The state and the log of the training are kept in OUTPUT.training. A minute shows that it runs; a model worth
    keeping takes an hour or more (docs/models.md).

    \b
    Examples:
      bandpress train flights/ --validate other.hdr -k 3 --lambda 1e-4 --minutes 1 -o models/one
      bandpress train flights/ -k 3 --lambda 1e-6 --lambda 1e-5 --lambda 1e-4 --minutes 1 -o models/family
      bandpress train flights/ --klt -k 1 --lambda 2e-4 --lambda 2e-3 --lambda 2e-2 --minutes 1 -o models/components
    """
    lambdas = tuple(sorted(lambdas)) or (1e-4,)
    if steps is None and minutes is None:
        steps = _STEPS
    settings = Settings(
        lambdas=lambdas, steps=steps, minutes=minutes, start="random" if random_start else start, **options
    )
    train_on, validate_on = scenes_to_train(scenes, validate)
    card: dict[str, Any] = {} if sensor is None else {"sensor": sensor}
    components = None
    if klt:
        train_on, validate_on, components = _components(train_on, validate_on, bands_per_cluster, lambdas)
        card |= {"residuals": {"from": "klt", "lambda": list(lambdas)}}
        lambdas = ladder(components[0], bands_per_cluster, qualities)
        settings = replace(settings, lambdas=lambdas, only=unit_lambda(bands_per_cluster))
    hidden, latent = filters
    architecture = Architecture(bands_per_cluster, hidden, latent, hyper, len(lambdas), borders=borders)
    if klt:  # components span thousands of quantiser steps
        architecture = replace(architecture, scale_max=_WIDEST_SCALE)
    with tensorflow_for("training"):  # takes seconds, so check everything else first
        from bandpress.hyperprior.training.train import train

    with training_bar(output.name) as (report, say):
        made = train(
            output,
            train_on,
            architecture,
            settings,
            validation=validate_on,
            components=components,
            init_from=init_from,
            resume=resume,
            restart=restart,
            threads=threads,
            tensorboard=tensorboard,
            card=card,
            report=report,
            say=say,
        )
    click.echo(f"{output}: {made.card['steps']} steps, model {made.digest[:16]}")
    for point in made.card["validation"]:
        click.echo(
            f"lambda {point['lambda']:g}: {point['bps']:.4f} bps, {point['psnr']:.2f} dB on validation patches"
        )


def _components(
    train_on: list[Scene], validate_on: list[Scene], k: int, lambdas: tuple[float, ...]
) -> tuple[list[Scene], list[Scene], tuple[list[Components], list[Components]]]:
    """Return training and validation scenes, and their KLT components."""
    train_on, validate_on = with_validation(train_on, validate_on)
    size = sum(scene.cube.nbytes for scene in (*train_on, *validate_on))
    with bands_bar("components", len(train_on) + len(validate_on), size, "scenes") as progress:
        done: list[list[Components]] = [[], []]
        for part, scenes in enumerate((train_on, validate_on)):
            for number, scene in enumerate(scenes):
                done[part] += component_clusters([scene], k, lambdas)
                progress(part * len(train_on) + number + 1)
    return train_on, validate_on, (done[0], done[1])
