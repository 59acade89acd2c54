"""The page of ``evofool breed`` evolves by itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from breeding import TEXT_OF, scored_in_python, settled
from browsing import Open, until
from runs import LONG

import evofool
from evofool.encodings.genome_file import parse

if TYPE_CHECKING:
    from playwright.sync_api import Page

SURE = 0.99
"""Confidence from which a class is sure."""

PATIENCE = 600
"""Seconds after which a page that still evolves has failed."""


def ended(page: Page) -> bool:
    """Wait until the evolution ends, and return whether all classes are sure."""
    until_time = time.monotonic() + PATIENCE
    while time.monotonic() < until_time:
        if (told := page.evaluate("document.getElementById('collection').dataset.ended")) is not None:
            return bool(told == "true")
        time.sleep(0.2)
    raise TimeoutError


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10"] if LONG else ["digits"])
def test_all_ten_classes_become_sure_by_themselves(opened: Open, tmp_path: Path, name: str) -> None:
    page = settled(opened(evofool.breed(name, tmp_path / "page.html", seed=1)))
    page.locator("#alone").click()
    assert ended(page)
    told = page.locator("#progress").inner_text()
    assert told.startswith("All 10 classes are above 99\u00a0%: ")
    assert page.locator("#sure").inner_text() == "10 of 10 above 99\u00a0%"
    assert page.locator("#collection .sure").count() == 10
    assert page.locator("#alone").inner_text() == "Go on by itself"
    texts = page.evaluate(f"Collection.archive.elites.map(({{genome}}) => ({TEXT_OF})(genome))")
    confirmed = scored_in_python(name, [parse(json.loads(text)) for text in texts])
    assert (np.diagonal(confirmed) > SURE - 1e-3).all()
    page.locator("#alone").click()
    until(page, "document.getElementById('progress').textContent.includes('tried')")
    page.locator("#alone").click()
    until(page, "document.querySelector('#alone span').textContent === 'Go on by itself'")


def test_started_anew_before_its_batch_is_scored_it_still_scores_one_at_a_time(opened: Open, tmp_path: Path) -> None:
    page = settled(opened(evofool.breed("digits", tmp_path / "page.html", seed=3)))
    page.evaluate(
        """() => {
          const score = Judges.score;
          window.most = window.now = 0;
          Judges.score = async (...given) => {
            window.most = Math.max(window.most, ++window.now);
            try { return await score(...given); } finally { window.now--; }
          };
          for (let press = 0; press < 5; press++) Alone.toggle();
        }"""
    )
    until(page, "Number(document.getElementById('collection').dataset.scored) >= 300")
    page.locator("#alone").click()
    assert page.evaluate("window.most") == 1


def test_a_page_with_a_seed_evolves_the_same_pictures_again(opened: Open, tmp_path: Path) -> None:
    file = evofool.breed("digits", tmp_path / "page.html", seed=4)
    found = []
    for _ in range(2):
        page = settled(opened(file))
        page.locator("#alone").click()
        ended(page)
        found.append(page.evaluate(f"Collection.archive.elites.map(({{genome}}) => ({TEXT_OF})(genome))"))
    assert found[0] == found[1]


def test_without_a_seed_every_visit_has_other_pictures(opened: Open, tmp_path: Path) -> None:
    file = evofool.breed("digits", tmp_path / "page.html")
    first, second = (
        settled(opened(file)).evaluate(f"({TEXT_OF})(Nursery.current().pictures[0].genome)") for _ in range(2)
    )
    assert first != second


def test_a_lineage_finds_another_way_to_a_class_whose_elite_is_at_a_dead_end(opened: Open, tmp_path: Path) -> None:
    """The third class wants large graphs. Its elite is better than small ones, and its children are small."""
    page = opened(evofool.breed("digits", tmp_path / "page.html", seed=0))
    begin, end = page.evaluate(
        """() => {
          const archive = Elites.archive(3), search = Elites.search(archive, Setup.kind, Draws.stream(3n));
          const third = ({s}) => !s.length ? 0.6 : s.length > 40 ? 1 : Math.min(0.5, s.length / 100);
          const score = (genome) => [genome.s.length ? 1 : 0.9, genome.s.length ? 1 : 0.9, third(genome)];
          const empty = {a: [0, 0, 0, 0, 0], p: [0, 0, 0, 0, 1], s: [], t: [], w: []}, reached = [];
          archive.tell([empty], [score(empty)]);
          for (let turn = 0; turn < 150; turn++) {
            const children = search.ask(100);
            search.tell(children, children.map(score));
            reached.push(archive.elites[2].confidence);
          }
          return [reached[9], reached.at(-1)];
        }"""
    )
    assert (begin, end) == (0.6, 1)
