"""Cluster files: each cluster of a scene in its own GICI raw file, as the paper's tools exchange them.

``<name>_b<first>-<last>.<bands>_<width>_<height>_<type>_1_0.raw``, bands counted from 1, both ends included, samples
little-endian. Nothing in this package needs such files: codecs take clusters as views in memory.

The JSON file beside each holds the rest, see `bandpress.formats.sidecar`: metadata of its bands, ``source_byte_order``
if the scene was big-endian, ``padding`` for added bands of zeros.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bandpress.clusters import BandsPerCluster, split
from bandpress.errors import SceneError
from bandpress.files import atomic_path, refuse_to_replace
from bandpress.formats import gici, input_files, read_scene, scenes_in
from bandpress.formats.raw import write_cube
from bandpress.formats.sidecar import read_sidecar, sidecar, write_sidecar
from bandpress.scene import Scene

_CLUSTER = re.compile(r"(?P<scene>.+)_b(?P<first>[1-9]\d*)-(?P<last>[1-9]\d*)")

Pad = Literal["none", "zero"]
Progress = Callable[[int], object]


def extract(
    source: Path,
    target: Path,
    bands_per_cluster: BandsPerCluster,
    first_band: int = 1,
    last_band: int | None = None,
    pad: Pad = "none",
    overwrite: bool = True,
) -> list[Path]:
    """Write the clusters of a scene, or of every scene in a folder.

    Parameters
    ----------
    source
        A scene of any format, or a folder of scenes.
    target
        Folder for the cluster files, made if it does not exist.
    bands_per_cluster
        Bands of each cluster; the last one has the remaining bands.
    first_band, last_band
        Bands to extract, counted from 1, both included. Default: all.
    pad
        ``"zero"`` pads the last cluster with bands of zeros and counts them in its name, as the authors did.
    overwrite
        Replace existing files.

    Returns
    -------
    list of pathlib.Path
        The cluster files, in order.

    Raises
    ------
    SceneError
        If there is no scene, two scenes have the same name, or a scene has no such bands.
    """
    if source.is_dir():
        if target.exists() and target.samefile(source):
            raise SceneError(f"{target}: the folder of the scenes; expected another one for their clusters")
        paths = scenes_in(source)
    else:
        paths = [source]
    scenes: dict[str, Scene] = {}
    for path in paths:
        scene = read_scene(path)
        if scene.name in scenes:
            raise SceneError(
                f"{path}: a second scene named {scene.name}; expected each name once in {source}"
            )
        scenes[scene.name] = scene
    planned: list[tuple[Path, Scene, int]] = []
    for scene in scenes.values():
        last = scene.bands if last_band is None else last_band
        if not 1 <= first_band <= last <= scene.bands:
            raise SceneError(
                f"scene {scene.name}: bands {first_band}-{last} were asked for; expected bands within 1-{scene.bands}"
            )
        kept = scene.crop(bands=slice(first_band - 1, last))
        for cluster in split(kept.bands, bands_per_cluster):
            width = cluster.count if bands_per_cluster == "all" or pad == "none" else bands_per_cluster
            first = first_band + cluster.first
            like = Scene(
                np.broadcast_to(
                    np.zeros((), kept.dtype.newbyteorder("<")), (width, kept.lines, kept.samples)
                ),
                name=f"{kept.name}_b{first}-{first + width - 1}",
            )
            planned.append((target / gici.file_name(like), kept.crop(bands=cluster.bands), width))
    outputs = (file for path, _, _ in planned for file in (path, sidecar(path)))
    refuse_to_replace(outputs, overwrite, (file for path in paths for file in input_files(path)))
    for path, part, width in planned:
        _write(part, width, path)
    return [path for path, _, _ in planned]


def merge(
    source: Path,
    target: Path,
    bands: int | None = None,
    byte_order: Literal["source", "little", "big"] = "source",
    overwrite: bool = True,
) -> list[Path]:
    """Merge the cluster files in a folder into scenes.

    Parameters
    ----------
    source
        Folder of cluster files.
    target
        Folder for the scenes, made if it does not exist; or, for the clusters of one scene, the ``.raw`` file to make,
        whose name is completed.
    bands
        Bands of each scene, for padded clusters that do not state their padding.
    byte_order
        Byte order of the scenes; ``"source"`` is that of the original scene, little-endian if unknown.
    overwrite
        Replace existing files.

    Returns
    -------
    list of pathlib.Path
        The scenes, in order of their names.

    Raises
    ------
    SceneError
        If there are no cluster files, or those of a scene omit or repeat bands, or differ in geometry or type.
    """
    found: dict[str, list[tuple[int, int, Path]]] = {}
    for path in sorted(source.iterdir() if source.is_dir() else ()):
        match = _CLUSTER.fullmatch(path.name.rpartition(".raw")[0].rpartition(".")[0])
        if match and gici.claims(path):
            found.setdefault(match["scene"], []).append((int(match["first"]), int(match["last"]), path))
    if not found:
        raise SceneError(
            f"{source}: no cluster files; expected a folder of <name>_b<first>-<last>.<geometry>.raw"
        )
    file = None
    if target.suffix.lower() == ".raw" and not target.is_dir():
        if len(found) > 1:
            raise SceneError(
                f"{source}: clusters of {len(found)} scenes; expected a folder for them, not {target}"
            )
        file, target = target, target.parent
    return [
        _merge(name, sorted(parts), target, file, bands, byte_order, overwrite)
        for name, parts in sorted(found.items())
    ]


def _write(part: Scene, width: int, path: Path) -> None:
    cube = part.cube.astype(part.dtype.newbyteorder("<"), copy=False)
    padding = width - part.bands
    if padding:
        cube = np.concatenate([cube, np.zeros((padding, *cube.shape[1:]), cube.dtype)])
    more: dict[str, Any] = {}
    if part.dtype.str.startswith(">"):
        more["source_byte_order"] = "big"
    if padding:
        more["padding"] = padding
        part = _padded(part, cube)
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as file:
            write_cube(cube, file)
        write_sidecar(part, path, **more)


def _padded(part: Scene, cube: np.ndarray) -> Scene:
    """Return a padded cluster; its bands of zeros have the metadata of the last band and are marked as bad."""
    padding = len(cube) - part.bands

    def extended(values: tuple | None, last: Any) -> tuple | None:
        return None if values is None else (*values, *[last] * padding)

    return replace(
        part,
        cube=cube,
        wavelengths=extended(part.wavelengths, part.wavelengths and part.wavelengths[-1]),
        fwhm=extended(part.fwhm, part.fwhm and part.fwhm[-1]),
        bad_bands=extended(part.bad_bands, True),
    )


def _merge(
    name: str,
    parts: list[tuple[int, int, Path]],
    target: Path,
    file: Path | None,
    bands: int | None,
    byte_order: str,
    overwrite: bool,
) -> Path:
    scenes: list[Scene] = []
    expected: int | None = None
    big = byte_order == "big"
    for first, last, path in parts:
        scene = read_scene(path)
        if expected is not None and first != expected:
            what = "twice" if first < expected else "missing"
            raise SceneError(
                f"{path}: bands from {min(first, expected)} on are {what}; expected a cluster from band {expected}"
            )
        if last - first + 1 != scene.bands:
            raise SceneError(
                f"{path}: {scene.bands} bands; expected {last - first + 1}, for bands {first}-{last}"
            )
        if scenes and (scene.cube.shape[1:], scene.dtype) != (scenes[0].cube.shape[1:], scenes[0].dtype):
            raise SceneError(
                f"{path}: {scene.dtype} {scene.cube.shape[1:]}; expected {scenes[0].dtype} as in the others"
            )
        expected = last + 1
        said = read_sidecar(path)
        padding = said.get("padding", 0)
        if type(padding) is not int or not 0 <= padding < scene.bands:
            raise SceneError(f"{path}: padding {padding!r}; expected a number of bands below {scene.bands}")
        big = big or (byte_order == "source" and said.get("source_byte_order") == "big")
        scenes.append(scene.crop(bands=slice(0, scene.bands - padding)))
    total = sum(scene.bands for scene in scenes)
    kept = total if bands is None else bands
    if not 0 < kept <= total:
        raise SceneError(f"scene {name}: {bands} bands were asked for; expected 1 to {total}")
    if file is not None:
        name = gici.name_in(file.name) or file.name[: -len(".raw")]
    whole = _whole(name, scenes, kept, big)
    path = target / gici.file_name(whole)
    if file is not None and gici.claims(file) and file.name != path.name:
        raise SceneError(f"{file}: the name gives another geometry or type; expected {path.name}")
    refuse_to_replace([path, sidecar(path)], overwrite, (part for _, _, part in parts))
    _write_merged(whole, scenes, path)
    return path


def _whole(name: str, scenes: list[Scene], kept: int, big: bool) -> Scene:
    """Return the scene of some clusters, without its samples."""
    dtype = scenes[0].dtype.newbyteorder("big" if big else "little")
    shape = (kept, *scenes[0].cube.shape[1:])
    return _described(scenes, Scene(np.broadcast_to(np.zeros((), dtype), shape), name=name))


def _write_merged(whole: Scene, scenes: list[Scene], path: Path) -> None:
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as output:
            left = whole.bands
            for scene in scenes:
                cube = scene.cube[:left]
                write_cube(cube, output, dtype=whole.dtype)
                left -= len(cube)
        write_sidecar(whole, path)


def _described(scenes: list[Scene], whole: Scene) -> Scene:
    """Return the whole scene with the metadata of all its parts."""
    known: dict[str, Any] = {}
    for key in ("wavelengths", "fwhm", "bad_bands"):
        values = [getattr(scene, key) for scene in scenes]
        if all(value is not None for value in values):
            known[key] = tuple(v for value in values for v in value)[: whole.bands]
    first = scenes[0]
    return replace(whole, sensor=first.sensor, nodata=first.nodata, metadata=first.metadata, **known)
