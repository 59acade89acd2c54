"""`evofool attack` when all is well: what a campaign writes, prints and records, on the embedded digits."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from runs import Capture, Feedback, json_lines, run_cli, tree

from evofool.attacks.outcome import Outcome
from evofool.datasets.named import digits
from evofool.jobs import campaign as campaigning
from evofool.jobs.inspect import score_files
from evofool.store.campaign import CampaignFolder

ATTACK = ["attack", "--device", "cpu", "--count", "6", "--pixels", "3", "--queries", "300"]
"""six digits, nearly all of which fall; options that follow go before these"""

KEYS = {
    "campaign", "report", "target", "data", "images", "criterion", "pixels", "strategy", "seed", "attempts", "settled",
    "successes", "failures", "already", "rate", "interval95", "queries", "mean_queries", "median_queries_to_success",
    "p90_queries_to_success", "by_pixels", "baseline", "interrupted",
}  # fmt: skip

FACTS = KEYS - {"campaign", "report", "interrupted"} | {"campaign", "finished", "weights_sha256", "versions"}


def succeed(capsys: Capture, *words: object) -> Feedback:
    outcome = run_cli(capsys, *words)
    assert outcome.code == 0, outcome.err
    return outcome


def told(capsys: Capture, out: Path, *options: object) -> dict[str, Any]:
    """What an attack with these options prints as JSON."""
    answer: dict[str, Any] = json.loads(succeed(capsys, *ATTACK, *options, "--out", out, "--json").out)
    return answer


def outcomes(campaign: Path) -> list[Outcome]:
    return json_lines(campaign / "outcomes.jsonl")


def config(campaign: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((campaign / "config.json").read_text(encoding="utf-8"))
    return found


def lines(campaign: Path) -> list[str]:
    """The outcomes' lines, sorted: the order in which attempts end is left open."""
    return sorted((campaign / "outcomes.jsonl").read_text(encoding="utf-8").splitlines())


