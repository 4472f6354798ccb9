"""Scenes for tests: made ones, and the shared real ones where they are there."""

import hashlib
import lzma
from functools import cache

import numpy as np
import pytest

from bandpress import Scene
from places import SHARED

_SCENES = SHARED / "scenes"
_TYPES = {"2": "<u2", "3": "<i2"}


def smooth_scene(bands=12, lines=40, samples=48, dtype="<u2", seed=0):
    """A scene with the correlations of a real one: smooth in space, a few spectra mixed, a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:lines, :samples]
    abundances = np.stack([np.sin(y / (5 + i) + i) * np.cos(x / (7 - i) + i) for i in range(3)])
    spectra = np.cumsum(rng.normal(0, 60, (bands, 3)), axis=0) + 200
    cube = np.tensordot(spectra, abundances, 1) + rng.normal(0, 3, (bands, lines, samples)) + 1500
    return Scene(np.clip(np.rint(cube), 0, 30000).astype(dtype), name="smooth")


def uneven_scene(dtype="<u2", bands=7, lines=64, samples=48, seed=0):
    """A scene to train on: bands alike, samples of some hundreds; int16 has negative ones."""
    rng = np.random.default_rng(seed)
    cube = rng.standard_normal((1, lines, samples)).cumsum(1).cumsum(2) * 20
    cube = cube + rng.standard_normal((bands, lines, samples)) * 5
    return Scene((cube - cube.min() + (10 if "u" in dtype else -200)).astype(dtype), name=f"uneven-{seed}")


def psnr(scene, other):
    """The PSNR between two scenes at a peak of 65,535, computed apart from the package."""
    return 10 * np.log10(65535.0**2 / np.square(scene.cube.astype(float) - other.cube).mean())


def names():
    """Names of the shared scenes, empty where they are not there."""
    return sorted(p.name.split(".")[0] for p in _SCENES.glob("*/*.raw.xz"))


@cache
def shared_scene(name):
    """A shared scene, its hash checked; the test is skipped where there is none."""
    found = list(_SCENES.glob(f"*/{name}.*.raw.xz"))
    if not found:
        pytest.skip(f"the shared scene {name} is not beside this repository")
    raw = lzma.decompress(found[0].read_bytes())
    table = [line.split("\t") for line in (_SCENES / "scenes.tsv").read_text().splitlines()]
    (expected,) = [row[2] for row in table if row[1].startswith(name + ".")]
    assert hashlib.sha256(raw).hexdigest() == expected
    bands, samples, lines, type_ = found[0].name.split(".")[1].split("_")[:4]
    return Scene(np.frombuffer(raw, _TYPES[type_]).reshape(int(bands), int(lines), int(samples)), name=name)
