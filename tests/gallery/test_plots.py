"""The figures of a campaign's page: XML by themselves, right in what they show, and nothing on top of anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import parts, xml

from evofool.attacks.statistics import wilson
from evofool.gallery.prints import plots
from evofool.gallery.prints.plots import HEIGHT, LEFT, MAX_CLASSES, RIGHT, WIDTH, Series
from evofool.gallery.prints.svg import standalone

NAMES = ["cat", "<b>dog</b>", 'deer "&"']

FIGURES: dict[str, Callable[[], str]] = {
    "curve": lambda: plots.success_curve([Series("<local> & co", [1, 5, 5, 90], 8), Series("random", [], 8, True)]),
    "no curve": lambda: plots.success_curve([]),
    "curve of nothing": lambda: plots.success_curve([Series("local", [], 0)]),
    "curve without a success": lambda: plots.success_curve([Series("local", [], 5)]),
    "curve of sure success": lambda: plots.success_curve([Series("local", [1] * 40, 40)]),
    "classes": lambda: plots.class_heatmap({(0, 1): 3, (1, 2): 1}, NAMES),
    "no classes": lambda: plots.class_heatmap({}, NAMES),
    "bars": lambda: plots.bar_chart({0: 2, 5: 1}, "<axis>", "bars & more"),
    "no bars": lambda: plots.bar_chart({}, "axis", "bars"),
    "places": lambda: plots.position_heatmap([0, 7, 7], [0, 1, 1], 8, 4),
    "no places": lambda: plots.position_heatmap([], [], 8, 4),
    "colours": lambda: plots.colour_strip([[0, 255, 0], [1, 2, 3]]),
    "greys": lambda: plots.colour_strip([[0], [7]]),
    "confidence": lambda: plots.confidence_scatter([(0.5, 0.25)]),
    "no confidence": lambda: plots.confidence_scatter([]),
}


def numbers_of(path: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the points of a path."""
    return [(float(x), float(y)) for x, y in re.findall(r"([0-9.-]+) ([0-9.-]+)", path["d"])]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_xml_on_its_own_and_in_a_page(name: str) -> None:
    figure = FIGURES[name]()
    root = xml(figure)
    assert root.get("aria-label")
    assert "nan" not in figure
    assert "inf" not in figure
    assert len(list(xml(standalone(figure)).iter())) == len(list(root.iter())) + 2


def test_a_strip_of_no_colours_is_a_figure() -> None:
    xml(plots.colour_strip([]))


def test_names_with_control_characters_give_xml() -> None:
    xml(plots.class_heatmap({(0, 1): 1}, ["bell\a", "escape\x1b[31m"]))


def test_a_curve_climbs_to_its_share_and_tells_it() -> None:
    root = xml(plots.success_curve([Series("local", [10, 100], 4)]))
    (line,) = parts(root, "path", "line")
    points = numbers_of(line)
    left, right = LEFT, WIDTH - RIGHT
    middle = (left + right) / 2  # ticks 1, 10, 100
    bottom, top = points[0][1], points[-1][1]
    assert points[0] == (left, bottom)
    assert points[1] == pytest.approx((middle, bottom))
    assert points[2] == pytest.approx((middle, (bottom + top) / 2), abs=0.1)
    assert points[-1] == (right, top)
    (zero,) = [text["y"] for text in parts(root, "text") if text["text"] == "0 %"]
    (full,) = [text["y"] for text in parts(root, "text") if text["text"] == "100 %"]
    assert (bottom - top) / (zero - full) == pytest.approx(0.5, abs=0.005)
    assert [text["text"] for text in parts(root, "text", "label")] == ["local 50.0 %"]


