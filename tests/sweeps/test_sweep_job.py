"""Sweeps: many runs as one job that can be killed, goes on, and says what its configurations have come to."""

from __future__ import annotations

import csv
import json
import shutil
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from configs import edit_config
from pages import Page
from runs import (
    After,
    Capture,
    Killed,
    assert_refused,
    assert_same_run,
    interrupt,
    kill,
    run_cli,
    small_evolve,
    succeed,
    tree,
    without_seconds,
)
from support import tiny_target

import evofool
from evofool import SweepResult
from evofool.config.records import RunConfig
from evofool.encodings.banks import FOUNDERS, RANDOM
from evofool.errors import ConfigError, RunError
from evofool.store.folder import read_config
from evofool.sweeps.job import SweepStep

PLAN: dict[str, Any] = {
    "target": "digits", "batch": 20, "generations": 2, "device": "cpu", "precision": "float32", "seeds": "0-1",
    "grid": {"encoding": ["cppn", "direct"]},
}  # fmt: skip
NAMES = ["cppn-seed-0", "direct-seed-0", "cppn-seed-1", "direct-seed-1"]
BROKEN = 'def net(images):\n    raise ValueError("out of order")\n\nnet.image_shape = (1, 8, 8)\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    """An undisturbed sweep; read only."""
    return evofool.sweep(PLAN, out=tmp_path_factory.mktemp("sweep") / "made")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same sweep without the runs' pages; read only."""
    return evofool.sweep(PLAN, out=tmp_path_factory.mktemp("sweep") / "plain", gallery=False).path


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "sweep.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_same_sweep(ours: Path, theirs: Path) -> None:
    for name in NAMES:
        assert_same_run(ours / name, theirs / name)
    for file in ("config.json", "runs.jsonl"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()
    assert without_seconds(rows(ours)) == without_seconds(rows(theirs))


def test_each_run_is_an_ordinary_run_with_its_options(made: SweepResult, tmp_path: Path) -> None:
    assert list(made.runs) == NAMES
    small_evolve(tmp_path / "alone", encoding="cppn", generations=2, seed=1)
    assert_same_run(made.path / "cppn-seed-1", tmp_path / "alone")
    assert evofool.open(made.path / "direct-seed-0").evaluations == 40
    assert evofool.open(made.path).rows == made.rows


def test_the_rest_of_an_earlier_versions_sweep_begins_as_its_first_runs_did(tmp_path: Path) -> None:
    plan: dict[str, Any] = {"target": "cifar10", "batch": 10, "generations": 1, "device": "cpu"}
    out, options = tmp_path / "sweep", dict[str, Any](gallery=False)
    evofool.sweep(plan | {"seeds": "0"}, out=out, **options)
    assert read_config(out / "seed-0", RunConfig).options.init == FOUNDERS
    edit_config(out / "seed-0", {"options.init": None})
    evofool.sweep(plan | {"seeds": "0-1"}, out=out, **options)
    assert read_config(out / "seed-1", RunConfig).options.init == RANDOM


def test_configurations_have_medians_over_their_seeds_with_intervals(made: SweepResult) -> None:
    first, second = made.summary()["configurations"]
    assert [first["configuration"], second["configuration"]] == ["cppn", "direct"]
    for configuration in (first, second):
        ends = [row["median"] for row in made.rows if row["configuration"] == configuration["configuration"]]
        assert configuration["median"] == median(ends)
        assert configuration["median_interval95"] == [min(ends), max(ends)]
    assert [row["run"] for row in rows(made.path)] == ["cppn-seed-0", "cppn-seed-1", "direct-seed-0", "direct-seed-1"]
    assert {row["state"] for row in rows(made.path)} == {"done"}
    assert json.dumps(made.summary())


@pytest.mark.parametrize(("action", "steps"), [(interrupt, 1), (kill, 2), (kill, 3), (kill, 11)])
def test_a_sweep_that_was_stopped_or_killed_ends_with_the_same_bytes(
    action: Any, steps: int, plain: Path, tmp_path: Path
) -> None:
    if action is kill:
        with pytest.raises(Killed):
            evofool.sweep(PLAN, out=tmp_path / "ours", observer=After(steps, action), gallery=False)
    else:
        assert evofool.sweep(PLAN, out=tmp_path / "ours", observer=After(steps, action), gallery=False).interrupted
    assert not evofool.resume(tmp_path / "ours", gallery=False).interrupted
    assert_same_sweep(tmp_path / "ours", plain)
    before = tree(tmp_path / "ours" / "cppn-seed-0")
    evofool.sweep(PLAN, out=tmp_path / "ours", gallery=False)
    assert tree(tmp_path / "ours" / "cppn-seed-0") == before  # what is done is not done again


def test_a_larger_budget_goes_on_with_all_runs(plain: Path, tmp_path: Path) -> None:
    evofool.sweep({**PLAN, "generations": 1, "seeds": "0"}, out=tmp_path / "ours", gallery=False)
    assert not evofool.resume(tmp_path / "ours", generations=2, gallery=False).interrupted
    for name in NAMES[:2]:
        assert_same_run(tmp_path / "ours" / name, plain / name)


def test_runs_that_are_done_stay_so_however_their_targets_are_asked(plain: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(plain, tmp_path / "ours"))
    before = tree(out)
    with pytest.raises(ConfigError, match="has done all its runs, and leaves nothing to `max_queries`; leave it out"):
        evofool.resume(out, max_queries=5, gallery=False)
    assert tree(out) == before
    shutil.rmtree(out / NAMES[3])
    result = evofool.resume(out, max_queries=500, gallery=False)
    assert (result.failed, result.interrupted) == ({}, False)
    for name in NAMES[:3]:
        assert tree(out / name) == tree(plain / name)
    assert (out / NAMES[3] / "queries.log").exists()


def test_a_run_that_fails_is_told_and_the_others_are_made(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "fails.toml").write_text(
        f'target = "digits"\nencoding = "direct"\ngenerations = 1\nbatch = 20\ndevice = "cpu"\n'
        f'[[runs]]\nname = "bad"\ntarget = "{tmp_path}/broken.py:net"\n[[runs]]\nname = "fine"\n'
    )
    command = ["sweep", tmp_path / "fails.toml", "--out", tmp_path / "ours", "--quiet"]
    assert_refused(run_cli(capsys, *command), "1 run of 2 failed (bad)", f"go on with: evofool resume {tmp_path}/ours")
    result = evofool.open(tmp_path / "ours")
    assert "out of order" in result.failed["bad"]
    assert not result.interrupted
    assert [row["state"] for row in result.rows] == ["failed", "done"]
    assert "out of order" in (tmp_path / "ours" / "report.html").read_text()
    (tmp_path / "broken.py").write_text(BROKEN.replace("out of order", "tried again"))
    assert "tried again" in evofool.resume(tmp_path / "ours", gallery=False).failed["bad"]


def test_campaigns_are_swept_like_runs(tmp_path: Path, capsys: Capture) -> None:
    plan = {
        "command": "attack", "data": "digits", "device": "cpu", "count": 4, "queries": 30, "seeds": "1",
        "grid": {"strategy": ["random", "local"]},
    }  # fmt: skip
    with pytest.raises(Killed):
        evofool.sweep(plan, out=tmp_path / "ours", observer=After(2, kill))
    result = evofool.sweep(plan, out=tmp_path / "ours")
    assert {row["settled"] for row in result.rows} == {4}
    same = {name: value for name, value in plan.items() if name not in ("command", "seeds", "grid")}
    alone = evofool.attack(**same, seed=1, strategy="local", out=tmp_path / "alone")
    [row] = [row for row in result.rows if row["run"] == "local-seed-1"]
    assert (row["successes"], row["queries"]) == (alone.statistics.successes, alone.statistics.queries)
    assert_refused(run_cli(capsys, "gallery", result.path), "is a sweep of campaigns; compare them by: evofool report")
    with pytest.raises(ConfigError, match="leave `generations` out"):
        evofool.resume(result.path, generations=3)


def test_further_runs_are_added_and_other_options_are_refused(tmp_path: Path) -> None:
    plan = {**PLAN, "generations": 1, "seeds": "0", "encoding": "direct", "grid": {}}
    evofool.sweep(plan, out=tmp_path / "ours", gallery=False)
    further = evofool.sweep({**plan, "seeds": "0-1"}, out=tmp_path / "ours", gallery=False)
    assert [*further.runs] == ["seed-0", "seed-1"]
    before = tree(tmp_path / "ours")
    for changed, words in (({"batch": 30}, "batch 20, not 30"), ({"target": "mnist"}, "target digits, not mnist")):
        other = {**plan, **changed}
        with pytest.raises(ConfigError, match=rf"has runs with other options \({words}\); choose another `out`"):
            evofool.sweep(other, out=tmp_path / "ours")
    with pytest.raises(ConfigError, match=r"command evolve, not attack"):
        evofool.sweep({"command": "attack", "data": "digits"}, out=tmp_path / "ours")
    assert tree(tmp_path / "ours") == before


def test_a_target_of_the_user_s_own_is_given_again(tmp_path: Path) -> None:
    plan = {"encoding": "direct", "batch": 10, "generations": 1, "seeds": "0-1"}
    with pytest.raises(Killed):
        evofool.sweep(plan, target=tiny_target(), out=tmp_path / "ours", observer=After(2, kill), gallery=False)
    with pytest.raises(RunError, match=r"made with a target of your own; give it: evofool.resume\(…, target=…\)"):
        evofool.resume(tmp_path / "ours")
    assert len(evofool.resume(tmp_path / "ours", target=tiny_target(), gallery=False).runs) == 2
    with pytest.raises(ConfigError, match="a name stands in the plan"):
        evofool.sweep(plan, target="digits", out=tmp_path / "other")  # type: ignore[arg-type]


def test_the_way_on_names_the_target_of_the_user_s_own(tmp_path: Path) -> None:
    plan = {"encoding": "direct", "batch": 10, "generations": 1, "seeds": "0-1"}
    target, out = tiny_target(), tmp_path / "ours"
    stopped = evofool.sweep(plan, target=target, out=out, observer=After(2, interrupt), gallery=False)
    assert stopped.interrupted
    call = f'evofool.resume("{out.as_posix()}", target=…)'
    assert call in Page((out / "report.html").read_text(encoding="utf-8")).words
    assert escape(call) in stopped._repr_html_().replace("&#34;", "&quot;")


def test_the_page_compares_configurations_and_links_to_runs(made: SweepResult) -> None:
    html = (made.path / "report.html").read_text()
    page = Page(html)
    assert "2 configurations, 4 runs" in page.words
    assert html.count('<a href="cppn-seed-0/index.html">') == 1
    assert html.count("<svg") == 2
    assert html.count("<img") == 20
    assert "http:" not in html.replace("http://www.w3.org/2000/svg", "")
    assert (made.path / "index.html").exists()


def test_names_in_the_page_are_escaped(tmp_path: Path) -> None:
    variants = [{"name": "<i>a</i>"}, {"name": "b", "batch": 30}]
    plan = {**PLAN, "seeds": "0", "generations": 1, "encoding": "direct", "grid": {}, "runs": variants}
    result = evofool.sweep(plan, out=tmp_path / "ours", gallery=False)
    assert [*result.runs] == ["i-a-i-seed-0", "b-seed-0"]
    assert "<i>a" not in (result.path / "report.html").read_text()


def test_a_folder_from_a_stranger_is_read_with_care(made: SweepResult, tmp_path: Path) -> None:
    config = json.loads((made.path / "config.json").read_text())
    for change in (
        {"name": "../elsewhere"},
        {"given": {"batch": "many"}},
        {"name": "direct-seed-0"},
        {"given": {"unknown": 1}},
    ):
        runs = [{**config["runs"][0], **change}, *config["runs"][1:]]
        (tmp_path / "config.json").write_text(json.dumps({**config, "runs": runs}))
        with pytest.raises(RunError, match="is damaged"):
            evofool.open(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "cppn-seed-0").symlink_to(made.path / "cppn-seed-0")
    with pytest.raises(RunError, match="cppn-seed-0 is a link"):
        evofool.open(tmp_path)


def test_an_observer_is_given_every_step_of_every_run(tmp_path: Path) -> None:
    seen: list[SweepStep] = []
    evofool.sweep({**PLAN, "seeds": "0"}, out=tmp_path / "ours", observer=seen.append, gallery=False)
    assert [(step.title, step.done, step.step is None) for step in seen] == [
        (name, done + last, bool(last)) for done, name in enumerate(NAMES[:2]) for last in (0, 0, 1)
    ]


def test_a_dry_run_says_what_there_is_to_do_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evofool.sweeps.estimate.SECONDS", 0.05)
    Path("plan.toml").write_text(
        'target = "digits"\nevaluations = 30000\nseeds = "0-2"\n[grid]\nencoding = ["direct"]\n'
    )
    facts = json.loads(succeed(capsys, "sweep", "plan.toml", "--dry-run", "--json").out)
    assert (facts["runs"], facts["evaluations"]) == (3, 90_000)
    assert 0 < facts["seconds"] < 600
    assert "3 runs: seed-0, seed-1, seed-2" in succeed(capsys, "sweep", "plan.toml", "--dry-run").out
    assert_refused(run_cli(capsys, "sweep", "plan.toml", "--dry-run", "--observe", "wandb"), "--observe follows a job")
    assert [*tmp_path.iterdir()] == [tmp_path / "plan.toml"]


def test_the_same_command_goes_on_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    text = 'target = "digits"\nencoding = "direct"\ngenerations = 1\nbatch = {}\ndevice = "cpu"\nseeds = "{}"\n'
    for batch, seeds, folder, count in ((20, "0", "001", 1), (20, "0-1", "001", 2), (30, "0", "002", 1)):
        Path("mine.toml").write_text(text.format(batch, seeds))
        answer = json.loads(succeed(capsys, "sweep", "mine.toml", "--no-gallery", "--json").out)
        assert (answer["folder"], len(answer["runs"])) == (f"outputs/mine-{folder}", count)
    assert "done: 2 of 2 runs" in succeed(capsys, "resume", "outputs/mine-001", "--no-gallery").out


def test_trackers_are_told_of_the_sweep_and_functions_of_every_run_s_steps(tmp_path: Path) -> None:
    class Told:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def start(self, job: Any) -> None:
            self.seen.append((job.kind, job.name, job.step))

        def progress(self, progress: Any) -> None:
            self.seen.append((progress.task, progress.unit, progress.total))

        def end(self, ended: Any) -> None:
            self.seen.append(ended.status)

    told, steps = Told(), list[str]()
    own = [told, lambda step: steps.append(type(step).__name__)]
    options: dict[str, Any] = {"generations": 1, "batch": 10, "device": "cpu", "gallery": False}
    evofool.evolve_seeds("digits", "direct", seeds="0-1", out=tmp_path / "ours", observer=own, **options)
    assert steps == ["RunStep", "RunStep"]
    assert told.seen[0] == ("sweep", "ours", 0)
    assert set(told.seen[1:-1]) == {("seed-0", "runs", 2), ("seed-1", "runs", 2)}
    assert told.seen[-1] == "finished"


def test_a_damaged_run_keeps_no_other_from_being_made_and_is_made_anew_when_it_is_removed(
    plain: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(plain, tmp_path / "plain"))
    lost, damaged = out / NAMES[0], out / NAMES[1]
    shutil.rmtree(lost)
    (damaged / "config.json").write_text("{")
    result = evofool.sweep(PLAN, out=out, gallery=False)
    assert_same_run(lost, plain / NAMES[0])
    assert list(result.failed) == [NAMES[1]]
    assert result.failed[NAMES[1]].endswith(f"to have this run made anew, remove {damaged} and go on with the sweep")
    assert [row["state"] for row in rows(out)] == ["done", "done", "failed", "done"]
    assert "config.json is damaged" in evofool.inspect(out)["damaged"][0]
    assert evofool.repair(out) == []
    assert "failed" in (out / "report.html").read_text(encoding="utf-8")
    assert result.plot().svg
    shutil.rmtree(damaged)
    assert not evofool.resume(out, gallery=False).failed
    assert_same_run(damaged, plain / NAMES[1])
