"""Campaigns side by side: what is paired, what is told of it, and which settings differ."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from campaigns import small_attack, write_lines
from configs import campaign_config, edit_config, run_config
from pages import Page, decode
from runs import Capture, json_lines, small_evolve, succeed
from support import tiny_target

from evofool.config.attack import AttackOptions
from evofool.errors import ConfigError, RunError
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.run_page import write_gallery
from evofool.gallery.pages.settings import differing_settings, settings_rows
from evofool.store.campaign import CampaignFolder
from evofool.targets.fingerprint import tensors_digest

IMAGES = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign whose attempts have all succeeded, as its records say; read only."""
    out = tmp_path_factory.mktemp("comparison") / "made"
    small_attack(out, count=IMAGES, pixels=3, queries=20)
    lines = json_lines(out / "outcomes.jsonl")
    for line in lines:
        line.update(success=True, queries_to_success=line["queries_to_success"] or line["queries"])
    write_lines(out, "outcomes.jsonl", lines)
    return out


def copy(made: Path, path: Path, lost: range) -> Path:
    """A campaign with the same attempts, some of which were lost."""
    shutil.copytree(made, path)
    lines = json_lines(path / "outcomes.jsonl")
    for line in lines:
        if line["image"] in lost:
            line.update(success=False, queries_to_success=None)
    write_lines(path, "outcomes.jsonl", lines)
    return path


