"""Overlapped work: while one batch is computed, the next is read and the previous is written."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(function: Callable[[A], B], items: Iterable[A], pool: Executor, depth: int = 1) -> Iterator[B]:
    """Apply a function in a pool of threads, at most `depth` items ahead of the consumer, in order.

    Parameters
    ----------
    function
        Function of an item; it should release the interpreter lock while it works.
    items
        Taken one at a time, in the consumer's thread.
    pool
        Pool of threads.
    depth
        Most results under way or waiting, which bounds memory.
    """
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def batches(items: Iterable[A], size: int) -> Iterator[list[A]]:
    """Yield lists of `size` items; the last may be shorter."""
    batch: list[A] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
