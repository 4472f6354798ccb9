"""``bandpress synthesize``: synthetic scenes for load tests and benchmarks."""

from pathlib import Path
from typing import Any

import click

from bandpress.datasets.synthesis import TYPES
from bandpress.errors import SceneError
from bandpress.files import refuse_to_replace
from bandpress.formats import file_name, output_files


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--bands", type=click.IntRange(1, 1 << 14), help="Default: as in the name, else 224.")
@click.option("--lines", type=click.IntRange(1, 1 << 20), help="Default: as in the name, else 512.")
@click.option("--samples", type=click.IntRange(1, 1 << 20), help="Default: as in the name, else 680.")
@click.option("--dtype", "kind", type=click.Choice(TYPES), help="Default: as in the name, else uint16.")
@click.option(
    "--byte-order", type=click.Choice(["little", "big"]), help="Default: as in the name, else little."
)
@click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def command(output: Path, seed: int, overwrite: bool, **options: Any) -> None:
    """Write a synthetic scene to the file OUTPUT; the same options give the same scene on any machine.

    The scene mixes spectra of twelve materials in fields and gradients, with atmosphere and sensor noise. It is for
    load tests and benchmarks, and marked as synthetic: studies refuse it unless its name there says "synthetic".

    \b
    Examples:
      bandpress synthesize synthetic.raw --bands 64 --lines 128 --samples 100 --seed 1
      bandpress synthesize synthetic.64_100_128_2_1_0.raw
    """
    from bandpress.cli.progress import bands_bar
    from bandpress.datasets.synthesis import Plan, write

    given = {key: value for key, value in options.items() if value is not None}
    plan = Plan(**{**_of_name(output), **given}, seed=seed)
    if output.is_dir():
        output = output / file_name(plan.like())
    refuse_to_replace(output_files(plan.like(), output), overwrite)
    with bands_bar(output.name, plan.lines, plan.like().cube.nbytes, "lines") as progress:
        click.echo(write(plan, output, progress))


def _of_name(output: Path) -> dict[str, Any]:
    """Return the geometry and type that the file name states."""
    from bandpress.formats import gici
    from bandpress.formats.describe import byte_order

    if not gici.claims(output):
        return {}
    _, dtype, (bands, lines, samples) = gici.described(output)
    if dtype.name not in TYPES:
        raise SceneError(f"{output}: {dtype.name} in the name; expected one of {', '.join(TYPES)}")
    order = byte_order(dtype) or "little"
    return {"bands": bands, "lines": lines, "samples": samples, "kind": dtype.name, "byte_order": order}
