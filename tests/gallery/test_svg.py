"""Building blocks of figures: marks, scales and ticks; a figure is XML whatever it is called."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import parts, xml

from evofool.gallery.prints import svg

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=1>', "a & b", "'single'", "مرحبا \u202e", "🦊", "]]>", ""]


@pytest.mark.parametrize("words", HOSTILE)
def test_a_figure_is_xml_whatever_it_says(words: str) -> None:
    body = [svg.text(1, 2, words, kind="faint"), svg.line(0, 0, 1, 1, "axis"), svg.rect(0, 0, 1, 1, 'class="fill"')]
    root = xml(svg.figure(10, 20, body, words))
    assert root.get("aria-label") == words
    assert root.get("viewBox") == "0 0 10 20"
    assert [text["text"] for text in parts(root, "text")] == [words]
    assert len(root) == 3


def test_a_standalone_figure_has_its_style_and_a_white_ground_below_all() -> None:
    figure = svg.figure(10, 20, [svg.text(1, 2, "a > b"), svg.line(0, 0, 1, 1, "axis")], "1 > 0")
    root = xml(svg.standalone(figure))
    tags = [child.tag.split("}")[1] for child in root]
    assert tags == ["style", "rect", "text", "line"]
    assert root[0].text == svg.STYLE
    assert (root[1].get("fill"), root[1].get("width"), root[1].get("height")) == ("#fff", "100%", "100%")
    assert root.get("aria-label") == "1 > 0"


def test_words_stand_where_they_are_put() -> None:
    (plain,) = parts(xml(svg.figure(9, 9, [svg.text(1.26, 2, "a")], "")), "text")
    assert (plain["x"], plain["y"], plain["text-anchor"]) == (1.3, 2, "start")
    assert "class" not in plain
    assert "transform" not in plain
    (turned,) = parts(xml(svg.figure(9, 9, [svg.text(1, 2, "a", anchor="end", kind="on", turn=True)], "")), "text")
    assert (turned["class"], turned["text-anchor"], turned["transform"]) == ("on", "end", "rotate(-90 1.0 2.0)")


def test_a_rect_has_no_negative_size() -> None:
    (rect,) = parts(xml(svg.figure(9, 9, [svg.rect(1, 2, -3, -4, "")], "")), "rect")
    assert (rect["width"], rect["height"]) == (0, 0)


def test_a_path_goes_through_its_points() -> None:
    assert 'd="M1.0 2.0 L3.0 4.0"' in svg.path([(1, 2), (3, 4)], "line")
    assert 'd="M1.0 2.0 L3.0 4.0Z"' in svg.path([(1, 2), (3, 4)], "band", close=True)


@given(st.floats(0, 1))
def test_a_linear_scale_goes_from_end_to_end(share: float) -> None:
    scale = svg.linear(10, 30, 400, 100)
    assert scale(10 + 20 * share) == pytest.approx(400 - 300 * share)


def test_a_logarithmic_scale_gives_each_decade_the_same_room() -> None:
    scale = svg.logarithmic(1, 1000, 50, 350)
    assert [scale(value) for value in (1, 10, 100, 1000)] == pytest.approx([50, 150, 250, 350])


@pytest.mark.parametrize(
    ("high", "ticks"),
    [(0, [1, 10]), (1, [1, 10]), (10, [1, 10]), (11, [1, 10, 100]), (1000, [1, 10, 100, 1000])],
)
def test_decades(high: float, ticks: list[int]) -> None:
    assert svg.decades(high) == ticks


@given(st.integers(1, 10**12))
def test_the_last_decade_is_the_first_that_holds_the_value(high: int) -> None:
    ticks = svg.decades(high)
    assert ticks == [10**power for power in range(len(ticks))]
    assert ticks[-1] >= high
    assert len(ticks) == 2 or ticks[-2] < high


@given(st.integers(0, 10**9), st.integers(2, 10))
def test_round_ticks_are_few_round_and_hold_the_value(high: int, wanted: int) -> None:
    ticks = svg.round_ticks(high, wanted)
    step = ticks[1] - ticks[0]
    assert ticks == [index * step for index in range(len(ticks))]
    assert step / 10 ** math.floor(math.log10(step)) in (1, 2, 5)
    assert ticks[-1] >= max(1, high) > ticks[-1] - step
    assert len(ticks) <= wanted + 1
