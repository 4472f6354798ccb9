"""``bandpress decompress``: ``.bpk`` files back to scenes."""

import re
from pathlib import Path

import click

from bandpress.bitstream import Reader
from bandpress.cli.progress import bands_bar
from bandpress.coding import decompress
from bandpress.errors import SceneError
from bandpress.formats import write_scene
from bandpress.formats.gici import file_name


def _bands(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a band or a range such as 40-60")
    return int(match[1]), int(match[2] or match[1])


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the network model.")
@click.option("--bands", callback=_bands, help="Only these, counted from 1: 40-60.")
@click.option("--salvage", is_flag=True, help="Decode what is undamaged; bands that are lost hold zeros.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File, or folder for several files.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    files: tuple[Path, ...],
    model: Path | None,
    bands: tuple[int, int] | None,
    salvage: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Decompress FILES, each into a scene beside it.

    \b
    Examples:
      bandpress decompress scene.bpk --model models/aviris-k3
      bandpress decompress scene.bpk --bands 40-60 -o part.raw
    """
    for path in files:
        with Reader(path, salvage=salvage) as reader:
            count = reader.header.bands if bands is None else bands[1] - bands[0] + 1
        with bands_bar(path.name, count) as progress:
            decoded = decompress(path, model=model, bands=bands, salvage=salvage, progress=progress)
        if output is None or len(files) > 1 or output.is_dir():
            target = (path.parent if output is None else output) / file_name(decoded.scene)
        else:
            target = output
        if target.exists() and not overwrite:
            raise SceneError(f"{target}: exists already; give --overwrite to replace it")
        click.echo(f"{write_scene(decoded.scene, target)}: {decoded.scene.bands} bands")
        for cluster in decoded.damaged:
            click.echo(f"{path}: bands {cluster.first + 1}-{cluster.stop} are lost", err=True)
