"""The numbers, plots and tables of a campaign's report are those of its outcomes."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaign_pages import HOSTILE, outcomes, own_target, page_of, pictures, rewrite
from pages import parts, xml
from support import random_images, tiny_target

import evofool
from evofool.errors import ConfigError
from evofool.gallery.pages.findings import read_findings
from evofool.gallery.prints.plots import MAX_CLASSES
from evofool.store.campaign import CampaignFolder


def test_the_queries_of_random_search_are_told_apart(hostile: Path) -> None:
    attempts = outcomes(hostile)
    random = sum(outcome["queries"] for outcome in attempts if outcome["strategy"] == "random")
    page = page_of(hostile)
    assert 0 < random < sum(outcome["queries"] for outcome in attempts)
    assert page.facts["Queries in all"] == f"{sum(outcome['queries'] for outcome in attempts) - random:,}"
    assert f"every scored image, random search's {random:,} left out" in page.words.replace("\u00a0", " ")


def test_the_head_counts_pairs_once(finished: Path) -> None:
    page, attempts = page_of(finished), outcomes(finished)
    won = [outcome for outcome in attempts if outcome["success"]]
    pairs = {(outcome["image"], outcome["criterion_index"]) for outcome in attempts}
    assert len(pairs) == 48 < len(attempts)
    assert 0 < len(won) < 48
    assert page.of("h1")[0].startswith(" pairs of image and criterion reach the class")
    assert page.of("h1")[0].endswith("when up to 2 pixels may be changed")
    assert page.of("b")[0] == f"{len(won)} of 48"
    queries = sum(outcome["queries"] for outcome in attempts)
    assert page.facts["Success rate"] == f"{100 * len(won) / 48:.1f} %"
    assert page.facts["Queries in all"] == f"{queries:,}"
    assert page.facts["Queries an attempt"] == f"{queries / 48:,.1f}".removesuffix(".0")
    first = {v["image"]: {} for v in attempts}
    for outcome in attempts:
        if outcome["pixels"] == 1 and not outcome["success"]:
            first[outcome["image"]][outcome["criterion_index"]] = outcome["queries"]
    spent = [first[v["image"]].get(v["criterion_index"], 0) + v["queries_to_success"] for v in won]
    assert page.facts["Queries to a success"] == f"{np.median(spent):,.1f}".removesuffix(".0")
    assert not page.facts.keys() & {"Random search", "Wrong before"}


def numbers(campaign: Path, plot: str, **wanted: Any) -> list[str]:
    """The texts of a plot that stand in the middle of something and are not faint."""
    texts = parts(xml((campaign / "plots" / f"{plot}.svg").read_text(encoding="utf-8")), "text")
    return [t["text"] for t in texts if t["text-anchor"] == "middle" and "faint" not in t.get("class", "")]


def test_the_figures_show_the_numbers_of_the_outcomes(finished: Path) -> None:
    won = [outcome for outcome in outcomes(finished) if outcome["success"]]
    became = Counter((outcome["label"], outcome["final_index"]) for outcome in won)
    assert list(map(int, numbers(finished, "classes"))) == [became[pair] for pair in sorted(became)]
    by_pixels = Counter(outcome["pixels"] for outcome in won)
    assert list(map(int, numbers(finished, "pixels"))) == [by_pixels[k] for k in sorted(by_pixels)]
    of_image = Counter(outcome["image"] for outcome in won)
    reached = Counter(of_image[image] for image in range(16))
    assert list(map(int, numbers(finished, "targets"))) == [reached[n] for n in sorted(reached)]
    dots = parts(xml((finished / "plots" / "confidence.svg").read_text(encoding="utf-8")), "circle")
    assert len(dots) == len(won)
    colours = parts(xml((finished / "plots" / "colours.svg").read_text(encoding="utf-8")), "text")[0]["text"]
    assert colours.startswith(f"{sum(len(outcome['edits']) for outcome in won)} pixels;")
    places = Counter((edit["x"], edit["y"]) for outcome in won for edit in outcome["edits"])
    figure = xml((finished / "plots" / "places.svg").read_text(encoding="utf-8"))
    assert len(parts(figure, "rect", "cell")) == len(places)
    assert parts(figure, "text")[0]["text"].endswith(f"darkest: {max(places.values())}")


def test_the_page_holds_the_plots_that_lie_beside_it(finished: Path) -> None:
    html = (finished / "report.html").read_text(encoding="utf-8")
    names = {"success", "classes", "targets", "pixels", "places", "colours", "confidence"}
    assert {file.name for file in (finished / "plots").iterdir()} == {f"{name}.svg" for name in names}
    for name in names:
        svg = (finished / "plots" / f"{name}.svg").read_text(encoding="utf-8")
        marks = svg.split('fill="#fff"/>', 1)[1].strip()
        assert marks in html


def test_the_table_is_the_outcomes(hostile: Path) -> None:
    with open(hostile / "outcomes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    attempts = outcomes(hostile)
    assert len(rows) == len(attempts)
    for row, outcome in zip(rows, attempts, strict=True):
        for column in row.keys() - {"edits", "final_confidence"}:
            value = outcome[column]
            assert row[column] == ("" if value is None else str(value)), column
        assert float(row["final_confidence"]) == outcome["top5"][0][1]
        edits = [list(map(int, edit.split(":"))) for edit in row["edits"].split(";")]
        assert edits == [[edit["x"], edit["y"], *edit["colour"]] for edit in outcome["edits"]]


def test_random_search_is_told_beside_the_campaign_s_own_numbers(hostile: Path) -> None:
    page = page_of(hostile)
    random = [outcome for outcome in outcomes(hostile) if outcome["strategy"] == "random"]
    local = [outcome for outcome in outcomes(hostile) if outcome["strategy"] == "local"]
    assert len(random) == len(local) == 12 * (len(HOSTILE) - 1)
    assert page.facts["Random search"] == f"{100 * sum(v['success'] for v in random) / len(random):.1f} %"
    assert page.of("b")[0] == f"{sum(v['success'] for v in local)} of {len(local)}"
    assert [kind for tag, a in page.attributes if "dash" in (kind := a.get("class", "")).split()] == ["line z dash"] * 2


def test_images_that_were_wrong_before_are_told_apart(tmp_path: Path) -> None:
    target, images = tiny_target(), random_images(6)
    labels = target.confirm(images).argmax(1).numpy()
    labels[:2] = (labels[:2] + 1) % 4
    np.savez(tmp_path / "set.npz", images=images.numpy(), labels=labels)
    out = tmp_path / "campaign"
    evofool.attack(target, tmp_path / "set.npz", out=out, pixels=4, queries=90, include_misclassified=True, count=6)
    page = page_of(out)
    assert page.facts["Wrong before"] == "2"
    assert page.of("b")[0].endswith(" of 4")
    assert "Of 6 images looked at, the target classifies 4 correctly; 6 were attacked." in page.words


def test_a_thousand_classes_give_a_heat_map_of_few(tmp_path: Path) -> None:
    target = own_target([f"class {index}" for index in range(1000)])
    out = tmp_path / "campaign"
    evofool.attack(target, pictures(tmp_path / "pictures", 40), out=out, count=40, pixels=12, queries=200)
    won = [outcome for outcome in outcomes(out) if outcome["success"]]
    assert len({index for v in won for index in (v["label"], v["final_index"])}) > MAX_CLASSES
    page_of(out)
    figure = xml((out / "plots" / "classes.svg").read_text(encoding="utf-8"))
    assert len(parts(figure, "rect", "cell")) + len(parts(figure, "rect", "blank")) == MAX_CLASSES**2
    assert (out / "report.html").stat().st_size < 8_000_000


def test_edits_that_change_nothing_are_in_no_figure(campaign: Path) -> None:
    attempts, subjects = outcomes(campaign), CampaignFolder.open(campaign).subjects
    outcome = next(v for v in attempts if v["success"] and v["pixels"] == 2)
    idle = outcome["edits"][1]
    idle["colour"] = subjects[outcome["image"]].image[:, idle["y"], idle["x"]].tolist()
    outcome["l0"] = 1
    rewrite(campaign, attempts)
    assert idle not in read_findings(campaign).edits


def test_random_search_has_no_baseline_beside_it(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "pictures", 4), tmp_path / "campaign"
    with pytest.raises(ConfigError, match="leave `baseline` out"):
        evofool.attack(tiny_target(), data, out=out, count=4, strategy="random", baseline=True)
    assert not out.exists()
