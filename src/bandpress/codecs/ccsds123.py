"""CCSDS 123.0-B-2, the standard for lossless and near-lossless coding on board of satellites."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from bandpress.ccsds123 import stream
from bandpress.ccsds123.parameters import Parameters
from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import pooled
from bandpress.codecs.targets import one_bound
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError
from bandpress.scene import Scene


@dataclass(frozen=True)
class Ccsds123(Codec):
    """CCSDS 123.0-B-2. For the other options see `bandpress.ccsds123.parameters.Parameters`.

    Parameters
    ----------
    max_error
        Largest absolute error of any sample, in DN.
    lossless
        Exact reconstruction, equal to a bound of 0. Give one of the two.
    bands_per_cluster
        Bands of a cluster, which is one image of the standard.
    """

    name: ClassVar[str] = "ccsds123"
    label: ClassVar[str] = "CCSDS 123.0-B-2"

    max_error: int | None = None
    lossless: bool = False
    bands_per_cluster: BandsPerCluster = "all"
    coder: str = "hybrid"
    prediction_bands: int = 8
    reduced: bool = True
    local_sum: str = "wide-neighbour"
    register: int = 64
    resolution: int = 19
    interval: int = 8
    first_exponent: int = -2
    last_exponent: int = 5
    representative: int = 3
    damping: int = 1
    offset: int = 5
    unary_limit: int = 18
    rescaling: int = 5
    initial_count: int = 1
    accumulator: int = 5

    def __post_init__(self) -> None:
        error = one_bound(self.name, self.max_error, self.lossless)
        object.__setattr__(self, "max_error", error)
        object.__setattr__(self, "lossless", error == 0)
        self._of_type(np.dtype(np.uint16))

    def _of_type(self, dtype: np.dtype, width: int = 2) -> Parameters:
        """Return the standard's parameters for samples of that type in lines of that width."""
        assert self.max_error is not None
        bits = 8 * dtype.itemsize
        return Parameters(
            bits=bits,
            signed=dtype.kind == "i",
            # Limits above half the range are neither allowed nor useful.
            max_error=min(self.max_error, (1 << (bits - 1)) - 1),
            coder=self.coder,
            prediction_bands=self.prediction_bands,
            reduced=self.reduced,
            # Sums over neighbours need neighbours, 4.4.2.
            local_sum=self.local_sum if width > 1 else self.local_sum.replace("neighbour", "column"),
            register=self.register,
            resolution=self.resolution,
            interval=self.interval,
            first_exponent=self.first_exponent,
            last_exponent=self.last_exponent,
            # Without loss, the sample is its best representative.
            representative=self.representative if self.max_error else 0,
            damping=self.damping if self.max_error else 0,
            offset=self.offset if self.max_error else 0,
            unary_limit=self.unary_limit,
            rescaling=self.rescaling,
            initial_count=self.initial_count,
            accumulator=min(self.accumulator, bits - 2),
        )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""
        parameters = self._of_type(scene.cube.dtype, scene.samples)

        def coded(cluster: Cluster) -> bytes:
            return stream.encode(scene.cube[cluster.bands], parameters)

        clusters = split(scene.bands, self.bands_per_cluster)
        return Encoding(self.bands_per_cluster, pooled(coded, clusters), {"max_error": self.max_error})

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Ccsds123":
        """Return the codec, see `Codec.decoder`. The chunks hold the parameters."""
        return cls(lossless=True)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        dtype = np.dtype(header.dtype)
        limits = np.iinfo(dtype)

        def decoded(item: tuple[Cluster, bytes]) -> np.ndarray:
            cluster, chunk = item
            shape = (cluster.count, header.lines, header.samples)
            cube, parameters = stream.decode(chunk, shape)
            if (parameters.least, parameters.most) != (limits.min, limits.max):
                raise CodecError(
                    f"scene {header.scene}: its chunk holds samples from {parameters.least} to {parameters.most}; "
                    f"expected {dtype.name}"
                )
            return cube.astype(dtype)

        yield from pooled(decoded, chunks)
