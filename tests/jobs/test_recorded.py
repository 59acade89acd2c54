"""A run made again from its config: the same bytes; what is given beside it wins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import runs
import torch
from configs import REMOVED, edit_config, run_config
from runs import Capture, assert_refused, json_lines, run_cli, small_evolve, tree
from support import tiny_target

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.config.records import FOUND_FOR_TARGET, RunConfig
from evofool.encodings.banks import FOUNDERS, RANDOM
from evofool.jobs.recorded import recorded_options
from evofool.search.defaults import default_init, resolve, resolve_for_target
from evofool.store.folder import make_folder, read_config
from evofool.targets.execution.devices import choose_precision

SAME = ("elites.jsonl", "gallery.png")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run with unusual options, which nobody changes."""
    run = tmp_path_factory.mktemp("made") / "run"
    small_evolve(run, encoding="cppn", preset="nguyen2015", classes=["3", "8", "5"], seed=7, batch=12, generations=4)
    return run


def config_of(run: Path) -> RunConfig:
    return read_config(run, RunConfig)


def assert_same(run: Path, again: Path) -> None:
    """Check that two runs ended with the same bytes, whatever names their classes and targets were asked for by."""
    ours, theirs = tree(run), tree(again)
    assert [name for name in ours if name.startswith("elites")] == [name for name in theirs if name.startswith("elit")]
    for name in ours:
        if name.startswith("elites") or name in SAME:
            assert ours[name] == theirs[name], name


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """Return the config of that run alone, to be edited."""
    (tmp_path / "copied").mkdir()
    shutil.copy(made / "config.json", tmp_path / "copied")
    return tmp_path / "copied"


@pytest.mark.parametrize("file", ["", "config.json"])
def test_a_config_makes_the_same_run_again(made: Path, tmp_path: Path, file: str, capsys: Capture) -> None:
    assert run_cli(capsys, "evolve", "--config", made / file, "--out", tmp_path / "again", "--quiet").code == 0
    assert_same(made, tmp_path / "again")
    assert (made / "config.json").read_bytes() == (tmp_path / "again" / "config.json").read_bytes()


def test_a_run_that_was_made_again_makes_it_a_third_time(made: Path, tmp_path: Path, capsys: Capture) -> None:
    for before, after in ((made, tmp_path / "a"), (tmp_path / "a", tmp_path / "b")):
        assert run_cli(capsys, "evolve", "--config", before, "--out", after, "--quiet").code == 0
    assert_same(made, tmp_path / "b")
    assert (tmp_path / "a" / "config.json").read_bytes() == (tmp_path / "b" / "config.json").read_bytes()


def test_recorded_options_leave_nothing_to_chance(made: Path) -> None:
    options, config = recorded_options(made, {}), config_of(made)
    assert (options.target, options.classes, options.seed, options.batch) == ("digits", (3, 5, 8), 7, 12)
    assert {name: getattr(options, name) for name in FOUND_FOR_TARGET} == {
        name: getattr(config.target, name) for name in FOUND_FOR_TARGET
    }
    assert options.weights_sha256 == config.target.weights_sha256 is not None


@pytest.mark.parametrize(
    ("preset", "selector", "precision"),
    [("default", "fresh", choose_precision("auto", torch.device("cpu"))), ("nguyen2015", "uniform", "float32")],
)
def test_another_preset_brings_its_own_selector_and_precision(
    made: Path, tmp_path: Path, preset: str, selector: str, precision: str, capsys: Capture
) -> None:
    options = ["--preset", preset, "--generations", "2", "--out", tmp_path / "again", "--quiet"]
    assert run_cli(capsys, "evolve", "--config", made, *options).code == 0
    config = config_of(tmp_path / "again")
    assert (config.options.selector, config.target.precision) == (selector, precision)


def test_settings_that_no_preset_has_are_kept(copied: Path, tmp_path: Path, capsys: Capture) -> None:
    settings = config_of(copied).options.settings
    assert settings
    number = next(name for name, value in settings.items() if isinstance(value, float))
    halved = settings | {number: 0.5 * settings[number]}  # type: ignore[operator]
    edit_config(copied, {"options.settings": halved})
    assert run_cli(capsys, "evolve", "--config", copied, "--out", tmp_path / "again", "--quiet").code == 0
    assert config_of(tmp_path / "again").options.settings == halved


