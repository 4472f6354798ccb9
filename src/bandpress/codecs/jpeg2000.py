"""JPEG 2000 through OpenJPEG, band by band or over the bands of a cluster (ISO/IEC 15444-1)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Codec, Encoding, Look
from bandpress.codecs.budgets import LAG, chunk_budget, equal_shares, pooled, within
from bandpress.codecs.targets import positive
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError
from bandpress.jpeg2000 import chunks, openjpeg
from bandpress.jpeg2000.chunks import Components
from bandpress.jpeg2000.codestream import MOST_LEVELS, Layout
from bandpress.machine import processors
from bandpress.scene import Scene, clipped
from bandpress.transforms import cluster_klt

#: Rate allocation. "equal": the same rate for every cluster (the paper's protocol). "shared": one rate for the scene,
#: allocated over clusters, bands and code-blocks to minimise distortion (the fair protocol).
Allocation = Literal["equal", "shared"]

_TRIES = 4
_MOST_LEVELS = 5
_SMALLEST_SUBBAND = 12


@dataclass(frozen=True)
class Jpeg2000(Codec):
    """JPEG 2000.

    Parameters
    ----------
    rate
        Target in bits per sample of the whole file. 9/7 wavelet.
    lossless
        Exact reconstruction with the 5/3 wavelet. Give one of the two.
    bands_per_cluster
        Bands of a codestream.
    allocation
        "equal" or "shared", see `Allocation`.
    """

    name = "jpeg2000"
    label = "JPEG 2000"
    look = Look("black", "^", (0, (1, 1.2)))
    look_of_all = Look("grey", "<", (0, (1, 2)))

    rate: float | None = None
    lossless: bool = False
    bands_per_cluster: BandsPerCluster = 1
    allocation: Allocation = "equal"

    def __post_init__(self) -> None:
        if (self.rate is None) is not bool(self.lossless):
            raise CodecError(
                f"codec {self.name}: rate {self.rate} and lossless {self.lossless} were given; expected one of the two"
            )
        if self.rate is not None:
            positive(self.name, "rate", self.rate)
        if self.allocation not in ("equal", "shared"):
            raise CodecError(
                f"codec {self.name}: allocation {self.allocation!r}; expected 'equal' or 'shared'"
            )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`.

        Raises
        ------
        CodecError
            If the headers and the side information alone take more than the target.
        """
        openjpeg.bindings()
        layout = Layout(
            scene.lines, scene.samples, decompositions(scene.lines, scene.samples), bool(self.lossless)
        )
        parameters = {"levels": layout.levels, "lossless": layout.reversible}
        clusters = split(scene.bands, self.bands_per_cluster)
        if self.rate is None:
            coded = self._lossless(scene, clusters, layout)
        else:
            header = Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, None)
            method = self._equal if self.allocation == "equal" else self._shared
            target = chunk_budget(header, self.rate)
            coded = within(self.rate, header, method(scene, clusters, layout, target))
        return Encoding(self.bands_per_cluster, coded, parameters)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Jpeg2000":
        """Return the codec, see `Codec.decoder`."""
        return cls(lossless=True, bands_per_cluster=header.bands_per_cluster)

    def decode(self, header: Header, chunks_: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        openjpeg.bindings()
        layout = layout_of(header)
        threads = _threads(header.clusters)

        def decoded(item: tuple[Cluster, bytes]) -> np.ndarray:
            cluster, chunk = item
            reader = BitReader(chunk)
            inverse = self.read_side(reader, cluster.count)
            components = chunks.read_components(reader, chunk, cluster.count, layout, threads)
            return clipped(inverse(components), np.dtype(header.dtype))

        yield from pooled(decoded, chunks_)

    # Overridden by codecs that transform the bands first.

    def forward(self, samples: np.ndarray, level: float | None) -> Components:
        """Transform a cluster to components, for coding at distortion `level` (None: lossless)."""
        return Components(*cluster_klt.centre(samples))

    def read_side(self, reader: BitReader, bands: int) -> Callable[[np.ndarray], np.ndarray]:
        """Read the side information of `forward`; return the inverse transform, which may overwrite its input."""
        return cluster_klt.read_means(reader, bands)

    def _level(self, parts: Iterable[np.ndarray]) -> float:
        """Return the expected distortion of these clusters at the target rate."""
        return 0.0

    # Rate allocation.

    def _lossless(self, scene: Scene, clusters: Sequence[Cluster], layout: Layout) -> Iterator[bytes]:
        def coded(cluster: Cluster) -> bytes:
            return chunks.code([self.forward(scene.cube[cluster.bands], None)], layout, None, threads)[0]

        threads = _threads(clusters)
        yield from pooled(coded, clusters)

    def _equal(
        self, scene: Scene, clusters: Sequence[Cluster], layout: Layout, target: float
    ) -> Iterator[bytes]:
        """Code clusters with shares of the target in proportion to their bands; carry over unused bytes.

        Constant bands need only side information: their share goes to the others.
        """
        threads = _threads(clusters)
        tries = 1 if len(clusters) > LAG else _TRIES

        def coded(cluster: Cluster, size: float) -> bytes:
            samples = scene.cube[cluster.bands]
            part = self.forward(samples, self._level([samples]))
            return chunks.code([part], layout, size, threads, tries)[0]

        yield from equal_shares(scene, clusters, target, coded)

    def _shared(
        self, scene: Scene, clusters: Sequence[Cluster], layout: Layout, target: float
    ) -> Iterator[bytes]:
        """Code all clusters as components of one codestream, over which PCRD allocates the rate."""
        level = self._level(scene.cube[cluster.bands] for cluster in clusters)
        parts = list(pooled(lambda c: self.forward(scene.cube[c.bands], level), clusters))
        yield from chunks.code(parts, layout, target, processors(), _TRIES)


def decompositions(lines: int, samples: int) -> int:
    """Return the levels of decomposition: five, or fewer if the coarsest subband would be smaller than 12 samples."""
    return max(0, min(_MOST_LEVELS, (min(lines, samples) // _SMALLEST_SUBBAND).bit_length() - 1))


def layout_of(header: Header) -> Layout:
    """Return the layout of a file's codestreams.

    Raises
    ------
    CodecError
        If the header's parameters are not valid.
    """
    levels, lossless = header.parameters.get("levels"), header.parameters.get("lossless")
    if type(levels) is not int or not 0 <= levels <= MOST_LEVELS or type(lossless) is not bool:
        raise CodecError(
            f"scene {header.scene}: its parameters are {header.parameters}; "
            f"expected levels (0 to {MOST_LEVELS}) and lossless (true or false)"
        )
    return Layout(header.lines, header.samples, levels, lossless)


def _threads(clusters: Sequence[Cluster]) -> int:
    """Return the threads per codestream: all for a single codestream, else one, since clusters run in parallel."""
    return processors() if len(clusters) == 1 else 1
