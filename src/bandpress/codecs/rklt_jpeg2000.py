"""Reversible KLT over the bands of a cluster, then JPEG 2000 over its components."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from bandpress.clusters import BandsPerCluster
from bandpress.codecs.jpeg2000 import Jpeg2000
from bandpress.container.bits import BitReader
from bandpress.errors import CodecError
from bandpress.jpeg2000.chunks import Components
from bandpress.transforms.klt import (
    FINEST,
    covariance,
    innovations,
    read_reflections,
    reflections,
    water_level,
    write_reflections,
)
from bandpress.transforms.rklt import Rklt

#: "matched": each vector of the basis as precise as the distortion deserves; "full": all of them, 16 bits a factor.
Precision = Literal["matched", "full"]

#: Without loss, components of a variance below this (in counts squared) gain less than the lifting's rounding costs.
_LOSSLESS_LEVEL = 4.0
#: The expected distortion is a guess; a basis finer than needed costs less than one coarser.
_SAFETY = 0.5


@dataclass(frozen=True)
class RkltJpeg2000(Jpeg2000):
    """RKLT + JPEG 2000: the options of `Jpeg2000`, three bands a cluster unless told otherwise.

    Parameters
    ----------
    precision
        Of the basis in the side information, see `Precision`.
    covariance_fraction
        Part of the pixels that the covariance is taken from.
    """

    name: ClassVar[str] = "rklt-jpeg2000"

    bands_per_cluster: BandsPerCluster = 3
    precision: Precision = "matched"
    covariance_fraction: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision not in ("matched", "full"):
            raise CodecError(f"codec {self.name}: precision {self.precision!r}; expected 'matched' or 'full'")
        if not 0 < self.covariance_fraction <= 1:
            raise CodecError(
                f"codec {self.name}: covariance_fraction {self.covariance_fraction}; expected more than 0, at most 1"
            )

    def forward(self, samples: np.ndarray, level: float | None) -> Components:
        """Transform a cluster; see `Jpeg2000.forward`."""
        centred = super().forward(samples, level)
        if len(samples) == 1:
            return centred
        between = covariance(centred.samples, self.covariance_fraction)
        if self.precision == "full":
            basis = reflections(between, FINEST, 1)
        else:
            wanted = _LOSSLESS_LEVEL if level is None else level
            basis = reflections(between, wanted, centred.samples[0].size)
        write_reflections(centred.side, basis)
        return Components(Rklt(basis.matrix()).forward(centred.samples, out=centred.samples), centred.side)

    def read_side(self, reader: BitReader, bands: int) -> Any:
        """Read what `forward` wrote."""
        means = super().read_side(reader, bands)
        return means, read_reflections(reader, bands) if bands > 1 else None

    def inverse(self, components: np.ndarray, state: Any) -> np.ndarray:
        """Undo the transform; see `Jpeg2000.inverse`."""
        means, basis = state
        if basis is not None:
            Rklt(basis.matrix()).inverse(components, out=components)
        return super().inverse(components, means)

    def _level(self, parts: Iterable[np.ndarray]) -> float:
        if self.rate is None or self.precision == "full":
            return 0.0
        variances = np.concatenate([innovations(part, self.covariance_fraction) for part in parts])
        return max(_LOSSLESS_LEVEL / 4, _SAFETY * water_level(variances, self.rate))
