"""Breeding by hand, in the page of ``evofool breed``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from breeding import (
    PICTURES,
    chosen,
    genomes_of,
    look_closer,
    saved,
    scored_in_python,
    scores_of,
    settled,
    without_provenance,
)  # fmt: skip
from browsing import Open, canvas, still, until

import evofool
from evofool.encodings import genome_file
from evofool.encodings.genome_file import parse

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
SEVEN = ROOT / "genomes" / "mnist-cppn" / "007_7_0.9999.json"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page for digits that begins with the same pictures every time."""
    return evofool.breed("digits", tmp_path_factory.mktemp("breed") / "page.html", seed=2)


@pytest.fixture
def page(opened: Open, file: Path) -> Page:
    return settled(opened(file))


def guesses(page: Page, number: int) -> list[str]:
    texts: list[str] = page.locator("#nursery .guesses").nth(number).locator("li").all_inner_texts()
    return [text.replace("\n", " ") for text in texts]


def test_below_each_picture_stands_what_the_network_sees_in_it(page: Page) -> None:
    genomes = [parse(json.loads(text)) for text in genomes_of(page)]
    expected = scored_in_python("digits", genomes)
    np.testing.assert_allclose(scores_of(page), expected, rtol=0, atol=1e-4)
    for number in range(PICTURES):
        first, *others = guesses(page, number)
        assert first.split()[0] == str(expected[number].argmax())
        assert len(others) == 2
        label = page.locator("#nursery .pick").nth(number).get_attribute("aria-label")
        assert f"class {expected[number].argmax()}, " in (label or "")


def test_children_of_the_chosen_pictures_appear_and_one_can_go_back(page: Page) -> None:
    before, breed = genomes_of(page), page.locator("#breed")
    assert len(set(before)) == PICTURES
    assert breed.is_disabled()
    assert page.locator("#back").is_disabled()
    for number in (3, 8):
        page.locator("#nursery .pick").nth(number).click()
    assert chosen(page) == [3, 8]
    assert breed.inner_text() == "Make children of 2"
    breed.click()
    after = genomes_of(settled(page))
    assert after[:2] == [before[3], before[8]]
    assert page.locator("#nursery .parent").count() == 2
    assert len(set(after) - set(before)) >= 12
    assert page.locator("#generation").inner_text() == "generation 2"
    assert chosen(page) == []
    page.locator("#back").click()
    assert genomes_of(page) == before
    assert chosen(page) == [3, 8]
    assert page.locator("#generation").inner_text() == "generation 1"


def test_the_surest_are_chosen(page: Page) -> None:
    scores = np.array(scores_of(page))
    page.locator("#aim").select_option(label="class 3")
    page.locator("#surest").click()
    assert set(chosen(page)) == set(np.argsort(-scores[:, 3])[:3].tolist())
    assert all(any(line.startswith("3 ") for line in guesses(page, number)) for number in range(PICTURES))
    page.locator("#aim").select_option(label="any class")
    page.locator("#surest").click()
    picked = chosen(page)
    assert int(scores.max(1).argmax()) in picked
    assert len(set(scores[picked].argmax(1))) == min(3, len(set(scores.argmax(1))))


def test_every_picture_competes_in_every_class(page: Page) -> None:
    best = np.array(scores_of(page)).max(0)
    places = page.locator("#collection li button")
    assert places.count() == 10
    labels = [places.nth(k).get_attribute("aria-label") or "" for k in range(10)]
    for k, label in enumerate(labels):
        assert f"class {k}: " in label
    told = page.evaluate("Collection.archive.elites.map(({confidence}) => confidence)")
    np.testing.assert_allclose(told, best)
    assert page.locator("#sure").inner_text() == f"{(best >= 0.99).sum()} of 10 above 99\u00a0%"


def test_all_of_it_can_be_done_with_keys(page: Page) -> None:
    page.locator("#nursery .pick").first.focus()
    press = page.keyboard.press
    press("ArrowRight")
    press("ArrowDown")
    press("Enter")
    (number,) = chosen(page)
    assert number > 1
    before = genomes_of(page)
    press("b")
    assert genomes_of(settled(page))[0] == before[number]
    press("z")
    assert genomes_of(page) == before
    press("s")
    assert len(chosen(page)) == 3
    press("n")
    assert not set(genomes_of(settled(page))) & set(before)
    press("?")
    assert page.evaluate("document.getElementById('help').open")
    press("b")
    press("Escape")
    assert not page.evaluate("document.getElementById('help').open")
    assert page.locator("#generation").inner_text() == "generation 2"
    reached = set()
    for _ in range(40):
        press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "ask", "alone", "anew", "load", "pick", "closer"} <= reached