LIMITS = {"generations": 4, "evaluations": None, "minutes": None, "until": None}


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--seed", "8"], {"seed": 8}),
        (["--selector", "weak"], {"selector": "weak"}),
        (["--generations", "2"], {"generations": 2}),
        (["--evaluations", "20"], {"generations": None, "evaluations": 20}),
        (["--classes", "1,2"], {"class_indices": (1, 2)}),
        (["--preset", "default"], {"preset": "default", "batch": 100, "selector": "fresh"}),
        (
            ["--encoding", "direct"],
            {"encoding": "direct", "preset": "default", "batch": 100, "selector": "unsure"},
        ),
    ],
)
def test_what_is_given_beside_it_wins(
    made: Path, tmp_path: Path, options: list[str], changed: dict[str, Any], capsys: Capture
) -> None:
    words = ["evolve", "--config", made, "--out", tmp_path / "other", "--quiet", *options]
    assert run_cli(capsys, *words).code == 0
    before, after = config_of(made), config_of(tmp_path / "other")
    assert after.target.identity() == before.target.identity()
    assert after.class_indices == changed.pop("class_indices", before.class_indices)
    for name in ("target", "encoding", "preset", "selector", "batch", "seed", "init", *LIMITS):
        assert getattr(after.options, name) == changed.get(name, getattr(before.options, name)), name


def recorded(folder: Path, **options: Any) -> Path:
    """Return the folder of the config of a run of colour images that left open all but some options."""
    left_open = resolve(EvolveOptions(**options))
    init = default_init(left_open, channels=3)
    begun = resolve_for_target(msgspec.structs.replace(left_open, init=init), tiny_target())
    varied = {name: getattr(begun, name) for name in ("encoding", "settings", "emitters", "init")}
    make_folder(folder, run_config(varied, target={"own": False}))
    return folder


@pytest.mark.parametrize(
    ("options", "changes", "init", "emitters"),
    [
        ({}, {"seed": 3}, FOUNDERS, ("vary", "tweak", "restart@800")),
        ({}, {"init": RANDOM}, RANDOM, None),
        ({}, {"target": "mnist"}, None, None),
        ({"emitters": "vary"}, {"init": RANDOM}, RANDOM, ("vary",)),
        ({"emitters": "vary"}, {"target": "mnist"}, None, ("vary",)),
        ({"init": RANDOM}, {"target": "mnist"}, RANDOM, ("vary", "tweak@600", "restart@800")),
        ({"init": "cifar10-cppn"}, {"target": "mnist"}, "cifar10-cppn", ("vary", "tweak", "restart@800")),
    ],
    ids=str,
)
def test_defaults_that_depend_on_what_is_changed_are_found_anew(
    options: dict[str, Any], changes: dict[str, Any], init: str | None, emitters: tuple[str, ...] | None, tmp_path: Path
) -> None:
    again = recorded_options(recorded(tmp_path / "run", **options), changes)
    assert (again.init, again.emitters) == (init, emitters)


def test_a_config_of_an_earlier_version_begins_with_random_genomes(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", init=RANDOM)
    edit_config(folder, {"options.init": None})
    again = recorded_options(folder, {})
    assert (again.init, again.emitters) == (RANDOM, ("vary", "tweak@600", "restart@800"))


def test_another_seed_makes_other_images(made: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["evolve", "--config", made, "--seed", "1", "--out", tmp_path / "other", "--quiet"]
    assert run_cli(capsys, *words).code == 0
    assert (tmp_path / "other" / "elites.jsonl").read_bytes() != (made / "elites.jsonl").read_bytes()


@pytest.mark.parametrize(
    "name", ["target", "target.spec", "options.batch", "class_indices", "options.until", "options", "options.encoding"]
)
@pytest.mark.parametrize("value", [[], {}, "x", -1.5, ["a"], True], ids=str)
def test_a_damaged_config_is_one_line(copied: Path, tmp_path: Path, name: str, value: Any, capsys: Capture) -> None:
    edit_config(copied, {name: value})
    assert_refused(run_cli(capsys, "evolve", "--config", copied, "--out", tmp_path / "again"))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["target", "target.name", "class_indices", "options", "options.settings", "versions"])
def test_a_config_that_lacks_something_is_one_line(name: str, copied: Path, tmp_path: Path, capsys: Capture) -> None:
    edit_config(copied, {name: REMOVED})
    outcome = run_cli(capsys, "evolve", "--config", copied, "--out", tmp_path / "again")
    assert_refused(outcome, "config.json is damaged", name.rpartition(".")[2])
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"options.batch": "many"}, "config.json is damaged (options.batch: expected int | null, got str)"),
        ({"options.batch": 0}, "config.json is damaged (options.batch: expected int >= 1)"),
        ({"options.sed": 1}, "(options: object contains unknown field sed)"),
        ({"colour": "red"}, "unknown field colour"),
        ({"target.fold": 1}, "target.fold"),
        ({"target.fold": "yes"}, "target.fold"),
        ({"target.fold": None}, "target.fold"),
        ({"target.parallel": 1}, "target.parallel"),
        ({"target.parallel": REMOVED}, "(target: object missing required field parallel)"),
        ({"target.fold": REMOVED}, "(target: object missing required field fold)"),
        ({"options.until": 99}, "until"),
        ({"options.selector": "nosuch"}, '"nosuch"'),
        ({"options.encoding": "cpn"}, '"cpn"'),
        ({"options.preset": "nosuch"}, '"nosuch"'),
        ({"options.descriptors": ["nosuch"]}, "nosuch"),
        ({"target.spec": "digts"}, "the target's name is not the same in options and target"),
        ({"target.device": "tpu"}, "device is not the same in options and target"),
        ({"target.spec": "digts", "options.target": "digts"}, '"digts"'),
        ({"target.device": "tpu", "options.device": "tpu"}, '"tpu"'),
        ({"target.precision": "half", "options.precision": "half"}, '"half"'),
        ({"class_indices": [3, 99]}, "class_indices must rise and be below 10"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_config_is_named(
    changes: dict[str, Any], part: str, copied: Path, tmp_path: Path, capsys: Capture
) -> None:
    edit_config(copied, changes)
    outcome = run_cli(capsys, "evolve", "--config", copied, "--out", tmp_path / "again")
    assert_refused(outcome, part)
    assert not (tmp_path / "again").exists()


def test_other_weights_and_no_config_are_refused(copied: Path, tmp_path: Path, capsys: Capture) -> None:
    edit_config(copied, {"target.weights_sha256": "0" * 64, "options.weights_sha256": "0" * 64})
    outcome = run_cli(capsys, "evolve", "--config", copied, "--out", tmp_path / "again")
    assert_refused(outcome, "another SHA-256", "--weights")
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path / "nothing"), "no run at")
    evofool.evolve(tiny_target(), "direct", generations=1, batch=10, out=tmp_path / "own")
    assert_refused(run_cli(capsys, "evolve", "--config", tmp_path / "own"), "your own Target", "in Python")


