from __future__ import annotations

import threading
from queue import SimpleQueue

from aggregator.jobs.retry import NotYetError
from aggregator.jobs.soon import Soon


def test_requests_that_come_during_a_run_are_followed_by_one_more():
    runs, may_end = SimpleQueue(), threading.Event()

    def work():
        runs.put("run")
        may_end.wait(30)

    soon = Soon("often", work)
    soon.ask()
    runs.get(timeout=30)
    for _ in range(9):
        soon.ask()
    thread = next(one for one in threading.enumerate() if one.name == "activity-often")
    may_end.set()
    thread.join(30)

    assert runs.qsize() == 1


def test_work_that_has_to_wait_for_another_process_is_tried_again():
    done, tries = threading.Event(), iter([NotYetError(), None])

    def work():
        if (failure := next(tries)) is not None:
            raise failure
        done.set()

    Soon("late", work).ask()

    assert done.wait(30)
