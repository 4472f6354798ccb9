"""Picture of an original and its reconstruction: both in colour, error map, spectra, error of each band."""

from pathlib import Path

import numpy as np

from bandpress.files import atomic_path
from bandpress.optional import require
from bandpress.pictures import check_png, colour_bands, stretch_of, to_rgb
from bandpress.scene import Scene

#: Pixels whose spectra are drawn, by their rank in brightness.
RANKS = (0.1, 0.5, 0.9)
_COLOURS = ("#0072B2", "#E69F00", "#009E73")


def draw(original: Scene, restored: Scene, path: Path, title: str = "") -> None:
    """Draw a comparison into a PNG file.

    Parameters
    ----------
    original, restored
        Scenes of the same shape. No-data samples of the original are left out.
    path
        File to make or replace.
    title
        Line above the picture.

    Raises
    ------
    SceneError
        If `path` does not end in ``.png``.
    """
    check_png(path)
    require("matplotlib", path, "pictures")
    from matplotlib.figure import Figure

    pixel, band, count = _errors(original, restored)
    figure = Figure(figsize=(10, 7), layout="constrained")
    figure.suptitle(title, fontsize=11)
    rows = figure.subplot_mosaic([["original", "restored", "error"], ["spectra", "spectra", "bands"]])
    shown = colour_bands(original)
    levels = stretch_of(original, shown)
    for name, scene in (("original", original), ("restored", restored)):
        rows[name].imshow(to_rgb(scene, shown, levels), interpolation="nearest")
        rows[name].set_title(name, fontsize=10)
    image = rows["error"].imshow(pixel, cmap="magma", vmin=0, interpolation="nearest")
    rows["error"].set_title("RMS error over bands (DN)", fontsize=10)
    figure.colorbar(image, ax=rows["error"], shrink=0.8)
    for name in ("original", "restored", "error"):
        rows[name].set_xticks([])
        rows[name].set_yticks([])

    centres = original.wavelengths
    across = np.arange(1, original.bands + 1) if centres is None else np.asarray(centres)
    order = np.argsort(across)
    bad = np.zeros(original.bands, bool) if original.bad_bands is None else np.array(original.bad_bands)
    axis = "band" if centres is None else "wavelength (nm)"
    for (line, sample), colour in zip(_pixels(original, count), _COLOURS, strict=False):
        name = f"line {line + 1}, sample {sample + 1}"
        looks: tuple[dict, ...] = ({"linewidth": 1, "label": name}, {"linewidth": 1.6, "linestyle": ":"})
        for scene, look in zip((original, restored), looks, strict=True):
            spectrum = np.where(bad, np.nan, _spectrum(scene, line, sample))
            rows["spectra"].plot(across[order], spectrum[order], color=colour, **look)
    without = ", bad bands left out" if bad.any() else ""
    rows["spectra"].set_title(f"spectra: original solid, restored dotted{without}", fontsize=10)
    rows["spectra"].set_ylabel("DN")
    rows["spectra"].legend(fontsize=8, frameon=False)
    rows["bands"].plot(across[order], band[order], color="#D55E00", linewidth=1)
    rows["bands"].set_title("RMS error of each band (DN)", fontsize=10)
    rows["bands"].set_ylim(bottom=0)
    for name in ("spectra", "bands"):
        rows[name].set_xlabel(axis)
        rows[name].spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as part:
        figure.savefig(part, dpi=130, metadata={"Software": None})


def _valid(samples: np.ndarray, nodata: float | None) -> np.ndarray:
    return np.isfinite(samples) if nodata is None else np.isfinite(samples) & (samples != nodata)


def _errors(original: Scene, restored: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the RMS error of each pixel over bands and of each band, and the valid bands of each pixel."""
    shape = (original.lines, original.samples)
    squares, count, of_band = np.zeros(shape), np.zeros(shape, np.int64), np.full(original.bands, np.nan)
    for b in range(original.bands):
        before = np.asarray(original.cube[b]).astype(np.float64)
        valid = _valid(before, original.nodata)
        square = np.where(valid, (np.asarray(restored.cube[b]) - before) ** 2, 0)
        squares += square
        count += valid
        if valid.any():
            of_band[b] = np.sqrt(square.sum() / valid.sum())
    return np.sqrt(np.where(count > 0, squares / np.maximum(count, 1), np.nan)), of_band, count


def _pixels(scene: Scene, count: np.ndarray) -> list[tuple[int, int]]:
    """Return the pixels at `RANKS` of brightness among those with the most valid bands."""
    middle = np.asarray(scene.cube[scene.bands // 2]).astype(np.float64)
    flat = np.flatnonzero((count == count.max()).ravel())
    ranked = flat[np.argsort(middle.ravel()[flat], kind="stable")]
    chosen = {int(ranked[int(rank * (len(ranked) - 1))]) for rank in RANKS}
    return [divmod(index, scene.samples) for index in sorted(chosen)]


def _spectrum(scene: Scene, line: int, sample: int) -> np.ndarray:
    values = np.asarray(scene.cube[:, line, sample]).astype(np.float64)
    return np.where(_valid(values, scene.nodata), values, np.nan)