def test_a_campaign_is_no_run_to_make_again(tmp_path: Path, capsys: Capture) -> None:
    evofool.attack("digits", "digits", count=1, queries=8, device="cpu", out=tmp_path / "campaign")
    outcome = run_cli(capsys, "evolve", "--config", tmp_path / "campaign", "--out", tmp_path / "again")
    assert_refused(outcome, "is a campaign; expected a run, which --config makes again", "is on its page, report.html")


def test_two_interpreters_make_the_same_bytes(tmp_path: Path) -> None:
    """They do so whatever the hash seed, the time zone and the language are."""
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); from runs import small_evolve; from campaigns import "
        "small_attack; out = pathlib.Path(sys.argv[2]); "
        "[small_evolve(out / encoding, encoding=encoding, seed=5) for encoding in ('direct', 'cppn')]; "
        "small_attack(out / 'campaign', count=4)"
    )
    for name, seed, zone, language in (("a", "1", "UTC", "C.UTF-8"), ("b", "4242", "Asia/Tokyo", "tr_TR.UTF-8")):
        surroundings = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language}
        words = [sys.executable, "-c", code, str(Path(runs.__file__).parent), str(tmp_path / name)]
        subprocess.run(words, check=True, env=surroundings)
    for encoding in ("direct", "cppn"):
        assert_same(tmp_path / "a" / encoding, tmp_path / "b" / encoding)
    ours, theirs = (json_lines(tmp_path / name / "campaign" / "outcomes.jsonl") for name in "ab")
    assert ours == theirs
    assert ours


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a network whose batch normalisations are folded, which nobody changes."""
    run = tmp_path_factory.mktemp("folded") / "run"
    small_evolve(run, target="cifar10", fold=True, generations=3)
    assert config_of(run).target.fold is True
    return run


def test_a_run_with_folded_normalisations_is_made_again(folded: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run_cli(capsys, "evolve", "--config", folded, "--out", tmp_path / "again", "--quiet").code == 0
    assert_same(folded, tmp_path / "again")
    assert config_of(tmp_path / "again").target == config_of(folded).target


def test_a_run_with_folded_normalisations_goes_on_as_if_it_had_not_stopped(folded: Path, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", target="cifar10", fold=True, generations=1)
    evofool.resume(tmp_path / "run", generations=3)
    assert_same(folded, tmp_path / "run")
    scores = [(line["index"], line["score"]) for line in json_lines(folded / "elites.jsonl")]
    plain = tmp_path / "plain"
    small_evolve(plain, target="cifar10", fold=False, generations=3)
    assert scores != [
        (line["index"], line["score"]) for line in json_lines(plain / "elites.jsonl")
    ]  # They differ in their last digits.
