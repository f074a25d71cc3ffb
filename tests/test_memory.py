"""What is computed once is kept within a number of bytes, and computed once however many ask."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from ganad.system import shared_cache
from tests.waiting import PATIENCE_S


@pytest.fixture
def room(monkeypatch):
    """A memory of 10,000 bytes for the functions of one test."""
    monkeypatch.setenv("GANAD_CACHE_BYTES", "10K")
    monkeypatch.setattr(shared_cache, "_store", functools.cache(shared_cache._store.__wrapped__))


def test_a_result_is_computed_once_and_shared(room):
    calls = []

    @shared_cache.remembered
    def squares(n):
        calls.append(n)
        return np.arange(n) ** 2

    assert squares(10) is squares(10)
    assert squares(11) is not squares(10)
    assert calls == [10, 11]


def test_two_functions_of_one_argument_have_two_results(room):
    def successor(n):
        return n + 1

    def double(n):
        return 2 * n

    assert [shared_cache.remembered(f)(3) for f in (successor, double)] == [4, 6]


def test_what_was_asked_for_longest_ago_goes_and_the_bound_holds(room):
    calls = []

    @shared_cache.remembered
    def array(n):
        calls.append(n)
        return np.zeros(4000, np.uint8)

    for n in (1, 2, 1, 3, 1, 2):  # 3 takes the place of 2, which takes that of 3
        array(n)
        assert shared_cache.bytes_kept() <= 10_000
    assert calls == [1, 2, 3, 2]


def test_what_is_larger_than_the_bound_is_computed_each_time_and_puts_nothing_out(room):
    calls = []

    @shared_cache.remembered
    def array(n):
        calls.append(n)
        return np.zeros(n, np.uint8)

    array(100), array(50_000), array(50_000), array(100)
    assert calls == [100, 50_000, 50_000]


def test_what_is_kept_briefly_has_a_sixteenth_and_puts_nothing_else_out(room):
    calls = []

    def noted(n):
        calls.append(n)
        return np.zeros(n, np.uint8)

    lasting, brief = shared_cache.remembered(noted), shared_cache.remembered(noted, briefly=True)
    lasting(4000)
    for n in range(100, 140):
        brief(n)
        assert shared_cache.bytes_kept() <= 4000 + 300 + 10_000 / 16
    calls.clear()
    lasting(4000), brief(139), brief(100)
    assert calls == [100], "the last ones are there still, the first ones are not"


def test_many_who_ask_at_once_wait_for_one_and_an_error_is_not_kept(room):
    calls, all_ask = [], threading.Event()

    @shared_cache.remembered
    def slow(n):
        calls.append(n)
        assert all_ask.wait(PATIENCE_S)
        if len(calls) == 1:
            raise ValueError("the first time")
        return [n]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(slow, 7) for _ in range(8)]
        all_ask.set()
        failed = [a for a in asked if a.exception()]
    assert len(failed) == 1
    assert len({id(a.result()) for a in asked if a not in failed}) == 1
    assert calls == [7, 7]


def test_the_size_is_that_of_every_array_inside():
    @dataclass
    class Pair:
        one: np.ndarray
        others: dict

    pair = Pair(np.zeros(1000), {"a": np.zeros((10, 10)), "b": (np.zeros(5, np.uint8), b"x" * 300)})
    assert 8000 + 800 + 5 + 300 <= shared_cache.size_of(pair) <= 8000 + 800 + 5 + 300 + 700
