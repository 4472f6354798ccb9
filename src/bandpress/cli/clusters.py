"""``bandpress clusters``: scenes to cluster files and back, in the format of the paper's tools."""

from pathlib import Path
from typing import Any

import click

from bandpress.cli.types import ClusterSize


@click.group()
def command() -> None:
    """Cut scenes into files of a few bands each, and merge them again.

    Only needed to exchange such files with other tools: compress and train take whole scenes.

    \b
    Examples:
      bandpress clusters extract flights/ clusters/ --bands 3
      bandpress clusters merge clusters/ restored/
    """


@command.command("extract")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--bands", "-k", required=True, type=ClusterSize(), help="Bands of each cluster, or 'all'.")
@click.option(
    "--first-band", type=click.IntRange(min=1), default=1, show_default=True, help="Counted from 1."
)
@click.option(
    "--last-band", type=click.IntRange(min=1), help="Inclusive. Default: the last band of the scene."
)
@click.option(
    "--pad",
    type=click.Choice(["none", "zero"]),
    default="none",
    show_default=True,
    help="Pad the last cluster with bands of zeros, as the paper's tools do.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def extract(
    source: Path, target: Path, bands: Any, first_band: int, last_band: int | None, pad: Any, overwrite: bool
) -> None:
    """Write the clusters of SOURCE, a scene or a folder of scenes, into the folder TARGET.

    \b
    Example:
      bandpress clusters extract scene.hdr clusters/ --bands 3 --first-band 10 --last-band 39
    """
    from bandpress.cli.progress import busy
    from bandpress.datasets.cluster_files import extract

    with busy(f"extracting clusters of {source.name}"):
        written = extract(source, target, bands, first_band, last_band, pad, overwrite)
    click.echo(f"{target}: {len(written)} cluster files, {written[0].name} to {written[-1].name}")


@command.command("merge")
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--bands",
    type=click.IntRange(min=1),
    help="Bands of each scene; bands beyond these are padding and removed.",
)
@click.option(
    "--byte-order",
    type=click.Choice(["source", "little", "big"]),
    default="source",
    show_default=True,
    help="Byte order of the merged scenes; source: that of the original scenes.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def merge(source: Path, target: Path, bands: int | None, byte_order: Any, overwrite: bool) -> None:
    """Merge the cluster files in the folder SOURCE into scenes in the folder TARGET.

    If SOURCE holds a single scene, TARGET may be a .raw file; its name is completed with the geometry.

    \b
    Example:
      bandpress clusters merge clusters/ restored/
    """
    from bandpress.cli.progress import busy
    from bandpress.datasets.cluster_files import merge

    with busy(f"merging clusters of {source.name}"):
        for path in merge(source, target, bands, byte_order, overwrite):
            click.echo(path)
