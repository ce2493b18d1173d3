from __future__ import annotations

import pytest

from dashboard.pictures.text_fitting import cut, fitted, row_count, text_width


def test_what_fits_stays_as_it_is():
    assert fitted("Turns per hour", 20, 2) == ["Turns per hour"]
    assert fitted("", 20, 2) == []


def test_a_text_is_broken_at_its_blanks():
    assert fitted("Turns per hour · Project atlas", 12, 2) == ["Turns per hour ·", "Project atlas"]
    assert fitted("one\ntwo  three", 4, 3) == ["one", "two", "three"]


def test_what_does_not_fit_is_left_out_with_an_ellipsis():
    assert fitted("Turns per hour of everybody", 9, 1) == ["Turns per hou…"]
    assert fitted("one two three four five", 6, 2) == ["one two", "three fo…"]


def test_a_long_word_goes_on_in_the_next_line():
    assert fitted("abcdefghijklmnop", 6.4, 2) == ["abcdefghij", "klmnop"]


@pytest.mark.parametrize("text", ["i" * 99, "W" * 99, "日" * 99, "a b " * 30, "x", "a" + "日" * 9])
@pytest.mark.parametrize("width", [1, 2.5, 7, 40])
def test_no_line_is_wider_than_it_may_be(text, width):
    lines = fitted(text, width, 3)

    assert 1 <= len(lines) <= 3
    # One character is always shown, and the ellipsis.
    assert all(text_width(line) <= max(width, 2) for line in lines)


def test_a_text_is_cut_by_how_wide_its_letters_are():
    assert cut("ill-ill", 3) == "ill-ill"
    assert cut("WWWWWWW", 3) == "WW…"


def test_things_are_put_in_rows_one_after_the_other():
    assert row_count([], 10) == 0
    assert row_count([4, 4, 4, 4, 4], 10) == 3
    assert row_count([20, 2, 2], 10) == 2
