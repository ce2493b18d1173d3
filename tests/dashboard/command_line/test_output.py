from __future__ import annotations

import logging
import sys

from dashboard.command_line.output import PrintableFormatter, status_lines


def test_a_message_is_one_line_of_the_log_and_a_traceback_keeps_its_lines():
    formatter = PrintableFormatter("%(levelname)s %(message)s")
    try:
        raise ValueError
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord(
        "name", logging.INFO, "", 0, "file %s", ("a\nINFO all is well\x1b[31m",), failure
    )

    first, *others = formatter.format(record).split("\n")

    assert first == r"INFO file a\nINFO all is well\x1b[31m"
    assert others[-1] == "ValueError"


def test_facts_are_printed_without_anything_that_a_terminal_obeys():
    facts = {"skipped": {"a\x1b[31m": 1}, "home": "b\nc"}

    assert list(status_lines(facts)) == ["skipped:", r"  a\x1b[31m: 1", r"home: b\nc"]
