"""Distortion of a reconstruction, from integer samples, one band at a time.

Peaks: `psnr` uses 65,535, the largest 16-bit value, for every scene; `psnr_range` uses the scene's own range, maximum
minus minimum. Poolings: `psnr` is the PSNR of the MSE over all samples, `psnr_cluster_mean` the mean of the PSNRs of
the clusters. They differ by many dB if bands differ in power, so every reported number must say which it is.
"""

import csv
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.errors import SceneError
from bandpress.evaluation.structural import MS_SSIM_SIDE, SSIM_SIDE, ms_ssim, ssim
from bandpress.files import atomic_path
from bandpress.machine import processors
from bandpress.nodata.samples import ends, mask_of
from bandpress.psnr import PEAK, psnr
from bandpress.scene import Scene

#: Results of `measure` for every pair, in the order of tables; `ms_ssim` and `ms_ssim_range` are optional.
METRICS = (
    "mse",
    "psnr",
    "psnr_range",
    "psnr_cluster_mean",
    "psnr_range_cluster_mean",
    "snr",
    "snr_variance",
    "mae",
    "pae",
    "ssim",
    "ssim_range",
    "ms_ssim",
    "ms_ssim_range",
    "sam_mean",
    "sam_p95",
)

#: Additional measures: name of the column in rd.csv, and a function of original and reconstruction.
MORE: dict[str, Callable[[Scene, Scene], float]] = {}


def measure(
    original: Scene,
    decoded: Scene,
    clusters: Iterable[Cluster] | None = None,
    *,
    structural: bool = True,
    multiscale: bool = False,
    threads: int | None = None,
) -> dict[str, Any]:
    """Compare a reconstruction with its original; no-data samples of the original do not count.

    Parameters
    ----------
    original, decoded
        Scenes of the same shape (bands, lines, samples) and of any real types, memory maps included.
    clusters
        The clusters in which the scene was coded, for the mean of their PSNRs. Default: one per band.
    structural
        Compute `ssim` and `ssim_range`, which take most of the time.
    multiscale
        Also compute `ms_ssim` and `ms_ssim_range`, which take as long as everything else.
    threads
        Bands compared at once. Default: `bandpress.machine.processors`.

    Returns
    -------
    dict
        - `mse`, `mae`, `pae`: mean squared, mean absolute and peak absolute error, in the samples' unit (squared);
        - `psnr`, `psnr_range`: dB, of the MSE pooled over all samples, at peak 65,535 and at the scene's own range;
        - `psnr_cluster_mean`, `psnr_range_cluster_mean`: dB, mean of the PSNRs of the clusters;
        - `snr`, `snr_variance`: dB, energy and variance of the original over the MSE;
        - `ssim`, `ssim_range`, `ms_ssim`, `ms_ssim_range`, if asked for: mean over bands, dynamic range 65,535 or the
          scene's own, of windows of valid samples only; None if the scene is too small for the measure;
        - `sam_mean`, `sam_p95`: mean and 95th percentile over pixels of the spectral angle in degrees;
        - `range_min`, `range_max`: extremes of the original;
        - `mse_per_band`: list, one value per band; NaN for a band without valid samples;
        - the measures in `MORE`.

        PSNR and SNR of an exact reconstruction are infinite.

    Raises
    ------
    SceneError
        If the shapes differ, or the original has no valid samples.
    """
    if original.cube.shape != decoded.cube.shape:
        raise SceneError(
            f"scene {decoded.name}: the reconstruction has shape {decoded.cube.shape}; "
            f"expected {original.cube.shape}, that of {original.name}"
        )
    clusters = split(original.bands, 1) if clusters is None else tuple(clusters)
    low, high = _range(original)
    span = high - low
    peaks = (PEAK, span if span > 0 else 1.0)
    sums = _sum_bands(original, decoded.cube, peaks, structural, multiscale, threads or processors())

    with np.errstate(invalid="ignore"):
        per_band = sums.squared / sums.count
    count = int(sums.count.sum())
    mse = math.fsum(sums.squared) / count
    of_cluster = [
        math.fsum(sums.squared[cluster.bands]) / measured
        for cluster in clusters
        if (measured := sums.count[cluster.bands].sum())
    ]
    power = math.fsum(sums.energy) / count
    variance = max(power - (math.fsum(sums.total) / count) ** 2, 0.0)
    pixels = (sums.pixel_original, sums.pixel_decoded, sums.pixel_error)
    angles = np.degrees(_angles(*(values[sums.pixel_count > 0] for values in pixels)))
    record: dict[str, Any] = {
        "mse": mse,
        "psnr": psnr(mse),
        "psnr_range": psnr(mse, span),
        "psnr_cluster_mean": float(np.mean([psnr(value) for value in of_cluster])),
        "psnr_range_cluster_mean": float(np.mean([psnr(value, span) for value in of_cluster])),
        "snr": psnr(mse, math.sqrt(power)),
        "snr_variance": psnr(mse, math.sqrt(variance)),
        "mae": math.fsum(sums.absolute) / count,
        "pae": float(sums.peak.max()),
    }
    if structural:
        record["ssim"] = _mean(sums.ssim[:, 0])
        record["ssim_range"] = _mean(sums.ssim[:, 1])
    if multiscale:
        record["ms_ssim"] = _mean(sums.ms_ssim[:, 0])
        record["ms_ssim_range"] = _mean(sums.ms_ssim[:, 1])
    return record | {
        "sam_mean": float(angles.mean()),
        "sam_p95": float(np.percentile(angles, 95)),
        "range_min": low,
        "range_max": high,
        "mse_per_band": per_band.tolist(),
        **{name: function(original, decoded) for name, function in MORE.items()},
    }


