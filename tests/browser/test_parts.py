"""What an experiment took from an image, in the image's dialogue: the page draws what the network was shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browsing import Open, as_rgb, canvas, open_tile, overflow, still

import evofool
from evofool.encodings.cppn.removal import with_one_period, without_nodes
from evofool.lab.occlude import covered
from evofool.store.experiment import ExperimentFolder
from evofool.store.records import AblateResult, OccludeResult
from evofool.text import percent

GENOMES = ["cifar10-cppn#cat", "cifar10-cppn#deer"]


@pytest.fixture(scope="session")
def ablated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evofool.ablate(GENOMES, out=tmp_path_factory.mktemp("lab") / "ablate", pairs=8, device="cpu").path


@pytest.fixture(scope="session")
def occluded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evofool.occlude(GENOMES, out=tmp_path_factory.mktemp("lab") / "occlude", device="cpu").path


def test_every_part_can_be_taken_out_and_the_page_shows_what_the_network_saw(opened: Open, ablated: Path) -> None:
    folder = ExperimentFolder.open(ablated)
    found = dict(folder.results(AblateResult))[0]
    genome = folder.genome(folder.subjects[0])
    assert genome is not None
    page = opened(ablated / "index.html")
    open_tile(page, 0)
    whole = canvas(page, "#saw canvas")
    buttons = page.locator("#parts button")
    kinds = {kind: [each for each in found if each["kind"] == kind] for kind in ("node", "period", "pair")}
    assert buttons.count() == sum(map(len, kinds.values())) + 2  # and one copy less, and one copy alone
    drawable = sorted([*kinds["node"], *kinds["period"]], key=lambda each: each["confidence"])
    for number, each in enumerate(drawable):
        if each["kind"] == "node" and number % 4:
            continue  # A click takes a third of a second.
        if each["kind"] == "period":
            batch = with_one_period(genome.genomes, [dict(zip(each["nodes"], each["centres"], strict=True))])
        else:
            batch = without_nodes(genome.genomes, 3, [each["nodes"]])
        buttons.nth(number).click()
        still(page)
        np.testing.assert_array_equal(canvas(page, "#saw canvas"), as_rgb(genome.encoding.decode(batch).numpy())[0])
        assert percent(each["confidence"]) in page.locator("#note").inner_text()
        assert percent(each["confidence"]) in buttons.nth(number).inner_text()
    page.locator("#parts [aria-pressed=true]").click()
    still(page)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), whole)
    assert page.locator("#parts [aria-pressed=true]").count() == 0


def test_copies_of_a_repeated_element_are_shown_as_they_were_scored(opened: Open, ablated: Path) -> None:
    folder = ExperimentFolder.open(ablated)
    alone = [each for each in dict(folder.results(AblateResult))[0] if each["kind"] == "alone"]
    best = next(each for each in alone if each["picture"] is not None)
    page = opened(ablated / "index.html")
    open_tile(page, 0)
    page.locator("#parts button", has_text=f"one copy of {best['copies']}").click()
    page.wait_for_selector("#parts [aria-pressed=true]")
    still(page)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), as_rgb(folder.pictures(0)[best["picture"]][None])[0])


def test_a_place_can_be_covered_by_a_click_and_by_keys(opened: Open, occluded: Path) -> None:
    folder = ExperimentFolder.open(occluded)
    (result,) = dict(folder.results(OccludeResult))[1]
    image = folder.subjects[1].image
    page = opened(occluded / "index.html")
    open_tile(page, 1)
    plan = page.locator("#parts canvas")
    box = plan.bounding_box()
    assert box is not None
    plan.click(position={"x": 0.99 * box["width"], "y": 0.01 * box["height"]})
    still(page)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), as_rgb(covered(image, [(0, 24)], 8, "mean"))[0])
    assert percent(result["left"][0][6]) in page.locator("#note").inner_text()
    plan.press("ArrowDown")
    still(page)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), as_rgb(covered(image, [(4, 24)], 8, "mean"))[0])
    assert percent(result["left"][1][6]) in page.locator("#note").inner_text()


@pytest.mark.parametrize("kind", ["ablated", "occluded"])
def test_it_fits_on_a_phone(kind: str, opened: Open, request: pytest.FixtureRequest) -> None:
    page = opened(request.getfixturevalue(kind) / "index.html", viewport={"width": 375, "height": 812})
    open_tile(page, 0)
    page.locator("#parts").scroll_into_view_if_needed()
    assert overflow(page) == []
