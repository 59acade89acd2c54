"""Runs that differ in their seeds: each in a folder of its own, one page, and a stopped sweep goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pages import data_of
from runs import (
    EVOLVE,
    After,
    Capture,
    Killed,
    assert_refused,
    assert_same_run,
    interrupt,
    json_lines,
    kill,
    run_cli,
    small_evolve,
    succeed,
    tree,
)

import evofool
from evofool import SweepResult
from evofool.config.sweep import SweepConfig
from evofool.errors import ConfigError, RunError
from evofool.store.sweep import SweepFolder
from evofool.sweeps.start import planned
from evofool.targets.prepare import versions

OPTIONS: dict[str, Any] = {
    "target": "digits", "encoding": "direct", "generations": 3, "batch": 20, "device": "cpu", "precision": "float32",
}  # fmt: skip


def small_sweep(out: Path | None, seeds: Any = "0-1", **options: Any) -> SweepResult:
    return evofool.evolve_seeds(seeds=seeds, out=out, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed sweep of two seeds; read only."""
    out = tmp_path_factory.mktemp("sweep") / "made"
    assert not small_sweep(out).interrupted
    return out


def assert_same_sweep(ours: Path, theirs: Path, seeds: tuple[int, ...] = (0, 1)) -> None:
    for seed in seeds:
        assert_same_run(ours / f"seed-{seed}", theirs / f"seed-{seed}")
    assert (ours / "config.json").read_bytes() == (theirs / "config.json").read_bytes()


def test_each_seed_is_the_run_that_it_is_alone(made: Path, tmp_path: Path) -> None:
    small_evolve(tmp_path / "alone", seed=1)
    assert_same_run(made / "seed-1", tmp_path / "alone")


def test_the_page_shows_all_runs(made: Path) -> None:
    assert [source["name"] for source in data_of(made / "index.html")["sources"]] == ["seed-0", "seed-1"]


@pytest.mark.parametrize("generations", [1, 3, 5])
def test_a_stopped_sweep_goes_on_with_the_same_call(made: Path, tmp_path: Path, generations: int) -> None:
    stopped = small_sweep(tmp_path / "ours", observer=After(generations, interrupt))
    assert stopped.interrupted
    assert not small_sweep(tmp_path / "ours").interrupted
    assert_same_sweep(tmp_path / "ours", made)


@pytest.mark.parametrize("generations", [1, 4])
def test_a_killed_sweep_goes_on_with_the_same_call(made: Path, tmp_path: Path, generations: int) -> None:
    with pytest.raises(Killed):
        small_sweep(tmp_path / "ours", observer=After(generations, kill))
    small_sweep(tmp_path / "ours")
    assert_same_sweep(tmp_path / "ours", made)


def test_further_seeds_and_larger_budgets_go_on_in_the_same_folder(made: Path, tmp_path: Path) -> None:
    small_sweep(tmp_path / "ours", seeds=[0], generations=1)
    small_sweep(tmp_path / "ours", seeds=[0, 1])
    assert [json_lines(tmp_path / "ours" / f"seed-{seed}" / "metrics.jsonl")[-1]["generation"] for seed in (0, 1)] == [
        3, 3
    ]  # fmt: skip
    for seed in (0, 1):
        assert_same_run(tmp_path / "ours" / f"seed-{seed}", made / f"seed-{seed}")


def test_a_smaller_budget_takes_nothing_back(made: Path, tmp_path: Path) -> None:
    small_sweep(tmp_path / "ours")
    before = tree(tmp_path / "ours" / "seed-1")
    small_sweep(tmp_path / "ours", generations=2)
    assert tree(tmp_path / "ours" / "seed-1") == before


def test_a_folder_with_other_options_is_refused_and_left_alone(made: Path) -> None:
    before = tree(made)
    with pytest.raises(ConfigError, match=r"has runs with other options \(batch 20, not 30\); choose another `out`"):
        small_sweep(made, batch=30)
    with pytest.raises(RunError, match="is a run; expected a sweep"):
        small_sweep(made / "seed-0")
    assert tree(made) == before


