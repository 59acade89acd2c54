"""A campaign's report: a well-formed page that runs and loads nothing, whose numbers are those of the outcomes."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import write_lines
from configs import edit_config
from pages import Page, decode, parts, xml
from PIL import Image
from runs import json_lines
from support import random_images, tiny_network, tiny_target

import evofool
from evofool import Target
from evofool.attacks.outcome import Outcome
from evofool.errors import ConfigError
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.examples import MAX_EXAMPLES
from evofool.gallery.pages.findings import read_findings
from evofool.gallery.pages.successes import ranked
from evofool.gallery.prints.plots import MAX_CLASSES
from evofool.store.campaign import CampaignFolder

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=1>',
    "مرحبا بالعالم\u202e",
    "🦊🐈",
    "w" * 300,
    "a & b &amp; 'c' <!-- d",
    "]]></style>",
    "",
]


def own_target(classes: list[str], shape: tuple[int, int, int] = (3, 8, 8), name: str = "tiny") -> Target:
    """A seeded network of random weights with these classes."""
    return Target(
        tiny_network(shape[0], len(classes), shape[1]),
        classes=classes, image_shape=shape, mean=0.5, std=0.25, name=name, device="cpu", precision="float32",
    )  # fmt: skip


def pictures(folder: Path, n: int, shape: tuple[int, int, int] = (3, 8, 8)) -> Path:
    """A folder of unlabelled pictures of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(random_images(n, shape).numpy()):
        Image.fromarray(pixels.transpose(1, 2, 0) if shape[0] == 3 else pixels[0]).save(folder / f"{index:03d}.png")
    return folder


def page_of(campaign: Path) -> Page:
    page = Page((campaign / "report.html").read_text(encoding="utf-8"))
    assert page.problems == []
    return page


def outcomes(campaign: Path) -> list[Outcome]:
    return json_lines(campaign / "outcomes.jsonl")


def rewrite(campaign: Path, lines: list[Outcome]) -> None:
    write_lines(campaign, "outcomes.jsonl", lines)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Up to two pixels against 16 noisy pictures and four classes, every other class in turn; read only."""
    place = tmp_path_factory.mktemp("page")
    evofool.attack(
        tiny_target(), pictures(place / "pictures", 16), out=place / "campaign", count=16, criterion="all",
        pixels="auto", max_pixels=2, queries=60,
    )  # fmt: skip
    return place / "campaign"


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "campaign"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign in which every name that a user gives is out for mischief."""
    place = tmp_path_factory.mktemp("hostile") / "<b>a & b" / 'x" onload="1'
    data = pictures(place / "<i>data&amp;", 12)
    (data / "<img src=y>.png").write_text("no picture")
    target = own_target(HOSTILE, name="<script>target</script>")
    evofool.attack(
        target, data, out=place / "campaign", count=12, pixels=6, queries=200, criterion="all", baseline=True
    )
    return place / "campaign"


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
