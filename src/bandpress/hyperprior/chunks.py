"""Coding of clusters as chunks of the learned codec, in batches.

A chunk (integers little-endian; `docs/bitstream.md`)::

    ranges   per band: smallest sample, then largest minus smallest, each as wide as a sample
    u16      operating point                                       } only with a model with gains
    u32      bytes of z                                            }
    z        hyper-latents, range coded with the tables z/cdf      } absent if every band is constant
    y        latents, range coded with the tables y/cdf            }
"""

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bandpress.clusters import Cluster
from bandpress.container.bitstream import Header
from bandpress.container.ranges import Ranges, side_bytes
from bandpress.errors import BitstreamError
from bandpress.hyperprior.architecture import LATENT_STRIDE, Architecture
from bandpress.hyperprior.points import Point, lambdas_of
from bandpress.hyperprior.quality import WORTH_IN_TRAINED, cluster_steps
from bandpress.scene import Scene

if TYPE_CHECKING:
    from bandpress.hyperprior.network import Network, Symbols

_STEP = struct.Struct("<H")
_LENGTH = struct.Struct("<I")


class Batch(NamedTuple):
    """Clusters in a batch; `active` are the indexes of those that are not constant."""

    ranges: list[Ranges]
    steps: np.ndarray
    active: list[int]
    content: Any


def load_batch(scene: Scene, clusters: Sequence[Cluster], point: Point) -> Batch:
    """Read and normalise clusters, padded to whole latents by repeating the last lines and samples.

    The decoder crops the padding, so it is the encoder's choice; padding with zeros would cost distortion along the
    last lines and samples.
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
    """Return the bits that a unit of squared error is worth, by band, (active clusters, k); 0 for repeated bands.

    The loss counts bits per pixel + lambda · squared error in DN², averaged over the k bands.
    """
    k = point.model.architecture.bands_per_cluster
    lambda_ = point.lambda_ or float(np.atleast_1d(point.model.card["lambda"])[0])
    found = np.zeros((len(batch.active), k))
    for place, i in enumerate(batch.active):
        widths = (batch.ranges[i].high - batch.ranges[i].low + 1).astype(np.float64)
        found[place, : len(widths)] = lambda_ / k * widths**2
    return found


def analyse_batch(network: "Network", batch: Batch, bfloat16: bool = False) -> "Symbols | None":
    """Return the symbols of a batch from the encoder's network; None if all clusters are constant.

    With gains, latents are rounded towards zero where that pays; a model for one lambda codes as the paper's does.
    """
    if not batch.active:
        return None
    of_latents = WORTH_IN_TRAINED if network.architecture.qualities > 1 else None
    return network.analyse(batch.content, batch.steps, bfloat16, of_latents)


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
    """Return the normalised samples of a batch from the decoder's network; None if all clusters are constant."""
    if not batch.active:
        return None
    return network.synthesise(batch.content, batch.steps, header.lines, header.samples)


def restore_batch(
    batch: Batch, images: np.ndarray | None, header: Header, dtype: np.dtype
) -> list[np.ndarray]:
    """Denormalise the samples of each cluster."""
    cubes: list[np.ndarray] = []
    place = {i: number for number, i in enumerate(batch.active)}
    for i, found in enumerate(batch.ranges):
        if images is None or i not in place:
            cubes.append(found.fill((header.lines, header.samples), dtype))
        else:
            bands = np.moveaxis(images[place[i]], 2, 0)[: len(found.low)]
            cubes.append(found.restore(bands, dtype))
    return cubes
