"""The learned codec: each cluster through one network, its symbols through a range coder, exact on every machine.

A chunk (integers little-endian; `docs/bitstream.md`)::

    ranges   per band: smallest sample, then largest minus smallest, each as wide as a sample
    u16      operating point                                       } only with a model with gains
    u32      bytes of z                                            }
    z        hyper-latents, range coded with the tables z/cdf      } absent where every band is constant
    y        latents, range coded with the tables y/cdf            }

A cluster of fewer bands than the network takes is coded with its last band repeated; only its own bands come back.
A cluster whose bands have little to do with one another may be coded in two parts, see `bandpress.codecs.parts`.
"""

import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bandpress.bitstream import Header
from bandpress.clusters import Cluster, split
from bandpress.codecs import parts
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.points import Point, lambdas_of, point_of_quality
from bandpress.codecs.ratecontrol import search
from bandpress.errors import BitstreamError, CodecError, MissingDependencyError, ModelError
from bandpress.model import catalogue
from bandpress.model.architecture import LATENT_STRIDE, STEPS_PER_QUALITY, Architecture
from bandpress.model.processor import has_bfloat16
from bandpress.model.quality import cluster_steps
from bandpress.model.store import StoredModel
from bandpress.pipeline import ahead, batches
from bandpress.scene import Scene
from bandpress.side import Ranges, side_bytes

if TYPE_CHECKING:
    from bandpress.model.network import Network, Symbols
    from bandpress.model.refinement import Refiner

PRECISIONS = ("auto", "float32", "bfloat16")

_STEP = struct.Struct("<H")
_LENGTH = struct.Struct("<I")
#: Bytes of activations that a batch may take: what bounds memory.
_BATCH_BYTES = 300 << 20
_MOST_BATCH = 32


