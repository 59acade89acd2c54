"""The genome of an opened tile: its graph, its weights to change, its file to download."""

from __future__ import annotations

import json
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
    genome_of,
    largest,
    lineage,
    longest,
    open_tile,
    overflow,
    until,
)
from sight import outside

from evofool.encodings import genome_file
from evofool.gallery.pages.run_page import write_gallery
from evofool.io.png import png
from evofool.text import percent

if TYPE_CHECKING:
    from playwright.sync_api import Page

TARGETS = {"digits": "digits", "colours": "cifar10"}


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
        titles = page.locator("#graph .node title").evaluate_all("all => all.map((element) => element.textContent)")
        outputs = ["grey"] if kind == "digits" else ["hue", "saturation", "lightness"]
        assert titles[: 4 + len(outputs)] == ["x", "y", "distance", "bias", *outputs]
        hidden = genome["nodes"][4 + len(outputs) :]
        assert titles[4 + len(outputs) :] == [f"{node['activation']} {node['id']}" for node in hidden]
        wires = page.locator("#wire option").all_inner_texts()
        assert wires == [f"{titles[edge['from']]} → {titles[edge['to']]}" for edge in genome["connections"]]
        signs = page.locator("#graph .edge").evaluate_all("all => all.map((edge) => edge.classList.contains('minus'))")
        assert signs == [edge["weight"] < 0 for edge in genome["connections"]]
        page.keyboard.press("Escape")