def test_a_saved_genome_is_one_that_evofool_reads(page: Page, tmp_path: Path) -> None:
    look_closer(page, 5)
    file = saved(page, tmp_path)
    genome = genome_file.read(file)
    assert genome.content == json.loads(genomes_of(page)[5]) | genome.provenance
    assert genome.provenance["target"] == "digits"
    assert genome.provenance["index"] == int(np.argmax(scores_of(page)[5]))
    assert genome.score is None
    drawn = page.evaluate("[...Painter.native(Nursery.current().pictures[5].genome).data]")
    picture = genome.encoding.decode(genome.genomes).numpy()[0, 0]
    np.testing.assert_array_equal(np.reshape(drawn, (8, 8, 4))[..., 0], picture)
    (scored,) = evofool.score(file, device="cpu", top=1)["images"]
    assert scored["top5"][0]["class"] == genome.provenance["class"]
    assert scored["top5"][0]["confidence"] == pytest.approx(max(scores_of(page)[5]), abs=1e-3)


def test_a_genome_is_loaded_and_saved_again_as_it_was(page: Page, tmp_path: Path) -> None:
    page.locator("#file").set_input_files(SEVEN)
    until(page, "Nursery.current().number === 2")
    settled(page)
    original = without_provenance(json.loads(SEVEN.read_text()))
    assert page.locator("#nursery .parent").count() == 1
    look_closer(page, 0)
    content = json.loads(saved(page, tmp_path).read_text())
    assert without_provenance(content) == original | {"image_shape": [1, 8, 8]}


def test_evofool_breed_begins_with_a_bank(opened: Open, tmp_path: Path) -> None:
    page = settled(opened(evofool.breed("digits", tmp_path / "page.html", init="mnist-cppn")))
    files = sorted(SEVEN.parent.glob("*.json"))
    for text, file in zip(genomes_of(page), files, strict=False):
        ours, bank = json.loads(text), without_provenance(json.loads(file.read_text()))
        assert without_provenance(ours) == bank | {"image_shape": [1, 8, 8]}
    assert page.locator("#nursery .parent").count() == len(files) == 10


def test_a_link_has_the_genome_in_it(opened: Open, page: Page, file: Path) -> None:
    look_closer(page, 4)
    page.locator("#share").click()
    until(page, "location.hash.startsWith('#g=')")
    link = page.evaluate("location.href")
    assert len(link) < 2000
    other = opened()
    other.goto(link)
    assert genomes_of(settled(other))[0] == genomes_of(page)[4]


def test_a_page_that_is_open_follows_another_link(page: Page) -> None:
    wanted = genomes_of(page)[9]
    page.evaluate("location.hash = `#g=${Genomes.toLink(Nursery.current().pictures[9].genome, 1)}`")
    until(page, "Nursery.current().number === 2")
    assert genomes_of(settled(page))[0] == wanted


BROKEN = {
    "no JSON": ("{", "This is no genome"),
    "a list": ("[1]", "This is no CPPN genome"),
    "null": ("null", "This is no CPPN genome"),
    "another format": ('{"encoding": "cppn", "format": 1}', "The genome has format 1; this page reads 2"),
    "colours": ('{"encoding": "cppn", "format": 2, "image_shape": [3, 4, 4], "colour": "hsl"}', "have grey and unit"),
    "no nodes": (
        '{"encoding": "cppn", "format": 2, "image_shape": [1, 4, 4], "coordinates": "unit"}', "lacks nodes",
    ),
}  # fmt: skip
CHANGES = {
    "an unknown activation": ("file.nodes[6].activation = 'tan'", "Node 6 of the genome has an unknown activation"),
    "another id": ("file.nodes[2].id = 7", "Node 2 of the genome must have id 2"),
    "a connection to nowhere": ("file.connections[0].to = 999", "a node that isn't there"),
    "a connection to an input": ("file.connections[0].to = 1", "a node that isn't there"),
    "half a node": ("file.connections[0].from = 0.5", "a node that isn't there"),
    "a connection backwards": (
        "Object.assign(file.connections[0], {from: 4, to: 5})",
        "a connection that runs backwards",
    ),
    "a weight as text": ("file.connections[0].weight = '1'", "no finite number"),
    "an endless weight": ("file.connections[0].weight = 1e300", "no finite number"),
    "a position as text": ("file.nodes[6].position = '0.5'", "no finite number"),
    "too much": ("file.connections = Array(300).fill(file.connections[0])", "300 connections; at most 96 and 256"),
    "no outputs": ("file.nodes.length = 4; file.connections = []", "needs 4 inputs and 1 output"),
}