def write_bands(
    path: str | os.PathLike[str],
    mse_per_band: Sequence[float],
    wavelengths: Sequence[float] | None = None,
) -> None:
    """Write the MSE and the PSNR of each band as CSV: band (counted from 1), wavelength_nm, mse, psnr.

    Parameters
    ----------
    path
        File to make or replace.
    mse_per_band
        See `measure`.
    wavelengths
        Centres of the bands in nm; the column is empty if they are unknown.
    """
    with atomic_path(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("band", "wavelength_nm", "mse", "psnr"))
        for i, mse in enumerate(mse_per_band):
            wavelength = "" if wavelengths is None else f"{wavelengths[i]:g}"
            writer.writerow((i + 1, wavelength, repr(float(mse)), repr(psnr(float(mse)))))


def write_csv(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write records as CSV, atomically; columns are in the order in which keys first appear.

    Parameters
    ----------
    path
        File to make or replace.
    rows
        Records; missing keys and None give empty cells.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with atomic_path(Path(path)) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class _Sums:
    """Sums over all bands, collected in one pass. Sums of integers in float64 are exact below 2^53, in any order."""

    bands: int
    pixels: tuple[int, int]
    count: np.ndarray = field(init=False)
    squared: np.ndarray = field(init=False)
    absolute: np.ndarray = field(init=False)
    peak: np.ndarray = field(init=False)
    energy: np.ndarray = field(init=False)
    total: np.ndarray = field(init=False)
    ssim: np.ndarray = field(init=False)
    ms_ssim: np.ndarray = field(init=False)
    pixel_count: np.ndarray = field(init=False)
    pixel_original: np.ndarray = field(init=False)
    pixel_decoded: np.ndarray = field(init=False)
    pixel_error: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        for key in ("count", "squared", "absolute", "peak", "energy", "total"):
            setattr(self, key, np.zeros(self.bands))
        self.ssim = np.full((self.bands, 2), np.nan)
        self.ms_ssim = np.full((self.bands, 2), np.nan)
        for key in ("pixel_count", "pixel_original", "pixel_decoded", "pixel_error"):
            setattr(self, key, np.zeros(self.pixels))


def _range(scene: Scene) -> tuple[float, float]:
    """Return the smallest and the largest valid sample of a scene."""
    low, high = ends(scene.cube, scene.nodata)
    if low > high:
        raise SceneError(f"scene {scene.name}: all samples are no-data; expected valid samples")
    return low, high


def _sum_bands(
    original: Scene,
    decoded: np.ndarray,
    peaks: Sequence[float],
    structural: bool,
    multiscale: bool,
    threads: int,
) -> _Sums:
    bands, *pixels = original.cube.shape
    threads = min(threads, bands)
    sums = _Sums(bands, (pixels[0], pixels[1]))
    shortest = min(pixels)

    def run(first: int) -> _Sums:
        own = _Sums(bands, (pixels[0], pixels[1]))
        for b in range(first, bands, threads):
            x = original.cube[b].astype(np.float64)
            y = decoded[b].astype(np.float64)
            gone = mask_of(original.cube[b], original.nodata)
            own.count[b] = x.size
            own.pixel_count += 1
            if gone is not None:
                x[gone] = y[gone] = 0
                own.count[b] -= gone.sum()
                own.pixel_count -= gone
                if gone.all():
                    continue
            energy, error = x * x, y - x
            own.energy[b], own.total[b] = energy.sum(), x.sum()
            own.pixel_original += energy
            own.pixel_decoded += y * y
            np.abs(error, out=error)
            own.absolute[b], own.peak[b] = error.sum(), error.max()
            error *= error
            own.squared[b] = error.sum()
            own.pixel_error += error
            if structural and shortest >= SSIM_SIDE:
                own.ssim[b] = ssim(x, y, peaks, gone)
            if multiscale and shortest >= MS_SSIM_SIDE:
                own.ms_ssim[b] = ms_ssim(x, y, peaks, gone)
        return own

    with ThreadPoolExecutor(threads) as pool:
        for first, own in enumerate(pool.map(run, range(threads))):
            mine = slice(first, None, threads)
            for key in ("count", "squared", "absolute", "peak", "energy", "total", "ssim", "ms_ssim"):
                getattr(sums, key)[mine] = getattr(own, key)[mine]
            for key in ("pixel_count", "pixel_original", "pixel_decoded", "pixel_error"):
                getattr(sums, key)[...] += getattr(own, key)
    return sums


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _angles(a2: np.ndarray, b2: np.ndarray, c2: np.ndarray) -> np.ndarray:
    """Return the angle in radians between spectra x and y, given |x|², |y|² and |x - y|².

    Spectral angle mapper: Kruse et al. (1993), Remote Sensing of Environment 44, 145-163. The angle is
    computed from the sides of the triangle by Kahan's formula, which stays accurate for the needle-like
    triangles of good reconstructions and is exactly 0 for equal spectra, where the arc cosine is not. Two
    zero spectra have angle 0; a zero spectrum and another have 90 degrees.
    """
    a, b = np.sqrt(np.maximum(a2, b2)), np.sqrt(np.minimum(a2, b2))
    c = np.sqrt(c2)
    mu = np.where(b >= c, c - (a - b), b - (a - c))
    over = ((a - b) + c) * np.maximum(mu, 0)
    under = (a + (b + c)) * np.maximum((a - c) + b, 0)
    angle = 2 * np.arctan2(np.sqrt(over), np.sqrt(under))
    return np.where(b > 0, angle, np.where(a > 0, np.pi / 2, 0.0))
