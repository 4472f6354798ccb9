"""``bandpress quicklook``: a scene as a PNG."""

import re
from pathlib import Path

import click

from bandpress.files import refuse_to_replace
from bandpress.formats import input_files, read_scene


def _bands(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*,[1-9]\d*)?", value):
        raise click.BadParameter(f"{value!r} is not one band or three such as 29,20,12, counted from 1")
    return tuple(int(band) - 1 for band in value.split(","))


@click.command()
@click.argument("scene")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--bands",
    callback=_bands,
    help="Bands for red, green and blue, counted from 1: 29,20,12. One band gives a grey picture.",
)
@click.option(
    "--percent",
    type=click.FloatRange(0, 50, max_open=True),
    default=2.0,
    show_default=True,
    help="Percentage of samples clipped to black, and to white.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def command(scene: str, output: Path, bands: tuple[int, ...] | None, percent: float, overwrite: bool) -> None:
    """Write a picture of SCENE to the file OUTPUT (.png).

    In natural colours if wavelengths are known, otherwise in false colours.

    \b
    Example:
      bandpress quicklook scene.hdr scene.png --bands 29,20,12
    """
    from bandpress.pictures import quicklook

    refuse_to_replace([output], overwrite, input_files(scene))
    shown = quicklook(read_scene(scene), output, bands, percent)
    click.echo(f"{output}: band{'s' * (len(shown) > 1)} {', '.join(str(band + 1) for band in shown)}")
