"""JPEG XL through libjxl (ISO/IEC 18181), band by band: what today's photographic coder makes of such data.

Its lossy mode aims at what the eye sees in 8 to 16-bit pictures, not at squared error; bands are stretched to 16 bits so
that its distance has the same meaning for all, or to fewer where its coarsest distance would take too many bytes.
Lossless is its modular mode.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bandpress.bitstream import Header
from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.rate_control import chunk_budget, equal_shares, pooled, within
from bandpress.errors import CodecError, MissingDependencyError
from bandpress.scene import Scene

_WHITE = 65535
#: libjxl's range of distances, and how close to the target the search stops.
_FINEST, _COARSEST = 0.01, 25.0
_CLOSE = 0.005
_MOST_TRIES = 10
_MOST_HALVINGS = 8
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
    effort: int = 7

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
        shares = equal_shares(clusters, chunk_budget(header, self.rate), coded)
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
        for _ in range(_MOST_HALVINGS):
            best = at(gain, lossless=False, distance=_COARSEST)
            if len(best) <= size:
                break
            gain /= 2
        fine, coarse = np.log(_FINEST), np.log(_COARSEST)
        for _ in range(_MOST_TRIES):
            if abs(len(best) - size) <= _CLOSE * size:
                break
            middle = (fine + coarse) / 2
            tried = at(gain, lossless=False, distance=float(np.exp(middle)))
            if abs(len(tried) - size) < abs(len(best) - size):
                best = tried
            fine, coarse = (middle, coarse) if len(tried) > size else (fine, middle)
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
            "expected: pip install 'bandpress[jpeg2000]'"
        ) from None
    return imagecodecs
