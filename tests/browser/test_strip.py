"""How it came about, in the browser: the strip tells of every class at every moment."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import Open, elites, open_tile
from runs import json_lines, small_evolve

from evofool import evolve_seeds
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.store.run import RunFolder
from evofool.text import percent

if TYPE_CHECKING:
    from playwright.sync_api import Page

TIP = re.compile(r"(.+?) (?:< )?([\d.]+) % · generation ([\d,]+), ([\d,]+) evaluations")


def test_pointing_at_it_tells_class_confidence_and_moment(opened: Open, run: Path) -> None:
    page, lines = opened(run / "index.html"), elites(run)
    names = [line["class"] for line in sorted(lines, key=lambda line: -line["score"])]
    niches = {line["class"]: line["niche"] for line in lines}
    changes, metrics = RunFolder.open(run).history.changes(), json_lines(run / "metrics.jsonl")
    strip = page.locator("#strip")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    assert box is not None
    seen = set()
    for across in (0.02, 0.3, 0.6, 0.8, 0.985):
        for row in (0, 4, 9):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + (row + 0.5) / 10 * box["height"])
            match = TIP.fullmatch(page.locator("#tip").inner_text())
            assert match is not None
            name, generation = match[1], int(match[3].replace(",", ""))
            assert name in (names[row], f"class {names[row]}")
            (moment,) = [line for line in metrics if line["generation"] == generation]
            assert match[4] == f"{moment['evaluations']:,}"
            rows = changes.of(niches[names[row]])
            score = changes.score[rows][changes.generation[rows] <= generation][-1]
            assert float(match[2]) == pytest.approx(float(re.sub("[< %]", "", percent(score))), abs=0.03)
            seen.add(generation)
    assert {1, metrics[-1]["generation"]} <= seen
    page.mouse.move(5, 5)
    assert page.locator("#tip").is_hidden()


def points_of(page: Page, kind: str) -> np.ndarray:
    """The points (N, 2) of a curve."""
    path = page.locator(f"#medians .{kind}").first.get_attribute("d") or ""
    return np.array([[float(v) for v in point.split()] for point in path.strip("MZ").split("L")])


def levels_of(page: Page) -> dict[float, float]:
    """The heights of the lines of the vertical axis, by confidence."""
    heights = page.locator("#medians .level").evaluate_all("all => all.map((l) => Number(l.getAttribute('y1')))")
    texts = page.locator("#medians text[text-anchor=end]").evaluate_all(
        "all => all.map((t) => [parseFloat(t.textContent) / 100, Number(t.getAttribute('y'))])"
    )
    em = page.locator("#medians").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    return {share: min(heights, key=lambda height: abs(height - (y - 0.35 * em))) for share, y in texts}


def test_the_median_s_curve_is_that_of_the_metrics_in_log_odds(opened: Open, digits: Path) -> None:
    page, metrics = opened(digits / "index.html"), json_lines(digits / "metrics.jsonl")
    points, levels = points_of(page, "line"), levels_of(page)
    assert len(points) == len(metrics)
    (low, bottom), (high, top) = min(levels.items()), max(levels.items())
    scale = (top - bottom) / (log_odds(high) - log_odds(low))
    expected = [bottom + scale * (log_odds(line["median"]) - log_odds(low)) for line in metrics]
    np.testing.assert_allclose(points[:, 1], expected, atol=0.2)
    logs = np.log([line["evaluations"] for line in metrics])
    np.testing.assert_allclose(np.diff(points[:, 0]) / np.diff(logs), np.ptp(points[:, 0]) / np.ptp(logs), rtol=0.02)


def log_odds(share: float) -> float:
    return float(np.log(share) - np.log1p(-share))


def sweep_of(tmp_path: Path, medians: dict[int, list[float]]) -> Path:
    """Three runs whose curves are these, by seed."""
    evolve_seeds(
        "digits", "direct", seeds=list(medians), out=tmp_path / "sweep", generations=3, batch=20, gallery=False,
        device="cpu", progress=False,
    )  # fmt: skip
    for seed, values in medians.items():
        file = tmp_path / "sweep" / f"seed-{seed}" / "metrics.jsonl"
        lines = [{**line, "median": value} for line, value in zip(json_lines(file), values, strict=True)]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "sweep"


MEDIANS = {0: [0.5, 0.99, 0.999], 1: [0.6, 0.9, 0.99999], 2: [0.4, 0.95, 0.9999]}


def test_99_9_and_99_999_percent_are_far_apart(opened: Open, tmp_path: Path) -> None:
    page = opened(write_gallery([sweep_of(tmp_path, MEDIANS)]))
    ends = [
        float((line.get_attribute("d") or "").split("L")[-1].split()[1])
        for line in page.locator("#medians .thin").all()
    ]
    assert len(ends) == 3
    assert ends[0] - ends[1] > 40
    labels = page.locator("#medians text[text-anchor=end]").all_text_contents()
    assert {"99.9 %", "99.999 %"} <= set(labels)


def test_seeds_have_a_band_from_the_lowest_to_the_highest(opened: Open, tmp_path: Path) -> None:
    page = opened(write_gallery([sweep_of(tmp_path, MEDIANS)]))
    assert page.locator("h1").inner_text() == "What digits is sure about, with 3 seeds"
    assert page.locator("#medians .band").count() == page.locator("#medians .middle").count() == 1
    band, middle = points_of(page, "band"), points_of(page, "middle")
    thin = [
        np.array([[float(v) for v in point.split()] for point in (line.get_attribute("d") or "")[1:].split("L")])
        for line in page.locator("#medians .thin").all()
    ]
    upper, lower = band[: len(band) // 2], band[len(band) // 2 :][::-1]
    for x, top, bottom, line in zip(middle[:, 0], upper[:, 1], lower[:, 1], middle[:, 1], strict=True):
        heights = sorted(np.interp(x, run[:, 0], run[:, 1]) for run in thin)
        np.testing.assert_allclose([top, line, bottom], heights, atol=0.3)
    assert "Shaded: from the lowest to the highest of the seeds" in page.locator("#how figcaption").inner_text()


def test_the_curve_and_the_strip_can_lie_over_wall_time(opened: Open, digits: Path) -> None:
    page, metrics = opened(digits / "index.html"), json_lines(digits / "metrics.jsonl")
    strip = page.locator("#strip")
    over_evaluations = strip.evaluate("canvas => canvas.toDataURL()")
    page.locator("#across [value=time]").check()
    path = page.locator("#medians .line").get_attribute("d") or ""
    points = np.array([[float(v) for v in point.split()] for point in path[1:].split("L")])
    logs = np.log([max(0.001, round(line["seconds"], 4)) for line in metrics])
    expected = points[0, 0] + (logs - logs[0]) * np.ptp(points[:, 0]) / np.ptp(logs)
    np.testing.assert_allclose(points[:, 0], expected, atol=0.2)
    assert page.locator("#medians svg").get_attribute("aria-label") == "Median confidence over wall time"
    assert strip.evaluate("canvas => canvas.toDataURL()") != over_evaluations
    page.reload()
    assert page.locator("#medians svg").get_attribute("aria-label") == "Median confidence over wall time"
    page.locator("#across [value=evaluations]").check()
    assert strip.evaluate("canvas => canvas.toDataURL()") == over_evaluations


def test_the_strip_s_colours_grow_with_confidence(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    scale = page.locator("#scale i").evaluate_all("all => all.map((i) => getComputedStyle(i).backgroundColor)")
    bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in scale]
    assert len(bright) == 5
    assert bright == sorted(bright)
    assert page.locator("#scale span").all_inner_texts() == ["1 %", "50 %", "90 %", "99 %", "99.99 %"]


def test_a_run_without_its_history_has_the_curve_only(opened: Open, digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path / "run", ignore=shutil.ignore_patterns("history"))
    page = opened(write_run_page(tmp_path / "run"))
    assert page.locator("#medians .line").count() == 1
    assert page.locator("#strip").count() == 0
    open_tile(page, 2)
    assert page.locator("#lineage").is_hidden()
    assert page.locator("#network").is_visible()


def test_a_run_of_one_generation_has_neither(opened: Open, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", encoding="cppn", generations=1, gallery=False)
    page = opened(write_run_page(tmp_path / "run"))
    assert page.locator("#how").count() == 0
    open_tile(page, 2)
    assert page.locator("#lineage").is_hidden()


@pytest.mark.parametrize("width", [375, 1280])
def test_it_follows_the_width(opened: Open, digits: Path, width: int) -> None:
    page = opened(digits / "index.html", viewport={"width": 900, "height": 900})
    page.locator("#medians svg").wait_for()
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(150)
    boxes = page.evaluate("['strip', 'medians'].map((id) => document.getElementById(id).getBoundingClientRect().width)")
    assert boxes[0] == boxes[1] < width
    drawn = (page.locator("#medians svg").get_attribute("viewBox") or "").split()
    assert float(drawn[2]) == round(boxes[1])
    assert page.evaluate("document.getElementById('strip').width") == pytest.approx(boxes[0], abs=1)