def wire_to_click(page: Page) -> tuple[int, float, float]:
    """Return the number of a wire, and where on the screen it can be hit."""
    page.locator("#graph").scroll_into_view_if_needed()
    wire = page.evaluate(
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
    assert wire is not None, "no wire can be hit"
    return int(wire[0]), wire[1], wire[2]


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_a_weight_is_turned_and_turned_back(opened: Open, kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    number = largest(run)
    weights = [edge["weight"] for edge in genome_of(run, number)["connections"]]
    page = opened(run / "index.html")
    open_tile(page, number)
    original, commands = canvas(page), page.locator("#commands code").all_inner_texts()
    figures = [page.locator("#said b").inner_text(), *page.locator("#top :is(b, span)").all_inner_texts()]
    assert len(figures) == 11
    figures += page.locator("#more dd").all_inner_texts()[:2]  # Generation and evaluation; the connections stay.
    assert struck(page) == []
    edge, x, y = wire_to_click(page)
    page.mouse.click(x, y)
    assert page.locator("#wire").input_value() == str(edge)
    assert page.locator("#graph .wire.on").get_attribute("data-e") == str(edge)
    assert page.locator("#value").inner_text() == f"{weights[edge]:.2f}"
    assert float(page.locator("#weight").input_value()) == pytest.approx(weights[edge], abs=1e-5)
    turned = after(page, lambda: page.locator("#weight").fill(str(weights[edge] - 2.5)))
    assert (turned != original).mean() > 0.01
    assert page.locator("#value").inner_text() == f"{weights[edge] - 2.5:.2f}"
    assert "Weights changed" in page.locator("#note").inner_text()
    assert page.locator("#download").inner_text() == "download the changed genome"
    assert struck(page) == figures
    name = page.locator("#download").get_attribute("download")
    assert page.locator("#commands code").all_inner_texts() == [
        f"evofool render {name} --size 2048 --out {Path(name or '').stem}-2048.png",
        f"evofool score {name} --target {TARGETS[kind]}",
    ]
    content = downloaded(page)
    assert content["connections"][edge]["weight"] == pytest.approx(weights[edge] - 2.5, abs=1e-5)
    assert [connection["weight"] for i, connection in enumerate(content["connections"]) if i != edge] == [
        weight for i, weight in enumerate(weights) if i != edge
    ]
    assert content.keys().isdisjoint({"score", "class", "index", "generation"})
    assert genome_file.parse(content).provenance["preset"] == "default"
    np.testing.assert_array_equal(after(page, page.locator("#reset").click), original)
    assert page.locator("#value").inner_text() == f"{weights[edge]:.2f}"
    assert page.locator("#download").inner_text() == "download the genome"
    assert struck(page) == []
    assert page.locator("#commands code").all_inner_texts() == commands


def test_an_ancestor_has_its_own_confidence_and_none_once_it_is_changed(opened: Open, digits: Path) -> None:
    page, number = opened(digits / "index.html"), longest(digits)
    open_tile(page, number)
    _, name, score = lineage(digits, number)[0]
    after(page, page.locator("#line button").first.click)
    assert page.locator("#said").inner_text() == f"{percent(score)} class {name}, an ancestor, for digits"
    assert page.locator("#guesses").is_hidden()
    edge = page.locator("#graph .wire:not(.idle)").last.get_attribute("data-e") or ""
    page.locator("#wire").select_option(edge)
    page.locator("#weight").fill("3.75")
    assert struck(page) == [percent(score), *page.locator("#more dd").all_inner_texts()[:2]]
    assert page.locator("#commands code").count() == 0
    after(page, page.locator("#line button").last.click)
    assert struck(page) == []
    assert page.locator("#guesses").is_visible()
    assert page.locator("#said").inner_text() == f"{percent(elites(digits)[number]['score'])} for digits"


def test_a_picture_that_is_not_scored_was_seen_by_no_network(opened: Open, digits: Path, tmp_path: Path) -> None:
    content = genome_of(digits, 3)
    del content["sha256"]
    (tmp_path / "mine.json").write_text(json.dumps(content), encoding="utf-8")
    page = opened(write_gallery([tmp_path / "mine.json"], tmp_path / "page.html"))
    open_tile(page, 0)
    assert page.locator("#said").inner_text() == "not scored for digits; see below how to score it"
    commands = page.locator("#commands code").all_inner_texts()
    assert commands[-1] == f"evofool score {tmp_path / 'mine.json'} --target digits"
    told = [page.locator(".view").inner_text()]
    after(page, lambda: page.locator("#mode label", has_text="as a network would see it").click())
    told.append(page.locator(".view").inner_text())
    assert not any("network saw" in text or "what was scored" in text for text in told)
    assert "8 × 8 pixels, not scored." in told[1]
    page.keyboard.press("Escape")
    for level, shown in (("", 1), ("0.99-", 0), ("-0.5", 0)):
        page.locator("#level").select_option(level)
        assert page.locator(".card:not([hidden])").count() == shown


def struck(page: Page) -> list[str]:
    """Return the figures of the opened tile that are struck through."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#said b, #top b, #top span, #more dd")]
          .filter((figure) => figure.offsetParent && [figure, ...figure.querySelectorAll("s")].some((part) =>
            getComputedStyle(part).textDecorationLine === "line-through")).map((figure) => figure.innerText)"""
    )
    return found


def test_a_turned_weight_is_forgotten_when_the_tile_is_left(opened: Open, digits: Path) -> None:
    page, number = opened(digits / "index.html"), largest(digits)
    open_tile(page, number)
    original = canvas(page)
    after(page, lambda: page.locator("#weight").fill("3.75"))
    page.keyboard.press("Escape")
    open_tile(page, number)
    np.testing.assert_array_equal(canvas(page), original)
    assert page.locator("#download").inner_text() == "download the genome"


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_a_turned_weight_stays_while_ancestors_are_looked_at(
    opened: Open, kind: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(kind)
    page, number = opened(run / "index.html"), longest(run)
    open_tile(page, number)
    original, buttons = canvas(page), page.locator("#line button")
    edge = page.locator("#graph .wire:not(.idle)").last.get_attribute("data-e") or ""
    page.locator("#wire").select_option(edge)
    weight = float(page.locator("#weight").input_value())
    turned = after(page, lambda: page.locator("#weight").fill(str(weight / 2)))
    assert (turned != original).any()
    after(page, buttons.first.click)
    assert "Weights changed" not in page.locator("#note").inner_text()
    assert struck(page) == []
    np.testing.assert_array_equal(after(page, buttons.last.click), turned)
    assert "Weights changed" in page.locator("#note").inner_text()
    assert page.locator("#download").inner_text() == "download the changed genome"
    assert page.locator("#commands code").count() == 2
    assert len(struck(page)) >= 3
    content = downloaded(page)
    assert content["connections"][int(edge)]["weight"] == pytest.approx(weight / 2, abs=1e-5)


def test_a_changed_genome_is_drawn_as_a_network_would_see_it(opened: Open, colours: Path) -> None:
    page, number = opened(colours / "index.html"), largest(colours)
    open_tile(page, number)
    recorded = canvas(page, "#saw canvas")
    edge = int(page.locator("#graph .wire:not(.idle)").last.get_attribute("data-e") or "")
    page.locator("#wire").select_option(str(edge))
    after(page, lambda: page.locator("#weight").fill("-1.75"))
    content = downloaded(page)
    expected = as_rgb(decoded(content))[0]
    assert (expected != recorded).any()
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), expected)
    assert page.locator("#saw span").inner_text() == "a network would see"
    small = after(page, lambda: page.locator("#mode label", has_text="as a network would see it").click())
    np.testing.assert_array_equal(at_centres(small, 32, 32), expected)
    assert page.locator("#note").inner_text() == "Weights changed: drawn anew at 32 × 32 pixels, not scored."
    content["connections"][edge]["weight"] = 2.25
    turned = after(page, lambda: page.locator("#weight").fill("2.25"))
    np.testing.assert_array_equal(at_centres(turned, 32, 32), as_rgb(decoded(content))[0])
    after(page, page.locator("#reset").click)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), recorded)
    assert page.locator("#saw span").inner_text() == "the network saw"


