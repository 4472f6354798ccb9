"""``bandpress compress``: scenes to ``.bpk`` files."""

from pathlib import Path
from typing import Any

import click

from bandpress.bitstream import SUFFIX
from bandpress.cli.progress import bands_bar
from bandpress.codecs import REGISTRY, make_codec
from bandpress.coding import compress, rate
from bandpress.errors import CodecError
from bandpress.formats import read_scene


def _bands_per_cluster(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    if value is None or value == "all":
        return value
    if not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is not a positive integer or 'all'")
    return int(value)


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--codec",
    "codec_name",
    type=click.Choice(sorted(REGISTRY)),
    help="Default: learned if a model is given.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a network model.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Target in bits per sample.")
@click.option("--lossless", is_flag=True, default=None, help="Exact reconstruction, for codecs that can.")
@click.option("--bands-per-cluster", "-k", callback=_bands_per_cluster, help="A number, or 'all'.")
@click.option(
    "--allocation",
    type=click.Choice(["equal", "shared"]),
    help="Rate the same for every cluster, or shared over the scene by distortion.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File, or folder for several scenes.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    scenes: tuple[Path, ...],
    codec_name: str | None,
    output: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Compress SCENES, each into one .bpk file beside it.

    \b
    Examples:
      bandpress compress scene.224_680_512_2_1_0.raw --model models/aviris-k3
      bandpress compress *.raw --codec rklt-jpeg2000 -k all --rate 0.5 -o packed/
    """
    given = {key: value for key, value in options.items() if value is not None}
    if codec_name is None:
        if "model" not in given:
            raise click.UsageError("give --model DIR for the learned codec, or --codec NAME for another")
        codec_name = "learned"
    codec = make_codec(codec_name, **given)
    for path in scenes:
        scene = read_scene(path)
        target = _target(path, scene.name, output, several=len(scenes) > 1)
        if target.exists() and not overwrite:
            raise CodecError(f"{target}: exists already; give --overwrite to replace it")
        with bands_bar(path.name, scene.bands) as progress:
            size = compress(scene, target, codec, progress)
        click.echo(f"{target}: {size} bytes, {rate(target, scene.cube.shape):.4f} bits per sample")


def _target(source: Path, name: str, output: Path | None, several: bool) -> Path:
    if output is None:
        return source.with_name(name + SUFFIX)
    if several or output.is_dir() or output.suffix != SUFFIX:
        return output / (name + SUFFIX)
    return output