def test_a_summary_has_every_run_and_the_spread(made: Path) -> None:
    summary = small_sweep(made).summary()
    medians = [run["median"] for run in summary["runs"]]
    assert [run["seed"] for run in summary["runs"]] == [0, 1]
    [configuration] = summary["configurations"]
    assert configuration["configuration"] == "digits, direct"
    assert configuration["median"] == sum(medians) / 2
    assert configuration["median_interval95"] == [min(medians), max(medians)]
    assert json.dumps(summary)


def test_the_command_without_out_goes_on_with_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*EVOLVE, "--encoding", "direct", "--no-gallery", "--json"]
    for seeds, batch, folder in (("0", 20, "001"), ("0-1", 20, "001"), ("0", 30, "002"), ("1", 20, "001")):
        answer = json.loads(succeed(capsys, *words, "--batch", batch, "--seeds", seeds).out)
        assert answer["folder"] == f"outputs/digits-direct-sweep-{folder}"
    runs = sorted(str(run) for run in Path("outputs").glob("*/seed-*"))
    assert [run.removeprefix("outputs/digits-direct-sweep-") for run in runs] == [
        "001/seed-0",
        "001/seed-1",
        "002/seed-0",
    ]


def test_a_stopped_command_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("evofool.console.run_view.RunView.note", lambda *_: interrupt())
    shown = run_cli(capsys, *EVOLVE, "--seeds", "0-2", "--out", tmp_path / "a b", "--no-gallery").out
    assert "stopped: 1 of 3 runs" in shown
    assert f"evofool resume '{tmp_path}/a b'" in shown


def test_seed_and_seeds_are_one_or_the_other(tmp_path: Path, capsys: Capture) -> None:
    assert_refused(run_cli(capsys, *EVOLVE, "--seeds", "0-1", "--seed", 3), "give either --seeds or --seed")
    assert_refused(run_cli(capsys, *EVOLVE, "--seeds", "4-0"), "--seeds must be numbers and ranges", '"4-0"')
    with pytest.raises(ConfigError, match="either `seed` or `seeds`"):
        small_sweep(tmp_path / "ours", seed=3)
    assert not (tmp_path / "ours").exists()


def test_what_is_asked_of_a_sweep_s_folder(made: Path, capsys: Capture) -> None:
    facts = json.loads(succeed(capsys, "inspect", made, "--json").out)
    assert facts["made"]["seed-1"]["generation"] == 3
    assert evofool.repair(made) == []
    assert_refused(
        run_cli(capsys, "report", made), "is a sweep; expected a campaign; its page is written by: evofool gallery"
    )


def test_runs_may_have_the_names_of_facts(tmp_path: Path, capsys: Capture) -> None:
    names = ["done", "elites", "swapped"]
    runs = planned({"runs": [{"name": name, "batch": 20 + at} for at, name in enumerate(names)]}).runs
    SweepFolder.create(tmp_path / "sweep", SweepConfig(command="evolve", runs=runs, versions=versions()))
    facts = json.loads(succeed(capsys, "inspect", tmp_path / "sweep", "--json").out)
    assert (facts["done"], facts["made"]) == (0, {name: {"state": "waiting"} for name in names})
    lines = succeed(capsys, "inspect", tmp_path / "sweep").out.splitlines()
    assert [line.split() for line in lines[-3:]] == [[name, "state", "waiting"] for name in names]


def test_runs_of_unequal_budgets_are_told_of(made: Path, tmp_path: Path, capsys: Capture) -> None:
    out = Path(shutil.copytree(made, tmp_path / "sweep"))
    result = small_sweep(out, "2", generations=1)
    expected = (
        "runs of one configuration have unequal budgets (generations 3: seed-0, seed-1; generations 1: seed-2); "
        "give all the largest"
    )
    assert result.unequal.startswith(expected)
    assert expected in repr(result)
    assert str(result.summary()["warning"]).startswith(expected)
    words = ["--encoding", "direct", "--precision", "float32", "--generations", 1, "--seeds", "0-2", "--out", out]
    assert "unequal budgets" in succeed(capsys, *EVOLVE, *words).out
    assert small_sweep(out, "0-2").unequal == ""