def test_a_file_that_is_no_genome_is_refused_in_a_sentence(page: Page, tmp_path: Path) -> None:
    before, bad = genomes_of(page), tmp_path / "bad.json"
    for name, (text, words) in BROKEN.items():
        bad.write_text(text)
        page.locator("#file").set_input_files(bad)
        until(page, f"document.getElementById('message').textContent.includes({json.dumps(words)})")
        assert page.locator("#message").is_visible(), name
    bad.write_text(" " * 2_000_001)
    page.locator("#file").set_input_files(bad)
    until(page, "document.getElementById('message').textContent.startsWith('The file has 2,000,001 bytes')")
    original = SEVEN.read_text()
    for name, (change, words) in CHANGES.items():
        answer = page.evaluate(
            f"""(text) => {{
              const file = JSON.parse(text);
              {change};
              try {{ Genomes.read(JSON.stringify(file), Setup.frame, Setup.kind.settings); }}
              catch (error) {{ return error.message; }}
              return "taken";
            }}""",
            original,
        )
        assert words in answer, name
    assert genomes_of(page) == before


def test_a_page_that_is_opened_by_a_broken_link_says_so_and_begins(opened: Open, file: Path) -> None:
    other = opened()
    other.goto(f"{file.as_uri()}#g=nonsense")
    assert len(genomes_of(settled(other))) == PICTURES
    assert other.locator("#message").inner_text().startswith("The link holds no whole genome")


def test_what_the_network_has_not_seen_yet_is_saved_without_a_class(page: Page) -> None:
    look_closer(page, 2)
    kept = page.evaluate(
        """() => {
          const kept = [], create = URL.createObjectURL;
          URL.createObjectURL = (blob) => { kept.push(blob); return create(blob); };
          Judges.score = () => new Promise(() => {});
          const weight = document.getElementById("weight");
          weight.value = Number(weight.value) + 0.5;
          weight.dispatchEvent(new Event("input", {bubbles: true}));
          document.getElementById("save").click();
          return kept[0].text();
        }"""
    )
    assert parse(json.loads(kept)).provenance.keys() == {"target"}


def test_a_link_that_holds_no_genome_is_refused_in_a_sentence(page: Page) -> None:
    link = page.evaluate("Genomes.toLink(Nursery.current().pictures[0].genome, 1)")
    broken = ["", "A", "%%%", link[:-3], link + "AAAA", "B" + link[1:], "AQMHAAAAAAA"]
    for letters in broken:
        answer = page.evaluate(
            """(letters) => {
              try { Genomes.fromLink(letters, Setup.frame, Setup.kind.settings); }
              catch (error) { return error.message; }
              return "taken";
            }""",
            letters,
        )
        assert answer.startswith("The link"), letters
    before = genomes_of(page)
    page.evaluate("location.hash = '#g=nonsense'")
    until(page, "document.getElementById('message').textContent.startsWith('The link holds no whole genome')")
    assert genomes_of(page) == before


def test_the_network_watches_while_a_weight_is_turned(page: Page) -> None:
    look_closer(page, 4)
    still(page)
    first, before = canvas(page), page.locator("#top").inner_text()
    page.locator("#weight").focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    until(page, f"document.getElementById('top').innerText !== {json.dumps(before)}")
    still(page)
    assert (canvas(page) != first).any()
    original = json.loads(genomes_of(page)[4])
    page.locator("#parent").click()
    until(page, "Nursery.current().number === 2")
    turned = json.loads(genomes_of(settled(page))[0])
    assert turned["nodes"] == original["nodes"]
    pairs = zip(turned["connections"], original["connections"], strict=True)
    assert [edge for edge, (now, then) in enumerate(pairs) if now != then] == [0]


def test_pictures_are_shown_sharp_or_as_the_network_sees_them(page: Page) -> None:
    first = "#nursery .card:first-child canvas"
    until(page, f"document.querySelector('{first}').width > 8")
    page.locator("#look input[value=seen]").check(force=True)
    assert page.eval_on_selector(first, "(canvas) => [canvas.width, canvas.height, canvas.className]") == [8, 8, "hard"]
    page.locator("#look input[value=sharp]").check(force=True)
    until(page, f"document.querySelector('{first}').width > 8")