def test_a_curve_and_its_band_end_where_the_budget_does() -> None:
    """The axis goes on to the next power of ten, and nothing is known there."""
    short, long = Series("short", [10], 4, longest=100), Series("long", [10, 5000], 4, longest=10_000)
    root = xml(plots.success_curve([short, long]))
    ends = [max(x for x, _ in numbers_of(path)) for path in parts(root, "path")]
    assert ends == pytest.approx([LEFT + (WIDTH - RIGHT - LEFT) / 2] * 2 + [WIDTH - RIGHT], abs=0.1)


def test_the_axis_of_queries_is_logarithmic() -> None:
    root = xml(plots.success_curve([Series("local", [3, 1500], 4)]))
    ticks = {text["text"]: text["x"] for text in parts(root, "text") if text.get("text-anchor") == "middle"}
    positions = [ticks[name] for name in ("1", "10", "100", "1,000", "10,000")]
    assert np.diff(positions) == pytest.approx(np.full(4, (WIDTH - RIGHT - LEFT) / 4), abs=0.11)


@given(st.lists(st.integers(1, 10_000), max_size=30), st.integers(0, 300))
def test_a_curve_never_falls_and_stays_in_its_axes(queries: list[int], failures: int) -> None:
    root = xml(plots.success_curve([Series("local", queries, len(queries) + failures)]))
    (line,) = parts(root, "path", "line")
    x, y = np.array(numbers_of(line)).T
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) <= 0).all()
    for path in parts(root, "path"):
        x, y = np.array(numbers_of(path)).T
        assert ((x >= LEFT) & (x <= WIDTH - RIGHT)).all()
        assert ((y >= plots.TOP) & (y <= HEIGHT - plots.BOTTOM)).all()


def test_the_band_is_wilson_s_interval_of_the_first_curve_only() -> None:
    root = xml(plots.success_curve([Series("a", [1] * 8, 10), Series("b", [1] * 5, 10)]))
    (band,) = parts(root, "path", "band")
    assert "a" in band["class"].split()
    scale = {float(t["text"][:-2]): t["y"] - 4 for t in parts(root, "text") if t["text"].endswith("0 %") and "x" in t
             and t.get("text-anchor") == "end"}  # fmt: skip
    low, high = (scale[0] + bound * (scale[100] - scale[0]) for bound in wilson(8, 10))
    ys = [y for _, y in numbers_of(band)]
    assert min(ys) == pytest.approx(high, abs=0.1)
    assert sorted(set(ys))[1] == pytest.approx(low, abs=0.1)


def test_what_is_compared_with_is_dashed_and_grey() -> None:
    root = xml(plots.success_curve([Series("a", [1], 2), Series("random", [1], 2, True), Series("b", [1], 2)]))
    kinds = [set(path["class"].split()) for path in parts(root, "path", "line")]
    assert [kind - {"line"} for kind in kinds] == [{"a"}, {"z", "dash"}, {"c"}]


@pytest.mark.parametrize("queries", [[], [5], [5] * 10])
@pytest.mark.parametrize("count", [2, 4])
def test_labels_of_equal_curves_do_not_overlap(count: int, queries: list[int]) -> None:
    root = xml(plots.success_curve([Series(f"campaign {i}", queries, 10) for i in range(count)]))
    labels = parts(root, "text", "label")
    assert len(labels) == count
    heights = sorted(label["y"] for label in labels)
    assert min(np.diff(heights)) >= 13  # the size of the letters


@pytest.mark.parametrize("count", [4, 12])
def test_labels_of_many_curves_stay_in_the_figure(count: int) -> None:
    root = xml(plots.success_curve([Series(f"campaign {i}", [], 10) for i in range(count)]))
    assert max(label["y"] for label in parts(root, "text", "label")) <= HEIGHT


def test_a_long_name_is_shortened() -> None:
    root = xml(plots.success_curve([Series("n" * 300, [], 10)]))
    (label,) = parts(root, "text", "label")
    assert label["text"] == "n" * 4 + "…" + "n" * 9 + " 0 %"


