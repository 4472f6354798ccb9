"""Side information of a cluster: the range of each band, used to normalise samples. Knows no codec.

A band's samples x become (x - min) / (max - min + 1), within [0, 1), for the whole band at once (Mijares i Verdú et al.
2023, section 3). A constant band becomes zeros and is restored exactly.
"""

from dataclasses import dataclass

import numpy as np

from bandpress.errors import BitstreamError


@dataclass(frozen=True, eq=False)
class Ranges:
    """Smallest and largest sample of each band.

    Parameters
    ----------
    low, high
        Shape (bands,), int64.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, cluster: np.ndarray) -> "Ranges":
        """Return the ranges of a cluster, integers of shape (bands, lines, samples)."""
        return cls(*(extreme(axis=(1, 2)).astype(np.int64) for extreme in (cluster.min, cluster.max)))

    @property
    def constant(self) -> bool:
        """Whether every band is constant, so that the ranges alone describe the cluster."""
        return bool((self.low == self.high).all())

    def normalise(self, cluster: np.ndarray) -> np.ndarray:
        """Return samples as float32 within [0, 1), same shape."""
        low, width = (part.astype(np.float32)[:, None, None] for part in (self.low, self.high - self.low + 1))
        return (cluster.astype(np.float32) - low) / width

    def restore(self, normalised: np.ndarray, dtype: np.dtype, *, clip: bool = True) -> np.ndarray:
        """Return the nearest samples, shape (bands, lines, samples), in the given type.

        Parameters
        ----------
        normalised
            float32, shape (bands, lines, samples).
        dtype
            Type of the samples.
        clip
            Clip samples to the ranges, which hold the original ones; otherwise to the type.
        """
        low, width = (part.astype(np.float32)[:, None, None] for part in (self.low, self.high - self.low + 1))
        samples = np.nan_to_num(np.rint(normalised * width + low), copy=False)
        least: np.ndarray | int = self.low.astype(np.float32)[:, None, None]
        most: np.ndarray | int = self.high.astype(np.float32)[:, None, None]
        if not clip:
            least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        return np.clip(samples, least, most, out=samples).astype(dtype)

    def fill(self, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
        """Return constant bands, shape (bands, *shape)."""
        return np.broadcast_to(self.low.astype(dtype)[:, None, None], (len(self.low), *shape))

    def pack(self, dtype: np.dtype) -> bytes:
        """Write per band the smallest sample and the width of the range, each as wide as a sample, little-endian."""
        low = self.low.astype(dtype.newbyteorder("<"))
        width = (self.high - self.low).astype(f"<u{dtype.itemsize}")
        return b"".join(a.tobytes() + b.tobytes() for a, b in zip(low, width, strict=True))

    @classmethod
    def unpack(cls, data: bytes, bands: int, dtype: np.dtype) -> "Ranges":
        """Read the result of `pack`.

        Raises
        ------
        BitstreamError
            If there are too few bytes, or a range exceeds the type.
        """
        pair = np.dtype([("low", dtype.newbyteorder("<")), ("width", f"<u{dtype.itemsize}")])
        if len(data) < bands * pair.itemsize:
            raise BitstreamError(
                f"{len(data)} bytes of side information; expected {bands * pair.itemsize} for {bands} bands"
            )
        read = np.frombuffer(data, pair, bands)
        low = read["low"].astype(np.int64)
        high = low + read["width"].astype(np.int64)
        if (high > np.iinfo(dtype).max).any():
            raise BitstreamError(f"a band ranges up to {high.max()}; expected at most {np.iinfo(dtype).max}")
        return cls(low, high)


def side_bytes(bands: int, dtype: np.dtype) -> int:
    """Return the size in bytes of the ranges of a number of bands."""
    return bands * 2 * dtype.itemsize
