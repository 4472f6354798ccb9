"""The no-data mask of a coded scene: positions and values of its no-data samples, stored apart from the chunks."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import crc32c
import numpy as np

from bandpress.errors import BitstreamError
from bandpress.nodata.bitmask import BitMask, BitMaskBuilder
from bandpress.nodata.samples import mask_of, sample_of

_KEYS = {"beside", "bytes", "crc", "samples", "values"}
#: Values that a mask may restore: the no-data value, the two infinities, NaN.
_MOST_VALUES = 4
_MOST = 1 << 40


@dataclass(frozen=True, eq=False)
class NoDataMask:
    """No-data mask of a scene.

    Parameters
    ----------
    values
        Values of the no-data samples: the no-data value; in floating-point scenes also infinities and NaN.
    masks
        Positions of each value.
    beside
        Offset, 1 or -1, added to a valid sample that decodes to the no-data value: towards the valid samples.
    both
        Whether valid samples lie on both sides of the no-data value.
    """

    values: tuple[float, ...]
    masks: tuple[BitMask, ...]
    beside: int
    both: bool = False

    @classmethod
    def find(cls, bands: Iterable[np.ndarray], nodata: float | None, dtype: np.dtype) -> "NoDataMask | None":
        """Return the no-data mask of a scene.

        Parameters
        ----------
        bands
            All bands in turn, each of shape (lines, samples).
        nodata
            The no-data value, or None.
        dtype
            Type of the samples.

        Returns
        -------
        NoDataMask or None
            None if the scene has no such sample and no no-data value that its type can hold.
        """
        value = sample_of(nodata, dtype)
        wanted = [] if value is None or not np.isfinite(value) else [float(value)]
        if dtype.kind == "f":
            wanted += [math.inf, -math.inf, math.nan]
        if not wanted:
            return None
        builders: list[BitMaskBuilder] = []
        below = above = False
        for band in bands:
            builders = builders or [BitMaskBuilder(band.shape) for _ in wanted]
            found = mask_of(band, nodata)
            for one, builder in zip(wanted, builders, strict=True):
                builder.add(None if found is None else np.isnan(band) if one != one else band == one)
            if value is not None and (found is None or not found.all()):
                measured = band if found is None else band[~found]
                below, above = below or bool(measured.min() < value), above or bool(measured.max() > value)
        kept = [
            (one, mask)
            for one, mask in zip(wanted, (builder.mask() for builder in builders), strict=True)
            if mask.samples or one == value
        ]
        if not kept:
            return None
        last = dtype.kind != "f" and value == np.iinfo(dtype).max
        values, masks = zip(*kept, strict=True)
        return cls(values, masks, -1 if last or (below and not above) else 1, below and above)

    @property
    def samples(self) -> int:
        """Number of no-data samples."""
        return sum(mask.samples for mask in self.masks)

    def plane(self, band: int) -> np.ndarray | None:
        """Return the no-data mask of a band, bool, shape (lines, samples); None if it has no no-data samples."""
        planes = [plane for mask in self.masks if (plane := mask.plane(band)) is not None]
        return np.logical_or.reduce(planes) if planes else None

    def restore(self, number: int, band: np.ndarray) -> None:
        """Restore the no-data samples of a decoded band in place; move valid samples off the no-data value."""
        for value, mask in zip(self.values, self.masks, strict=True):
            if math.isfinite(value):
                one = band.dtype.type(value)
                band[band == one] = (
                    np.nextafter(one, one.dtype.type(self.beside * math.inf))
                    if band.dtype.kind == "f"
                    else int(value) + self.beside
                )
            plane = mask.plane(number)
            if plane is not None:
                band[plane] = value

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The mask's entry in the header, as JSON."""
        return {
            "beside": self.beside,
            "bytes": [len(mask.pack()) for mask in self.masks],
            "crc": crc32c.crc32c(self.pack()),
            "samples": [mask.samples for mask in self.masks],
            "values": [value if math.isfinite(value) else str(value) for value in self.values],
        }

    def pack(self) -> bytes:
        """Return the masks as bytes."""
        return b"".join(mask.pack() for mask in self.masks)

    @classmethod
    def unpack(cls, facts: dict[str, Any], data: bytes, bands: int, shape: tuple[int, int]) -> "NoDataMask":
        """Read the mask of a number of bands of shape (lines, samples) from the results of `facts` and `pack`.

        Raises
        ------
        BitstreamError
            If the masks are damaged.
        """
        if len(data) != sum(facts["bytes"]) or crc32c.crc32c(data) != facts["crc"]:
            raise BitstreamError(
                f"the no-data mask is damaged; expected {sum(facts['bytes'])} bytes with "
                f"CRC-32C {facts['crc']:08x}"
            )
        ends = np.cumsum([0, *facts["bytes"]]).tolist()
        parts = [data[a:b] for a, b in itertools.pairwise(ends)]
        masks = tuple(BitMask.unpack(part, bands, shape) for part in parts)
        return cls(tuple(map(float, facts["values"])), masks, facts["beside"])


def check(facts: Any, dtype: np.dtype) -> None:
    """Check a header's entry about the no-data mask, for samples of a type.

    Raises
    ------
    ValueError
        If it is not a valid result of `NoDataMask.facts`.
    """
    if not isinstance(facts, dict) or set(facts) != _KEYS or facts["beside"] not in (1, -1):
        raise ValueError(f"holes {facts!r}")
    lists = [facts[key] for key in ("bytes", "samples", "values")]
    if not all(isinstance(one, list) and 1 <= len(one) <= _MOST_VALUES for one in lists):
        raise ValueError(f"holes {facts!r}")
    numbers = [*facts["bytes"], *facts["samples"], facts["crc"]]
    if len({len(one) for one in lists}) != 1 or not all(type(n) is int and 0 <= n <= _MOST for n in numbers):
        raise ValueError(f"holes {facts!r}")
    for value in map(float, facts["values"]):
        beside = [value, value + facts["beside"]] if math.isfinite(value) and dtype.kind != "f" else [value]
        if any(sample_of(one, dtype) is None for one in beside):
            raise ValueError(f"holes of {value} in samples of type {dtype}")
