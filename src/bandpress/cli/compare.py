"""``bandpress compare``: metrics of a reconstruction against its original."""

import json
import math
from pathlib import Path

import click

from bandpress.api import read
from bandpress.cli.codecs import go_where_it_runs
from bandpress.cli.progress import busy
from bandpress.container.bitstream import SUFFIX, Reader
from bandpress.errors import SceneError
from bandpress.evaluation import summary
from bandpress.files import refuse_to_replace
from bandpress.optional import require
from bandpress.pictures import check_png


@click.command()
@click.argument("original")
@click.argument("restored")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Write a PNG of both, their difference and some spectra.",
)
@click.option("--ms-ssim", is_flag=True, help="Also measure MS-SSIM; takes twice as long.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the error of each band.")
@click.option("--overwrite", is_flag=True, help="Replace a picture that exists.")
def command(
    original: str, restored: str, picture: Path | None, ms_ssim: bool, as_json: bool, overwrite: bool
) -> None:
    """Compare the scene ORIGINAL with RESTORED, a scene or a .bpk file, by the metrics of the study.

    No-data samples of ORIGINAL do not count. PSNR uses a peak of 65,535.

    \b
    Examples:
      bandpress compare scene.hdr scene.bpk
      bandpress compare scene.hdr restored.hdr --picture difference.png
      bandpress compare scene.hdr scene.bpk --json
    """
    if picture is not None:
        check_png(picture)
        require("matplotlib", picture, "pictures")
        refuse_to_replace([picture], overwrite, [original, restored])
    facts: list[str] = []
    if Path(restored).suffix.lower() == SUFFIX:
        with Reader(Path(restored)) as reader:
            header = reader.header
        go_where_it_runs(header.codec, restored)
    before = read(original)
    if Path(restored).suffix.lower() == SUFFIX:
        if header.shape != before.cube.shape:
            raise SceneError(
                f"{restored}: holds {header.bands} x {header.lines} x {header.samples} (bands, lines, samples); "
                f"expected {' x '.join(map(str, before.cube.shape))}, those of {original}"
            )
        facts = summary.size(Path(restored), header.shape, 8 * before.dtype.itemsize)
        facts += [f"{header.codec}, {summary.clusters(header.bands_per_cluster)}"]
    from bandpress.evaluation.metrics import measure

    with busy("comparing"):
        after = read(restored)
        record = measure(before, after, multiscale=ms_ssim)
    if math.isnan(record["mse"]):
        raise SceneError(
            f"{restored}: some samples are not numbers where those of {original} are; expected numbers"
        )
    title = summary.line(Path(restored).name, *facts[:3], *summary.quality(record), *facts[3:])
    if picture is not None:
        from bandpress.evaluation.picture import draw

        with busy("drawing"):
            draw(before, after, picture, title)
    if as_json:
        measured = {key: summary.finite(value) for key, value in record.items()}
        click.echo(json.dumps({"original": original, "restored": restored, **measured}, indent=2))
        return
    click.echo(title)
    for name, value in record.items():
        if isinstance(value, float | int):
            click.echo(f"  {name:24}{value:.6g}")
    if picture is not None:
        click.echo(f"{picture}")