def rows(shown: str) -> dict[str, str]:
    """Names and values that a summary tells, two spaces in."""
    found = [line.strip().split("  ", 1) for line in shown.splitlines() if line.startswith("  ")]
    return {pair[0]: pair[1].strip() for pair in found if len(pair) == 2}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of three pixels against six digits, with its images exported; read only."""
    path = tmp_path_factory.mktemp("attack") / "campaign"
    campaigning.attack(out=path, count=6, pixels=3, queries=300, device="cpu", export=True)
    return path


def test_attack_writes_a_campaign_and_names_its_paths(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    outcome = succeed(capsys, *ATTACK, "--out", out)
    assert outcome.err == ""
    assert {"config.json", "images.npy", "images.jsonl", "outcomes.jsonl", "outcomes.csv", "report.html"} < tree(
        out
    ).keys()
    assert not (out / "adversarial").exists()
    assert not (out / "adversarial.npz").exists()
    assert "done: digits, untargeted, local" in outcome.out.splitlines()
    summary = rows(outcome.out)
    won = sum(outcome["success"] for outcome in outcomes(out))
    assert summary["success"].startswith(f"{won} of 6: ")
    assert summary["report"] == f"{out}/report.html"
    assert summary["campaign"] == str(out)
    assert "go on" not in summary
    assert "random" not in summary
    assert "wrong before" not in summary


def test_the_defaults_are_one_pixel_of_digits_with_local_search(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    succeed(capsys, "attack", "--count", 2, "--out", out, "--quiet")
    found = config(out)
    expected = {
        "criterion": "untargeted", "criteria": [None], "pixels": [1], "strategy": "local", "queries": None, "seed": 0,
        "baseline": False, "export": False, "evofool": "attack",
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert (found["target"]["name"], found["data"]["name"]) == ("digits", "digits")
    assert (found["data"]["first"], found["data"]["include_misclassified"]) == (False, False)
    spent = [outcome["queries"] for outcome in outcomes(out)]
    assert 300 < max(spent) <= 2_000  # the strategy's own budget


def test_a_hundred_images_are_the_default_ten_of_each_digit(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    succeed(capsys, "attack", "--queries", 20, "--pixels", 3, "--out", out, "--quiet")
    assert Counter(line["class"] for line in json_lines(out / "images.jsonl")) == dict.fromkeys("0123456789", 10)
    assert len(outcomes(out)) == 100


def test_without_out_campaigns_land_in_numbered_folders_under_outputs(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = [*ATTACK, "--count", 2, "--quiet"]
    succeed(capsys, *small)
    succeed(capsys, *small)
    np.savez("my set.npz", images=digits(train=False)[0][:, 0], labels=digits(train=False)[1])
    succeed(capsys, *small, "--target", "digits", "--data", "my set.npz")
    assert sorted(os.listdir("outputs")) == ["attack-digits-001", "attack-digits-002", "attack-digits-003"]


def test_json_is_one_object_on_standard_output(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    outcome = succeed(capsys, *ATTACK, "--seed", 7, "--out", out, "--json")
    assert outcome.out.count("\n") == 1
    assert outcome.err.startswith("attempts ")  # the progress is not in its way
    answer = json.loads(outcome.out)
    assert answer.keys() >= KEYS
    known = {
        "campaign": str(out), "report": str(out / "report.html"), "target": "digits", "data": "digits", "images": 6,
        "criterion": "untargeted", "pixels": [3], "strategy": "local", "seed": 7, "attempts": 6, "baseline": None,
        "interrupted": False,
    }  # fmt: skip
    assert {key: answer[key] for key in known} == known


def test_the_figures_are_those_of_the_outcomes(tmp_path: Path, capsys: Capture) -> None:
    answer = told(capsys, tmp_path / "campaign", "--queries", 60, "--count", 12)
    found = outcomes(tmp_path / "campaign")
    won = [outcome for outcome in found if outcome["success"]]
    assert 0 < len(won) < len(found) == 12
    assert (answer["successes"], answer["failures"], answer["already"]) == (len(won), 12 - len(won), 0)
    assert answer["settled"] == answer["attempts"] == 12
    assert answer["rate"] == pytest.approx(len(won) / 12)
    assert answer["interval95"][0] < answer["rate"] < answer["interval95"][1]
    assert answer["queries"] == sum(outcome["queries"] for outcome in found)
    assert answer["mean_queries"] == pytest.approx(answer["queries"] / 12, abs=0.06)
    to_success = [outcome["queries_to_success"] for outcome in won]
    assert answer["median_queries_to_success"] == pytest.approx(np.median(to_success))
    assert answer["p90_queries_to_success"] == pytest.approx(np.quantile(to_success, 0.9))
    assert answer["by_pixels"] == {"3": len(won)}
    assert all(outcome["queries"] <= 60 for outcome in found)


def test_quiet_prints_nothing(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    nothing = Feedback(0, "", "")
    assert succeed(capsys, *ATTACK, "--count", 2, "--out", out, "--quiet") == nothing
    assert succeed(capsys, "resume", out, "--quiet") == nothing
    assert succeed(capsys, "report", out, "--export", "--quiet") == nothing


def test_piped_progress_is_plain_lines(tmp_path: Path, capsys: Capture) -> None:
    shown = succeed(capsys, *ATTACK, "--out", tmp_path / "campaign").out
    progress = [line for line in shown.splitlines() if line.startswith("attempts ")]
    assert 1 <= len(progress) <= 3  # it takes less than a second: the first and the last
    assert progress[-1].startswith("attempts 6/6  running 0  success ")
    assert [part for part in ("queries/s", "elapsed", "remaining 0:00", "last ") if part not in progress[-1]] == []
    assert "\x1b" not in shown
    assert "\r" not in shown


def test_a_criterion_is_a_class_by_name_or_by_index(tmp_path: Path, capsys: Capture) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(pictures / f"{index}.png")
    words = ["--target", "cifar10", "--data", pictures, "--pixels", 40, "--queries", 40, "--count", 3]
    by_name = told(capsys, tmp_path / "name", *words, "--criterion", "Frog")
    by_index = told(capsys, tmp_path / "index", *words, "--criterion", "6")
    assert by_name["criterion"] == by_index["criterion"] == "frog"
    assert {outcome["criterion"] for outcome in outcomes(tmp_path / "name")} == {"frog"}
    assert lines(tmp_path / "name") == lines(tmp_path / "index")


def test_one_criterion_leaves_its_own_images_out(tmp_path: Path, capsys: Capture) -> None:
    answer = told(capsys, tmp_path / "campaign", "--criterion", "3", "--count", 9)
    assert answer["attempts"] == 9
    found = outcomes(tmp_path / "campaign")
    assert Counter(outcome["class"] for outcome in found) == dict.fromkeys("012456789", 1)
    assert {(outcome["criterion"], outcome["criterion_index"]) for outcome in found} == {("3", 3)}
    won = [outcome for outcome in found if outcome["success"]]
    assert won
    assert all(outcome["final"] == "3" for outcome in won)


def test_several_criteria_are_a_attempt_each_but_for_the_image_s_own_class(tmp_path: Path, capsys: Capture) -> None:
    answer = told(capsys, tmp_path / "campaign", "--criterion", "5, 3", "--count", 10, "--queries", 60)
    assert (answer["criterion"], answer["attempts"], answer["images"]) == ("3, 5", 18, 10)
    found = {(outcome["class"], outcome["criterion"]) for outcome in outcomes(tmp_path / "campaign")}
    assert found == {(own, criterion) for own in "0123456789" for criterion in "35" if own != criterion}


@pytest.mark.parametrize("options", [("--pixels", 2, "--queries", 60), ("--pixels", 1, "--strategy", "corners")])
def test_criterion_all_is_every_other_class_in_turn(
    options: tuple[object, ...], tmp_path: Path, capsys: Capture
) -> None:
    answer = told(capsys, tmp_path / "campaign", "--criterion", "all", "--count", 3, *options)
    assert (answer["criterion"], answer["attempts"], answer["settled"]) == ("all", 27, 27)
    found = outcomes(tmp_path / "campaign")
    assert len(found) == 27
    assert {(v["class"], v["criterion"]) for v in found} == {
        (own, criterion) for own in {v["class"] for v in found} for criterion in "0123456789" if own != criterion
    }
    assert all((outcome["final"] == outcome["criterion"]) == outcome["success"] for outcome in found)
    assert (tmp_path / "campaign" / "plots" / "targets.svg").exists() == any(outcome["success"] for outcome in found)


def test_a_sweep_s_queries_count_once_for_all_criteria(tmp_path: Path, capsys: Capture) -> None:
    answer = told(
        capsys, tmp_path / "campaign", "--criterion", "all", "--count", 2, "--strategy", "corners", "-k", 1,
        "--queries", 128,
    )  # fmt: skip
    assert answer["queries"] == 2 * 128  # 64 places in black and white
    for outcome in outcomes(tmp_path / "campaign"):
        assert (outcome["queries"], outcome["shared"]) == (128, 9)
        assert set(outcome["edits"][0]["colour"]) <= {0, 255}


def test_pixels_is_the_number_of_edits(tmp_path: Path, capsys: Capture) -> None:
    told(capsys, tmp_path / "campaign", "--pixels", 5)
    for outcome in outcomes(tmp_path / "campaign"):
        assert outcome["pixels"] == 5
        assert len({(edit["x"], edit["y"]) for edit in outcome["edits"]}) == 5


def test_pixels_auto_takes_one_more_where_one_is_not_enough(tmp_path: Path, capsys: Capture) -> None:
    answer = told(capsys, tmp_path / "campaign", "--pixels", "auto", "--max-pixels", 2, "--queries", 150)
    assert (answer["pixels"], answer["attempts"]) == ([1, 2], 6)
    found = outcomes(tmp_path / "campaign")
    ones = {outcome["image"]: outcome["success"] for outcome in found if outcome["pixels"] == 1}
    twos = {outcome["image"]: outcome["success"] for outcome in found if outcome["pixels"] == 2}
    assert len(found) == len(ones) + len(twos)
    assert set(ones) == set(range(6))
    assert set(twos) == {image for image, success in ones.items() if not success}
    by_pixels = {"1": sum(ones.values()), "2": sum(twos.values())}
    assert answer["by_pixels"] == {k: n for k, n in by_pixels.items() if n}
    assert answer["failures"] == len(twos) - sum(twos.values())
    assert (tmp_path / "campaign" / "plots" / "pixels.svg").exists()
    shown = rows(succeed(capsys, "resume", tmp_path / "campaign").out)
    assert shown["by pixels"] == ", ".join(f"{k}: {n}" for k, n in answer["by_pixels"].items())


def test_pixels_auto_ends_at_five(tmp_path: Path, capsys: Capture) -> None:
    assert told(capsys, tmp_path / "campaign", "-k", "auto", "--count", 2)["pixels"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("--strategy local", "local"),
        ("--strategy de", "best1bin"),
        ("--strategy best1bin", "best1bin"),
        ("--strategy rand1", "rand1"),
        ("--strategy sparse-rs", "sparse-rs"),
        ("--strategy random", "random"),
        ("--strategy corners --pixels 1", "corners"),
        ("--preset su2019", "su2019"),
        ("--preset hyperparticle", "hyperparticle"),
    ],
)
def test_every_strategy_and_preset_fights(options: str, name: str, tmp_path: Path, capsys: Capture) -> None:
    answer = told(capsys, tmp_path / "campaign", "--pixels", 3, "--queries", 450, "--count", 4, *options.split())
    assert (answer["strategy"], answer["settled"]) == (name, 4)
    assert answer["successes"] > 0
    assert {outcome["strategy"] for outcome in outcomes(tmp_path / "campaign")} == {name}
    assert f'"strategy": "{name}"' in (tmp_path / "campaign" / "config.json").read_text()


def test_the_baseline_gets_the_queries_of_each_attempt(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    exactly = ("--precision", "float32")  # in bfloat16 one is kept for a confirmation
    shown = rows(succeed(capsys, *ATTACK, *exactly, "--baseline", "--out", out).out)
    found = {(outcome["strategy"], outcome["image"]): outcome for outcome in outcomes(out)}
    assert len(found) == 12
    for (strategy, image), outcome in found.items():
        if strategy == "random":
            assert outcome["queries"] <= found["local", image]["queries"]
            assert outcome["success"] or outcome["queries"] == found["local", image]["queries"]
    won = Counter(strategy for (strategy, _), outcome in found.items() if outcome["success"])
    assert won["local"] > won["random"]
    assert shown["success"].startswith(f"{won['local']} of 6: ")
    assert shown["random"].startswith(f"{won['random']} of 6: ")
    facts = json.loads(succeed(capsys, "inspect", out, "--json").out)
    assert (facts["successes"], facts["baseline"]["successes"]) == (won["local"], won["random"])
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert (again["settled"], again["baseline"]["settled"]) == (6, 6)


def test_exported_pictures_are_taken_for_what_the_record_says(finished: Path) -> None:
    won = [outcome for outcome in outcomes(finished) if outcome["success"]]
    named = {
        f"{v['label']:03d}_{v['class']}/{v['image']:05d}_to_{v['final_index']:03d}_{v['final']}_k3.png": v["final"]
        for v in won
    }
    place = finished / "adversarial"
    assert {path.relative_to(place).as_posix() for path in place.rglob("*.png")} == set(named)
    scored = score_files([place / name for name in named], "digits", device="cpu")
    assert [result["top5"][0]["class"] for result in scored] == list(named.values())


def test_the_exported_archive_holds_images_that_differ_by_so_many_pixels(finished: Path) -> None:
    won = [outcome for outcome in outcomes(finished) if outcome["success"]]
    clean = np.load(finished / "images.npy").transpose(0, 2, 3, 1)
    with np.load(finished / "adversarial.npz") as archive:
        assert archive["images"].shape == (len(won), 8, 8, 1)
        assert archive["images"].dtype == np.uint8
        assert archive["classes"].tolist() == list("0123456789")
        for column, key in (("labels", "label"), ("predictions", "final_index"), ("source", "image")):
            assert archive[column].tolist() == [outcome[key] for outcome in won]
        assert set(archive["criteria"].tolist()) == {-1}
        assert set(archive["pixels"].tolist()) == {3}
        changed = (archive["images"] != clean[archive["source"]]).any(3).sum((1, 2))
    assert changed.tolist() == [outcome["l0"] for outcome in won]
    assert all(1 <= n <= 3 for n in changed.tolist())


def test_an_exported_archive_can_be_attacked_again(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    archive = ["--target", "digits", "--data", finished / "adversarial.npz"]
    out = tmp_path / "campaign"
    shown = succeed(capsys, *ATTACK, *archive, "--include-misclassified", "--criterion", 0, "--out", out).out
    assert "done: digits, 0, local" in shown


def test_images_that_were_wrong_before_are_not_counted(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    np.savez(tmp_path / "half.npz", images=images[:8, 0], labels=(labels[:8] + np.arange(8) % 2) % 10)
    out = tmp_path / "campaign"
    words = ["--target", "digits", "--data", tmp_path / "half.npz", "--count", 8]
    shown = rows(succeed(capsys, *ATTACK, *words, "--include-misclassified", "--out", out).out)
    wrong = [outcome for outcome in outcomes(out) if outcome["already"]]
    assert len(wrong) == 4
    assert all(v["queries"] == 0 and v["edits"] == [] and not v["success"] for v in wrong)
    assert shown["success"].split(":")[0].endswith(" of 4")
    assert shown["wrong before"].startswith("4,")
    assert told(capsys, tmp_path / "clean", *words)["images"] == 4  # they are left out unless asked for


def test_first_takes_the_data_s_own_order(tmp_path: Path, capsys: Capture) -> None:
    labels = digits(train=False)[1]
    told(capsys, tmp_path / "first", "--first", "--count", 7)
    found = json_lines(tmp_path / "first" / "images.jsonl")
    assert [line["id"] for line in found] == [f"digits:{index}" for index in range(7)]
    assert [line["label"] for line in found] == labels[:7].tolist()
    assert config(tmp_path / "first")["data"]["first"] is True


def test_the_same_seed_gives_the_same_bytes_and_another_other_images(tmp_path: Path, capsys: Capture) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        told(capsys, tmp_path / name, "--seed", seed)
    a, b, c = (tmp_path / name for name in "abc")
    assert lines(a) == lines(b)
    assert (a / "images.npy").read_bytes() == (b / "images.npy").read_bytes()
    ids = [{line["id"] for line in json_lines(path / "images.jsonl")} for path in (a, c)]
    assert ids[0] != ids[1]


def test_rows_of_a_forward_pass_change_no_outcome(tmp_path: Path, capsys: Capture) -> None:
    told(capsys, tmp_path / "a", "--count", 3)
    told(capsys, tmp_path / "b", "--count", 3, "--micro-batch", 32)
    keys = ("image", "success", "final", "edits")
    found = [sorted(([v[key] for key in keys] for v in outcomes(tmp_path / name)), key=str) for name in "ab"]
    assert found[0] == found[1]


def test_data_may_be_an_archive_or_a_folder_a_class(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    some = slice(0, 12)
    np.savez(tmp_path / "set.npz", images=images[some, 0], labels=labels[some])
    for index in range(12):
        place = tmp_path / "pictures" / f"{labels[index]}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index, 0]).save(place / f"{index:02d}.png")
    (tmp_path / "pictures" / "0" / "broken.png").write_bytes(b"no picture")
    words = ["--target", "digits", "--count", 12, "--queries", 60]
    told(capsys, tmp_path / "a", *words, "--data", tmp_path / "set.npz")
    shown = rows(succeed(capsys, *ATTACK, *words, "--data", tmp_path / "pictures", "--out", tmp_path / "b").out)
    hashes = [{line["sha256"]: line["label"] for line in json_lines(tmp_path / name / "images.jsonl")} for name in "ab"]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) > 8
    assert shown["left out"].startswith("1 files (all in the report); the first, 0/broken.png: ")
    assert {line["id"] for line in json_lines(tmp_path / "b" / "images.jsonl")} <= {
        f"{label}/{index:02d}.png" for index, label in enumerate(labels[some])
    }


def test_data_of_a_known_name_brings_its_target(tmp_path: Path, capsys: Capture) -> None:
    assert told(capsys, tmp_path / "campaign", "--data", "digits", "--count", 2)["target"] == "digits"


def test_mnist_is_read_from_the_data_folder(shared: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["--target", "mnist", "--data-dir", shared / "data", "--count", 2, "--pixels", 40, "--queries", 60]
    answer = told(capsys, tmp_path / "campaign", *words)
    assert (answer["target"], answer["data"], answer["images"]) == ("mnist", "mnist", 2)
    assert np.load(tmp_path / "campaign" / "images.npy").shape == (2, 1, 28, 28)


def test_resume_of_a_finished_campaign_changes_no_record(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "campaign"))
    before = tree(path)
    shown = succeed(capsys, "resume", path).out
    assert "done: digits, untargeted, local" in shown
    assert tree(path) == before  # the report, the table and the exported images are the same bytes too
    answer = json.loads(succeed(capsys, "resume", path, "--json").out)
    assert answer["interrupted"] is False
    assert answer["queries"] == sum(outcome["queries"] for outcome in outcomes(path))


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ctrl-C once so many batches have been written."""
    append, batches = CampaignFolder.append, [0]

    def interrupted(folder: CampaignFolder, new: Iterable[Outcome]) -> None:
        append(folder, new)
        batches[0] += 1
        if batches[0] == after:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(CampaignFolder, "append", interrupted)


