"""``bandpress evaluate``: measure a codec or model on scenes, one line of CSV per scene."""

import random
from pathlib import Path
from typing import Any

import click

from bandpress.cli.codecs import named_codec
from bandpress.cli.compress import command as compress_command
from bandpress.cli.paths import expanded, streams
from bandpress.cli.progress import bands_bar
from bandpress.container.bitstream import SUFFIX
from bandpress.evaluation.evaluate import evaluate
from bandpress.evaluation.metrics import write_csv
from bandpress.files import refuse_to_replace, scratch_folder
from bandpress.formats import input_files, read_scene
from bandpress.pictures import colour_bands, stretch_of, to_rgb, write_png
from bandpress.scene import Scene

#: Columns of the authors' test script and our keys for them; other metrics follow under their own names.
COLUMNS = {
    "Image": "image",
    "size": "bytes",
    "Rate (bps)": "bps",
    "MSE": "mse",
    "MS-SSIM": "ms_ssim",
    "MAE": "mae",
    "PAE": "pae",
}


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file to write.",
)
@click.option("--sample", type=click.IntRange(min=1), help="Take only this many scenes, drawn at random.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Seed of the random choice of scenes and pictures."
)
@click.option(
    "--png",
    is_flag=True,
    help="Write pictures beside the CSV: one band and false colours of a random scene, before and after.",
)
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Folder to keep the .bpk files in."
)
@click.option(
    "--ms-ssim/--no-ms-ssim",
    default=True,
    show_default=True,
    help="Measure MS-SSIM; takes half of the measuring time.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    scenes: tuple[Path, ...],
    codec_name: str | None,
    output: Path,
    sample: int | None,
    seed: int,
    png: bool,
    keep: Path | None,
    ms_ssim: bool,
    overwrite: bool,
    pairs: tuple[str, ...],
    **options: Any,
) -> None:
    """Code, decode and measure SCENES: files, folders or patterns.

    MSE, MAE and PAE are in the samples' units. MS-SSIM is left empty below 176 lines or samples. Rate is that of
    the file on disk.

    \b
    Examples:
      bandpress evaluate flights/ --rate 0.2 -o results.csv --png
      bandpress evaluate flights/ --codec rklt-jpeg2000 -k 3 --rate 0.5 -o results.csv --sample 2 --seed 7
    """
    interleave = options.pop("input_interleave")
    codec, given = named_codec(codec_name, options, pairs)
    paths = list(dict.fromkeys(expanded(scenes)))
    draw = random.Random(seed)
    if sample is not None and sample < len(paths):
        paths = sorted(draw.sample(paths, sample))
    made = [output]
    if png:
        pictured = draw.choice(paths)
        first = read_scene(pictured, interleave=interleave)
        band = draw.randrange(first.bands)
        made += [path for _, pair in _pictures(first, output.parent, band) for path in pair]
    refuse_to_replace(made, overwrite, (file for path in paths for file in input_files(path)))
    kept = {} if keep is None else streams(paths, keep, overwrite)
    rows = []
    with scratch_folder("bandpress-") as scratch:
        for path in paths:
            scene = read_scene(path, interleave=interleave)
            stream = kept.get(path, scratch / f"scene{SUFFIX}")
            with bands_bar(path.name, 2 * scene.bands, 2 * scene.cube.nbytes) as progress:
                record, decoded = evaluate(
                    scene, codec, stream, model=given.get("model"), multiscale=ms_ssim, progress=progress
                )
            record["image"] = path.name
            rows.append(row(record))
            psnr, sam = record["psnr"], record["sam_mean"]
            click.echo(
                f"{path.name}: {record['bps']:.4f} bps, PSNR {psnr:.2f} dB, spectral angle {sam:.3f} degrees"
            )
            if png and path == pictured:
                for picture in write_pictures(scene, decoded, output.parent, band):
                    click.echo(str(picture))
    write_csv(output, rows)
    click.echo(f"{output}: {len(rows)} scene{'s' * (len(rows) != 1)}")


#: Options of ``bandpress compress`` that this command lacks. PSNR is defined for integers, so there is no scale.
_OWN = {"scale", "offset", "check", "as_json", *(option.name for option in command.params)}
command.params[1:1] = [p for p in compress_command.params if p.name not in _OWN]


def row(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record under the authors' column names, followed by our other metrics."""
    theirs = {name: record.get(key) for name, key in COLUMNS.items()}
    return theirs | {k: v for k, v in record.items() if k not in COLUMNS.values() and not isinstance(v, list)}


def write_pictures(original: Scene, decoded: Scene, folder: Path, band: int) -> list[Path]:
    """Write one band and false colours, before and after, at the same stretch; return the PNG files."""
    paths = []
    for bands, pair in _pictures(original, folder, band):
        limits = stretch_of(original, bands)
        for scene, path in zip((original, decoded), pair, strict=True):
            write_png(to_rgb(scene, bands, limits), path)
            paths.append(path)
    return paths


def _pictures(scene: Scene, folder: Path, band: int) -> list[tuple[list[int], tuple[Path, Path]]]:
    """Return the bands of each picture, and its files before and after."""
    found = []
    for what, bands in ((f"b{band + 1}", [band]), ("colour", list(colour_bands(scene)))):
        before, after = (
            folder / f"{scene.name}_{what}_{side}.png" for side in ("original", "reconstruction")
        )
        found.append((bands, (before, after)))
    return found