def heat(counts: dict[tuple[int, int], int], classes: list[str]) -> tuple[list[str], dict[tuple[int, int], int]]:
    """Return the names of a heat map from above, and the numbers in its cells by row and column."""
    root = xml(plots.class_heatmap(counts, classes))
    cells = parts(root, "rect", "cell") + parts(root, "rect", "blank")
    columns, rows = (sorted({cell[axis] for cell in cells}) for axis in "xy")
    assert len(cells) == len(columns) * len(rows)
    numbers = {}
    for text in parts(root, "text"):
        if text["text-anchor"] != "middle":
            continue
        (cell,) = [
            cell
            for cell in cells
            if 0 <= text["x"] - cell["x"] <= cell["width"] and 0 <= text["y"] - cell["y"] <= cell["height"]
        ]
        assert cell["class"] == "cell"
        numbers[rows.index(cell["y"]), columns.index(cell["x"])] = int(text["text"])
    assert len(numbers) == len(parts(root, "rect", "cell"))
    ends = [
        text for text in parts(root, "text") if text["text-anchor"] == "end" and "faint" not in text.get("class", "")
    ]
    turned = [text["text"] for text in parts(root, "text") if "transform" in text]
    names = [text["text"] for text in sorted(ends, key=lambda text: text["y"])]
    assert turned == names
    return names, numbers


def test_a_heat_map_counts_what_became_what() -> None:
    counts = {(0, 1): 3, (2, 0): 17}
    assert heat(counts, ["cat", "dog", "deer"]) == (["cat", "dog", "deer"], counts)


