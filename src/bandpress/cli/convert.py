"""``bandpress convert``: a scene in another format."""

from pathlib import Path
from typing import Any

import click

from bandpress.cli.progress import busy
from bandpress.errors import SceneError
from bandpress.formats import SUFFIXES, read_scene, split_variable, write_scene

_INTERLEAVE = click.Choice(["bsq", "bil", "bip"], case_sensitive=False)


@click.command(epilog=f"Endings that are known: {', '.join(SUFFIXES)}")
@click.argument("source")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--interleave", type=_INTERLEAVE, help="Order of axes to write, where the format leaves a choice."
)
@click.option(
    "--input-interleave", type=_INTERLEAVE, help="Order of axes in a file that does not say it. Default: bip."
)
@click.option("--byte-order", type=click.Choice(["little", "big"]), help="Default: that of SOURCE.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    source: str,
    target: Path,
    interleave: Any,
    input_interleave: Any,
    byte_order: str | None,
    overwrite: bool,
) -> None:
    """Write the scene SOURCE into the file TARGET; the formats are told by the names.

    Samples keep their values and type, and what is known of the bands comes along. One array of several in a file is
    named after a colon. If TARGET is a folder, a GICI raw file is made in it.

    \b
    Examples:
      bandpress convert scene.hdr scene.raw
      bandpress convert scenes.mat:indian_pines scene.hdr --interleave bil
      bandpress convert cube.npy scene.raw --input-interleave bsq --byte-order big
    """
    scene = read_scene(source, interleave=input_interleave)
    if byte_order is not None:
        from dataclasses import replace

        dtype = scene.dtype.newbyteorder("big" if byte_order == "big" else "little")
        scene = replace(scene, cube=scene.cube.astype(dtype, copy=False))
    final = final_path(scene, target)
    if final.exists() and not overwrite:
        raise SceneError(f"{final}: exists already; give --overwrite to replace it")
    if final.exists() and final.samefile(split_variable(source)[0]):
        raise SceneError(f"{final}: the file that is read; expected another one to write")
    with busy(f"writing {final.name}"):
        click.echo(write_scene(scene, final, interleave=interleave))


def final_path(scene: Any, target: Path) -> Path:
    """Return where `write_scene` will put a scene: GICI names are completed."""
    from dataclasses import replace

    from bandpress.formats import ccsds, gici

    if target.is_dir():
        return target / gici.file_name(scene)
    if target.suffix.lower() == ".raw" and not gici.claims(target) and not ccsds.claims(target):
        return target.with_name(gici.file_name(replace(scene, name=target.name[: -len(".raw")])))
    return target