def test_a_changed_genome_fits_on_a_phone(opened: Open, colours: Path) -> None:
    page = opened(colours / "index.html", viewport={"width": 375, "height": 812})
    open_tile(page, largest(colours))
    after(page, lambda: page.locator("#weight").fill("-1.75"))
    assert outside(page, ".below", "*") == []
    assert overflow(page) == []


def decoded(content: dict[str, Any]) -> np.ndarray:
    """Return the image (1, C, H, W) uint8 of a genome's file, whose check sum may be another genome's."""
    genome = genome_file.parse({key: value for key, value in content.items() if key != "sha256"})
    return genome.encoding.decode(genome.genomes).numpy()


@pytest.mark.parametrize("name", ["cifar10-cppn#cat", "cifar10-cppn#ship", "mnist-cppn#7"])
def test_pale_is_what_the_picture_would_be_the_same_without(opened: Open, tmp_path: Path, name: str) -> None:
    page = opened(write_gallery([Path(name)], tmp_path / "page.html"))
    open_tile(page, 0)
    content = page.evaluate("Data.tiles[0].genome")
    picture, edges = decoded(content), content["connections"]

    def matters(*removed: int) -> bool:
        left = [edge for number, edge in enumerate(edges) if number not in removed]
        return bool((decoded({**content, "connections": left}) != picture).any())

    outputs = range(4, 4 + content["image_shape"][0])
    pale = page.locator("#graph .wire").evaluate_all("wires => wires.map((wire) => wire.classList.contains('idle'))")
    assert pale == [not matters(number) for number in range(len(edges))]
    of_node = [[at for at, edge in enumerate(edges) if edge["from"] == node] for node in range(len(content["nodes"]))]
    assert page.locator("#graph .node").evaluate_all(
        "nodes => nodes.map((node) => node.classList.contains('idle'))"
    ) == [node not in outputs and not matters(*sent) for node, sent in enumerate(of_node)]
    if name != "cifar10-cppn#cat":
        return
    widths, opacities = (
        page.locator("#graph .idle .edge").evaluate_all(f"all => all.map((e) => parseFloat(getComputedStyle(e).{key}))")
        for key in ("strokeWidth", "opacity")
    )
    assert max(widths) < 1.5
    assert max(opacities) < 0.4
    assert "pale: the picture would be the same without it" in page.locator("#network").inner_text()


def test_what_is_pale_follows_the_weights(opened: Open, tmp_path: Path) -> None:
    page = opened(write_gallery([Path("cifar10-cppn#cat")], tmp_path / "page.html"))
    open_tile(page, 0)
    edge = page.locator("#graph .wire:not(.idle)").first.get_attribute("data-e")
    page.locator("#wire").select_option(edge)
    for weight, idle in (("0", "true"), ("2", "false")):
        page.locator("#weight").fill(weight)
        until(page, f"document.querySelector('#graph [data-e=\"{edge}\"]').matches('.idle') === {idle}")


def test_a_node_shows_what_it_sees_and_goes(opened: Open, colours: Path) -> None:
    page = opened(colours / "index.html")
    open_tile(page, largest(colours))
    original = canvas(page)
    node = page.locator("#graph .node").first
    seen = after(page, node.click)
    assert page.locator("#note").inner_text().startswith("What x sees: black −1, white 1.")
    row = at_centres(seen, 32, 32)[16].astype(int)
    assert (row == row[:, :1]).all()
    assert (np.diff(row[:, 0]) > 0).all(), "x grows to the right"
    assert node.evaluate("node => node.classList.contains('on')")
    np.testing.assert_array_equal(after(page, node.click), original)
    assert page.locator("#graph .node.on").count() == 0


def test_a_node_is_looked_at_with_the_keyboard(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, largest(digits))
    original = canvas(page)
    page.locator("#graph .node").first.focus()
    assert (after(page, lambda: page.keyboard.press("Enter")) != original).any()
    assert "What x sees" in page.locator("#note").inner_text()
    after(page, lambda: page.locator("#mode label", has_text="as the network saw it").click())
    assert page.locator("#graph .node.on").count() == 0


def downloaded(page: Page) -> dict[str, Any]:
    """Return what the link downloads."""
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


def test_on_a_phone_the_picture_is_beside_the_slider_and_lives(opened: Open, colours: Path) -> None:
    number = largest(colours)
    page = opened(colours / "index.html", viewport={"width": 375, "height": 812})
    open_tile(page, number)
    slider, small = page.locator("#weight"), page.locator("#turning")
    slider.scroll_into_view_if_needed()
    for box in (slider.bounding_box(), small.bounding_box()):
        assert box is not None
        assert min(box["width"], box["height"]) > 10
        assert 0 <= box["y"] <= box["y"] + box["height"] <= 812
    before = canvas(page, "#turning")
    after(page, lambda: slider.fill(str(genome_of(colours, number)["connections"][0]["weight"] - 3)))
    turned = canvas(page, "#turning")
    assert (turned != before).any()
    np.testing.assert_array_equal(turned, canvas(page, "#saw canvas"))
