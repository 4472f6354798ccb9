"""Reversible KLT over the bands of a cluster, then JPEG 2000 over its components."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bandpress.clusters import BandsPerCluster
from bandpress.codecs.base import Look
from bandpress.codecs.jpeg2000 import Jpeg2000
from bandpress.container.bits import BitReader
from bandpress.errors import CodecError
from bandpress.jpeg2000.chunks import Components
from bandpress.transforms import cluster_klt
from bandpress.transforms.klt import FINEST, innovations, water_level

#: "matched": the precision of each basis vector follows from the distortion; "full": 16 bits per factor for all.
Precision = Literal["matched", "full"]

#: In lossless coding, components of a variance below this (in counts squared) gain less than the rounding of lifting
#: costs.
_LOSSLESS_LEVEL = 4.0


@dataclass(frozen=True)
class RkltJpeg2000(Jpeg2000):
    """RKLT + JPEG 2000, with the options of `Jpeg2000`; three bands per cluster by default.

    Parameters
    ----------
    precision
        Precision of the basis in the side information, see `Precision`.
    covariance_fraction
        Share of the pixels used for the covariance.
    """

    name = "rklt-jpeg2000"
    label = "RKLT + JPEG 2000"
    look = Look("vermilion", "s", (0, (5, 1.5)))
    look_of_all = Look("green", "D", (0, (6, 1.5, 1, 1.5)))

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
        if self.precision == "full":
            level = FINEST
        elif level is None:
            level = _LOSSLESS_LEVEL
        return Components(*cluster_klt.forward(samples, level, self.covariance_fraction))

    def read_side(self, reader: BitReader, bands: int) -> cluster_klt.Inverse:
        """Read the side information of `forward`."""
        return cluster_klt.read(reader, bands)

    def _level(self, parts: Iterable[np.ndarray]) -> float:
        if self.rate is None or self.precision == "full":
            return 0.0
        variances = np.concatenate([innovations(part, self.covariance_fraction) for part in parts])
        return max(_LOSSLESS_LEVEL / 4, cluster_klt.SAFETY * water_level(variances, self.rate))
