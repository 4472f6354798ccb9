"""``bandpress compress``: scenes to ``.bpk`` files."""

import json
import time
from pathlib import Path
from typing import Any

import click

from bandpress.cli.codecs import named_codec
from bandpress.cli.paths import expanded, streams
from bandpress.cli.progress import bands_bar
from bandpress.cli.threads import threads_option
from bandpress.cli.types import ClusterSize
from bandpress.codecs import REGISTRY, defaults
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.evaluation import summary
from bandpress.evaluation.metrics import measure
from bandpress.formats import read_scene
from bandpress.scaling import Scaling
from bandpress.scene import Scene


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--codec",
    "codec_name",
    type=click.Choice(sorted(REGISTRY)),
    help="Default: the codec of --model; without one, the best for the target (docs/codecs.md).",
)
@click.option("--model", help="Folder or name of a context model, network or family of networks.")
@click.option(
    "--quality",
    type=float,
    help="Operating point of a family of networks; 1 is the lowest. A network with gains takes fractions too.",
)
@click.option("--psnr", type=float, help="Target in dB, peak 65,535.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Target in bits per sample.")
@click.option(
    "--step",
    type=click.FloatRange(min=0, min_open=True),
    help="Quantiser step in DN, instead of a target; for codecs with one step for the whole scene.",
)
@click.option(
    "--max-error",
    type=click.IntRange(0, 65535),
    help="Largest absolute error of any sample, in DN; 0 is lossless.",
)
@click.option("--lossless", is_flag=True, default=None, help="Reconstruct exactly; for codecs that can.")
@click.option("--bands-per-cluster", "-k", type=ClusterSize(), help="A number, or 'all'.")
@click.option(
    "--allocation",
    type=click.Choice(["equal", "shared"]),
    help="Rate allocation: the same rate for every cluster, or shared over the scene to minimise distortion.",
)
@click.option(
    "--key-distance",
    type=click.IntRange(1),
    help="Clusters per segment, for codecs that predict; segments decode independently. Default: 16.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    help="Arithmetic of the network's encoder. bfloat16 is faster on processors that support it; auto uses it there. "
    "Default: float32.",
)
@click.option(
    "--refine",
    type=click.IntRange(0),
    help="Steps of iterative latent refinement: smaller files of the same quality, slower encoding; 100 is plenty.",
)
@click.option(
    "-O",
    "--option",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other option of the codec (docs/codecs.md); may be repeated.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    help="Code floating-point and 32-bit scenes as 16-bit integers in this unit, such as 0.0001.",
)
@click.option(
    "--offset", type=float, default=0.0, help="With --scale: the sample value that the integer 0 stands for."
)
@click.option(
    "--input-interleave",
    type=click.Choice(["bsq", "bil", "bip"], case_sensitive=False),
    help="Order of axes, for files that do not state it. Default: bip.",
)
@threads_option
@click.option(
    "--check/--no-check",
    default=True,
    show_default=True,
    help="Decode each file and report its quality; takes as long as decoding. Lossless files are always checked.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per file.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .bpk file or a folder. Default: beside the scene.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    scenes: tuple[Path, ...],
    codec_name: str | None,
    pairs: tuple[str, ...],
    scale: float | None,
    offset: float,
    input_interleave: Any,
    check: bool,
    as_json: bool,
    output: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Compress SCENES (files, folders or patterns such as 'data/*.hdr'), each into one .bpk file beside it.

    Without a target, compression is lossless. The default codec's model comes with bandpress; other models are in
    models/ of the checkout.

    \b
    Examples:
      bandpress compress scene.hdr --rate 0.2
      bandpress compress scene.hdr --psnr 70 -o packed/
      bandpress compress scene.hdr
      bandpress compress scene.hdr --rate 0.3 -k 3
      bandpress compress scene.hdr --model AVIRIS-k3 --quality 2
      bandpress compress flights/*.hdr --codec rklt-jpeg2000 -k all --rate 0.5 -o packed/
      bandpress compress reflectance.hdr --scale 0.0001
    """
    said = any(options.get(key) is not None for key in defaults.TARGETS)
    codec, given = named_codec(codec_name, options, pairs)
    for path, target in streams(expanded(scenes), output, overwrite).items():
        started = time.perf_counter()
        scene = read_scene(path, interleave=input_interleave)
        scaling = None if scale is None else Scaling(scene.dtype.str, scale, offset)
        with bands_bar(path.name, scene.bands, scene.cube.nbytes) as progress:
            compress(scene, target, codec, progress, scaling=scaling)
        seconds = time.perf_counter() - started
        record = _record(scene, target, given, check, structural=as_json)
        if as_json:
            click.echo(json.dumps({"scene": str(path), "file": str(target), "seconds": seconds, **record}))
        else:
            click.echo(_sentence(target, scene, given, record, seconds))
    exact = "without loss" + ("" if scale is None else f" but for the rounding to multiples of {scale:g}")
    if not said and not pairs and not as_json:
        click.echo(f"{exact}; --rate 0.2, --psnr 70 or --max-error 5 makes smaller files", err=True)
    elif scale is not None and given.get("lossless"):
        click.echo(exact, err=True)


def _record(
    scene: Scene, target: Path, given: dict[str, Any], check: bool, *, structural: bool
) -> dict[str, Any]:
    """Return size, rate, codec and, if the file was decoded, quality, with SSIM if `structural`."""
    with Reader(target) as reader:
        header = reader.header
    record: dict[str, Any] = {
        "bytes": target.stat().st_size,
        "bps": rate(target, scene.cube.shape),
        "codec": header.codec,
        "bands_per_cluster": header.bands_per_cluster,
    }
    if given.get("lossless") and header.scaled is None:  # compress has already decoded and compared it
        return record | {"lossless": True}
    if check:
        with bands_bar(f"checking {target.name}", scene.bands, scene.cube.nbytes) as progress:
            decoded = decompress(target, model=given.get("model"), progress=progress).scene
        measured = measure(scene, decoded, structural=structural)
        record |= {
            key: summary.finite(value) for key, value in measured.items() if not isinstance(value, list)
        }
    return record


def _sentence(
    target: Path, scene: Scene, given: dict[str, Any], record: dict[str, Any], seconds: float
) -> str:
    """Return a one-line summary of a file."""
    parts = summary.size(target, scene.cube.shape, 8 * scene.dtype.itemsize)
    if "rate" in given:
        parts[1] += f" ({given['rate']:g} asked for)"
    parts += ["lossless"] if record.get("lossless") else summary.quality(record) if "mse" in record else []
    if "psnr" in given and "psnr" in record:
        parts[3] += f" ({given['psnr']:g} asked for)"
    return summary.line(
        str(target),
        *parts,
        f"{record['codec']}, {summary.clusters(record['bands_per_cluster'])}",
        f"{seconds:.1f} s",
    )
