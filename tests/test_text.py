"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evofool.text import BARS, clock, counted, least_confident, percent, sparkline

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 %"),
        (0.5, "50.00 %"),
        (0.12999, "12.99 %"),
        (0.9999, "99.99 %"),
        (0.99994, "99.9940 %"),
        (0.9999999, "99.9999 %"),
        (0.99999999, "99.9999 %"),
        (1.0, "100 %"),
        (1.0000001, "100 %"),
    ],
)
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_percent_that_is_not_fine_has_two_decimals() -> None:
    assert percent(0.99999, fine=False) == "99.99 %"
    assert percent(1, fine=False) == "100 %"


@given(shares, st.booleans())
def test_percent_is_cut_never_rounded_up(value: float, fine: bool) -> None:
    text = percent(value, fine=fine)
    assert (text == "100 %") == (value == 1)
    shown = float(text.removesuffix(" %"))
    assert shown <= 100 * value + 1e-9
    assert 100 * value - shown <= 0.01 + 1e-9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (9.4, "0:09"),
        (59.6, "1:00"),
        (61, "1:01"),
        (3599.7, "1:00:00"),
        (3661, "1:01:01"),
        (360_000, "100:00:00"),
        (-3, "0:00"),
        (None, "–"),
        (float("inf"), "–"),
        (float("nan"), "–"),
    ],
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_a_sparkline_rises_from_the_lowest_bar_to_the_highest() -> None:
    assert sparkline([i / 7 for i in range(8)]) == BARS
    assert sparkline([]) == ""
    assert sparkline([-1.0, 0.0, 1.0, 1.5]) == "▁▁██"


@given(st.lists(shares, max_size=300), st.integers(1, 60))
def test_a_sparkline_fits_its_width_and_ends_with_the_last_value(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BARS)
    if values:
        assert line[-1] == sparkline(values[-1:])


def test_the_hardest_classes_come_first() -> None:
    assert least_confident(["cat", "dog", "deer"], [0.9, 1.0, 0.25], 2) == "deer 25.00 %, cat 90.00 %"


@pytest.mark.parametrize(("number", "text"), [(0, "0 frames"), (1, "1 frame"), (1200, "1,200 frames")])
def test_counted_nouns(number: int, text: str) -> None:
    assert counted(number, "frame") == text
