"""``evofool resume``, ``inspect`` and ``report`` with campaigns when all is well."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from digit_attacks import ATTACK, KEYS, answer_of, lines_of, outcomes_of, summary_rows
from runs import Capture, run_cli, succeed, tree

from evofool import score
from evofool.attacks.outcome import Outcome
from evofool.store.campaign import CampaignFolder

FACTS = KEYS - {"campaign", "report", "interrupted"} | {"campaign", "finished", "weights_sha256", "versions"}


def test_exported_pictures_are_taken_for_what_the_record_says(digit_campaign: Path) -> None:
    won = [outcome for outcome in outcomes_of(digit_campaign) if outcome["success"]]
    named = {}
    for v in won:
        image = f"{v['image']:05d}_{v['id'].replace(':', '-')}"
        named[f"{v['label']:03d}_{v['class']}/{image}_to_{v['final_index']:03d}_{v['final']}_k3.png"] = v["final"]
    folder = digit_campaign / "adversarial"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")} == set(named)
    scored = score([folder / name for name in named], "digits", device="cpu")["images"]
    assert [result["top5"][0]["class"] for result in scored] == list(named.values())


def test_the_exported_archive_holds_images_that_differ_by_so_many_pixels(digit_campaign: Path) -> None:
    won = [outcome for outcome in outcomes_of(digit_campaign) if outcome["success"]]
    clean = np.load(digit_campaign / "images.npy").transpose(0, 2, 3, 1)
    with np.load(digit_campaign / "adversarial.npz") as archive:
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


def test_resume_of_a_finished_campaign_changes_no_record(digit_campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(digit_campaign, tmp_path / "campaign"))
    before = tree(path)
    shown = succeed(capsys, "resume", path).out
    assert "done: digits, untargeted, local" in shown
    assert tree(path) == before  # The report, the table and the exported images are the same bytes, too.
    answer = json.loads(succeed(capsys, "resume", path, "--json").out)
    assert answer["interrupted"] is False
    assert answer["queries"] == sum(outcome["queries"] for outcome in outcomes_of(path))


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int, stop: signal.Signals) -> None:
    """Send a signal once so many batches have been written."""
    append, batches = CampaignFolder.append, [0]

    def interrupted(folder: CampaignFolder, new: Iterable[Outcome]) -> None:
        append(folder, new)
        batches[0] += 1
        if batches[0] == after:
            signal.raise_signal(stop)

    monkeypatch.setattr(CampaignFolder, "append", interrupted)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_outcomes_and_prints_the_command_that_goes_on(
    stop: signal.Signals, code: int, digit_campaign: Path, tmp_path: Path, capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "campaign"
    interrupt(monkeypatch, 2, stop)
    outcome = run_cli(capsys, *ATTACK, "--out", path)
    monkeypatch.undo()
    assert (outcome.code, outcome.err) == (code, "")
    assert "stopped: digits, untargeted, local" in outcome.out
    assert summary_rows(outcome.out)["go on"] == f"evofool resume {path}"
    done = lines_of(path)
    assert 0 < len(done) < 6
    facts = json.loads(succeed(capsys, "inspect", path, "--json").out)
    assert (facts["finished"], facts["settled"], facts["attempts"]) == (False, len(done), 6)
    answer = json.loads(succeed(capsys, "resume", path, "--json").out)
    assert (answer["interrupted"], answer["settled"]) == (False, 6)
    assert set(done) < set(lines_of(path))
    assert lines_of(path) == lines_of(digit_campaign)


def test_the_attempt_of_a_torn_last_outcome_runs_again(digit_campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(digit_campaign, tmp_path / "campaign"))
    file = path / "outcomes.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    assert json.loads(succeed(capsys, "inspect", path, "--json").out)["settled"] == 5
    succeed(capsys, "resume", path, "--quiet")
    assert lines_of(path) == lines_of(digit_campaign)


def test_inspect_tells_what_a_campaign_is_and_how_far_it_got(digit_campaign: Path, capsys: Capture) -> None:
    facts = json.loads(succeed(capsys, "inspect", digit_campaign, "--json").out)
    assert facts.keys() >= FACTS
    won = sum(outcome["success"] for outcome in outcomes_of(digit_campaign))
    expected = {
        "campaign": str(digit_campaign), "target": "digits", "data": "digits", "images": 6, "skipped": {},
        "attempts": 6, "warnings": [], "mapping": None, "criterion": "untargeted", "pixels": [3],
        "strategy": "local", "queries_per_attempt": 300, "settled": 6, "successes": won, "finished": True,
        "baseline": None,
    }  # fmt: skip
    assert {key: facts[key] for key in expected} == expected
    shown = summary_rows(succeed(capsys, "inspect", digit_campaign).out)
    assert shown["successes"] == str(won)
    assert shown["finished"] == "yes"
    assert shown.keys() >= {"queries per attempt", "weights (SHA-256)", "pending", "by pixels"}
    assert len(shown) >= len(facts) - 1
    assert not any("_" in name for name in shown)


def test_report_is_written_anew_and_exports_when_asked(digit_campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(digit_campaign, tmp_path / "campaign"))
    made = ("report.html", "outcomes.csv", "plots", "adversarial", "adversarial.npz")
    before = {name: content for name, content in tree(path).items() if not name.endswith(".npz")}
    for name in made:
        shutil.rmtree(path / name) if (path / name).is_dir() else (path / name).unlink()
    shown = succeed(capsys, "report", path, "--export").out.splitlines()
    won = sum(outcome["success"] for outcome in outcomes_of(path))
    assert shown == [f"report: {path}/report.html", f"images: {path}/adversarial.npz ({won})"]
    assert {name: content for name, content in tree(path).items() if not name.endswith(".npz")} == before


def test_a_report_goes_where_out_says(digit_campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(digit_campaign, tmp_path / "campaign"))
    (path / "report.html").unlink()
    out = tmp_path / "pages" / "deep" / "mine.htm"
    assert succeed(capsys, "report", path, "--out", out).out == f"report: {out}\n"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (path / "report.html").exists()


def test_two_campaigns_are_compared_on_one_page(
    digit_campaign: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "mine", tmp_path / "theirs"
    shutil.copytree(digit_campaign, first)
    answer_of(capsys, second, "--strategy", "random")
    before = {**tree(first), **tree(second)}
    assert succeed(capsys, "report", first, second, "--out", tmp_path / "both.html").out == (
        f"report: {tmp_path / 'both.html'}\n"
    )
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    wins = [{outcome["sha256"] for outcome in outcomes_of(path) if outcome["success"]} for path in (first, second)]
    assert f"{len(wins[0] - wins[1])} won only by mine, {len(wins[1] - wins[0])} only by theirs." in page
    monkeypatch.chdir(tmp_path)
    succeed(capsys, "report", first, second, "--quiet")
    assert (tmp_path / "campaigns.html").read_text(encoding="utf-8") == page
    assert {**tree(first), **tree(second)} == before  # The campaigns' own files are untouched.
