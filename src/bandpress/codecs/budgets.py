"""Meeting a target rate with clusters that are coded one by one, several at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bandpress.clusters import Cluster
from bandpress.container.bitstream import Header, overhead
from bandpress.errors import CodecError
from bandpress.jpeg2000.openjpeg import processors

#: What a cluster left over or overdrew is passed on to the cluster that comes this many later, whatever the number
#: of processors: the same file everywhere.
LAG = 8
#: A file may exceed its target by this share of it, or, where files are small, by this many bytes.
MOST_EXCESS = 0.02
MOST_EXCESS_BYTES = 128

T = TypeVar("T")
S = TypeVar("S")


def chunk_budget(header: Header, rate: float) -> float:
    """Return the bytes that `rate` bits per sample leave for the chunks of a file with this header."""
    samples = header.bands * header.lines * header.samples
    return rate * samples / 8 - overhead(header)


def equal_shares(
    clusters: Sequence[Cluster], target: float, code: Callable[[Cluster, float], bytes]
) -> Iterator[bytes]:
    """Code clusters, each in its bands' share of the target.

    Parameters
    ----------
    clusters
        All clusters of a scene, in order.
    target
        Bytes of all chunks together.
    code
        Returns the chunk of a cluster, given the bytes that it should take.

    Yields
    ------
    bytes
        The chunks, in order.
    """
    bands = clusters[-1].stop
    spent: list[int] = []

    def jobs() -> Iterator[tuple[Cluster, float]]:
        for number, cluster in enumerate(clusters):
            known = max(number - LAG, 0)
            owed = target * clusters[known].first / bands - sum(spent[:known])
            yield cluster, target * cluster.count / bands + owed / LAG

    for chunk in pooled(lambda job: code(*job), jobs(), ahead=LAG):
        spent.append(len(chunk))
        yield chunk


def within(rate: float, header: Header, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on; refuse a file that exceeds its target by more than 2 %, or 128 bytes where that is more.

    Raises
    ------
    CodecError
        After the last chunk, with the rate that was reached.
    """
    samples = header.bands * header.lines * header.samples
    total = overhead(header)
    for chunk in chunks:
        total += len(chunk)
        yield chunk
    reached = total * 8 / samples
    if total - rate * samples / 8 > max(rate * samples / 8 * MOST_EXCESS, MOST_EXCESS_BYTES):
        raise CodecError(
            f"scene {header.scene}: {reached:.4g} bits per sample were reached with {header.codec} where {rate:.4g} "
            "were asked for; expected a rate that headers, side information and the coarsest coding leave room in"
        )


def pooled(function: Callable[[S], T], items: Iterable[S], ahead: int | None = None) -> Iterator[T]:
    """Map in threads, in order, at most `ahead` items before the one that is yielded."""
    workers = processors()
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[T]] = []
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= (ahead or 2 * workers):
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
