"""``bandpress compress``: scenes to ``.bpk`` files."""

from pathlib import Path
from typing import Any

import click

from bandpress.cli.paths import expanded, streams
from bandpress.cli.progress import bands_bar
from bandpress.codecs import REGISTRY, checked_option, make_codec, needs_tensorflow
from bandpress.coding import compress, rate
from bandpress.container.bitstream import Reader
from bandpress.contexts.store import is_context_model
from bandpress.environment import need_tensorflow
from bandpress.formats import read_scene
from bandpress.scaling import Scaling


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
    help="Default, if a model is given: wavelet-learned with a context model, learned with a network.",
)
@click.option("--model", help="Folder or name of a context model, of a network, or of a family of networks.")
@click.option(
    "--quality", type=float, help="Operating point of a family: 1 is the lowest; fractions with gains."
)
@click.option("--psnr", type=float, help="Target in dB, peak 65,535.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Target in bits per sample.")
@click.option(
    "--step",
    type=click.FloatRange(min=0, min_open=True),
    help="Quantiser step in DN instead of a target, for codecs with one step for the scene.",
)
@click.option(
    "--max-error",
    type=click.IntRange(0, 65535),
    help="No sample is off by more than this, in DN; 0 is lossless.",
)
@click.option("--lossless", is_flag=True, default=None, help="Exact reconstruction, for codecs that can.")
@click.option("--bands-per-cluster", "-k", callback=_bands_per_cluster, help="A number, or 'all'.")
@click.option(
    "--allocation",
    type=click.Choice(["equal", "shared"]),
    help="Rate the same for every cluster, or shared over the scene by distortion.",
)
@click.option(
    "--key-distance",
    type=click.IntRange(1),
    help="Clusters of a segment that is decoded alone, for codecs that predict; 16 unless told otherwise.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    help="Of the learned encoder: float32 (default); faster in bfloat16; auto: the latter where the processor has it.",
)
@click.option(
    "--refine",
    type=click.IntRange(0),
    help="Steps of a search for better latents (100 is much): a smaller file of the same quality, a slower encoder.",
)
@click.option(
    "-O",
    "--option",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other option of the codec, see docs/codecs.md; may be given again.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    help="Code samples as 16-bit integers so far apart (0.0001): for floating-point and 32-bit scenes.",
)
@click.option(
    "--offset", type=float, default=0.0, help="With --scale: the sample that the integer 0 stands for."
)
@click.option(
    "--input-interleave",
    type=click.Choice(["bsq", "bil", "bip"], case_sensitive=False),
    help="Order of axes in files that do not say it. Default: bip.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File (.bpk), or folder.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    scenes: tuple[Path, ...],
    codec_name: str | None,
    pairs: tuple[str, ...],
    scale: float | None,
    offset: float,
    input_interleave: Any,
    output: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Compress SCENES (files, folders or patterns such as 'data/*.raw'), each into one .bpk file beside it.

    \b
    Examples:
      bandpress compress scene.hdr --model contexts --rate 0.3
      bandpress compress scene.hdr --model aviris-k3 --quality 2
      bandpress compress scene.224_680_512_2_1_0.raw --model models/aviris-k3 --rate 0.3
      bandpress compress scene.hdr --model aviris-k3 --quality 2 --refine 100
      bandpress compress *.raw --codec rklt-jpeg2000 -k all --rate 0.5 -o packed/
      bandpress compress reflectance.hdr --codec rklt-jpeg2000 --lossless --scale 0.0001
    """
    given = {key: value for key, value in options.items() if value is not None}
    codec_name = chosen(codec_name, given.get("model"))
    if needs_tensorflow(codec_name):
        need_tensorflow(f"the codec {codec_name}")
    codec = make_codec(codec_name, **given, **further(codec_name, pairs, given))
    for path, target in streams(expanded(scenes), output, overwrite).items():
        scene = read_scene(path, interleave=input_interleave)
        scaling = None if scale is None else Scaling(scene.dtype.str, scale, offset)
        with bands_bar(path.name, scene.bands, search=codec.searches) as progress:
            size = compress(scene, target, codec, progress, scaling=scaling)
        reached = f"{rate(target, scene.cube.shape):.4f} bits per sample"
        if "rate" in given:
            reached += f" ({given['rate']:g} asked for)"
        if "psnr" in given:
            with Reader(target) as reader:
                found = reader.header.parameters.get("psnr", float("nan"))
            reached += f", {found:.2f} dB ({given['psnr']:g} asked for)"
        click.echo(f"{target}: {size} bytes, {reached}")


def chosen(codec: str | None, model: str | None) -> str:
    """Return the codec that is meant: the one that is named, or the one that a model is for."""
    if codec is not None:
        return codec
    if model is None:
        raise click.UsageError("give --model DIR for a learned codec, or --codec NAME for another")
    return "wavelet-learned" if is_context_model(model) else "learned"


def further(codec: str, pairs: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a codec that were given as pairs ``name=value``."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise click.UsageError(f"-O {pair}; expected NAME=VALUE")
        if name in given or name in found:
            raise click.UsageError(f"the option {name} was given twice; expected it once")
        found[name] = checked_option(codec, name, text, text=True)
    return found
