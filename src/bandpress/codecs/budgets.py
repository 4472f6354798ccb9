"""Rate allocation for clusters coded one by one, several at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from statistics import median
from typing import TypeVar

from bandpress.clusters import Cluster
from bandpress.container.bitstream import Header, overhead
from bandpress.errors import CodecError
from bandpress.machine import Threads, processors
from bandpress.scene import Scene

#: The surplus or deficit of a cluster is shared by all clusters from this many later on, whatever the number of
#: processors: so every machine writes the same file.
LAG = 8
#: A file may exceed its target by this share or, if it is small, by this many bytes.
MOST_EXCESS = 0.02
MOST_EXCESS_BYTES = 128
#: Assumed largest deviation of a cluster from its target, as a share, since coding passes take whole bytes.
_BIAS = 0.15

T = TypeVar("T")
S = TypeVar("S")


def chunk_budget(header: Header, rate: float) -> float:
    """Return the bytes that `rate` bits per sample leave for the chunks of a file with this header."""
    samples = header.bands * header.lines * header.samples
    return rate * samples / 8 - overhead(header)


def equal_shares(
    scene: Scene, clusters: Sequence[Cluster], target: float, code: Callable[[Cluster, float], bytes]
) -> Iterator[bytes]:
    """Code clusters, each with a share of the remaining target in proportion to its bands that are not constant.

    Parameters
    ----------
    scene
        The scene.
    clusters
        All its clusters, in order.
    target
        Total bytes of all chunks.
    code
        Returns the chunk of a cluster for a target in bytes.

    Yields
    ------
    bytes
        The chunks, in order.
    """
    weights = [sum(bool(band.min() != band.max()) for band in scene.cube[c.bands]) for c in clusters]
    asked: list[float] = []
    spent: list[int] = []

    def jobs() -> Iterator[tuple[Cluster, float]]:
        for number, cluster in enumerate(clusters):
            # Clusters under way, and this one, are assumed to use the same share of their targets as the last finished
            # ones.
            known = max(number - LAG, 0)
            ratios = [size / most for size, most in zip(spent[:known], asked[:known], strict=True) if most]
            spends = min(max(median(ratios[-LAG:] or [1.0]), 1 - _BIAS), 1 + _BIAS)
            left = max(target - sum(spent[:known]) - spends * sum(asked[known:]), 0.0)
            asked.append(left * weights[number] / max(sum(weights[number:]), 1) / spends)
            yield cluster, asked[-1]

    for chunk in pooled(lambda job: code(*job), jobs(), ahead=LAG):
        spent.append(len(chunk))
        yield chunk


def within(rate: float, header: Header, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield chunks unchanged; reject a file that exceeds its target by more than 2 % or 128 bytes, whichever is larger.

    Raises
    ------
    CodecError
        After the last chunk; the message gives the rate reached.
    """
    samples = header.bands * header.lines * header.samples
    total = overhead(header)
    for chunk in chunks:
        total += len(chunk)
        yield chunk
    reached = total * 8 / samples
    if total - rate * samples / 8 > max(rate * samples / 8 * MOST_EXCESS, MOST_EXCESS_BYTES):
        raise CodecError(
            f"scene {header.scene}: {header.codec} reached {reached:.4g} bits per sample, not {rate:.4g}; "
            "expected a rate above that of headers, side information and the coarsest coding"
        )


def pooled(function: Callable[[S], T], items: Iterable[S], ahead: int | None = None) -> Iterator[T]:
    """Map a function in threads, in order, at most `ahead` items ahead of the consumer."""
    workers = processors()
    with Threads(workers) as pool:
        waiting: list[Future[T]] = []
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= (ahead or 2 * workers):
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
