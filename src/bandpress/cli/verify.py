"""``bandpress verify``: check that files are intact and decode."""

import math
from pathlib import Path

import click
import numpy as np

from bandpress.cli.codecs import go_where_it_runs
from bandpress.cli.progress import bands_bar
from bandpress.coding import decompress
from bandpress.container.bitstream import Reader


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--decode", is_flag=True, help="Also decode the samples, with --model if the codec needs one.")
@click.option("--model", type=click.Path(path_type=Path), help="With --decode: folder of the model.")
def command(files: tuple[Path, ...], decode: bool, model: Path | None) -> None:
    """Check every checksum of .bpk FILES.

    \b
    Examples:
      bandpress verify scene.bpk
      bandpress verify packed/*.bpk --decode
    """
    for path in files:
        with Reader(path) as reader:
            if decode:
                go_where_it_runs(reader.header.codec, path)
            reader.verify()
            clusters, bands = len(reader.clusters), reader.header.bands
            size = math.prod(reader.header.shape) * np.dtype(reader.header.dtype).itemsize
        if decode:
            with bands_bar(path.name, bands, size) as progress:
                decompress(path, model=model, progress=progress)
        done = "all checksums are correct, and it decodes" if decode else "all checksums are correct"
        click.echo(f"{path}: {clusters} clusters, {bands} bands, {done}")
