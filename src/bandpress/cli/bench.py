"""``bandpress bench``: speed of the learned codec on this machine."""

from pathlib import Path

import click

from bandpress.cli import bench_codecs, bench_train
from bandpress.cli.types import Widths
from bandpress.environment import tensorflow_for


@click.group(invoke_without_command=True)
@click.pass_context
@click.option("--model", help="Folder or name of a model. Default: an untrained model of the widths below.")
@click.option("--bands-per-cluster", "-k", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--hidden", type=Widths(), default=64, show_default=True)
@click.option("--latent", type=click.IntRange(1, 1024), default=384, show_default=True)
@click.option(
    "--hyper", type=click.IntRange(0, 1024), default=0, help="0: same as --latent.", show_default=True
)
@click.option("--bands", type=click.IntRange(1, 4096), multiple=True, help="May be repeated. Default: 224.")
@click.option("--lines", type=click.IntRange(1, 1 << 16), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(1, 1 << 16), default=680, show_default=True)
@click.option("--batch", type=click.IntRange(0, 256), default=0, help="0: automatic.", show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "auto"]),
    default="float32",
    help="Arithmetic of the encoder.",
    show_default=True,
)
@click.option("--threads", type=click.IntRange(1, 256), help="Default: one per core.")
def command(
    ctx: click.Context,
    model: str | None,
    bands_per_cluster: int,
    hidden: int | tuple[int, ...],
    latent: int,
    hyper: int,
    bands: tuple[int, ...],
    lines: int,
    samples: int,
    batch: int,
    precision: str,
    threads: int | None,
) -> None:
    """Time the learned codec on a synthetic scene: each stage, the total, and the share of the matrix-product rate.

    \b
    Examples:
      bandpress bench --bands 28 --lines 256 --samples 256
      bandpress bench -k 3 --bands 28 --bands 56 --lines 256 --samples 256
      bandpress bench --model AVIRIS-k3 --lines 100 --samples 100
    """
    if ctx.invoked_subcommand is not None:
        return
    with tensorflow_for("the benchmark"):
        from bandpress.training.threads import set_threads
    from bandpress.evaluation.benchmark import random_model, run, table
    from bandpress.hyperprior import store
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.model_folders import resolve

    if threads is not None:
        set_threads(threads)
    if model is None:
        chosen = random_model(Architecture(bands_per_cluster, hidden, latent, hyper))
    else:
        chosen = store.load(Path(resolve(model)))
    for count in bands or (224,):
        report = run(
            chosen, count, lines, samples, batch, precision, lambda stage: click.echo(f"{stage} …", err=True)
        )
        click.echo(table([report]))


command.add_command(bench_codecs.command)
command.add_command(bench_train.command)
