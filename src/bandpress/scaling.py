"""Scaling of floating-point and 32-bit samples to 16-bit integers: sample = scale · integer + offset."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bandpress.errors import CodecError
from bandpress.nodata.samples import ends

_TYPES = ("uint16", "int16")


@dataclass(frozen=True)
class Scaling:
    """Linear scaling of samples to integers.

    Parameters
    ----------
    dtype
        NumPy's name of the samples' type with its byte order, ``"<f4"`` for example.
    scale
        Difference of samples that are one integer apart; positive.
    offset
        Sample of the integer 0.
    """

    dtype: str
    scale: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if np.dtype(self.dtype).kind not in "iuf":
            raise CodecError(
                f"samples are {np.dtype(self.dtype)}; expected integers or floating-point numbers"
            )
        if not (0 < self.scale < float("inf") and abs(self.offset) < float("inf")):
            raise CodecError(
                f"a scale of {self.scale} and an offset of {self.offset}; expected a positive and a finite number"
            )

    def integers(self, samples: np.ndarray) -> np.ndarray:
        """Return the nearest integers, as float64."""
        return np.rint((samples.astype(np.float64) - self.offset) / self.scale)

    def kept(self, samples: np.ndarray, integers: np.ndarray) -> bool:
        """Say whether integers represent samples to within half of the scale."""
        made = self.samples(integers)
        error = np.where(made > samples, made - samples, samples - made)
        finest = np.spacing(np.abs(samples)) if samples.dtype.kind == "f" else 0
        return bool((error <= self.scale * (0.5 + 1e-6) + finest).all())

    def samples(self, integers: np.ndarray) -> np.ndarray:
        """Return the samples that integers represent, of type `dtype`."""
        dtype = np.dtype(self.dtype)
        found = integers.astype(np.float64) * self.scale + self.offset
        if dtype.kind == "f":
            return found.astype(dtype)
        limits = np.iinfo(dtype)
        return np.clip(np.rint(found), limits.min, limits.max).astype(dtype)

    def coded_type(self, name: str, bands: Iterable[np.ndarray], nodata: float | None) -> np.dtype:
        """Return the type that holds the integers of a scene.

        Parameters
        ----------
        name
            Name of the scene.
        bands
            Bands of the scene.
        nodata
            The no-data value, or None.

        Raises
        ------
        CodecError
            If no 16-bit type can hold them.
        """
        low, high = ends(bands, nodata)
        if low > high:
            return np.dtype(_TYPES[0])
        coded = self.integers(np.array([low, high]))
        for kind in _TYPES:
            limits = np.iinfo(kind)
            if limits.min <= coded[0] and coded[1] <= limits.max:
                return np.dtype(kind)
        raise CodecError(
            f"scene {name}: samples from {low:g} to {high:g} become integers from {coded[0]:.0f} to {coded[1]:.0f} "
            f"with a scale of {self.scale:g} and an offset of {self.offset:g}; expected 16-bit integers, so a scale "
            f"of {(high - low) / 65535:.2g} or more"
        )


def check(facts: Any) -> None:
    """Check a header's entry about scaling.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    if not isinstance(facts, dict) or set(facts) != {"dtype", "offset", "scale"}:
        raise ValueError(f"scaled {facts!r}")
    if not all(type(facts[key]) in (int, float) for key in ("offset", "scale")):
        raise ValueError(f"scaled {facts!r}")
    Scaling(**facts)
