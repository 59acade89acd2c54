"""Numbers as people read them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evofool.text import (
    BARS,
    amount,
    between,
    class_name,
    clock,
    confidence,
    counted,
    cut,
    least_confident,
    percent,
    rate,
    scored,
    sparkline,
)

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (1e-9, "< 0.01 %"),
        (0.00009, "< 0.01 %"),
        (0.0001, "0.01 %"),
        (0.5, "50.00 %"),
        (0.12999, "12.99 %"),
        (0.57, "57.00 %"),
        (float(np.float32(0.57)), "57.00 %"),
        (0.9899999, "98.99 %"),
        (0.9999, "99.99 %"),
        (0.99994, "99.9940 %"),
        (0.9999999, "99.9999 %"),
        (0.99999999, "99.9999 %"),
        (1 - 2**-53, "99.9999 %"),
        (1.0, "100 %"),
        (1.0000001, "100 %"),
    ],
)
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


@given(shares)
def test_percent_is_cut_never_rounded_up_to_all_or_down_to_nothing(value: float) -> None:
    text = percent(value)
    assert (text == "100 %") == (value == 1)
    assert (text == "0 %") == (value == 0)
    if text != "< 0.01 %":
        shown = float(text.removesuffix(" %"))
        assert shown <= 100 * value * (1 + 2**-22)
        assert 100 * value - shown <= 0.01 + 1e-9


@given(st.integers(0, 10_000))
def test_every_two_decimals_read_as_themselves_in_float32_too(hundredths: int) -> None:
    for value in (hundredths / 10_000, float(np.float32(hundredths / 10_000))):
        assert float(percent(value).removesuffix(" %")) == hundredths / 100


def test_a_picture_that_nobody_scored_has_no_confidence() -> None:
    assert confidence(None) == "not scored"
    assert confidence(0.5) == percent(0.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"), (1e-17, "< 0.0001 %"), (1 / 4000, "0.03 %"), (1e-6, "0.0001 %"), (0.0006, "0.1 %"),
        (8 / 143, "5.6 %"), (0.5, "50.0 %"), (0.9994, "99.9 %"), (3999 / 4000, "99.98 %"), (0.999999, "99.9999 %"),
        (1 - 2**-53, "> 99.9999 %"), (1, "100 %"),
    ],
)  # fmt: skip
def test_a_rate_is_rounded_but_never_to_all_or_to_none(value: float, text: str) -> None:
    assert rate(value) == text


def test_an_interval_is_written_as_its_ends_are() -> None:
    assert between(0.1811, 0.4539) == "18.1 – 45.4 %"
    assert between(0, 0.215311) == "0 – 21.5 %"
    assert between(0.784689, 1) == "78.5 – 100 %"


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


@pytest.mark.parametrize(
    ("evaluations", "confirmations", "text"),
    [
        (20_000, 843, "20,000 evaluations + 843 confirmations"),
        (1, 1, "1 evaluation + 1 confirmation"),
        (1, 0, "1 evaluation"),
    ],
)
def test_images_that_were_scored_again_are_told_beside_the_others(
    evaluations: int, confirmations: int, text: str
) -> None:
    assert scored(evaluations, confirmations) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "class", "1 class"),
        (0, "class", "0 classes"),
        (1_200, "query", "1,200 queries"),
        (2, "success", "2 successes"),
        (2, "niche", "2 niches"),
        (3, "damaged line", "3 damaged lines"),
        (2, "day", "2 days"),
    ],
)
def test_a_number_stands_with_its_noun(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_a_class_named_by_a_number_does_not_run_into_the_numbers_beside_it() -> None:
    assert [class_name(name) for name in ("cat", "6", "№ 6", "B-2", "猫")] == [
        "cat",
        "class 6",
        "class № 6",
        "B-2",
        "猫",
    ]
    assert least_confident(["6", "cat"], [0.5, 0.25], 2) == "cat 25.00 %, class 6 50.00 %"


def test_a_median_between_two_counts_keeps_its_half() -> None:
    assert [amount(value) for value in (None, 3.5, 4.0, 1234.0, 187.96)] == ["–", "3.5", "4", "1,234", "188"]


@pytest.mark.parametrize(("text", "length", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 3, "")])
def test_a_text_that_is_cut_shows_it(text: str, length: int, shown: str) -> None:
    assert cut(text, length) == shown