def test_a_heat_map_of_many_classes_shows_those_that_occur_most() -> None:
    classes = [f"class {index}" for index in range(1000)]
    counts = {(10 * i, 10 * i + 1): 100 - i for i in range(50)} | {(990, 999): 500}
    names, numbers = heat(counts, classes)
    assert len(names) == MAX_CLASSES
    often = sorted([990, 999, *(10 * i + d for i in range(MAX_CLASSES // 2 - 1) for d in (0, 1))])
    assert names == [classes[index] for index in often]
    expected = {
        (often.index(row), often.index(column)): n
        for (row, column), n in counts.items()
        if row in often and column in often
    }
    assert numbers == expected


def test_as_many_classes_as_fit_are_all_shown() -> None:
    for count in (1, MAX_CLASSES):
        assert len(heat({}, [f"class {index}" for index in range(count)])[0]) == count
    assert len(heat({(0, 1): 1}, [f"class {index}" for index in range(MAX_CLASSES + 1)])[0]) == 2


def test_a_darker_cell_holds_more_and_its_number_can_be_read() -> None:
    root = xml(plots.class_heatmap({(0, 1): 1, (1, 0): 10}, ["a", "b"]))
    light, dark = sorted(cell["opacity"] for cell in parts(root, "rect", "cell"))
    assert dark == 1
    assert light < 0.3
    assert [text["text"] for text in parts(root, "text", "on")] == ["10"]


def test_long_names_of_classes_are_shortened_and_have_room() -> None:
    root = xml(plots.class_heatmap({(0, 1): 1}, ["w" * 300, "cat"]))
    names = [text["text"] for text in parts(root, "text")]
    assert names.count("w" * 15 + "…") == 2
    (row,) = [t for t in parts(root, "text") if t["text"].startswith("www") and "transform" not in t]
    assert row["x"] >= 16 * 7
    assert all(text["x"] >= 0 and text["y"] >= 0 for text in parts(root, "text"))


def test_bars_are_as_high_as_their_counts() -> None:
    root = xml(plots.bar_chart({1: 2, 2: 0, 4: 8}, "pixels needed", "Pixels"))
    bars = sorted(parts(root, "rect", "fill"), key=lambda bar: bar["x"])
    heights = [bar["height"] for bar in bars]
    assert heights == pytest.approx([heights[3] / 4, 0, 0, heights[3]], abs=0.02)
    assert heights[3] > 100
    words = [text["text"] for text in parts(root, "text", "faint")]
    assert [word for word in ("1", "2", "3", "4", "pixels needed") if word not in words] == []
    assert [t["text"] for t in parts(root, "text") if "class" not in t] == ["2", "8"]


@given(st.dictionaries(st.integers(0, 999), st.integers(1, 10_000), max_size=20))
def test_bars_stay_in_their_figure(counts: dict[int, int]) -> None:
    root = xml(plots.bar_chart(counts, "axis", "title"))
    width, height = map(float, root.get("viewBox", "").split()[2:])
    for bar in parts(root, "rect"):
        assert 0 <= bar["x"] <= bar["x"] + bar["width"] <= width + 0.01
        assert 0 <= bar["y"] <= bar["y"] + bar["height"] <= height
    assert sum(bar["height"] > 0 for bar in parts(root, "rect")) <= len(counts)


def test_places_are_where_the_pixels_are() -> None:
    root = xml(plots.position_heatmap([6, 6, 0], [1, 1, 3], 8, 4))
    size = 320 / 8
    opacities = {
        (round((cell["x"] - 0.5) / size), round((cell["y"] - 0.5) / size)): cell["opacity"]
        for cell in parts(root, "rect", "cell")
    }
    assert opacities.keys() == {(6, 1), (0, 3)}
    assert opacities[6, 1] == 1 > opacities[0, 3]
    assert parts(root, "text")[0]["text"] == "8 × 4 pixels; darkest: 2"


@pytest.mark.parametrize(("width", "height"), [(224, 224), (33, 8), (1, 1), (500, 33)])
def test_places_of_any_image_fall_on_the_grid(width: int, height: int) -> None:
    xs, ys = [0, width - 1, width // 2], [0, height - 1, height // 2]
    root = xml(plots.position_heatmap(xs, ys, width, height))
    right, bottom = map(float, root.get("viewBox", "").split()[2:])
    cells = parts(root, "rect", "cell")
    assert 1 <= len(cells) <= 3
    assert all(cell["x"] + cell["width"] <= right and cell["y"] + cell["height"] <= bottom - 26 for cell in cells)


def test_a_strip_shows_each_colour_and_counts_corners() -> None:
    root = xml(plots.colour_strip([[0, 255, 0], [1, 2, 3], [255, 255, 255], [200, 0, 0]]))
    assert {cell["fill"] for cell in parts(root, "rect")} == {"#00ff00", "#010203", "#ffffff", "#c80000"}
    words = [text["text"] for text in parts(root, "text")]
    assert words == ["4 pixels;", "50.0 % at corners of the colour cube"]


def test_a_strip_of_greys_shows_greys_and_of_many_colours_some() -> None:
    assert {cell["fill"] for cell in parts(xml(plots.colour_strip([[0], [7]])), "rect")} == {"#000000", "#070707"}
    many = xml(plots.colour_strip([[value % 256, value // 256, 9] for value in range(5000)]))
    assert len(parts(many, "rect")) == 400
    assert parts(many, "text")[0]["text"].startswith("5,000 pixels")


def test_confidence_before_is_across_and_after_is_up() -> None:
    root = xml(plots.confidence_scatter([(1.0, 0.0), (0.0, 1.0)]))
    first, second = parts(root, "circle")
    assert first["cx"] > second["cx"]
    assert first["cy"] > second["cy"]
    (across,) = {
        text["x"] for text in parts(root, "text") if text["text"] == "100 %" and text["text-anchor"] == "middle"
    }
    assert first["cx"] == across


def test_short_names_stand_upright_above_a_heat_map() -> None:
    digits, words = ([str(i) for i in range(10)], [f"class {i}" for i in range(10)])
    assert "rotate" not in plots.class_heatmap({(1, 2): 3}, digits)
    assert plots.class_heatmap({(1, 2): 3}, words).count("rotate") == 10
