"""``bandpress info``: what a file holds."""

import json
from pathlib import Path
from typing import Any

import click

from bandpress.bitstream import SUFFIX, Reader
from bandpress.coding import rate
from bandpress.formats import read_scene


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(path: Path, as_json: bool) -> None:
    """Describe a scene or a .bpk file.

    \b
    Example:
      bandpress info scene.bpk --json
    """
    facts = _of_bitstream(path) if path.suffix == SUFFIX else _of_scene(path)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        width = max(map(len, facts))
        for key, value in facts.items():
            click.echo(f"{key:{width}}  {value}")


def _of_bitstream(path: Path) -> dict[str, Any]:
    with Reader(path) as reader:
        header = reader.header
        return {
            "file": str(path),
            "bytes": path.stat().st_size,
            "bps": rate(path, header.shape),
            "scene": header.scene,
            "bands": header.bands,
            "lines": header.lines,
            "samples": header.samples,
            "dtype": header.dtype,
            "codec": header.codec,
            "bands_per_cluster": header.bands_per_cluster,
            "clusters": len(reader.clusters),
            "model": header.model,
            "parameters": header.parameters,
        }


def _of_scene(path: Path) -> dict[str, Any]:
    scene = read_scene(path)
    return {
        "file": str(path),
        "scene": scene.name,
        "bands": scene.bands,
        "lines": scene.lines,
        "samples": scene.samples,
        "dtype": scene.dtype.str,
        "min": scene.cube.min().item(),
        "max": scene.cube.max().item(),
    }
