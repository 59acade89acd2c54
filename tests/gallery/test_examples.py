"""Successes in a campaign's report: which ones, and their images with the changed pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import campaign_config
from pages import Page, decode

from evofool.attacks.outcome import Outcome
from evofool.attacks.statistics import Statistics
from evofool.attacks.subject import Subject
from evofool.gallery.pages.examples import MAX_EXAMPLES, MIN_EXAMPLES, examples
from evofool.gallery.pages.findings import Findings
from evofool.gallery.pages.rendering import render
from evofool.gallery.pages.successes import MAX_OF_A_KIND, ranked
from evofool.store.campaign import CampaignFolder


def win(image: int, score: float, change: tuple[int, int] = (0, 1), **more: Any) -> Outcome:
    """Return the outcome of a success: the image is taken for another class with that confidence."""
    before, after = (f"class {index}" for index in change)
    record = {
        "image": image, "label": change[0], "final_index": change[1], "class": before, "final": after,
        "confidence": 0.5, "top5": [[after, score]], "queries_to_success": 3,
        "edits": [{"x": 0, "y": 0, "colour": [1, 2, 3]}],
    }  # fmt: skip
    return record | more


def test_the_surest_come_first_but_few_of_a_kind() -> None:
    assert MAX_OF_A_KIND == 2
    wins = [win(0, 0.9), win(1, 0.99), win(2, 0.95), win(3, 0.97), win(4, 0.6, (1, 0)), win(5, 0.7, (0, 2))]
    assert [outcome["image"] for outcome in ranked(wins)] == [1, 3, 5, 4, 2, 0]
    assert [outcome["image"] for outcome in ranked([win(7, 0.5), win(6, 0.5)])] == [6, 7]


class OneImage(CampaignFolder):
    """A campaign's folder in memory, in which every attempt is on the same image."""

    def __init__(self, image: np.ndarray) -> None:
        super().__init__(Path(), campaign_config())
        self.subjects = [Subject(0, "image", "", image, 0, 0, 0.5)]  # type: ignore[assignment]


def tiles(image: np.ndarray, *wins: Outcome) -> Page:
    """Return the tiles of successes against one image."""
    findings = Findings(OneImage(image), "campaign", Statistics(1), None, successes=list(wins))
    page = Page(render("examples.html", examples=examples(findings), successes=len(wins)))
    assert page.problems == []
    return page


SHAPES = [(3, 8, 8), (1, 8, 8), (3, 32, 32), (3, 7, 20), (3, 40, 9), (1, 3, 3), (3, 1, 1), (1, 1, 6), (3, 224, 224)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_ring_and_the_closer_look_are_at_the_pixel(shape: tuple[int, int, int]) -> None:
    channels, height, width = shape
    image = np.full(shape, 50, np.uint8)
    for x, y in {(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1), (width // 2, height // 3)}:
        colour = [200, 1, 2][:channels]
        page = tiles(image, win(0, 0.9, edits=[{"x": x, "y": y, "colour": colour}]))
        before, after, close = map(decode, page.sources)
        np.testing.assert_array_equal(before, image)
        changed = image.copy()
        changed[:, y, x] = colour
        np.testing.assert_array_equal(after, changed)
        rings = [attributes for tag, attributes in page.attributes if tag == "circle"]
        assert {ring["class"] for ring in rings} == {"ring", "ring back"}
        assert {(float(ring["cx"]), float(ring["cy"])) for ring in rings} == {(x + 0.5, y + 0.5)}
        boxes = {attributes["viewbox"] for tag, attributes in page.attributes if tag == "svg"}
        assert boxes == {f"0 0 {width} {height}"}
        assert (close == np.array(colour)[:, None, None]).all(0).sum() == 1
        assert close.shape[1] == close.shape[2]
        assert close.shape[1] == min(height, width, max(5, min(13, close.shape[1])))
        assert f"at ({x}, {y})" in page.words


def test_the_pixel_is_in_the_middle_of_the_closer_look_where_there_is_room() -> None:
    image = np.zeros((3, 32, 32), np.uint8)
    page = tiles(image, win(0, 0.9, edits=[{"x": 20, "y": 9, "colour": [9, 9, 9]}]))
    close = decode(page.sources[2])
    assert close.shape == (3, 13, 13)
    assert np.argwhere(close[0] == 9).tolist() == [[6, 6]]


def test_edits_that_change_nothing_have_no_ring() -> None:
    image = np.full((3, 8, 8), 50, np.uint8)
    edits = [{"x": 1, "y": 2, "colour": [50, 50, 50]}, {"x": 5, "y": 6, "colour": [50, 50, 51]}]
    page = tiles(image, win(0, 0.9, edits=edits))
    rings = [attributes for tag, attributes in page.attributes if tag == "circle"]
    assert {(ring["cx"], ring["cy"]) for ring in rings} == {("5.5", "6.5")}
    assert "(1, 2)" not in page.words


def test_a_tile_tells_confidence_cut_and_queries() -> None:
    image = np.full((3, 8, 8), 50, np.uint8)
    page = tiles(image, win(0, 0.99999, confidence=0.12999, queries_to_success=1))
    assert "12.99 % before, 99.9990 % after · at (0, 0) · 1 query" in page.words
    assert "1,234 queries" in tiles(image, win(0, 0.9, queries_to_success=1234)).words
    many = [{"x": x, "y": 0, "colour": [1, 2, 3]} for x in range(7)]
    assert "at (0, 0), (1, 0), (2, 0), (3, 0), (4, 0) … ·" in tiles(image, win(0, 0.9, edits=many)).words


def test_as_many_tiles_as_a_page_can_hold() -> None:
    image = np.zeros((3, 8, 8), np.uint8)
    wins = [win(0, 0.9, (index, index + 1)) for index in range(MAX_EXAMPLES + 5)]
    page = tiles(image, *wins)
    assert page.tags["figure"] == MAX_EXAMPLES
    assert f"{MAX_EXAMPLES} of {MAX_EXAMPLES + 5} successes" in page.words
    noise = np.random.default_rng(0).integers(0, 256, (3, 600, 600), dtype=np.uint8)
    large = tiles(noise, *wins[:10])
    assert large.tags["figure"] == MIN_EXAMPLES == 6
    assert "successes" not in tiles(image, *wins[:3]).words