@dataclass(frozen=True)
class Learned(Codec):
    """The network codec.

    Parameters
    ----------
    model
        Folder or name of a model or of a family of models.
    quality
        1 for the lowest of the family's operating points, and so on; between two of them for a model with gains.
        Default: the only one there is, or the highest.
    rate
        Target in bits per sample, instead of a quality.
    psnr
        Target in dB with the peak 65,535, instead of a quality.
    batch
        Clusters that go through the network together; 0: as many as memory for activations allows. Changes speed and
        memory, never the file's samples.
    precision
        ``"float32"``; ``"bfloat16"``, in which the encoder's costliest convolutions take half the time on processors
        with instructions for it, at a cost in quality that grows with it; ``"auto"``: bfloat16 where there are such, so
        that what is written depends on the machine. Decoders always use float32, whatever the encoder used.
    refine
        Steps of a search for better latents of each cluster, see `bandpress.model.refinement`: a smaller file of the
        same quality from a slower encoder. Each step takes about three times as long as decoding; 100 gain most of
        what there is to gain. Decoders know nothing of it.
    bands_per_cluster
        What the model must be for; None: whatever it is for.
    """

    name: ClassVar[str] = "learned"

    model: str | Path
    quality: float | None = None
    rate: float | None = None
    psnr: float | None = None
    batch: int = 0
    precision: str = "float32"
    refine: int = 0
    bands_per_cluster: int | None = None

    def __post_init__(self) -> None:
        given = [key for key in ("quality", "rate", "psnr") if getattr(self, key) is not None]
        if len(given) > 1:
            raise CodecError(f"codec learned: {' and '.join(given)} were given; expected one of them")
        if self.batch < 0:
            raise CodecError(f"codec learned: a batch of {self.batch}; expected 0 (automatic) or more")
        if self.refine < 0:
            raise CodecError(f"codec learned: {self.refine} steps of refinement; expected 0 or more")
        if self.precision not in PRECISIONS:
            raise CodecError(
                f"codec learned: precision {self.precision!r}; expected one of {', '.join(PRECISIONS)}"
            )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene; see `Codec.encode`."""
        family = catalogue.members(self.model)
        k = family[0].architecture.bands_per_cluster
        if self.bands_per_cluster not in (None, k):
            raise ModelError(
                f"{self.model}: a model for clusters of {k} bands; expected one for {self.bands_per_cluster}"
            )
        if self.rate is not None:
            return search(self, scene, family, "rate", self.rate)
        if self.psnr is not None:
            return search(self, scene, family, "psnr", self.psnr)
        return self.encode_at(scene, point_of_quality(family, self.quality))

    def encode_at(self, scene: Scene, point: Point, chunks: Iterable[bytes] | None = None) -> Encoding:
        """Code a scene at an operating point, or wrap chunks that were coded at it."""
        parameters: dict[str, Any] = {}
        if point.lambda_ is not None:
            parameters["lambda"] = point.lambda_
        k = point.model.architecture.bands_per_cluster
        return Encoding(
            bands_per_cluster=k,
            chunks=self.chunks(scene, point, split(scene.bands, k)) if chunks is None else chunks,
            parameters=parameters,
            model=point.model.digest,
        )

    def chunks(self, scene: Scene, point: Point, clusters: Sequence[Cluster]) -> Iterator[bytes]:
        """Code some clusters of a scene, each whole or in two parts, whichever costs less."""
        for cluster, chunk in zip(clusters, self._chunks(scene, point, clusters), strict=True):
            cut = parts.of_cluster(scene, cluster, point) if point.lambda_ is not None else None
            yield chunk if cut is None else self._cheaper(scene, point, cluster, chunk, cut)

    def _cheaper(
        self, scene: Scene, point: Point, cluster: Cluster, whole: bytes, cut: tuple[Cluster, Cluster]
    ) -> bytes:
        """Return the chunk that costs less in bits a pixel + lambda · squared error."""
        k = point.model.architecture.bands_per_cluster
        header = Header.of_scene(scene, self.name, k, {}, point.model.digest)
        in_parts = parts.join(cut, list(self._chunks(scene, point, cut)), scene.dtype)

        def cost(chunk: bytes) -> float:
            (decoded,) = self.decode_with(point.model, header, [(cluster, chunk)])
            error = scene.cube[cluster.bands].astype(np.float64) - decoded
            assert point.lambda_ is not None
            return 8 * len(chunk) + point.lambda_ / k * float(np.square(error).sum())

        return min(whole, in_parts, key=cost)

    def _chunks(self, scene: Scene, point: Point, clusters: Sequence[Cluster]) -> Iterator[bytes]:
        """Code clusters whole: reading, network and range coding overlap."""
        network = open_network(point.model)
        size = self.batch_size(point.model.architecture, scene.lines, scene.samples)
        with ThreadPoolExecutor(2) as pool:
            inputs = ahead(lambda group: load_batch(scene, group, point), batches(clusters, size), pool)
            coded = ((batch, self._analyse(network, batch, scene, point)) for batch in inputs)
            for chunks in ahead(lambda pair: write_batch(network, *pair, scene.dtype), coded, pool):
                yield from chunks

    def _analyse(self, network: "Network", batch: "Batch", scene: Scene, point: Point) -> "Symbols | None":
        if not self.refine or not batch.active:
            return analyse_batch(network, batch, self.bfloat16)
        qualities = batch.steps / STEPS_PER_QUALITY
        size = scene.lines, scene.samples
        refiner = open_refiner(point.model)
        return network.symbols(
            refiner.refine(batch.content, qualities, worth(batch, point), size, self.refine), batch.steps
        )

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Learned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(model_of(header, model).path))

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters; see `Codec.decode`."""
        assert header.model is not None
        return self.decode_with(catalogue.find(header.model, self.model), header, chunks)

    def decode_with(
        self, model: StoredModel, header: Header, chunks: Iterable[tuple[Cluster, bytes]]
    ) -> Iterator[np.ndarray]:
        """Decode clusters with a model: checking, network and restoring overlap."""
        if model.architecture.qualities == 1:
            yield from self._decode(model, header, chunks)
            return
        counts: deque[int] = deque()

        def parted() -> Iterator[tuple[Cluster, bytes]]:
            for cluster, chunk in chunks:
                found = parts.split_chunk(cluster, chunk, np.dtype(header.dtype))
                counts.append(len(found))
                yield from found

        whole: list[np.ndarray] = []
        for cube in self._decode(model, header, parted()):
            whole.append(cube)
            if len(whole) == counts[0]:
                yield whole[0] if counts.popleft() == 1 else np.concatenate(whole)
                whole = []

    def _decode(
        self, model: StoredModel, header: Header, chunks: Iterable[tuple[Cluster, bytes]]
    ) -> Iterator[np.ndarray]:
        network = open_network(model)
        dtype = np.dtype(header.dtype)
        size = self.batch_size(model.architecture, header.lines, header.samples)
        with ThreadPoolExecutor(2) as pool:
            groups = batches(chunks, size)
            parsed = ahead(lambda group: read_batch(network, group, header, dtype), groups, pool)
            images = ((batch, synthesise_batch(network, batch, header)) for batch in parsed)
            for cubes in ahead(lambda pair: restore_batch(*pair, header, dtype), images, pool):
                yield from cubes

    @property
    def bfloat16(self) -> bool:
        """Whether the encoder uses bfloat16."""
        return has_bfloat16() if self.precision == "auto" else self.precision == "bfloat16"

    def batch_size(self, architecture: Architecture, lines: int, samples: int) -> int:
        """Return how many clusters go through the network together."""
        if self.batch:
            return self.batch
        size = -(-lines // 2) * -(-samples // 2)
        widest = 4 * size * max(width / 4**stage for stage, width in enumerate(architecture.widths))
        return max(1, min(_MOST_BATCH, int(_BATCH_BYTES / (4 * widest))))


def model_of(header: Header, path: Path | None = None) -> StoredModel:
    """Find the model that a file names, for clusters of as many bands as the file says.

    Raises
    ------
    BitstreamError
        If the file names none.
    ModelError
        If it is not found, or is for other clusters.
    """
    found = named_model(header, path)
    if header.bands_per_cluster != found.architecture.bands_per_cluster:
        raise ModelError(
            f"{found.path}: a model for clusters of {found.architecture.bands_per_cluster} bands; "
            f"expected one for {header.bands_per_cluster}"
        )
    return found


def named_model(header: Header, path: Path | None = None) -> StoredModel:
    """Find the model that a file names; raises as `model_of` does."""
    if header.model is None:
        raise BitstreamError("the header names no model; expected the digest of one")
    return catalogue.find(header.model, path)


class Batch(NamedTuple):
    """Clusters on their way through the network. `active` are those with anything to code."""

    ranges: list[Ranges]
    steps: np.ndarray
    active: list[int]
    content: Any


def load_batch(scene: Scene, clusters: Sequence[Cluster], point: Point) -> Batch:
    """Read clusters and normalise them; lines and samples are repeated at the ends up to whole latents.

    What stands beyond the ends is cut off after decoding, so this is the encoder's choice; zeros, which the network's
    own borders hold, cost distortion along the last lines and samples.
    """
    k = point.model.architecture.bands_per_cluster
    cubes = [scene.cube[cluster.bands] for cluster in clusters]
    ranges = [Ranges.of(cube) for cube in cubes]
    active = [i for i, found in enumerate(ranges) if not found.constant]
    steps = _steps(point, [ranges[i] for i in active], k)
    beyond = [(0, 0), *((0, -side % LATENT_STRIDE) for side in (scene.lines, scene.samples))]
    shape = (scene.lines + beyond[1][1], scene.samples + beyond[2][1])
    x = np.empty((len(active), *shape, k), np.float32)
    for place, i in enumerate(active):
        bands = np.pad(ranges[i].normalise(cubes[i]), beyond, mode="edge")
        for band in range(k):
            x[place, :, :, band] = bands[min(band, len(bands) - 1)]
    return Batch(ranges, steps, active, x)


def _steps(point: Point, ranges: Sequence[Ranges], k: int) -> np.ndarray:
    if point.lambda_ is None or not ranges:
        return np.zeros(len(ranges), np.int32)
    card = point.model.card
    widths = np.stack([np.resize(found.high - found.low + 1, k) for found in ranges])
    reference = float(card.get("reference_range", 0.0)) or float(
        np.sqrt(np.mean(np.square(widths, dtype=float)))
    )
    return cluster_steps(lambdas_of(point.model).tolist(), reference, point.lambda_, widths).astype(np.int32)


def worth(batch: Batch, point: Point) -> np.ndarray:
    """Return the bits that a unit of squared error of each band is worth, (active clusters, k); 0 for repeated ones.

    The loss counts bits a pixel + lambda · squared error in DN², averaged over the k bands.
    """
    k = point.model.architecture.bands_per_cluster
    lambda_ = point.lambda_ or float(np.atleast_1d(point.model.card["lambda"])[0])
    found = np.zeros((len(batch.active), k))
    for place, i in enumerate(batch.active):
        widths = (batch.ranges[i].high - batch.ranges[i].low + 1).astype(np.float64)
        found[place, : len(widths)] = lambda_ / k * widths**2
    return found


def analyse_batch(network: "Network", batch: Batch, bfloat16: bool = False) -> "Symbols | None":
    """Run the encoder's network."""
    return network.analyse(batch.content, batch.steps, bfloat16) if batch.active else None


def write_batch(network: "Network", batch: Batch, symbols: "Symbols | None", dtype: np.dtype) -> list[bytes]:
    """Range code symbols into chunks."""
    chunks = [found.pack(dtype) for found in batch.ranges]
    if symbols is not None:
        for place, (z, y) in enumerate(network.write(symbols)):
            step = _STEP.pack(batch.steps[place]) if network.architecture.qualities > 1 else b""
            chunks[batch.active[place]] += step + _LENGTH.pack(len(z)) + z + y
    return chunks


def read_batch(
    network: "Network", group: Sequence[tuple[Cluster, bytes]], header: Header, dtype: np.dtype
) -> Batch:
    """Parse chunks and range decode their symbols."""
    ranges, steps, active, strings = [], [], [], []
    for place, (cluster, chunk) in enumerate(group):
        try:
            found = Ranges.unpack(chunk, cluster.count, dtype)
            ranges.append(found)
            if not found.constant:
                step, pair = _parse(chunk[side_bytes(cluster.count, dtype) :], network.architecture)
                active.append(place)
                steps.append(step)
                strings.append(pair)
        except BitstreamError as error:
            raise BitstreamError(f"cluster {cluster}: {error}") from None
    points = np.array(steps, np.int32)
    symbols = network.read(strings, points, header.lines, header.samples).y if active else None
    return Batch(ranges, points, active, symbols)


def _parse(data: bytes, architecture: Architecture) -> tuple[int, tuple[bytes, bytes]]:
    gains = architecture.qualities > 1
    head = _LENGTH.size + (_STEP.size if gains else 0)
    if len(data) < head:
        raise BitstreamError(f"{len(data)} bytes of symbols; expected at least {head}")
    step = _STEP.unpack_from(data)[0] if gains else 0
    (length,) = _LENGTH.unpack_from(data, head - _LENGTH.size)
    if step >= architecture.quality_steps or head + length > len(data):
        raise BitstreamError(
            f"operating point {step} and {length} bytes of hyper-latents; "
            f"expected less than {architecture.quality_steps} and at most {len(data) - head}"
        )
    return step, (data[head : head + length], data[head + length :])


def synthesise_batch(network: "Network", batch: Batch, header: Header) -> np.ndarray | None:
    """Run the decoder's network."""
    if not batch.active:
        return None
    return network.synthesise(batch.content, batch.steps, header.lines, header.samples)


def restore_batch(
    batch: Batch, images: np.ndarray | None, header: Header, dtype: np.dtype
) -> list[np.ndarray]:
    """Turn normalised samples into those of each cluster."""
    cubes: list[np.ndarray] = []
    place = {i: number for number, i in enumerate(batch.active)}
    for i, found in enumerate(batch.ranges):
        if images is None or i not in place:
            cubes.append(found.fill((header.lines, header.samples), dtype))
        else:
            bands = np.moveaxis(images[place[i]], 2, 0)[: len(found.low)]
            cubes.append(found.restore(bands, dtype))
    return cubes


def open_network(model: StoredModel) -> "Network":
    """Make a model ready to code; the last few are kept.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is not installed.
    """
    return _open(_Keyed(model))


def open_refiner(model: StoredModel) -> "Refiner":
    """Make the search for a model's latents ready; the last few are kept."""
    return _open_refiner(_Keyed(model))


class _Keyed:
    """A model that compares by its digest."""

    def __init__(self, model: StoredModel):
        self.model = model

    def __hash__(self) -> int:
        return hash(self.model.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.model.digest == self.model.digest != ""


@lru_cache(maxsize=4)
def _open(keyed: _Keyed) -> "Network":
    try:
        from bandpress.model.network import Network
    except ImportError as error:
        raise MissingDependencyError(
            f"the learned codec needs TensorFlow ({error}); install bandpress[tensorflow] with Python 3.11"
        ) from None
    return Network(keyed.model)


@lru_cache(maxsize=4)
def _open_refiner(keyed: _Keyed) -> "Refiner":
    from bandpress.model.refinement import Refiner

    return Refiner(keyed.model)
