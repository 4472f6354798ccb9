"""Generators that work in threads end without a wait, whoever ends them."""

import threading

import pytest

from bandpress.codecs.budgets import pooled
from bandpress.machine import Threads
from bandpress.pipeline import ahead


def piped(function, items):
    with Threads(1) as pool:
        yield from ahead(function, items, pool)


@pytest.mark.parametrize("mapped", [lambda f, items: pooled(f, items, ahead=2), piped])
def test_an_abandoned_generator_does_not_wait_for_its_threads(mapped):
    release, ended = threading.Event(), threading.Event()
    found = mapped(lambda number: number if number == 0 else release.wait(30), range(9))
    assert next(found) == 0

    def abandon():
        found.close()
        ended.set()

    closing = threading.Thread(target=abandon)
    closing.start()
    try:
        assert ended.wait(10)
        assert not release.is_set()
    finally:
        release.set()
        closing.join()


@pytest.mark.parametrize("mapped", [pooled, piped])
def test_an_error_in_a_thread_ends_the_work(mapped):
    begun = []

    def function(number):
        begun.append(number)
        return 1 // number

    with pytest.raises(ZeroDivisionError):
        list(mapped(function, [0, *range(1, 100)]))
    assert len(begun) < 50
