"""``bandpress convert``: scenes to other formats."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bandpress.cli.progress import busy
from bandpress.errors import SceneError
from bandpress.files import refuse_to_replace
from bandpress.formats import SUFFIXES, describe, gici, input_files, output_files, read_scene, write_scene
from bandpress.formats.retype import TYPES, retyped
from bandpress.scaling import Scaling

_INTERLEAVE = click.Choice(["bsq", "bil", "bip"], case_sensitive=False)


@click.command(epilog=f"Known suffixes: {', '.join(SUFFIXES)}")
@click.argument("source")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--interleave", type=_INTERLEAVE, help="Order of axes to write, if the format allows several.")
@click.option(
    "--input-interleave",
    type=_INTERLEAVE,
    help="Order of axes, for files that do not state it. Default: bip.",
)
@click.option(
    "--byte-order",
    type=click.Choice(["little", "big"]),
    help="Default: as in TARGET's name, else as in SOURCE.",
)
@click.option(
    "--dtype", type=click.Choice(TYPES), help="Sample type to write; float types apply scale and offset."
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    help="Write integers in this unit, such as 0.0001; 16-bit unless --dtype is given; TARGET records it.",
)
@click.option("--offset", type=float, help="With --scale: the quantity that the integer 0 stands for.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    source: str,
    target: Path,
    interleave: Any,
    input_interleave: Any,
    byte_order: str | None,
    dtype: str | None,
    scale: float | None,
    offset: float | None,
    overwrite: bool,
) -> None:
    """Write the scene SOURCE to the file TARGET, in the format that its suffix names.

    Samples keep their values and type, unless --dtype or --scale is given. Wavelengths and other band metadata are
    kept. To choose one of several arrays in a file, add a colon and its name. If TARGET is a folder, a GICI raw file is
    written in it.

    \b
    Examples:
      bandpress convert scene.hdr scene.raw
      bandpress convert scenes.mat:indian_pines pines.hdr --interleave bil
      bandpress convert cube.npy cube.raw --input-interleave bsq --byte-order big
      bandpress convert reflectance.hdr integers.hdr --scale 0.0001
      bandpress convert counts.hdr quantities.hdr --dtype float32
    """
    scene = read_scene(source, interleave=input_interleave)
    if dtype is None and (scale is not None or offset is not None):
        scaling = Scaling(scene.dtype.str, scale or 1.0, offset or 0.0)
        dtype = scaling.coded_type(scene.name, iter(scene.cube), scene.nodata).name
    if byte_order is not None:
        ordered = scene.dtype.newbyteorder("big" if byte_order == "big" else "little")
        scene = replace(scene, cube=scene.cube.astype(ordered, copy=False))
    if dtype is not None:
        with busy(f"making {dtype} samples"):
            scene = retyped(scene, dtype, scale, offset)
    if target.is_dir():
        target = target / gici.file_name(scene)
    elif gici.claims(target) and byte_order not in (None, describe.byte_order(gici.described(target)[1])):
        raise SceneError(
            f"{target}: the name gives another byte order; expected {byte_order}, as --byte-order says"
        )
    refuse_to_replace(output_files(scene, target, interleave), overwrite, input_files(source))
    with busy(f"writing {target.name}"):
        click.echo(write_scene(scene, target, interleave=interleave))
