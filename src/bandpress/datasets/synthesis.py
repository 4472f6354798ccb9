"""Synthetic scenes for load tests and benchmarks: any geometry and type, the same on every machine.

A pixel is a mixture of materials. Abundances vary smoothly (value noise of several octaves; Perlin, *An image
synthesizer*, SIGGRAPH 1985) and jump at the borders of fields; each material has a smooth reflectance with absorptions;
the sun, water vapour and a factor for slopes turn it into radiance; the sensor adds photon and read-out noise and a
small difference from column to column.

Random numbers are raw output of the Philox generator (Salmon et al., SC 2011), which numpy guarantees to keep. All
further operations are additions, multiplications, divisions, square roots and rounding of single numbers, which IEEE
754 defines to the last bit, or sums of integers, which are exact in any order. So a seed gives the same bytes with any
version of numpy, on any machine. A scene is made in blocks of lines, in bounded memory, and no block depends on the
size of the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bandpress.files import scratch_folder
from bandpress.formats import write_scene
from bandpress.scene import Scene

TYPES = ("uint8", "uint16", "int16", "int32", "float32")

_MATERIALS = 12
_TILE = 32
_OCTAVES = (96, 48, 24, 12, 6, 3, 2)
_UNIT = 1 << 16
#: Counts of the largest radiance and of darkness.
_SCALE = {"uint8": (230.0, 4.0), "uint16": (9500.0, 40.0), "int16": (9500.0, 0.0), "int32": (9500.0, 0.0)}
_MOST_VALUES = 1 << 21

# Purposes of random numbers: the first half of a generator's key.
_FIELD, _SPECTRA, _NOISE, _COLUMNS, _BORDERS = range(5)


@dataclass(frozen=True)
class Plan:
    """Specification of a synthetic scene.

    Parameters
    ----------
    bands, lines, samples
        Geometry.
    kind
        Type of the samples, one of `TYPES`.
    byte_order
        ``"little"`` or ``"big"``.
    seed
        Not negative.
    """

    bands: int = 224
    lines: int = 512
    samples: int = 680
    kind: str = "uint16"
    byte_order: str = "little"
    seed: int = 0

    @property
    def dtype(self) -> np.dtype:
        """Type of the samples, byte order included."""
        return np.dtype(self.kind).newbyteorder(">" if self.byte_order == "big" else "<")

    @property
    def wavelengths(self) -> np.ndarray:
        """Centre of each band, nm: 400 to 2,500."""
        return 400.0 + 2100.0 * (np.arange(self.bands) + 0.5) / self.bands

    def like(self, cube: np.ndarray | None = None) -> Scene:
        """Return the scene, with or without its samples."""
        if cube is None:
            cube = np.broadcast_to(np.zeros((), self.dtype), (self.bands, self.lines, self.samples))
        return Scene(
            cube,
            name=f"synthetic-{self.seed}",
            wavelengths=tuple(self.wavelengths.tolist()),
            fwhm=(2100.0 / self.bands,) * self.bands,
            sensor="synthetic",
        )


def synthesize(plan: Plan) -> Scene:
    """Return a synthetic scene."""
    cube = np.empty((plan.bands, plan.lines, plan.samples), plan.dtype)
    for first, part in tiles(plan):
        cube[:, first : first + part.shape[1]] = part
    return plan.like(cube)


def write(plan: Plan, path: Path, progress: Callable[[int], object] = lambda lines: None) -> Path:
    """Write a synthetic scene in the format of the file's suffix, in bounded memory.

    Returns
    -------
    pathlib.Path
        The file.
    """
    plane = plan.lines * plan.samples * plan.dtype.itemsize
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(".synthesis-", path.parent) as folder:
        part = folder / "samples"
        with open(part, "wb") as file:
            for first, tile in tiles(plan):
                for band, samples in enumerate(tile):
                    file.seek(band * plane + first * plan.samples * plan.dtype.itemsize)
                    file.write(np.ascontiguousarray(samples).data)
                progress(first + tile.shape[1])
        cube = np.memmap(part, plan.dtype, "r", shape=(plan.bands, plan.lines, plan.samples))
        return write_scene(plan.like(cube), path)


def tiles(plan: Plan) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the scene in blocks of lines: the first line's index and samples of shape (bands, lines, samples)."""
    spectra = _spectra(plan)
    columns = 1.0 + (_uniform(plan, _COLUMNS, 0, plan.bands * plan.samples) - 0.5) * 0.004
    columns = columns.reshape(plan.bands, plan.samples)
    for tile in range(-(-plan.lines // _TILE)):
        first = tile * _TILE
        lines = min(_TILE, plan.lines - first)
        abundances, slope = _abundances(plan, first, lines)
        out = np.empty((plan.bands, lines, plan.samples), plan.dtype)
        step = max(1, _MOST_VALUES // (_TILE * plan.samples))
        for band in range(0, plan.bands, step):
            group = slice(band, min(band + step, plan.bands))
            # Sums of products of integers below 2^53: exact, whatever the order in which they are added.
            mixed = np.matmul(spectra[group], abundances.reshape(_MATERIALS, -1)) / (_UNIT * _UNIT)
            light = mixed.reshape(-1, lines, plan.samples) * slope * columns[group, None, :]
            out[group] = _measured(plan, light, tile, group.start)
        yield first, out


def _measured(plan: Plan, light: np.ndarray, tile: int, first_band: int) -> np.ndarray:
    """Return the sensor's counts for radiance between 0 and about 1."""
    peak, dark = _SCALE.get(plan.kind, _SCALE["uint16"])
    bands, lines, samples = light.shape
    noise = np.empty((bands, _TILE, samples))
    for band in range(bands):
        raw = _raw(plan, _NOISE, ((first_band + band) << 32) | tile, _TILE * samples // 2 + 1)
        pieces = raw.astype("<u8").view(np.uint8).reshape(-1, 4).astype(np.int16).sum(axis=1, dtype=np.int16)
        noise[band] = pieces[: _TILE * samples].reshape(_TILE, samples)
    # Four bytes added: nearly normal, mean 510, standard deviation 147.8.
    noise = (noise[:, :lines] - 510.0) / 147.8
    electrons = np.maximum(light, 0.0)
    sigma = np.sqrt(electrons * 4e-6 + 1e-6)
    counts = np.rint((light + sigma * noise) * peak + dark)
    if plan.dtype.kind == "f":
        return (counts / 16.0).astype(plan.dtype)
    info = np.iinfo(plan.dtype)
    return np.clip(counts, info.min, info.max).astype(plan.dtype)


def _spectra(plan: Plan) -> np.ndarray:
    """Return the radiance of each material in each band in 1/65,536, shape (bands, materials), whole numbers."""
    nm = plan.wavelengths
    t = (nm - 400.0) / 2100.0
    sun = 1.35 / (1.0 + _square((nm - 560.0) / 420.0)) + 0.04
    air = np.ones_like(nm)
    for centre, half, depth in (
        (760, 6, 0.4),
        (940, 22, 0.5),
        (1140, 28, 0.6),
        (1380, 45, 0.97),
        (1880, 60, 0.98),
    ):
        air = air * (1.0 - depth / (1.0 + _square(_square((nm - centre) / half))))
    found = []
    for material in range(_MATERIALS):
        r = _uniform(plan, _SPECTRA, material, 16)
        curve = 0.08 + 0.4 * r[0] + t * (0.5 * r[1] - 0.15) + t * t * (0.4 * r[2] - 0.25)
        for k in range(4):  # absorptions, broad and narrow
            centre, half = 400.0 + 2100.0 * r[3 + k], 15.0 + 160.0 * r[7 + k] * r[7 + k]
            curve = curve * (1.0 - 0.45 * r[11 + k] / (1.0 + _square((nm - centre) / half)))
        if material % 4 == 0:  # plants: dark in the visible, bright beyond the red edge
            edge = np.clip((nm - 690.0) / 50.0, 0.0, 1.0)
            curve = 0.04 + 0.04 / (1.0 + _square((nm - 550.0) / 35.0)) + curve * edge
        if material % 4 == 3:  # water: dark, darker with wavelength
            curve = 0.06 / (1.0 + _square((nm - 400.0) / 350.0))
        found.append(np.clip(curve, 0.004, 0.95) * sun * air + 0.03 / (1.0 + _square((nm - 380.0) / 120.0)))
    return np.rint(np.stack(found, axis=1) * _UNIT)


def _abundances(plan: Plan, first: int, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each material in 1/65,536, shape (materials, lines, samples), and the factor for slopes."""
    weights = []
    fields = _fields(plan, first, lines)
    for material in range(_MATERIALS):
        smooth = _noise(plan, material, first, lines)
        own = (fields * (2 * material + 3)) % _MATERIALS == material % _MATERIALS
        weights.append(_square(np.maximum(smooth - 0.44 + 0.16 * own, 0.004)))
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    slope = 0.72 + 0.56 * _noise(plan, _MATERIALS, first, lines)
    return np.rint(np.stack([weight / total for weight in weights]) * _UNIT), slope


def _noise(plan: Plan, which: int, first: int, lines: int) -> np.ndarray:
    """Return value noise between 0 and 1, shape (lines, samples): smoothly interpolated octaves of random lattices."""
    total = np.zeros((lines, plan.samples))
    amplitude, sum_of_amplitudes = 1.0, 0.0
    for octave, spacing in enumerate(_OCTAVES):
        columns = plan.samples // spacing + 2
        rows = range(first // spacing, (first + lines - 1) // spacing + 2)
        purpose = which * len(_OCTAVES) + octave
        lattice = np.stack([_uniform(plan, _FIELD, (purpose << 40) | row, columns) for row in rows])
        x, fx = _steps(np.arange(plan.samples), spacing)
        y, fy = _steps(np.arange(first, first + lines), spacing)
        y = y - rows[0]
        across = lattice[:, x] * (1.0 - fx) + lattice[:, x + 1] * fx
        total = total + amplitude * (across[y] * (1.0 - fy)[:, None] + across[y + 1] * fy[:, None])
        sum_of_amplitudes += amplitude
        amplitude *= 0.75
    return total / sum_of_amplitudes


def _steps(positions: np.ndarray, spacing: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lattice point before each position, and the eased distance from it: 3f² - 2f³."""
    fraction = (positions % spacing) / spacing
    return positions // spacing, fraction * fraction * (3.0 - 2.0 * fraction)


def _fields(plan: Plan, first: int, lines: int) -> np.ndarray:
    """Return the number of each pixel's field: slanted strips, cut across at random places."""
    y, x = np.mgrid[first : first + lines, 0 : plan.samples]
    along, strips = 7 * x - 2 * y, (7 * y + 2 * x) // (7 * 40)
    found = np.empty((lines, plan.samples), np.int64)
    start = -2 * plan.lines - 7 * 60
    for strip in range(int(strips.min()), int(strips.max()) + 1):
        here = strips == strip
        cuts = _uniform(plan, _BORDERS, strip, (7 * plan.samples - start) // (7 * 12) + 1)
        borders = start + np.cumsum(7 * (12 + np.floor(cuts * 48).astype(np.int64)))
        found[here] = np.searchsorted(borders, along[here], side="right") * 5 + strip * 7
    return found


def _uniform(plan: Plan, purpose: int, index: int, count: int) -> np.ndarray:
    """Return random numbers in [0, 1), multiples of 2^-53."""
    return (_raw(plan, purpose, index, count) >> np.uint64(11)) * (1.0 / (1 << 53))


def _raw(plan: Plan, purpose: int, index: int, count: int) -> np.ndarray:
    """Return random 64-bit words that depend only on the seed and their purpose."""
    return np.random.Philox(key=[plan.seed, (purpose << 60) ^ index]).random_raw(count)


def _square(values: np.ndarray) -> np.ndarray:
    return values * values
