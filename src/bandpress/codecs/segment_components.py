"""Clusters predicted from components of their segment: the order ``components`` of the codecs that predict.

The key cluster of a segment, its first, carries the KLT of all bands of the segment, coded as one cluster of
`wavelet-learned`. Every cluster, the key one too, is predicted from it; what that leaves is coded where it pays. It
takes two chunks at most to decode a cluster, and a damaged one costs its segment at most.

The chunk of a key cluster is a u32 that counts the bytes of the components, these, and then what the chunk of every
other cluster is: what `bandpress.codecs.residual_contexts` says, after no side information.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from bandpress.clusters import Cluster
from bandpress.codecs.predicted import Item, Job, Trial
from bandpress.codecs.residual_contexts import ContextCoder
from bandpress.codecs.rklt_jpeg2000 import RkltJpeg2000
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.errors import BitstreamError
from bandpress.scene import Scene

_LENGTH = struct.Struct("<I")
_SAFETY = 0.5
_TRANSFORM = RkltJpeg2000(lossless=True)


def encode(
    scene: Scene, clusters: Sequence[Cluster], distance: int, step: float, coder: ComponentCoder
) -> Trial:
    """Code a scene with a step.

    Parameters
    ----------
    scene
        The scene.
    clusters
        Its clusters.
    distance
        Clusters of a segment.
    step
        Quantiser step in DN.
    coder
        Of components.
    """
    residuals = ContextCoder(coder, clusters[0].count)
    chunks: list[bytes] = []
    squared = 0.0
    for first in range(0, len(clusters), distance):
        segment = clusters[first : first + distance]
        bands = slice(segment[0].first, segment[-1].stop)
        forward = _TRANSFORM.forward(scene.cube[bands], _SAFETY * step * step / 12)
        ((base, components),) = coder.code([Part(forward.samples, step, forward.side)])
        state = _TRANSFORM.read_side(BitReader(forward.side.to_bytes()), bands.stop - bands.start)
        predicted = _within(_TRANSFORM.inverse(components, state), scene.dtype)
        residual = scene.cube[bands].astype(np.int32) - predicted
        jobs = [Job(residual[_inside(c, bands)], step, BitWriter(), False) for c in segment]
        for number, (job, (chunk, left)) in enumerate(zip(jobs, residuals.code(jobs), strict=True)):
            chunks.append(chunk if number else _LENGTH.pack(len(base)) + base + chunk)
            squared += float(np.square((job.residual - left).astype(np.float64)).sum())
    return Trial(step, chunks, squared / scene.cube.size)


def decode(
    header: Header,
    chunks: Iterable[tuple[Cluster, bytes]],
    distance: int,
    step: float,
    coder: ComponentCoder,
) -> Iterator[np.ndarray]:
    """Decode clusters, in increasing order, each after the key cluster of its segment."""
    residuals = ContextCoder(coder, header.clusters[0].count)
    numbers = {cluster: number for number, cluster in enumerate(header.clusters)}
    dtype = np.dtype(header.dtype)
    key, predicted, bands = -1, np.zeros(0, np.int32), slice(0)
    for cluster, chunk in chunks:
        segment = numbers[cluster] // distance
        if segment != key:
            if numbers[cluster] % distance:
                raise BitstreamError(f"cluster {cluster} comes without the components of its segment")
            members = header.clusters[segment * distance : (segment + 1) * distance]
            key, bands = segment, slice(members[0].first, members[-1].stop)
            base, chunk = _split(cluster, chunk)
            predicted = _decoded(base, bands.stop - bands.start, step, coder, dtype)
        (left,) = residuals.decode([Item(cluster, BitReader(chunk), chunk, step)])
        yield _within(predicted[_inside(cluster, bands)] + left, dtype).astype(dtype)


def _split(cluster: Cluster, chunk: bytes) -> tuple[bytes, bytes]:
    size = _LENGTH.unpack_from(chunk)[0] if len(chunk) >= _LENGTH.size else len(chunk)
    stop = _LENGTH.size + size
    if stop > len(chunk):
        raise BitstreamError(
            f"cluster {cluster}: announces {size} bytes of components; expected at most {len(chunk) - _LENGTH.size}"
        )
    return chunk[_LENGTH.size : stop], chunk[stop:]


def _decoded(base: bytes, bands: int, step: float, coder: ComponentCoder, dtype: np.dtype) -> np.ndarray:
    reader = BitReader(base)
    state = _TRANSFORM.read_side(reader, bands)
    (components,) = coder.decode([Chunk(reader, base, bands, step)])
    return _within(_TRANSFORM.inverse(components, state), dtype)


def _inside(cluster: Cluster, bands: slice) -> slice:
    return slice(cluster.first - bands.start, cluster.stop - bands.start)


def _within(samples: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.clip(samples, limits.min, limits.max)
