"""Split of clusters with dissimilar bands into two parts, for the learned codec.

A network is made for k similar bands, and loses detail of dissimilar ones, such as those of a cluster across an
absorption band or a gap of removed bands. Such a cluster is cut in two where neighbours differ most; each part is coded
as its own cluster, with its last band repeated.

A chunk of two parts, after the ranges of all bands::

    u16      65,535, which is not an operating point
    u8       bands of the first part
    u32      bytes of the first part
    first part, second part: each like a chunk without its ranges
"""

import struct
from collections.abc import Sequence

import numpy as np

from bandpress.clusters import Cluster
from bandpress.container.ranges import side_bytes
from bandpress.errors import BitstreamError
from bandpress.hyperprior.points import Point
from bandpress.scene import Scene

_HEAD = struct.Struct("<HBI")
_MARK = 0xFFFF
_MARKED = _MARK.to_bytes(2, "little")
#: Correlation of neighbouring bands below which two parts are tried; nearly all are above 0.99.
_ALIKE = 0.95
#: Stride of the lines and samples used for the correlation.
_STRIDE = 2


def of_cluster(scene: Scene, cluster: Cluster, point: Point) -> tuple[Cluster, Cluster] | None:
    """Return the two parts worth trying, or None.

    A split is worth trying if the variance that one band leaves unexplained of the next exceeds the distortion at the
    operating point: k / (2 ln 2 · lambda) at high rates.
    """
    if cluster.count < 2 or point.lambda_ is None:
        return None
    bands = scene.cube[cluster.bands, ::_STRIDE, ::_STRIDE].reshape(cluster.count, -1).astype(np.float32)
    bands -= bands.mean(axis=1, keepdims=True)
    variances = np.square(bands).mean(axis=1, dtype=np.float64)
    between = (bands[1:] * bands[:-1]).mean(axis=1, dtype=np.float64)
    alike = np.square(between) / np.maximum(variances[1:] * variances[:-1], 1e-6)
    left = (1 - alike) * np.minimum(variances[1:], variances[:-1])
    left[alike >= _ALIKE**2] = 0
    place = int(left.argmax())
    if left[place] < point.model.architecture.bands_per_cluster / (2 * np.log(2) * point.lambda_):
        return None
    middle = cluster.first + place + 1
    return Cluster(cluster.first, middle - cluster.first), Cluster(middle, cluster.stop - middle)


def join(parts: Sequence[Cluster], chunks: Sequence[bytes], dtype: np.dtype) -> bytes:
    """Join the chunks of two parts in one chunk."""
    sides = [side_bytes(part.count, dtype) for part in parts]
    rests = [chunk[side:] for chunk, side in zip(chunks, sides, strict=True)]
    ranges = b"".join(chunk[:side] for chunk, side in zip(chunks, sides, strict=True))
    return ranges + _HEAD.pack(_MARK, parts[0].count, len(rests[0])) + b"".join(rests)


def split_chunk(cluster: Cluster, chunk: bytes, dtype: np.dtype) -> list[tuple[Cluster, bytes]]:
    """Return the parts of a chunk with their own chunks, or the cluster itself if it is not split.

    Raises
    ------
    BitstreamError
        If the parts do not fit the cluster.
    """
    side = side_bytes(cluster.count, dtype)
    if chunk[side : side + 2] != _MARKED:
        return [(cluster, chunk)]
    start = side + _HEAD.size
    if len(chunk) < start:
        raise BitstreamError(f"cluster {cluster}: {len(chunk)} bytes; expected at least {start}")
    _, count, length = _HEAD.unpack_from(chunk, side)
    if not 1 <= count < cluster.count or start + length > len(chunk):
        raise BitstreamError(
            f"cluster {cluster}: a first part of {count} bands and {length} bytes; "
            f"expected 1 to {cluster.count - 1} and at most {len(chunk) - start}"
        )
    middle = side_bytes(count, dtype)
    first, second = Cluster(cluster.first, count), Cluster(cluster.first + count, cluster.count - count)
    return [
        (first, chunk[:middle] + chunk[start : start + length]),
        (second, chunk[middle:side] + chunk[start + length :]),
    ]
