"""``bandpress info``: describe a scene or a ``.bpk`` file."""

import json
from pathlib import Path
from typing import Any

import click

from bandpress.cli.printing import printable
from bandpress.coding import rate
from bandpress.container.bitstream import SUFFIX, Reader
from bandpress.formats import read_scene


@click.command()
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: str, as_json: bool) -> None:
    """Describe PATH, a scene or a .bpk file.

    For a scene: geometry, type, byte order, and the wavelength and range of each band. To choose one of several arrays
    in a file, add a colon and its name.

    \b
    Examples:
      bandpress info scene.bpk
      bandpress info scene.hdr --json
      bandpress info scenes.mat:indian_pines
    """
    is_bitstream = Path(path).suffix.lower() == SUFFIX
    facts = _of_bitstream(Path(path)) if is_bitstream else _of_scene(path)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    elif is_bitstream:
        _show({key: value for key, value in facts.items() if value is not None})
    else:
        _show_scene(facts)


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
            "scaled": header.scaled,
            "nodata": header.metadata.get("nodata"),
            "nodata_samples": 0 if header.holes is None else sum(header.holes["samples"]),
            "codec": header.codec,
            "bands_per_cluster": header.bands_per_cluster,
            "clusters": len(reader.clusters),
            "model": header.model,
            "parameters": header.parameters,
        }


def _of_scene(path: str) -> dict[str, Any]:
    from bandpress.formats.describe import describe

    return describe(read_scene(path), path)


def _show_scene(facts: dict[str, Any]) -> None:
    """Print facts about a scene, then a table of its bands."""
    of_band = ("wavelengths", "fwhm", "bad_bands", "band_min", "band_max")
    _show({key: value for key, value in facts.items() if key not in of_band and value not in (None, [], {})})
    bands = range(facts["bands"])
    columns: dict[str, list[str]] = {"band": [str(b + 1) for b in bands]}
    for title, key in (("nm", "wavelengths"), ("fwhm", "fwhm")):
        if facts[key] is not None:
            columns[title] = [
                f"{value:.2f}" if isinstance(value, float) else str(value) for value in facts[key]
            ]
    for title, key in (("min", "band_min"), ("max", "band_max")):
        columns[title] = ["-" if value is None else f"{value:g}" for value in facts[key]]
    if facts["bad_bands"]:
        columns["bad"] = ["bad" if b + 1 in facts["bad_bands"] else "" for b in bands]
    widths = [max(map(len, [title, *cells])) for title, cells in columns.items()]
    click.echo()
    for row in [list(columns), *map(list, zip(*columns.values(), strict=True))]:
        click.echo("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _show(facts: dict[str, Any]) -> None:
    width = max(map(len, facts))
    for key, value in facts.items():
        shown = f"{value:.6g}" if isinstance(value, float) else value
        click.echo(printable(f"{key:{width}}  {shown}"))
