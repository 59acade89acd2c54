"""An opened tile: what it tells is what the run's folder holds, and its picture can be gone into."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import (
    Open,
    after,
    as_rgb,
    at_centres,
    canvas,
    elites,
    open_tile,
    pixels,
    rendered,
    still,
    told,
    whole_view,
)
from runs import Capture, run_cli

from evofool.encodings import genome_file
from evofool.gallery.pages.run_page import write_gallery
from evofool.io.png import png
from evofool.store.run import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(params=["digits", "colours", "raw"])
def run(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def genome_of(run: Path, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / elites(run)[number]["genome"]).read_text(encoding="utf-8"))
    return found


def largest(run: Path) -> int:
    """The tile whose genome has most connections."""
    return max(range(10), key=lambda n: elites(run)[n]["size"])


def lineage(run: Path, number: int) -> list[tuple[int, str, float]]:
    """Generation, class and confidence of a tile's ancestors and of itself."""
    line, names = elites(run)[number], {one["niche"]: one["class"] for one in elites(run)}
    changes = RunFolder.open(run).history.changes()
    rows = changes.lineage(line["evaluation"], line["niche"])
    return [(int(changes.generation[r]), names[int(changes.niche[r])], float(str(changes.score[r]))) for r in rows]


def longest(run: Path) -> int:
    """The tile with most ancestors."""
    return max(range(10), key=lambda n: len(lineage(run, n)))


def mode(page: Page, words: str) -> None:
    page.locator("#mode label", has_text=words).click()


