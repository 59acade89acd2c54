"""A run made again from its config: the same bytes; what is given beside it wins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runs import Capture, assert_refused, json_lines, run_cli, small_evolve, tree
from support import tiny_target

from evofool.jobs import run as session
from evofool.store.folder import read_config

SAME = ("elites.jsonl", "gallery.png")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with unusual options; read only."""
    run = tmp_path_factory.mktemp("made") / "run"
    small_evolve(run, encoding="cppn", preset="nguyen2015", classes=["3", "8", "5"], seed=7, batch=12, generations=4)
    return run


def same(one: Path, other: Path) -> None:
    ours, theirs = tree(one), tree(other)
    assert [name for name in ours if name.startswith("elites")] == [name for name in theirs if name.startswith("elit")]
    for name in ours:
        if name.startswith("elites") or name in SAME:
            assert ours[name] == theirs[name], name


@pytest.mark.parametrize("place", ["", "config.json"])
def test_a_config_makes_the_same_run_again(made: Path, tmp_path: Path, place: str, capsys: Capture) -> None:
    assert run_cli(capsys, "evolve", "--config", made / place, "--out", tmp_path / "again", "--quiet").code == 0
    same(made, tmp_path / "again")
    ours, theirs = read_config(made), read_config(tmp_path / "again")
    assert ours == theirs


def test_a_config_of_before_there_were_selectors_means_uniform_parents(
    made: Path, tmp_path: Path, capsys: Capture
) -> None:
    config = json.loads((made / "config.json").read_text())
    assert config.pop("selector") == "uniform"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again", "--quiet").code == 0
    same(made, tmp_path / "again")


@pytest.mark.parametrize(("preset", "selector"), [("default", "fresh"), ("nguyen2015", "uniform")])
def test_another_preset_brings_its_own_selector(
    made: Path, tmp_path: Path, preset: str, selector: str, capsys: Capture
) -> None:
    options = ["--preset", preset, "--generations", "2", "--out", tmp_path / "again", "--quiet"]
    assert run_cli(capsys, "evolve", "--config", made, *options).code == 0
    assert read_config(tmp_path / "again")["selector"] == selector


def test_settings_that_no_preset_has_are_kept(made: Path, tmp_path: Path, capsys: Capture) -> None:
    config = json.loads((made / "config.json").read_text())
    number = next(name for name, value in config["settings"].items() if isinstance(value, float))
    config["settings"][number] *= 0.5
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again", "--quiet").code == 0
    assert read_config(tmp_path / "again")["settings"] == config["settings"]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--seed", "8"], {"seed": 8}),
        (["--selector", "weak"], {"selector": "weak"}),
        (["--generations", "2"], {"budget": {"generations": 2, "evaluations": None, "minutes": None, "until": None}}),
        (["--classes", "1,2"], {"niches": [1, 2]}),
        (["--preset", "default"], {"preset": "default", "batch": 100, "selector": "fresh"}),
        (
            ["--encoding", "direct"],
            {"encoding": "direct", "preset": "default", "batch": 100, "selector": "fresh"},
        ),
    ],
)
def test_what_is_given_beside_it_wins(
    made: Path, tmp_path: Path, options: list[str], changed: dict[str, Any], capsys: Capture
) -> None:
    words = ["evolve", "--config", made, "--out", tmp_path / "other", "--quiet", *options]
    assert run_cli(capsys, *words).code == 0
    before, after = read_config(made), read_config(tmp_path / "other")
    for name in ("target", "encoding", "preset", "selector", "niches", "batch", "seed", "init", "budget"):
        assert after[name] == changed.get(name, before[name]), name


@pytest.mark.parametrize("place", [("target",), ("target", "name"), ("batch",), ("niches",), ("budget", "until")])
@pytest.mark.parametrize("value", [[], {}, "x", -1.5, ["a"], True])
def test_a_damaged_config_is_one_line(
    made: Path, tmp_path: Path, place: tuple[str, ...], value: Any, capsys: Capture
) -> None:
    config = json.loads((made / "config.json").read_text())
    inner = config
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_other_weights_and_no_config_are_refused(made: Path, tmp_path: Path, capsys: Capture) -> None:
    config = json.loads((made / "config.json").read_text())
    config["target"]["weights_sha256"] = "0" * 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again"), "another SHA-256")
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path / "nothing"), "no run at")
    session.evolve(tiny_target(), "direct", generations=1, batch=10, out=tmp_path / "own")
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path / "own"), "your own Target")


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_two_interpreters_make_the_same_bytes(encoding: str, tmp_path: Path) -> None:
    """Whatever the hash seed, the time zone and the language are."""
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); from runs import small_evolve; from campaigns import "
        f"small_attack; out = pathlib.Path(sys.argv[2]); small_evolve(out / 'run', encoding='{encoding}', seed=5); "
        "small_attack(out / 'campaign', count=4)"
    )
    for name, seed, zone, language in (("a", "1", "UTC", "C.UTF-8"), ("b", "4242", "Asia/Tokyo", "tr_TR.UTF-8")):
        surroundings = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language}
        words = [sys.executable, "-c", code, os.path.dirname(__file__), str(tmp_path / name)]
        subprocess.run(words, check=True, env=surroundings)
    same(tmp_path / "a" / "run", tmp_path / "b" / "run")
    one, other = (json_lines(tmp_path / name / "campaign" / "outcomes.jsonl") for name in "ab")
    assert one == other
    assert one


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a network whose batch normalisations are folded; read only."""
    run = tmp_path_factory.mktemp("folded") / "run"
    small_evolve(run, target="cifar10", fold=True, generations=3)
    assert read_config(run)["target"]["fold"] is True
    return run


def test_a_run_with_folded_normalisations_is_made_again(folded: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run_cli(capsys, "evolve", "--config", folded, "--out", tmp_path / "again", "--quiet").code == 0
    same(folded, tmp_path / "again")
    assert read_config(tmp_path / "again") == read_config(folded)


def test_a_run_with_folded_normalisations_goes_on_as_if_it_had_not_stopped(folded: Path, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", target="cifar10", fold=True, generations=1)
    session.resume(tmp_path / "run", generations=3)
    same(folded, tmp_path / "run")
    scores = [(line["index"], line["score"]) for line in json_lines(folded / "elites.jsonl")]
    plain = tmp_path / "plain"
    small_evolve(plain, target="cifar10", fold=False, generations=3)
    assert scores != [(line["index"], line["score"]) for line in json_lines(plain / "elites.jsonl")]  # last digits


def test_a_config_of_before_there_was_folding_means_none(made: Path, tmp_path: Path, capsys: Capture) -> None:
    config = json.loads((made / "config.json").read_text())
    assert config["target"].pop("fold") is False
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again", "--quiet").code == 0
    same(made, tmp_path / "again")


@pytest.mark.parametrize("fold", [1, "yes", None])
def test_a_config_whose_folding_cannot_be_is_refused(made: Path, tmp_path: Path, fold: Any, capsys: Capture) -> None:
    config = json.loads((made / "config.json").read_text())
    config["target"]["fold"] = fold
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path, "--out", tmp_path / "again"), "fold is")