def test_ctrl_c_keeps_the_outcomes_and_prints_the_command_that_goes_on(
    finished: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "campaign"
    interrupt(monkeypatch, after=2)
    outcome = succeed(capsys, *ATTACK, "--out", path)
    monkeypatch.undo()
    assert "stopped: digits, untargeted, local" in outcome.out
    assert rows(outcome.out)["go on"] == f"evofool resume {path}"
    done = lines(path)
    assert 0 < len(done) < 6
    facts = json.loads(succeed(capsys, "inspect", path, "--json").out)
    assert (facts["finished"], facts["settled"], facts["attempts"]) == (False, len(done), 6)
    answer = json.loads(succeed(capsys, "resume", path, "--json").out)
    assert (answer["interrupted"], answer["settled"]) == (False, 6)
    assert set(done) < set(lines(path))
    assert lines(path) == lines(finished)


def test_a_torn_last_outcome_is_fought_again(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "campaign"))
    file = path / "outcomes.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    assert json.loads(succeed(capsys, "inspect", path, "--json").out)["settled"] == 5
    succeed(capsys, "resume", path, "--quiet")
    assert lines(path) == lines(finished)


def test_inspect_tells_what_a_campaign_is_and_how_far_it_got(finished: Path, capsys: Capture) -> None:
    facts = json.loads(succeed(capsys, "inspect", finished, "--json").out)
    assert facts.keys() >= FACTS
    won = sum(outcome["success"] for outcome in outcomes(finished))
    known = {
        "campaign": str(finished), "target": "digits", "data": "digits", "images": 6, "skipped": 0, "attempts": 6,
        "criterion": "untargeted", "pixels": [3], "strategy": "local", "queries_a_attempt": 300, "settled": 6,
        "successes": won, "finished": True, "baseline": None,
    }  # fmt: skip
    assert {key: facts[key] for key in known} == known
    shown = rows(succeed(capsys, "inspect", finished).out)
    assert shown["successes"] == str(won)
    assert shown["finished"] == "True"
    assert shown.keys() >= facts.keys() - {"campaign"}