def test_what_is_told_is_what_was_recorded(opened: Open, run: Path) -> None:
    page = opened(run / "index.html")
    for number, line in list(enumerate(elites(run)))[::3]:
        open_tile(page, number)
        assert page.locator("#name").inner_text() == line["class"]
        assert page.locator("#said b").inner_text() == told(line["score"])
        top = page.locator("#top li").evaluate_all(
            "rows => rows.map((row) => [...row.children].slice(0, 2).map((e) => e.textContent))"
        )
        assert top == [[name, told(score)] for name, score in line["top5"]]
        own = page.locator("#top .current b").all_inner_texts()
        assert own == [line["class"]] * (line["class"] in [name for name, _ in line["top5"]])
        facts = dict(zip(*(page.locator(f"#more {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))
        assert facts["Generation"] == f"{line['generation']:,}"
        assert facts["Evaluation"] == f"{line['evaluation']:,}"
        assert facts["Connections" if "genome" in line else "Genes"] == f"{line['size']:,}"
        page.keyboard.press("Escape")


def test_the_film_strip_is_the_lineage(opened: Open, run: Path) -> None:
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    assert len(line) >= 3
    open_tile(page, number)
    labels = page.locator("#line button").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert labels == [f"generation {g}: {name}, {told(score)}" for g, name, score in line]
    assert page.locator("#ancestors").inner_text() == f"{len(line) - 1} ancestors"
    assert page.locator("#line [aria-current=true]").count() == 1


def test_an_ancestor_comes_to_the_stage_and_goes(opened: Open, run: Path) -> None:
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    open_tile(page, number)
    own, buttons = canvas(page), page.locator("#line button")
    first = after(page, buttons.first.click)
    assert (first != own).mean() > 0.05
    assert page.locator("#note").inner_text() == f"Generation {line[0][0]}: {told(line[0][2])} {line[0][1]}."
    assert page.locator("#line [aria-current=true]").get_attribute("aria-label") == buttons.first.get_attribute(
        "aria-label"
    )
    np.testing.assert_array_equal(after(page, buttons.last.click), own)


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_a_turned_weight_never_passes_for_the_original(opened: Open, kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    page, number = opened(run / "index.html"), longest(run)
    open_tile(page, number)
    own, buttons = canvas(page), page.locator("#line button")
    edge = page.locator("#graph .wire:not(.idle)").last.get_attribute("data-e") or ""
    page.locator("#wire").select_option(edge)
    weight = float(page.locator("#weight").input_value())
    assert (after(page, lambda: page.locator("#weight").fill(str(weight - 2.5))) != own).any()
    after(page, buttons.first.click)
    np.testing.assert_array_equal(after(page, buttons.last.click), own)
    assert "Weights changed" not in page.locator("#note").inner_text()
    assert page.locator("#download").inner_text() == "download the genome"
    page.locator("#weight").fill(str(weight - 2.5))
    after(page, lambda: page.locator("#mode label", has_text="as the network saw it").click())
    assert "exactly what was scored" in page.locator("#note").inner_text()


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_an_ancestor_as_the_network_saw_it_is_the_ancestor(
    opened: Open, kind: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(kind)
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    open_tile(page, number)
    after(page, page.locator("#line button").first.click)
    seen = after(page, lambda: page.locator("#mode label", has_text="as the network saw it").click())
    height, width = pixels(run / elites(run)[number]["file"]).shape[:2]
    history, evaluation = RunFolder.open(run).history, elites(run)[number]["evaluation"]
    child = next(int(c) for c in history.changes().lineage(evaluation, number))
    evaluation_id = int(history.changes().evaluation_id[child])
    ((_, arrays),) = history.genomes({evaluation_id})
    encoding = genome_file.read(run / elites(run)[number]["genome"]).encoding
    drawn = as_rgb(encoding.decode(encoding.load(arrays)).numpy())[0]
    apart = np.abs(at_centres(seen, width, height).astype(int) - drawn)
    assert (apart <= 2).mean() >= 0.99
    assert page.locator("#note").inner_text().startswith(f"Generation {line[0][0]}: ")
    assert f"Drawn anew at {width} × {height} pixels." in page.locator("#note").inner_text()


def test_a_node_is_looked_at_with_the_keyboard(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, largest(digits))
    own = canvas(page)
    page.locator("#graph .node").first.focus()
    assert (after(page, lambda: page.keyboard.press("Enter")) != own).any()
    assert "What x sees" in page.locator("#note").inner_text()
    after(page, lambda: page.locator("#mode label", has_text="as the network saw it").click())
    assert page.locator("#graph .node.on").count() == 0


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_the_graph_is_the_genome(opened: Open, kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    page = opened(run / "index.html")
    for number in range(0, 10, 3):
        genome = genome_of(run, number)
        open_tile(page, number)
        assert page.locator("#graph .node").count() == len(genome["nodes"])
        assert page.locator("#graph .wire").count() == len(genome["connections"])
        assert page.locator("#wire option").count() == len(genome["connections"])
        titles = page.locator("#graph .node title").evaluate_all("all => all.map((one) => one.textContent)")
        outputs = ["grey"] if kind == "digits" else ["hue", "saturation", "lightness"]
        assert titles[: 4 + len(outputs)] == ["x", "y", "distance", "bias", *outputs]
        hidden = genome["nodes"][4 + len(outputs) :]
        assert titles[4 + len(outputs) :] == [f"{node['activation']} {node['id']}" for node in hidden]
        wires = page.locator("#wire option").all_inner_texts()
        assert wires == [f"{titles[one['from']]} → {titles[one['to']]}" for one in genome["connections"]]
        signs = page.locator("#graph .edge").evaluate_all("all => all.map((one) => one.classList.contains('down'))")
        assert signs == [one["weight"] < 0 for one in genome["connections"]]
        page.keyboard.press("Escape")


def wire_to_click(page: Page) -> tuple[int, float, float]:
    """A wire, and where on the screen it can be hit."""
    page.locator("#graph").scroll_into_view_if_needed()
    found = page.evaluate(
        """() => {
          const box = document.getElementById("graph").getBoundingClientRect();
          for (const wire of [...document.querySelectorAll("#graph .wire:not(.idle)")].reverse()) {
            const grip = wire.querySelector(".grip"), matrix = grip.getScreenCTM(), length = grip.getTotalLength();
            for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
              const {x, y} = grip.getPointAtLength(length * share).matrixTransform(matrix);
              const inside = x > box.left && x < box.right && y > box.top && y < box.bottom;
              if (inside && document.elementFromPoint(x, y) === grip) return [Number(wire.dataset.e), x, y];
            }
          }
          return null;
        }"""
    )
    assert found is not None, "no wire can be hit"
    return int(found[0]), found[1], found[2]


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_a_weight_is_turned_and_turned_back(opened: Open, kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    number = largest(run)
    weights = [one["weight"] for one in genome_of(run, number)["connections"]]
    page = opened(run / "index.html")
    open_tile(page, number)
    own = canvas(page)
    edge, x, y = wire_to_click(page)
    page.mouse.click(x, y)
    assert page.locator("#wire").input_value() == str(edge)
    assert page.locator("#graph .wire.on").get_attribute("data-e") == str(edge)
    assert page.locator("#value").inner_text() == f"{weights[edge]:.2f}"
    assert float(page.locator("#weight").input_value()) == pytest.approx(weights[edge], abs=1e-5)
    turned = after(page, lambda: page.locator("#weight").fill(str(weights[edge] - 2.5)))
    assert (turned != own).mean() > 0.01
    assert page.locator("#value").inner_text() == f"{weights[edge] - 2.5:.2f}"
    assert "Weights changed" in page.locator("#note").inner_text()
    assert page.locator("#download").inner_text() == "download the changed genome"
    content = downloaded(page)
    assert content["connections"][edge]["weight"] == pytest.approx(weights[edge] - 2.5, abs=1e-5)
    assert [one["weight"] for i, one in enumerate(content["connections"]) if i != edge] == [
        weight for i, weight in enumerate(weights) if i != edge
    ]
    assert content.keys().isdisjoint({"score", "class", "index", "generation"})
    assert genome_file.parse(content).provenance["preset"] == "default"
    np.testing.assert_array_equal(after(page, page.locator("#reset").click), own)
    assert page.locator("#value").inner_text() == f"{weights[edge]:.2f}"
    assert page.locator("#download").inner_text() == "download the genome"


def test_a_turned_weight_is_forgotten_when_the_tile_is_left(opened: Open, digits: Path) -> None:
    page, number = opened(digits / "index.html"), largest(digits)
    open_tile(page, number)
    own = canvas(page)
    after(page, lambda: page.locator("#weight").fill("3.75"))
    page.keyboard.press("Escape")
    open_tile(page, number)
    np.testing.assert_array_equal(canvas(page), own)
    assert page.locator("#download").inner_text() == "download the genome"


def test_a_node_shows_what_it_sees_and_goes(opened: Open, colours: Path) -> None:
    page = opened(colours / "index.html")
    open_tile(page, largest(colours))
    own = canvas(page)
    node = page.locator("#graph .node").first
    seen = after(page, node.click)
    assert page.locator("#note").inner_text().startswith("What x sees: black −1, white 1.")
    row = at_centres(seen, 32, 32)[16].astype(int)
    assert (row == row[:, :1]).all()
    assert (np.diff(row[:, 0]) > 0).all(), "x grows to the right"
    assert node.evaluate("node => node.classList.contains('on')")
    np.testing.assert_array_equal(after(page, node.click), own)
    assert page.locator("#graph .node.on").count() == 0


def downloaded(page: Page) -> dict[str, Any]:
    """What the link gives."""
    with page.expect_download() as waiting:
        page.locator("#download").click()
    content: dict[str, Any] = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_the_download_is_the_genome(opened: Open, kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    page, line = opened(run / "index.html"), elites(run)[5]
    open_tile(page, 5)
    assert page.locator("#download").get_attribute("download") == Path(line["genome"]).name
    content = downloaded(page)
    assert content == genome_of(run, 5)
    genome = genome_file.parse(content)
    assert png(genome.encoding.decode(genome.genomes)[0].numpy()) == (run / line["file"]).read_bytes()


def test_the_commands_are_right_and_run(
    opened: Open, digits: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, line = opened(digits / "index.html"), elites(digits)[2]
    open_tile(page, 2)
    commands = [shlex.split(words) for words in page.locator("#commands code").all_inner_texts()]
    genome, picture = digits / line["genome"], digits / line["file"]
    assert commands == [
        ["evofool", "render", str(genome), "--size", "2048", "--out", f"{genome.stem}-2048.png"],
        ["evofool", "score", str(picture), "--target", "digits"],
    ]
    monkeypatch.chdir(tmp_path)
    commands[0][commands[0].index("2048")] = "64"  # smaller is faster
    assert run_cli(capsys, *commands[0][1:]).code == 0
    assert pixels(tmp_path / f"{genome.stem}-2048.png").shape == (64, 64, 3)
    scored = run_cli(capsys, *commands[1][1:])
    assert scored.code == 0
    assert told(line["score"])[:5] in scored.out


def test_raw_pixels_have_no_genome_to_turn(opened: Open, raw: Path) -> None:
    page = opened(raw / "index.html")
    open_tile(page, 1)
    assert not page.locator("#network").is_visible()
    assert not page.locator("#mode").is_visible()
    (command,) = [words for words in page.locator("#commands code").all_inner_texts() if "score" in words]
    assert elites(raw)[1]["file"] in command


def test_the_commands_of_raw_pixels_run(
    opened: Open, raw: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = opened(raw / "index.html")
    open_tile(page, 1)
    for words in page.locator("#commands code").all_inner_texts():
        assert run_cli(capsys, *shlex.split(words)[1:]).code == 0, words


def test_as_the_network_saw_it_is_the_png(opened: Open, run: Path) -> None:
    page = opened(run / "index.html")
    for number in (0, 6):
        open_tile(page, number)
        picture = pixels(run / elites(run)[number]["file"])
        if page.locator("#mode").is_visible():
            after(page, lambda: mode(page, "as the network saw it"))
        found = at_centres(canvas(page), picture.shape[1], picture.shape[0])
        np.testing.assert_array_equal(found, picture)
        page.keyboard.press("Escape")


def expected(page: Page, run: Path, number: int, view: tuple[float, float, float, float]) -> np.ndarray:
    """A window on a genome, of the stage's size, as the script computes it."""
    content, (h, w, _) = genome_of(run, number), canvas(page).shape
    frame = {"shape": content["image_shape"], "xy": content["coordinates"], "colour": content["colour"]}
    window = dict(zip(("x", "y", "width", "height"), view, strict=True))
    return rendered(page, [{"file": content, "frame": frame, "w": w, "h": h, "view": window}])[0]


def inside(view: tuple[float, float, float, float], stage: np.ndarray, side: int) -> np.ndarray:
    """(H, W) which of the stage's pixels lie in the image, a pixel away from its edge."""
    x, y, width, height = view
    h, w, _ = stage.shape
    xs, ys = x + (np.arange(w) + 0.5) / w * width, y + (np.arange(h) + 0.5) / h * height
    margin = 2 * width / w
    fits = [(axis > margin) & (axis < side - margin) for axis in (xs, ys)]
    return fits[1][:, None] & fits[0][None]


def assert_view(page: Page, run: Path, number: int, view: tuple[float, float, float, float]) -> None:
    found, side = canvas(page), genome_of(run, number)["image_shape"][1]
    where = inside(view, found, side)
    assert where.mean() > 0.1
    far = abs(found.astype(int) - expected(page, run, number, view)).max(2)
    assert (far[where] <= 3).mean() > 0.97


def test_wheel_drag_and_whole(opened: Open, colours: Path) -> None:
    page, number = opened(colours / "index.html"), largest(colours)
    open_tile(page, number)
    own = canvas(page)
    box = page.locator("#stage").bounding_box()
    assert box is not None
    x, y, width, height = whole_view(own, 32, 32)
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
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), own)


def test_keys_and_buttons_zoom(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, 0)
    own = canvas(page)
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
    np.testing.assert_array_equal(after(page, lambda: page.keyboard.press("0")), own)


def chain(sines: int, weight: float) -> dict[str, Any]:
    """A genome that has detail at every depth: sines of sines of x, and of y."""
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
    own = canvas(page)
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
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), own)


def test_one_can_go_on_for_ever_without_an_error(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, largest(digits))
    own = canvas(page)
    page.locator("#stage").hover()
    for delta in (-30_000, -5_000, 90_000, 5_000):
        page.mouse.wheel(0, delta)
        still(page)
    zoom = page.locator("#stage").get_attribute("data-zoom") or ""
    assert re.fullmatch(r"[0-9.e-]+", zoom)
    assert float(zoom) >= 1 / 100
    np.testing.assert_array_equal(after(page, page.locator("#fit").click), own)
