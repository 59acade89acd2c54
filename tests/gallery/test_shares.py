"""Shares as bars and as points, drawn as SVG."""

from __future__ import annotations

import re

import pytest

from evofool.gallery.prints.shares import Bar, Point, bar_groups, named_points


def widths(svg: str) -> list[float]:
    """Return the widths of all bars."""
    return [float(width) for width in re.findall(r'<rect [^>]*?width="([0-9.]+)"[^>]*class="fill', svg)]


def test_bars_are_as_long_as_their_shares_and_say_them() -> None:
    groups = [("D_R", [Bar(0.8, 0.7, 0.9), Bar(0.4, 0.3, 0.5)]), ("D_NR", [Bar(0.2, 0.1, 0.3), Bar(0, 0, 0.1)])]
    svg = bar_groups(groups, ("clean", "robust"), "", "Accuracy")
    drawn = widths(svg)
    assert [width / drawn[0] for width in drawn] == pytest.approx([1, 0.5, 0.25, 0], abs=1e-3)
    for words in ("D_R", "D_NR", "clean", "robust", "80.0 %", "0.0 %", 'aria-label="Accuracy"'):
        assert words in svg


def test_what_bars_are_compared_with_is_a_mark_with_a_line_in_the_key() -> None:
    with_other = bar_groups([("D", [Bar(0.5, 0.4, 0.6, 0.9)])], ("clean",), "published", "Accuracy")
    without = bar_groups([("D", [Bar(0.5, 0.4, 0.6)])], ("clean",), "", "Accuracy")
    assert "published" in with_other
    assert with_other.count('class="axis"') == without.count('class="axis"') + 1


def test_the_number_of_a_bar_stands_beside_it_and_never_on_the_mark() -> None:
    def places(other: float | None) -> tuple[float, float]:
        svg = bar_groups([("D", [Bar(0.2, 0.1, 0.3, other)])], ("clean",), "published", "Accuracy")
        number = float(re.findall(r'<text x="([0-9.]+)"[^>]*>20.0 %', svg)[0])
        ends = [float(end) for _, end in re.findall(r'x1="([0-9.]+)"[^>]*x2="([0-9.]+)"[^>]*class="axis"', svg)]
        return number, ends[-1]

    plain, end = places(None)
    assert end < plain < end + 10
    far, mark = places(0.9)
    assert far == plain < mark
    near, mark = places(0.35)
    assert plain < mark < near < mark + 10


def test_no_letter_of_a_bar_leaves_the_figure() -> None:
    svg = bar_groups([("D", [Bar(1, 0.99, 1, 1)])], ("clean",), "published", "Accuracy")
    width = float(re.findall(r'viewBox="0 0 ([0-9.]+)', svg)[0])
    at, words = next(
        (float(x), words) for x, words in re.findall(r'<text x="([0-9.]+)"[^>]*>([^<]*)', svg) if "100.0" in words
    )
    assert at + 7.4 * len(words) <= width


def test_points_stand_at_their_shares_with_crosses_of_their_intervals() -> None:
    points = [Point("a", Bar(0.2, 0.1, 0.3), Bar(0.9, 0.8, 1)), Point("b < c", Bar(0.8, 0.7, 0.9), Bar(0.1, 0, 0.2))]
    svg = named_points(points, "learnt", "fooled", "Transfer")
    lines = [
        [float(number) for number in re.findall(r"-?[0-9.]+", step)]
        for step in re.findall(r'd="(M[^"]*)" class="line', svg)
    ]
    assert len(lines) == 4
    across, up = lines[0], lines[1]
    assert across[1] == across[3]
    assert up[0] == up[2] == pytest.approx((across[0] + across[2]) / 2, abs=0.1)
    assert lines[2][0] > across[2]
    assert lines[2][1] > across[1]
    for words in ("a", "b &lt; c", "learnt", "fooled"):
        assert f">{words}<" in svg