def test_report_is_written_anew_and_exports_when_asked(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "campaign"))
    made = ("report.html", "outcomes.csv", "plots", "adversarial", "adversarial.npz")
    before = {name: content for name, content in tree(path).items() if not name.endswith(".npz")}
    for name in made:
        shutil.rmtree(path / name) if (path / name).is_dir() else (path / name).unlink()
    shown = succeed(capsys, "report", path, "--export").out.splitlines()
    won = sum(outcome["success"] for outcome in outcomes(path))
    assert shown == [f"report: {path}/report.html", f"images: {path}/adversarial.npz ({won})"]
    assert {name: content for name, content in tree(path).items() if not name.endswith(".npz")} == before


def test_a_report_goes_where_out_says(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "campaign"))
    (path / "report.html").unlink()
    out = tmp_path / "pages" / "deep" / "mine.htm"
    assert succeed(capsys, "report", path, "--out", out).out == f"report: {out}\n"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (path / "report.html").exists()


def test_two_campaigns_are_compared_on_one_page(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    first, second = tmp_path / "mine", tmp_path / "theirs"
    shutil.copytree(finished, first)
    told(capsys, second, "--strategy", "random")
    before = {**tree(first), **tree(second)}
    assert succeed(capsys, "report", first, second, "--out", tmp_path / "both.html").out == (
        f"report: {tmp_path / 'both.html'}\n"
    )
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    wins = [{outcome["sha256"] for outcome in outcomes(path) if outcome["success"]} for path in (first, second)]
    assert f"won by both {len(wins[0] & wins[1])}, only by mine {len(wins[0] - wins[1])}, " in page
    assert f"only by theirs {len(wins[1] - wins[0])}, by neither {6 - len(wins[0] | wins[1])}." in page
    succeed(capsys, "report", first, second, "--quiet")
    assert (first / "comparison.html").read_text(encoding="utf-8") == page
    assert not (second / "comparison.html").exists()
    (first / "comparison.html").unlink()
    assert {**tree(first), **tree(second)} == before  # neither's own files are touched
