from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.single_flight import SingleFlight


class Key:
    """A key that tells when it is looked up."""

    def __init__(self):
        self.looked_up = threading.Semaphore(0)

    def __hash__(self):
        self.looked_up.release()
        return 1

    def __eq__(self, other):
        return self is other


class Work:
    """Work that takes until it is told to end, and returns how often it was done."""

    def __init__(self):
        self.calls, self.end = 0, threading.Event()

    def __call__(self):
        self.calls += 1
        self.end.wait(10)
        return self.calls


def ask_together(flight, key, work, people=4):
    """Ask for the same work in several threads, and end it when all of them have asked."""
    with ThreadPoolExecutor(people) as pool:
        asked = [pool.submit(flight.do, key, work) for _ in range(people)]
        for _ in range(people + 1):  # The first looks it up twice.
            assert key.looked_up.acquire(timeout=10)
        others = flight.do("another", lambda: "at once")
        work.end.set()
    return asked, others


def test_those_who_ask_meanwhile_get_the_same_result_and_later_ones_a_new_one():
    flight, work, key = SingleFlight(), Work(), Key()

    asked, others = ask_together(flight, key, work)

    assert ([one.result() for one in asked], others) == ([1, 1, 1, 1], "at once")
    assert flight.do(key, work) == 2


def test_an_error_is_that_of_all_who_asked_and_of_nobody_later():
    class Failing(Work):
        def __call__(self):
            raise LookupError(super().__call__())

    flight, work, key = SingleFlight(), Failing(), Key()

    asked, _ = ask_together(flight, key, work)

    assert [str(one.exception()) for one in asked] == ["1", "1", "1", "1"]
    with pytest.raises(LookupError, match="2"):
        flight.do(key, work)
