"""``bandpress decompress``: ``.bpk`` files back to scenes."""

import re
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from bandpress.cli.codecs import go_where_it_runs
from bandpress.cli.paths import scene_target
from bandpress.cli.progress import bands_bar
from bandpress.cli.threads import threads_option
from bandpress.coding import decompress
from bandpress.container.bitstream import Header, Reader
from bandpress.environment import need_tensorflow
from bandpress.errors import CodecError, ModelError, SceneError
from bandpress.formats import write_scene
from bandpress.formats.raw import Interleave
from bandpress.hyperprior import store
from bandpress.scene import Scene


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
@click.option("--model", help="Folder or name of the model. Default: the model with the digest in the file.")
@click.option("--bands", callback=_bands, help="Decode only these, counted from 1: 40-60.")
@click.option("--salvage", is_flag=True, help="Decode undamaged bands; lost bands are zero.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file with a suffix, or a folder. Default: beside the input.",
)
@threads_option
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    files: tuple[Path, ...],
    model: str | None,
    bands: tuple[int, int] | None,
    salvage: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Decompress FILES, each into a scene beside it, in its original format.

    FILES are .bpk files, or .tfci files of the authors' script.

    \b
    Examples:
      bandpress decompress scene.bpk -o restored.hdr
      bandpress decompress scene.bpk --bands 40-60 -o part.hdr
      bandpress decompress packed/*.bpk -o restored/
      bandpress decompress jasper_b1-3.3_100_90_2_1_0.raw.tfci --model models/AVIRIS_3bands_2
    """
    targets: dict[Path, tuple[Path, Interleave | None, Scene]] = {}
    for path in files:
        if path.suffix == ".tfci":
            continue
        with Reader(path, salvage=salvage) as reader:
            go_where_it_runs(reader.header.codec, path)
            like = _like(path, reader.header, bands)
        target, interleave = scene_target(like, path, output, overwrite, several=len(files) > 1)
        if any(target == other for other, *_ in targets.values()):
            raise SceneError(f"{target}: would hold the scenes of two files; expected one file at a time")
        targets[path] = target, interleave, like
    for path in files:
        if path.suffix == ".tfci":
            _authors_stream(path, model, output, overwrite)
            continue
        target, interleave, like = targets[path]
        started = time.perf_counter()
        with bands_bar(path.name, like.bands, like.cube.nbytes) as progress:
            decoded = decompress(path, model=model, bands=bands, salvage=salvage, progress=progress)
        seconds = time.perf_counter() - started
        written = write_scene(decoded.scene, target, interleave=interleave)
        size = " x ".join(map(str, decoded.scene.cube.shape))
        click.echo(f"{written}  {size} (bands, lines, samples)  {decoded.scene.dtype.name}  {seconds:.1f} s")
        for cluster in decoded.damaged:
            click.echo(f"{path}: bands {cluster.first + 1}-{cluster.stop} are lost", err=True)
        if decoded.mask_lost:
            click.echo(f"{path}: the no-data mask is lost", err=True)


def _like(path: Path, header: Header, bands: tuple[int, int] | None) -> Scene:
    """Return a scene of zeros with the geometry and metadata of the header, limited to `bands`."""
    first, last = (1, header.bands) if bands is None else bands
    if not 1 <= first <= last <= header.bands:
        raise CodecError(
            f"{path}: bands {first}-{last} were asked for; expected bands within 1-{header.bands}"
        )
    zeros = np.broadcast_to(
        np.zeros((), header.sample_type), (last - first + 1, header.lines, header.samples)
    )
    return header.to_scene(zeros, slice(first - 1, last))


def _authors_stream(path: Path, model: str | None, output: Path | None, overwrite: bool) -> None:
    """Decode a cluster that the authors' script coded; such files do not name their model."""
    if model is None:
        raise click.UsageError(f"{path}: a .tfci file does not name its model; give --model")
    need_tensorflow(f"{path}: a .tfci file")
    from bandpress.hyperprior.authors.streams import AuthorsCoder

    family = store.members(model)
    if len(family) != 1:
        raise ModelError(f"{model}: {len(family)} models; expected the one that {path} was made with")
    scene = AuthorsCoder(family[0]).decode(path)
    scene = replace(scene, name=f"{scene.name}_decoded")
    target, _ = scene_target(scene, path, output, overwrite)
    click.echo(f"{write_scene(scene, target)}: {scene.bands} bands")
