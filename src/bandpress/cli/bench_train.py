"""``bandpress bench train``: speed of training on this machine."""

import click

from bandpress.environment import tensorflow_for
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.schedule import PRECISIONS


@click.command("train")
@click.option("--bands-per-cluster", "-k", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--filters", nargs=2, type=click.IntRange(1, 1024), default=(64, 384), show_default=True)
@click.option(
    "--hyper",
    type=click.IntRange(0, 1024),
    default=0,
    help="0: same as the latent filters.",
    show_default=True,
)
@click.option("--patch", type=click.IntRange(16), default=256, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True)
@click.option(
    "--steps", type=click.IntRange(1), default=5, show_default=True, help="Steps to take the median of."
)
@click.option(
    "--form",
    "forms",
    type=click.Choice([*PRECISIONS, "paper"]),
    multiple=True,
    default=("mixed", "float32", "paper"),
    show_default=True,
    help="Form of the steps: as in `bandpress train` with this --precision, or as in the paper. May be repeated.",
)
def command(
    bands_per_cluster: int,
    filters: tuple[int, int],
    hyper: int,
    patch: int,
    batch: int,
    steps: int,
    forms: tuple[str, ...],
) -> None:
    """Time training steps; compare them with the matrix-product rate and with the paper's script.

    \b
    Example:
      bandpress bench train -k 3 --filters 128 384 --patch 96
    """
    with tensorflow_for("the benchmark"):
        from bandpress.hyperprior.training import bench
    rate = bench.matmul_rate()
    click.echo(f"matrix products: {rate:.0f} GFLOP/s in float32")
    click.echo(f"{'':20}  {'s/step':>8}  {'steps/s':>8}  {'samples/s':>11}  {'GFLOP/s':>8}  {'share':>6}")
    architecture = Architecture(bands_per_cluster, *filters, hyper)
    speeds = bench.train_speeds(architecture, patch, batch, steps, forms)
    for speed in speeds:
        click.echo(
            f"{speed.name:20}  {speed.seconds:8.3f}  {1 / speed.seconds:8.2f}  {speed.samples:11.0f}  "
            f"{speed.gflops:8.0f}  {speed.gflops / rate:6.0%}"
        )
    seconds = {speed.name: speed.seconds for speed in speeds}
    for name in seconds:
        if "paper" in seconds and name != "paper":
            click.echo(f"{name}: {seconds['paper'] / seconds[name]:.2f} times as fast as the paper's form")