@pytest.fixture
def pair(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two campaigns: 8 attempts are won only by the first, 1 only by the second, 5 by neither, 10 by both."""
    return copy(made, tmp_path / "with", range(6)), copy(made, tmp_path / "without", range(1, 14))


def page_of(*campaigns: Path, out: Path) -> Page:
    page = Page(write_report(campaigns, out).file.read_text(encoding="utf-8"))
    assert page.problems == []
    return page


def test_eight_against_one_decide_where_the_rates_intervals_overlap(pair: tuple[Path, Path], tmp_path: Path) -> None:
    page = page_of(*pair, out=tmp_path / "both.html")
    assert page.facts == {
        "Difference": "−29.2 points",
        "Exact McNemar test": "p = 0.039",
        "Won by both": "10",
        "Won by neither": "5",
    }
    assert (
        "On the 24 attempts that both ran, with won 75.0 % and without 45.8 %. 9 attempts had another end: "
        in page.words
    )
    assert "8 won only by with, 1 only by without. " in page.words
    assert "chance makes that at least as uneven in 3.9 % of cases" in page.words
    low, high = map(float, re.search(r"95 % interval (\S+) to (\S+)", page.words.replace("−", "-")).groups())
    assert low < -29.2 < high < 0


def test_the_images_that_changed_are_shown(pair: tuple[Path, Path], tmp_path: Path) -> None:
    page, subjects = page_of(*pair, out=tmp_path / "both.html"), CampaignFolder.open(pair[0]).subjects
    assert page.of("h3") == ["Won only by with", "Won only by without"]
    shown = [decode(source) for source in page.sources[::3]]
    expected = [subjects[index].image for index in (*range(6, 14), 0)]
    assert len(shown) == len(expected) == 9
    assert all(any(np.array_equal(image, other) for other in shown) for image in expected)
    np.testing.assert_array_equal(shown[-1], subjects[0].image)
    assert sum("without: still " in text for text in page.of("p")) == 8
    assert sum("with: still " in text for text in page.of("p")) == 1


def test_a_report_in_json_has_the_paired_figures(
    pair: tuple[Path, Path], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = json.loads(succeed(capsys, "report", *pair, "--json").out)
    assert answer["report"] == "campaigns.html"
    assert (tmp_path / "campaigns.html").is_file()
    assert [campaign["successes"] for campaign in answer["campaigns"]] == [18, 11]
    (comparison,) = answer["comparisons"]
    assert (comparison["both"], comparison["only_first"], comparison["only_second"], comparison["neither"]) == (
        10,
        8,
        1,
        5,
    )
    assert comparison["mcnemar_p"] == pytest.approx(0.0390625)
    assert comparison["difference"] == pytest.approx(-7 / 24)
    assert len(comparison["images_only_first"]) == 8
    assert len(comparison["images_only_second"]) == 1
    assert answer["differing_settings"] == {}


def test_what_looks_wrong_with_the_labels_of_one_campaign_is_told(
    pair: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    edit_config(pair[1], {"data.labelled": True, "data.looked": 100, "data.correct": 6})
    answer = json.loads(succeed(capsys, "report", *pair, "--out", tmp_path / "both.html", "--json").out)
    first, second = (campaign["warnings"] for campaign in answer["campaigns"])
    assert first == []
    assert f"Warning, without: {second[0]}." in page_of(*pair, out=tmp_path / "both.html").words


def test_a_report_of_one_campaign_has_json_too(pair: tuple[Path, Path], capsys: Capture) -> None:
    answer = json.loads(succeed(capsys, "report", pair[0], "--json").out)
    assert answer["report"] == str(pair[0] / "report.html")
    assert answer["campaigns"][0]["successes"] == 18
    assert answer["comparisons"] == []


def test_the_page_of_several_is_in_no_campaign_s_folder(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert write_report(pair).file == Path("campaigns.html")
    assert [file.name for file in (tmp_path / "here").iterdir()] == ["campaigns.html"]
    assert not any((campaign / "campaigns.html").exists() for campaign in pair)


def test_counts_have_commas_and_exports_are_no_setting() -> None:
    exported = campaign_config({"queries": 2000, "seed": 2000}, options=AttackOptions(export=True))
    configs = [exported, campaign_config()]
    rows = dict(settings_rows(configs))
    assert rows["seed"][0] == "2000"
    assert "2,000" in {value for values in rows.values() for value in values}
    assert not any("export" in name for name in rows)


def test_no_line_of_a_comparison_ends_before_a_per_cent_sign(pair: tuple[Path, Path], tmp_path: Path) -> None:
    html = write_report(pair, tmp_path / "both.html").file.read_text(encoding="utf-8")
    told = re.sub(r"<(svg|style|figcaption)[\s\S]*?</\1>", "", html)
    assert not re.search(r".{20}\d %.{20}", told)


def test_a_campaign_is_not_compared_with_itself(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "both.html"
    for again in (pair[0], pair[0] / ".." / pair[0].name):
        with pytest.raises(ConfigError, match="is given twice; a page compares different ones"):
            write_report([pair[0], pair[1], again], out)
    assert not out.exists()


def test_a_gallery_of_a_run_beside_a_campaign_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    run = small_evolve(tmp_path / "run", generations=1, gallery=False).run
    with pytest.raises(RunError, match=r"with is a campaign, .* its page is written by: evofool report .*with$"):
        write_gallery([run, pair[0]], tmp_path / "both.html")
    assert write_gallery(pair, tmp_path / "both.html").is_file()


def test_labels_of_curves_tell_numbered_folders_apart(made: Path, tmp_path: Path) -> None:
    folders = [copy(made, tmp_path / f"attack-digits-{number:03d}", range(number)) for number in (1, 2)]
    labels = re.findall(r'class="label [^>]*>([^<]*)<', write_report(folders, tmp_path / "a.html").file.read_text())
    assert [label.split()[0] for label in labels[:2]] != ["attack-digits…"] * 2
    assert {label.split()[0][-3:] for label in labels} == {"001", "002"}


def test_attempts_on_images_that_one_target_gets_wrong_are_no_pairs(pair: tuple[Path, Path], tmp_path: Path) -> None:
    lines = json_lines(pair[1] / "outcomes.jsonl")
    for line in lines:
        if line["image"] < 3:
            line["prediction"] = (line["label"] + 1) % 4
    write_lines(pair[1], "outcomes.jsonl", lines)
    (comparison,) = write_report(pair, tmp_path / "both.html").figures()["comparisons"]
    assert comparison["attempts"] == IMAGES - 3


def test_campaigns_without_a_common_image_are_told_apart(made: Path, tmp_path: Path) -> None:
    small_attack(tmp_path / "other", target=tiny_target(), count=4, pixels=3, queries=20)
    shutil.copytree(made, tmp_path / "one")
    lines = json_lines(tmp_path / "one" / "images.jsonl")
    own = {line["sha256"] for line in json_lines(tmp_path / "other" / "images.jsonl")}
    kept = [line for line in json_lines(tmp_path / "one" / "outcomes.jsonl") if line["sha256"] not in own]
    assert 0 < len(kept) < len(lines)
    write_lines(tmp_path / "one", "outcomes.jsonl", kept)
    page = page_of(tmp_path / "one", tmp_path / "other", out=tmp_path / "both.html")
    assert "No attempt was run by both: they share no image." in page.words
    assert page.facts == {}


def test_the_same_images_with_other_criteria_are_no_pairs(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "targeted")
    lines = json_lines(tmp_path / "targeted" / "outcomes.jsonl")
    for line in lines:
        line.update(criterion_index=(line["label"] + 1) % 4)
    write_lines(tmp_path / "targeted", "outcomes.jsonl", lines)
    page = page_of(made, tmp_path / "targeted", out=tmp_path / "both.html")
    assert f"No attempt was run by both: they share {IMAGES} images, with other criteria." in page.words


def test_an_attempt_that_another_number_of_pixels_follows_is_not_lost_yet(made: Path, tmp_path: Path) -> None:
    path = copy(made, tmp_path / "auto", range(24))
    edit_config(path, {"plan.pixels": [3, 4]})
    write_lines(path, "outcomes.jsonl", json_lines(path / "outcomes.jsonl"))
    write_lines(path, "images.jsonl", json_lines(path / "images.jsonl"))
    (comparison,) = write_report([made, path], tmp_path / "both.html").figures()["comparisons"]
    assert comparison["attempts"] == 0


def test_campaigns_of_the_same_name_are_told_by_their_paths(pair: tuple[Path, Path], tmp_path: Path) -> None:
    twin = Path(shutil.copytree(pair[0], tmp_path / "elsewhere" / "with"))
    page = page_of(pair[0], twin, out=tmp_path / "both.html")
    assert page.of("bdi")[:2] == [f"{tmp_path.name}/with", "elsewhere/with"]
    assert "They won the same ones." in page.words


def test_settings_that_differ_are_named_and_no_others() -> None:
    first = campaign_config({"queries": 150}, {"precision": "float32"})
    second = campaign_config({"queries": None}, {"precision": "bfloat16"}, versions={"evofool": "0.6.0"})
    assert differing_settings([first, second]) == {
        "queries": [150, None],
        "precision": ["float32", "bfloat16"],
        "version of evofool": ["0.5.0", "0.6.0"],
    }
    assert settings_rows([first, second])[1] == ("most queries of an attempt", ["150", "–"])
    assert differing_settings([first, first]) == {}


def test_settings_of_runs_that_differ_are_named() -> None:
    runs = [run_config({"seed": seed, "batch": batch}) for seed, batch in ((0, 20), (1, 20), (2, 40))]
    assert differing_settings(runs) == {"batch": [20, 20, 40], "seed": [0, 1, 2]}


def test_operators_that_one_job_swapped_are_named() -> None:
    name = f"my_package.my_operators:{'select_the_weakest_' * 5}of_all(k=3)"
    runs = [run_config(), run_config(swapped={"select": name}), run_config(swapped={"select_unsure": "a:b"})]
    assert settings_rows(runs) == [
        ("operator select", ["evofool's own", name, "evofool's own"]),
        ("operator select_unsure", ["evofool's own", "evofool's own", "a:b"]),
    ]


def test_settings_have_plain_names() -> None:
    other = campaign_config(
        {"queries": 151}, {"fold": True, "weights_sha256": "c" * 64}, {"looked": 9, "skipped": {"a.txt": "no image"}}
    )
    assert {label for label, _ in settings_rows([campaign_config(), other])} == {
        "weights (SHA-256)", "layers joined", "images looked at", "files left out",
        "most queries of an attempt",
    }  # fmt: skip


def test_what_no_job_has_is_no_row() -> None:
    runs = [run_config(target={"spare_tensors": names, "weights": None}) for names in ((), None)]
    assert differing_settings(runs)
    assert settings_rows(runs) == []


def test_lists_and_check_sums_that_are_cut_still_differ() -> None:
    names = [f"class number {number}" for number in range(40)]
    first, second = (
        run_config(target={"class_names": (*names[:39], last), "classes": 40, "weights_sha256": digit * 64})
        for last, digit in (("ferret", "a"), ("weasel", "b"))
    )
    rows = dict(settings_rows([first, second]))
    assert rows["class names"] == ["…, ferret", "…, weasel"]
    assert rows["weights (SHA-256)"] == [f"{digit * 16}…" for digit in "ab"]


def test_two_networks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """As before and after a training."""
    after = tiny_target()
    with torch.no_grad():
        next(after.network.parameters()).mul_(1.001)
    for name, target in (("before", tiny_target()), ("after", after)):
        small_attack(tmp_path / name, target=target)
    digests = [tensors_digest(target.network) for target in (tiny_target(), after)]
    page = page_of(tmp_path / "before", tmp_path / "after", out=tmp_path / "both.html")
    assert f"weights (SHA-256) {digests[0][:16]}… {digests[1][:16]}…" in page.words
    assert "target tiny" not in page.words  # it is not the same in both


@pytest.mark.parametrize(("fingerprint", "known"), [(None, False), ("v1", True)])
def test_targets_that_say_nothing_of_themselves_are_not_called_the_same(
    fingerprint: str | None, known: bool, made: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        shutil.copytree(made, tmp_path / name)
        edit_config(tmp_path / name, {"target.weights_sha256": None, "target.fingerprint": fingerprint})
        lines = json_lines(made / "outcomes.jsonl"), json_lines(made / "images.jsonl")
        for file, content in zip(("outcomes.jsonl", "images.jsonl"), lines, strict=True):
            write_lines(tmp_path / name, file, content)
    page = page_of(tmp_path / "a", tmp_path / "b", out=tmp_path / "both.html")
    assert ("target tiny (v1)" in page.words) == known
    assert ("target tiny (not identified)" in page.words) != known
    assert ("their target does not say what tells it from others of its name" in page.words) != known
