"""``bandpress synthesize``: scenes for load tests and benchmarks."""

from pathlib import Path

import click

from bandpress.errors import SceneError
from bandpress.synthesis import TYPES


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--bands", type=click.IntRange(1, 1 << 14), default=224, show_default=True)
@click.option("--lines", type=click.IntRange(1, 1 << 20), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(1, 1 << 20), default=680, show_default=True)
@click.option("--dtype", "kind", type=click.Choice(TYPES), default="uint16", show_default=True)
@click.option("--byte-order", type=click.Choice(["little", "big"]), default="little", show_default=True)
@click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def command(
    output: Path, bands: int, lines: int, samples: int, kind: str, byte_order: str, seed: int, overwrite: bool
) -> None:
    """Write a made-up scene into the file OUTPUT: the same one for the same options, on any machine.

    Mixed spectra of twelve materials in fields and gradients, under an atmosphere, with the noise of a sensor. For load
    tests and benchmarks; it is marked as synthetic, and a study refuses it under a name without that word.

    \b
    Example:
      bandpress synthesize synthetic.raw --bands 224 --lines 512 --samples 680 --seed 1
    """
    from bandpress.cli.convert import final_path
    from bandpress.cli.progress import bands_bar
    from bandpress.synthesis import Plan, write

    plan = Plan(bands, lines, samples, kind, byte_order, seed)
    final = final_path(plan.like(), output)
    if final.exists() and not overwrite:
        raise SceneError(f"{final}: exists already; give --overwrite to replace it")
    with bands_bar(output.name, lines, unit="lines") as progress:
        click.echo(write(plan, final, progress))
