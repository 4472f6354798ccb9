"""``bandpress bench codecs``: speed of every codec on this machine."""

import json
from pathlib import Path

import click

from bandpress.cli.types import ClusterSize
from bandpress.clusters import BandsPerCluster
from bandpress.codecs import REGISTRY
from bandpress.evaluation import codec_benchmark
from bandpress.files import atomic_path, refuse_to_replace


@click.command("codecs")
@click.option(
    "--codec",
    "codecs",
    type=click.Choice(sorted(REGISTRY)),
    multiple=True,
    help="May be repeated. Default: all codecs that take a rate and need no TensorFlow.",
)
@click.option(
    "--bands-per-cluster",
    "-k",
    "sizes",
    multiple=True,
    default=("3", "all"),
    type=ClusterSize(),
    help="A number, or 'all'; may be repeated.",
    show_default=True,
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=0.3, show_default=True)
@click.option("--bands", type=click.IntRange(1, 1 << 14), default=224, show_default=True)
@click.option("--lines", type=click.IntRange(1, 1 << 20), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(1, 1 << 20), default=680, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), help="Default: one per processor.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Also write the result to this JSON file."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def command(
    codecs: tuple[str, ...],
    sizes: list[BandsPerCluster],
    rate: float,
    bands: int,
    lines: int,
    samples: int,
    threads: int | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Time codecs on one synthetic scene at one rate: encoding, decoding, start-up, memory.

    Each run is a separate command, from file to file. To compare machines, run it with nothing else running.

    \b
    Examples:
      bandpress bench codecs --bands 32 --lines 128 --samples 128 -o codecs.json
      bandpress bench codecs --codec rklt-jpeg2000 --codec wavelet-learned -k all --bands 64 --lines 200 --samples 200
    """
    refuse_to_replace([output] if output else [], overwrite)
    report = codec_benchmark.run(
        codecs or codec_benchmark.without_tensorflow(),
        sizes,
        (bands, lines, samples),
        rate,
        threads,
        lambda what: click.echo(f"{what} …", err=True),
    )
    if output is not None:
        with atomic_path(output) as part:
            part.write_text(json.dumps(report.to_json(), indent=1) + "\n", "utf-8")
    click.echo(codec_benchmark.table(report))
