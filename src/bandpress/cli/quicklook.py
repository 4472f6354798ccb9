"""``bandpress quicklook``: a scene as a PNG."""

import re
from pathlib import Path

import click

from bandpress.formats import read_scene


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
    "--bands", callback=_bands, help="Red, green, blue, counted from 1: 29,20,12. Or one, for grey."
)
@click.option(
    "--percent",
    type=click.FloatRange(0, 50, max_open=True),
    default=2.0,
    show_default=True,
    help="Share of the samples at each end that are shown as black or white.",
)
def command(scene: str, output: Path, bands: tuple[int, ...] | None, percent: float) -> None:
    """Write a picture of SCENE into the file OUTPUT (.png).

    In its colours where wavelengths are known, else in false colour. An existing picture is replaced.

    \b
    Example:
      bandpress quicklook scene.hdr scene.png --bands 29,20,12
    """
    from bandpress.pictures import quicklook

    shown = quicklook(read_scene(scene), output, bands, percent)
    click.echo(f"{output}: band{'s' * (len(shown) > 1)} {', '.join(str(band + 1) for band in shown)}")
