"""The picture of an opened tile: whole, from near, and from very near."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import (
    Open,
    after,
    canvas,
    genome_of,
    largest,
    open_tile,
    rendered,
    still,
    whole_view,
)

from evofool.gallery.pages.run_page import write_gallery

if TYPE_CHECKING:
    from playwright.sync_api import Page


def expected(page: Page, run: Path, number: int, view: tuple[float, float, float, float]) -> np.ndarray:
    """Return a window on a genome, of the stage's size, as the script computes it."""
    content, (h, w, _) = genome_of(run, number), canvas(page).shape
    frame = {"shape": content["image_shape"], "xy": content["coordinates"], "colour": content["colour"]}
    window = dict(zip(("x", "y", "width", "height"), view, strict=True))
    return rendered(page, [{"file": content, "frame": frame, "w": w, "h": h, "view": window}])[0]


def inside(view: tuple[float, float, float, float], stage: np.ndarray, side: int) -> np.ndarray:
    """Return which of the stage's pixels (H, W) lie in the image, a pixel away from its edge."""
    x, y, width, height = view
    h, w, _ = stage.shape
    xs, ys = x + (np.arange(w) + 0.5) / w * width, y + (np.arange(h) + 0.5) / h * height
    margin = 2 * width / w
    fits = [(axis > margin) & (axis < side - margin) for axis in (xs, ys)]
    return fits[1][:, None] & fits[0][None]


def assert_view(page: Page, run: Path, number: int, view: tuple[float, float, float, float]) -> None:
    drawn, side = canvas(page), genome_of(run, number)["image_shape"][1]
    where = inside(view, drawn, side)
    assert where.mean() > 0.1
    far = abs(drawn.astype(int) - expected(page, run, number, view)).max(2)
    assert (far[where] <= 3).mean() > 0.97


def test_wheel_drag_and_whole(opened: Open, colours: Path) -> None:
    page, number = opened(colours / "index.html"), largest(colours)
    open_tile(page, number)
    original = canvas(page)
    box = page.locator("#stage").bounding_box()
    assert box is not None
    x, y, width, height = whole_view(original, 32, 32)
    assert_view(page, colours, number, (x, y, width, height))
    page.evaluate(
        """() => document.getElementById("stage").addEventListener("wheel", ({offsetX, offsetY, target}) => {
          window.pointer = [offsetX / target.clientWidth, offsetY / target.clientHeight];
        })"""
    )
    left, top = box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"]
    page.mouse.move(left, top)
    after(page, lambda: page.mouse.wheel(0, -600))
    px, py = page.evaluate("window.pointer")
    assert (px, py) == (pytest.approx(0.3, abs=0.01), pytest.approx(0.6, abs=0.01))
    factor = math.exp(600 * 0.0016)
    x, y = x + px * (width - width / factor), y + py * (height - height / factor)
    width, height = width / factor, height / factor
    assert_view(page, colours, number, (x, y, width, height))
    page.mouse.down()
    after(page, lambda: page.mouse.move(left + 80, top - 50))
    page.mouse.up()
    x, y = x - 80 / box["width"] * width, y + 50 / box["height"] * height
    assert_view(page, colours, number, (x, y, width, height))
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), original)


def test_keys_and_buttons_zoom(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, 0)
    original = canvas(page)
    zoom = lambda: float(page.locator("#stage").get_attribute("data-zoom") or 0)  # noqa: E731
    before = zoom()
    after(page, page.locator("#in").click)
    assert zoom() == pytest.approx(1.6 * before)
    after(page, lambda: page.keyboard.press("+"))
    assert zoom() == pytest.approx(1.6**2 * before)
    after(page, page.locator("#out").click)
    after(page, lambda: page.keyboard.press("-"))
    assert zoom() == pytest.approx(before)
    after(page, lambda: page.locator("#stage").dblclick())
    assert zoom() == pytest.approx(2 * before)
    np.testing.assert_array_equal(after(page, lambda: page.keyboard.press("0")), original)


def chain(sines: int, weight: float) -> dict[str, Any]:
    """Return a genome that has detail at every depth: sines of sines of x, and of y."""
    first, nodes = 5, [{"id": i, "name": name} for i, name in enumerate(("x", "y", "distance", "bias"))]
    nodes.append({"id": 4, "name": "grey", "activation": "sin"})
    connections = [{"from": 0, "to": first, "weight": weight}, {"from": 1, "to": first, "weight": 0.37 * weight}]
    for i in range(sines):
        nodes.append({"id": first + i, "activation": "sin", "position": (i + 1) / (sines + 1)})
        connections.append({"from": first + i, "to": first + i + 1 if i + 1 < sines else 4, "weight": weight})
    return {
        "format": 2, "encoding": "cppn", "image_shape": [1, 16, 16], "coordinates": "unit", "colour": "grey",
        "class": "deep", "nodes": nodes, "connections": connections,
    }  # fmt: skip


def test_a_million_times_closer_there_is_still_something(opened: Open, tmp_path: Path) -> None:
    sines, weight = 6, 10.0
    (tmp_path / "deep.json").write_text(json.dumps(chain(sines, weight)), encoding="utf-8")
    page = opened(write_gallery([tmp_path / "deep.json"], tmp_path / "deep.html"))
    open_tile(page, 0)
    original = canvas(page)
    box = page.locator("#stage").bounding_box()
    assert box is not None
    px, py = 0.41, 0.47
    page.mouse.move(box["x"] + px * box["width"], box["y"] + py * box["height"])
    deep = after(page, lambda: page.mouse.wheel(0, -math.log(1e6) / 0.0016))
    zoom = float(page.locator("#stage").get_attribute("data-zoom") or 0)
    assert 3e5 < zoom < 3e6
    assert deep.std() > 10
    assert len(np.unique(deep[..., 0])) > 30
    # Neighbours differ little: neither blocks nor the noise of too few digits.
    steps = np.abs(np.diff(deep[..., 0].astype(int), axis=1))
    assert np.median(steps) < 12
    assert (steps > 0).mean() > 0.05
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), original)


def test_one_can_go_on_for_ever_without_an_error(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, largest(digits))
    original = canvas(page)
    page.locator("#stage").hover()
    for delta in (-30_000, -5_000, 90_000, 5_000):
        page.mouse.wheel(0, delta)
        still(page)
    zoom = page.locator("#stage").get_attribute("data-zoom") or ""
    assert re.fullmatch(r"[0-9.e-]+", zoom)
    assert float(zoom) >= 1 / 100
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), original)
