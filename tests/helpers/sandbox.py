"""A folder that holds what the examples of the documentation name, as a user's would.

`scene.hdr` is the engineer's: ENVI, BIL, int16, wavelengths, bad bands, a border of −9999.
"""

import shutil
from pathlib import Path

import numpy as np
from scipy.io import savemat

from bandpress import Scene, compress, decompress, write
from bandpress.datasets.cluster_files import extract
from bandpress.formats import write_scene
from places import CONFORMANCE, ROOT

BANDS, LINES, SAMPLES = 64, 48, 64


def cube(bands: int, lines: int, samples: int, seed: int) -> np.ndarray:
    """Mixtures of three materials in smooth fields, under the noise of a sensor."""
    draw = np.random.default_rng(seed)
    fields = draw.normal(0, 1, (3, lines, samples)).cumsum(1).cumsum(2)
    fields /= np.abs(fields).max()
    spectra = draw.normal(0, 1, (bands, 3)).cumsum(0)
    spectra /= np.abs(spectra).max()
    mixed = (
        np.einsum("bm,mls->bls", spectra, fields) * 1500 + 3000 + draw.normal(0, 8, (bands, lines, samples))
    )
    return mixed.round()


def engineers_scene() -> Scene:
    """Samples of a flight, its last lines and one corner without data."""
    samples = cube(BANDS, LINES, SAMPLES, 1).astype("<i2")
    samples[:, -3:] = -9999
    samples[:, :9, :7] = -9999
    wavelengths = tuple(float(400 + 30 * band) for band in range(BANDS))
    bad = tuple(band in (30, 31, 45) for band in range(BANDS))
    return Scene(samples, "scene", wavelengths=wavelengths, bad_bands=bad, nodata=-9999)


def fill(folder: Path) -> None:
    """Write scenes, compressed files, models of the authors and studies into an empty folder."""
    write_scene(engineers_scene(), folder / "scene.hdr", interleave="bil")
    (folder / "flights").mkdir()
    for number, name in enumerate(("north", "south")):
        flight = Scene(cube(24, 128, 112, 10 + number).astype("<u2"), name)
        write_scene(flight, folder / "flights" / f"{name}.hdr", interleave="bil")
    write_scene(Scene(cube(24, 104, 100, 5).astype("<u2"), "other"), folder / "other.hdr", interleave="bil")
    small = cube(12, 30, 40, 6)
    savemat(
        folder / "scenes.mat",
        {"indian_pines": small.astype("<u2").transpose(1, 2, 0), "other": small.astype("<u2")[:3]},
    )
    np.save(folder / "cube.npy", small.astype("<u2"))
    write_scene(Scene((small / 10000).astype("<f4"), "reflectance"), folder / "reflectance.hdr")
    write_scene(Scene(small.astype("<i2"), "counts"), folder / "counts.hdr")
    compress(folder / "scene.hdr", folder / "scene.bpk", codec="rklt-jpeg2000", bands_per_cluster=8, rate=1.0)
    write(decompress(folder / "scene.bpk"), folder / "restored.hdr")
    (folder / "packed").mkdir()
    for path in sorted((folder / "flights").glob("*.hdr")):
        compress(path, folder / "packed" / f"{path.stem}.bpk", codec="jpeg2000", rate=1.0)
    extract(folder / "flights", folder / "clusters", 3)
    for place in ("config.yaml", "studies"):
        copy = shutil.copytree if (ROOT / place).is_dir() else shutil.copy
        copy(ROOT / place, folder / place)
    if CONFORMANCE.is_dir():
        shutil.copytree(CONFORMANCE / "seed_models/tiny_k3", folder / "AVIRIS_3bands_2")
        for path in (CONFORMANCE / "seed_streams/k3").glob("jasper_b1-3.*.tfci"):
            shutil.copy(path, folder)


def clear(folder: Path, lines: list[str]) -> None:
    """Remove what the lines make: a user types them where it is not there yet."""
    made = " ".join(lines)
    names = {
        "-o restored.hdr": "restored*",
        "-o packed/": "packed",
        "bandpress compress scene": "scene.bpk",
        "extract": "clusters",
    }
    for text, pattern in names.items():
        for path in list(folder.glob(pattern)) if text in made else []:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
