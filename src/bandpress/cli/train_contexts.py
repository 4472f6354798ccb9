"""``bandpress train-contexts``: train a context model on scenes."""

from pathlib import Path

import click

from bandpress.cli.progress import training_bar
from bandpress.cli.training import scenes_to_train, training_options
from bandpress.contexts.training.settings import Settings
from bandpress.environment import tensorflow_for

_STEPS = 2000


@click.command()
@training_options(_STEPS)
@click.option(
    "--hidden",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Units in each of the two hidden layers.",
)
def command(
    scenes: tuple[Path, ...],
    output: Path,
    validate: tuple[Path, ...],
    steps: int | None,
    minutes: float | None,
    hidden: int,
    seed: int,
    threads: int | None,
    sensor: str | None,
) -> None:
    """Train a context model, for wavelet-learned and predicted-learned, on SCENES (files or folders).

    One model serves every cluster size, rate and scene size; you may mix scenes of several sensors. The settings and
    the log of the training are kept in OUTPUT.training.

    \b
    Examples:
      bandpress train-contexts flights/ --minutes 1 -o models/my-contexts
      bandpress train-contexts flights/ --validate other.hdr --steps 50 -o models/my-contexts
    """
    if steps is None and minutes is None:
        steps = _STEPS
    settings = Settings(steps=steps, minutes=minutes, hidden=hidden, seed=seed)
    train_on, validate_on = scenes_to_train(scenes, validate)
    with tensorflow_for("training"):
        from bandpress.contexts.training.train import train  # takes seconds, so check everything else first
    with training_bar(output.name) as (report, say):
        made = train(
            output,
            train_on,
            settings,
            validation=validate_on,
            threads=threads,
            card={} if sensor is None else {"sensor": sensor},
            report=report,
            say=say,
        )
    click.echo(f"{output}: {made.card['steps']} steps, model {made.digest[:16]}")
    click.echo(f"{made.card['validation']['bits']:.4f} bits per coefficient on validation clusters")
