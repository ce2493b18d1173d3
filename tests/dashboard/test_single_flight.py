from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.single_flight import Batches, Places, SingleFlight


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


def test_a_batch_has_those_who_asked_before_its_work_began_and_nobody_later():
    places, work = Places(1, 10), Work()
    batches, key = Batches(places), Key()
    with ThreadPoolExecutor() as pool:
        with places.one():
            assert places.free == 0
            waiting = [pool.submit(batches.do, key, work) for _ in range(3)]
            for _ in range(3):
                assert key.looked_up.acquire(timeout=10)
        assert key.looked_up.acquire(timeout=10)  # The work begins.
        later = pool.submit(batches.do, key, work)
        assert key.looked_up.acquire(timeout=10)
        work.end.set()

    assert ([one.result() for one in waiting], later.result()) == ([1, 1, 1], 2)
    assert places.free == 1


def test_an_error_of_a_batch_is_that_of_all_in_it_and_its_place_is_free_again():
    class Failing(Work):
        def __call__(self):
            raise LookupError(super().__call__())

    places, work = Places(1, 10), Failing()
    batches, key = Batches(places), Key()
    work.end.set()
    with ThreadPoolExecutor() as pool, places.one():
        asked = [pool.submit(batches.do, key, work) for _ in range(2)]
        for _ in range(2):
            assert key.looked_up.acquire(timeout=10)

    assert [str(one.exception()) for one in asked] == ["1", "1"]
    assert batches.do("another", lambda: "at once") == "at once"


def test_whoever_finds_no_place_in_time_does_without():
    places = Places(1, 0.01)

    with places.one():
        assert Batches(places).do("key", lambda: "done") == "done"
        assert places.free == 0
    assert places.free == 1
