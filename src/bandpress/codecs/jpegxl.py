"""JPEG XL through libjxl (ISO/IEC 18181), band by band: what today's photographic coder makes of such data.

Its lossy mode aims at what the eye sees in 8 to 16-bit pictures, not at squared error; bands are stretched to 16 bits
so that its distance means the same for all, or to fewer where its coarsest distance would take too many bytes.
Lossless is its modular mode.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import chunk_budget, equal_shares, pooled, within
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError, MissingDependencyError
from bandpress.scene import Scene

_WHITE = 65535
#: libjxl's range of distances, and how close to the target the search stops.
_FINEST, _COARSEST = 0.01, 25.0
_FIRST = 3.0
_CLOSE = 0.02
_MOST_TRIES = 16
_SIDE = struct.Struct("<if")


@dataclass(frozen=True)
class JpegXl(Codec):
    """JPEG XL.

    Parameters
    ----------
    rate
        Target in bits per sample, the same for every band, everything in the file counted.
    lossless
        Exact instead. One of the two must be given.
    effort
        libjxl's effort, 1 (fast) to 9.
    """

    name: ClassVar[str] = "jpegxl"

    rate: float | None = None
    lossless: bool = False
    effort: int = 5

    def __post_init__(self) -> None:
        if (self.rate is None) is not bool(self.lossless):
            raise CodecError(
                f"codec {self.name}: rate {self.rate} and lossless {self.lossless} were given; expected one of the two"
            )
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise CodecError(f"codec {self.name}: rate {self.rate}; expected a positive number")
        if self.effort not in range(1, 10):
            raise CodecError(f"codec {self.name}: effort {self.effort!r}; expected 1 to 9")

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`.

        Raises
        ------
        CodecError
            If libjxl's coarsest distance takes more than the target.
        """
        library = _libjxl()
        clusters = split(scene.bands, 1)
        parameters = {"lossless": bool(self.lossless)}

        def coded(cluster: Cluster, size: float | None) -> bytes:
            band = scene.cube[cluster.first].astype(np.int32)
            return self._coded(library, band, size)

        if self.rate is None:
            return Encoding(1, pooled(lambda c: coded(c, None), clusters), parameters)
        header = Header.of_scene(scene, self.name, 1, parameters, None)
        shares = equal_shares(scene, clusters, chunk_budget(header, self.rate), coded)
        return Encoding(1, within(self.rate, header, shares), parameters)

    def _coded(self, library: Any, band: np.ndarray, size: float | None) -> bytes:
        """Code one band, exactly or with the distance whose bytes come closest to `size`."""
        low = int(band.min())

        def at(gain: float, **options: Any) -> bytes:
            picture = np.rint((band - low) * float(np.float32(gain))).astype(np.uint16)
            return _SIDE.pack(low, gain) + library.jpegxl_encode(
                picture, effort=self.effort, usecontainer=False, numthreads=1, **options
            )

        if size is None:
            return at(1, lossless=True)
        gain = (_WHITE - 1) / max(int(band.max()) - low, 1)
        fine, coarse, tried, slope = log(_FINEST), log(_COARSEST), log(_FIRST), 1.0
        best, before = b"", None
        for _ in range(_MOST_TRIES):
            coded = at(gain, lossless=False, distance=exp(tried))
            excess = log(len(coded) / max(size, 1))
            if not best or abs(len(coded) - size) < abs(len(best) - size):
                best = coded
            if abs(excess) <= _CLOSE:
                break
            if (
                excess > 0 and tried >= coarse
            ):  # the coarsest distance takes too much: a darker picture takes less
                gain, fine, before = gain / 2, log(_FINEST), None
                continue
            if before is not None and before[0] != tried:
                slope = min(3.0, max(0.3, (before[1] - excess) / (tried - before[0])))
            before = (tried, excess)
            fine, coarse = (tried, coarse) if excess > 0 else (fine, tried)
            tried = min(max(tried + excess / slope, fine), coarse)
            if tried in (fine, coarse) and tried not in (log(_FINEST), log(_COARSEST)):
                tried = (fine + coarse) / 2
        return best

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "JpegXl":
        """Return the codec, see `Codec.decoder`."""
        return cls(lossless=True)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        library = _libjxl()
        limits = np.iinfo(header.dtype)

        def decoded(item: tuple[Cluster, bytes]) -> np.ndarray:
            cluster, chunk = item
            try:
                low, gain = _SIDE.unpack_from(chunk)
                picture = library.jpegxl_decode(chunk[_SIDE.size :], numthreads=1)
            except (struct.error, library.JpegxlError) as error:
                raise CodecError(f"cluster {cluster}: libjxl cannot decode it: {error}") from None
            if picture.shape != (header.lines, header.samples) or not gain > 0:
                raise CodecError(
                    f"cluster {cluster}: a picture of shape {picture.shape} and gain {gain} were found; "
                    f"expected {(header.lines, header.samples)} and more than 0"
                )
            band = np.rint(picture / gain).astype(np.int64) + low
            return np.clip(band, limits.min, limits.max).astype(header.dtype)[None]

        yield from pooled(decoded, chunks)


def _libjxl() -> Any:
    try:
        import imagecodecs

        if not imagecodecs.JPEGXL.available:
            raise ImportError
    except ImportError:
        raise MissingDependencyError(
            "JPEG XL needs the package imagecodecs with libjxl, which is not installed; "
            "expected: pip install 'bandpress'"
        ) from None
    return imagecodecs
