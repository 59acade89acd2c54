"""A campaign's report: a well-formed page that runs and loads nothing, and tells what was done."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
from pathlib import Path

import numpy as np
from campaign_pages import HOSTILE, outcomes, own_target, page_of, pictures, rewrite
from configs import edit_config
from pages import Page, decode, parts, xml
from support import tiny_target

import evofool
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.examples import MAX_EXAMPLES
from evofool.gallery.pages.successes import ranked
from evofool.store.campaign import CampaignFolder


def test_a_page_is_well_formed_and_loads_nothing(finished: Path) -> None:
    page = page_of(finished)
    assert page.tags["script"] == page.tags["link"] == 0
    assert page.tags["title"] == page.tags["h1"] == page.tags["main"] == 1
    assert len(page.sources) == page.tags["img"] > 0
    html = (finished / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"[a-z]+://[^\s\"'<>]*", html)) == {"http://www.w3.org/2000/svg"}


def test_names_out_for_mischief_are_only_told(hostile: Path) -> None:
    page = page_of(hostile)
    occurring = {outcome["class"] for outcome in outcomes(hostile) if outcome["success"]}
    assert len(occurring) > 2
    captions = " ".join(page.of("b"))
    assert [name for name in occurring if name not in captions] == []
    assert "<script>target</script>" in page.of("title")[0]
    assert "<i>data&amp;" in page.words
    assert "<img src=y>.png" in page.of("code")
    alternatives = {attributes["alt"] for tag, attributes in page.attributes if tag == "img"}
    assert {f"{name}, as it is" for name in occurring} <= alternatives


def test_plots_with_hostile_names_are_xml(hostile: Path) -> None:
    for file in (hostile / "plots").iterdir():
        xml(file.read_text(encoding="utf-8"))
    names = {text["text"] for text in parts(xml((hostile / "plots" / "classes.svg").read_text("utf-8")), "text")}
    assert {name if len(name) <= 16 else name[:15] + "…" for name in HOSTILE} <= names


def test_a_comparison_of_hostile_campaigns_is_well_formed(hostile: Path, finished: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(hostile, tmp_path / hostile.name))
    html = write_report([hostile, finished, again], tmp_path / "both.html").file.read_text(encoding="utf-8")
    page = Page(html)
    assert page.problems == []
    assert page.of("bdi")[:2] == ['x" onload="1/campaign', f"{finished.parent.name}/campaign"]
    assert "<script>target</script>" in page.of("td")
    local = [outcome for outcome in outcomes(hostile) if outcome["strategy"] == "local"]
    words = [text for text in page.of("p") if "that both ran" in text][-1]  # the hostile one with itself
    assert f"On the {len(local)} attempts that both ran, " in words
    assert "They won the same ones." in words


def test_the_command_on_the_page_can_be_copied(hostile: Path, finished: Path) -> None:
    config = json.loads((hostile / "config.json").read_text())
    call = page_of(hostile).of("code")[0]
    assert call.startswith(f"evofool.attack(target, {config['data']['path']!r}, count=")
    assert "pixels=6, " in call
    assert call.endswith("baseline=True, out=…)")
    assert "pixels='auto', max_pixels=2, criterion='all'" in page_of(finished).of("code")[0]


def test_a_page_says_which_network_data_and_budget_it_is_of(finished: Path) -> None:
    config = json.loads((finished / "config.json").read_text())
    assert config["data"]["path"] == str(finished.parent / "pictures")
    words = " ".join(page_of(finished).of("p"))
    assert f"target {config['target']['name']} ({config['target']['weights_sha256'][:8]}), " in words
    assert "normalised by mean 0.5, 0.5, 0.5 and std 0.25, 0.25, 0.25" in words
    assert "at most 60 queries an attempt" in words
    assert config["data"]["path"] in words


def test_the_command_for_a_named_target_is_one_for_the_shell(tmp_path: Path) -> None:
    evofool.attack(
        "digits", "digits", out=tmp_path / "a b", count=2, queries=20, criterion="3", device="cpu", first=True
    )
    words = shlex.split(page_of(tmp_path / "a b").of("code")[0])
    assert words[:6] == ["evofool", "attack", "--target", "digits", "--data", "digits"]
    assert words[words.index("--criterion") + 1] == "3"
    assert words[-1] == "--first"


def test_the_title_of_a_campaign_with_several_criteria_counts_pairs(hostile: Path) -> None:
    assert "pairs of image and criterion reached with" in page_of(hostile).of("title")[0]
    assert "fooled by" not in page_of(hostile).of("title")[0]


def test_a_campaign_without_a_success_has_a_page(tmp_path: Path) -> None:
    out = tmp_path / "campaign"
    result = evofool.attack(tiny_target(), pictures(tmp_path / "pictures", 3), out=out, count=3, queries=1)
    assert result.statistics.successes == 0
    page = page_of(out)
    assert page.of("b")[0] == "0 of 3"
    assert page.facts["Success rate"] == "0 %"
    assert page.facts["Queries to a success"] == "–"
    assert "No attempt was won" in page.words
    assert page.tags["img"] == 0
    assert [file.name for file in (out / "plots").iterdir()] == ["success.svg"]


def test_a_campaign_interrupted_at_once_has_a_page(tmp_path: Path) -> None:
    out = tmp_path / "campaign"
    result = evofool.attack(
        tiny_target(), pictures(tmp_path / "pictures", 3), out=out, count=3, criterion="all", strategy="corners",
        baseline=True, observer=lambda _: signal.raise_signal(signal.SIGINT),
    )  # fmt: skip
    assert result.interrupted
    assert not (out / "outcomes.jsonl").exists()
    page = page_of(out)
    assert page.of("b")[0] == "0 of 9"
    assert "9 attempts have not ended" in page.words
    assert page.facts["Queries an attempt"] == "–"
    assert (out / "outcomes.csv").read_text(encoding="utf-8").count("\n") == 1


def test_a_page_written_anew_follows_the_outcomes(campaign: Path) -> None:
    rewrite(campaign, [outcome for outcome in outcomes(campaign) if not outcome["success"]])
    write_report([campaign])
    page = page_of(campaign)
    assert page.tags["svg"] == 2  # the curve for wide screens, and for narrow ones
    assert "No attempt was won" in page.words


def test_the_images_of_a_page_are_those_of_the_campaign(finished: Path) -> None:
    page, subjects = page_of(finished), CampaignFolder.open(finished).subjects
    shown = ranked([outcome for outcome in outcomes(finished) if outcome["success"]])
    for outcome, source in zip(shown[:MAX_EXAMPLES], page.sources[::3], strict=True):
        np.testing.assert_array_equal(decode(source), subjects[outcome["image"]].image)


def test_the_same_outcomes_give_the_same_bytes(campaign: Path) -> None:
    made = {name: (campaign / name).read_bytes() for name in ("report.html", "outcomes.csv", "plots/classes.svg")}
    write_report([campaign])
    assert {name: (campaign / name).read_bytes() for name in made} == made


def test_numbers_of_thousands_have_commas_and_no_other_signs(campaign: Path) -> None:
    attempts = outcomes(campaign)
    for outcome in attempts:
        outcome["queries"] *= 1000
    rewrite(campaign, attempts)
    write_report([campaign])
    assert page_of(campaign).facts["Queries in all"] == f"{sum(outcome['queries'] for outcome in attempts):,}"


def test_options_of_the_data_are_told(campaign: Path) -> None:
    skipped = {f"file {index}.png": "cannot be read" for index in range(1234)}
    edit_config(campaign, {"options.first": True, "options.include_misclassified": True, "data.skipped": skipped})
    write_report([campaign])
    page = page_of(campaign)
    assert page.of("code")[0].endswith(", first=True, include_misclassified=True, out=…)")
    assert "1,234 files were left out" in page.words
    assert page.tags["li"] == 50


def test_what_looks_wrong_with_the_labels_is_said_first(campaign: Path) -> None:
    edit_config(campaign, {"data.labelled": True, "data.looked": 100, "data.correct": 6})
    write_report([campaign])
    assert "Warning: only 6 of 100 images looked at" in page_of(campaign).words
    assert "Warning: only 6 of 100 images looked at" in (campaign / "index.html").read_text(encoding="utf-8")


def test_what_the_names_in_the_data_were_taken_for_is_listed(campaign: Path) -> None:
    edit_config(campaign, {"data.mapping": [["<b>Katze", 1], ["Hund", 0]], "data.reason": "no name is a class's"})
    write_report([campaign])
    page, classes = page_of(campaign), CampaignFolder.open(campaign).config.classes
    assert f"Labels: no name is a class's: <b>Katze → {classes[1]}, Hund → {classes[0]}." in page.words


def test_every_success_has_its_picture_whatever_classes_are_called(tmp_path: Path) -> None:
    out = tmp_path / "campaign"
    target = own_target(["crane", "crane.", "猫", "犬"])
    evofool.attack(
        target,
        pictures(tmp_path / "pictures", 6),
        out=out,
        count=6,
        pixels=8,
        queries=300,
        criterion="all",
        export=True,
    )
    won = sum(outcome["success"] for outcome in outcomes(out))
    assert len(list((out / "adversarial").rglob("*.png"))) == won
