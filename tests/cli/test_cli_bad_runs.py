"""Run folders that are damaged, foreign or finished: one line, exit code 2, and the folder stays as it was."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from runs import Capture, assert_refused, change_checkpoint, change_config, run_cli, save_weights, small_evolve, tree
from support import tiny_target

from evofool.targets import networks


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three generations; copied, never changed."""
    run = tmp_path_factory.mktemp("finished") / "run"
    small_evolve(run, classes=["3", "8"])
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def refused_untouched(capsys: Capture, run: Path, *words: object, parts: list[str]) -> None:
    before = tree(run)
    assert_refused(run_cli(capsys, *words), *parts)
    assert tree(run) == before


@pytest.mark.parametrize("command", ["resume", "inspect"])
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["config.json is damaged"]),
        ('{"format": 1, "targ', ["config.json is damaged"]),
        ("[]", ["config.json is damaged"]),
        ("{}", ["config.json is damaged"]),
        ("null", ["config.json is damaged"]),
        ('{"format": 2}', ["format 2", "reads 1"]),
        ('{"format": 2, "versions": {"evofool": "9.1"}}', ["format 2", "9.1"]),
        ('{"format": 2, "versions": null}', ["format 2"]),
        ('{"format": "new"}', ["format 'new'"]),
        ('{"format": 1}', ["config.json", "'budget'"]),
        ('{"format": 1, "budget": {}}', ["config.json", "'target'"]),
        ('{"format": 1, "budget": {}, "target": null}', ["config.json"]),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(
    content: str, parts: list[str], command: str, run: Path, capsys: Capture
) -> None:
    (run / "config.json").write_text(content)
    refused_untouched(capsys, run, command, run, parts=parts)


@pytest.mark.parametrize(
    "changes",
    [
        {"budget": {"generations": "many"}},
        {"budget": {"days": 3}},
        {"budget": None},
        {"niches": ["three"]},
        {"niches": [3, 99]},
        {"niches": []},
        {"niches": [3]},
        {"settings": None},
        {"settings": {"rate": "high"}},
        {"settings": {"unheard": 1}},
        {"batch": "many"},
        {"batch": 0},
        {"seed": "lucky"},
        {"seed": -1},
        {"encoding": "cpn"},
        {"encoding": "cppn"},
        {"target": "digits"},
        {"target": {"name": "digits"}},
    ],
    ids=str,
)
def test_a_config_changed_to_nonsense_is_refused(changes: dict[str, object], run: Path, capsys: Capture) -> None:
    change_config(run, **changes)
    budget = [] if "budget" in changes else ["--generations", 4]
    refused_untouched(capsys, run, "resume", run, *budget, parts=[])


@pytest.mark.parametrize("change", [{"name": "digts"}, {"name": 5}, {"device": "tpu"}, {"precision": "half"}], ids=str)
def test_a_config_with_a_target_of_nonsense_is_refused(change: dict[str, object], run: Path, capsys: Capture) -> None:
    target = json.loads((run / "config.json").read_text())["target"]
    change_config(run, target=target | change)
    refused_untouched(capsys, run, "resume", run, "--generations", 4, parts=[])


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _npy(file: Path) -> None:
    with open(file, "wb") as out:
        np.save(out, np.arange(3))


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (Path.unlink, "is missing; go back to the checkpoint before it with: evofool inspect --repair"),
        (_cut, "is damaged"),
        (lambda file: file.write_bytes(b""), "is damaged"),
        (lambda file: file.write_bytes(b"not an archive"), "is damaged"),
        (lambda file: file.write_bytes(pickle.dumps({"seconds": 1})), "is damaged"),
        (_npy, "is damaged"),
        (lambda file: change_checkpoint(file.parents[1], format=np.array(2)), "format 2"),
        (lambda file: change_checkpoint(file.parents[1], format=np.array([1, 1])), "is damaged"),
        (lambda file: change_checkpoint(file.parents[1], seconds=np.array("soon")), "is damaged"),
        (lambda file: change_checkpoint(file.parents[1], **{"search.counts": np.array([1])}), "is damaged"),
        (lambda file: change_checkpoint(file.parents[1], **{"genomes.genes": np.zeros(3)}), "direct genomes"),
        (lambda file: change_checkpoint(file.parents[1], **{"rng.host": np.array([1, 2], np.uint8)}), "is damaged"),
        (lambda file: change_checkpoint(file.parents[1], **{"search.archive.scores": np.ones(2)}), "is damaged"),
    ],
    ids=[
        "missing", "truncated", "empty", "text", "pickle", "npy", "format", "formats", "seconds", "counts", "genes",
        "rng", "scores",
    ],
)  # fmt: skip
def test_a_checkpoint_that_cannot_be_used_is_refused(
    damage: Callable[[Path], None], part: str, run: Path, capsys: Capture
) -> None:
    damage(run / "checkpoint" / "state.npz")
    refused_untouched(capsys, run, "resume", run, "--generations", 4, parts=[part])


def test_flipped_bits_in_a_checkpoint_are_an_error_of_one_line(run: Path, capsys: Capture) -> None:
    file = run / "checkpoint" / "state.npz"
    whole = file.read_bytes()
    for position in np.random.default_rng(0).integers(len(whole), size=25):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        file.write_bytes(damaged)
        outcome = run_cli(capsys, "resume", run, "--generations", 3)  # spent: a sound checkpoint is refused too
        assert_refused(outcome)


@pytest.mark.parametrize("line", ["{}", "5", "[]", "null", '{"niche": 0}'])
@pytest.mark.parametrize("words", [["inspect"], ["resume", "--generations", 4, "--quiet"]], ids=["inspect", "resume"])
@pytest.mark.parametrize("file", ["elites.jsonl", "metrics.jsonl"])
def test_lines_of_nonsense_are_refused_or_passed_over(
    file: str, words: list[object], line: str, run: Path, capsys: Capture
) -> None:
    (run / file).write_text(line + "\n")
    outcome = run_cli(capsys, words[0], run, *words[1:])
    if outcome.code != 0:
        assert_refused(outcome, file)


@pytest.mark.parametrize(
    ("limit", "part"),
    [
        ("--generations 2", "3 generations"),
        ("--generations 3", "--generations 6"),
        ("--evaluations 60", "60 evaluations"),
        ("--minutes 1e-9", "minutes"),
        ("--until 1e-9", "past that"),
        ("--generations 0", "above 0"),
        ("--until 99.9", "did you mean 0.999?"),
    ],
)
def test_a_budget_that_is_spent_already_is_refused(limit: str, part: str, run: Path, capsys: Capture) -> None:
    refused_untouched(capsys, run, "resume", run, *limit.split(), parts=[part])


@pytest.mark.parametrize("command", ["resume", "inspect"])
def test_a_folder_and_a_file_that_are_no_run_are_refused(command: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path, tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        refused_untouched(capsys, tmp_path, command, place, parts=[str(place)[:100]])


def test_a_run_whose_weights_changed_is_refused(tmp_path: Path, capsys: Capture) -> None:
    run, weights, network = tmp_path / "run", tmp_path / "own.safetensors", networks.DigitsNet()
    save_weights(network, weights)
    small_evolve(run, weights=weights, generations=1)
    save_weights(network, weights, scale=1.01)
    refused_untouched(capsys, run, "resume", run, "--generations", 2, parts=["weights of digits", "SHA-256"])
    weights.unlink()
    refused_untouched(capsys, run, "resume", run, "--generations", 2, parts=["no weights file", str(weights)])


def test_a_run_of_an_own_target_is_sent_to_python(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, target=tiny_target(), generations=1, device="auto", precision="auto")
    refused_untouched(capsys, run, "resume", run, "--generations", 2, parts=["own Target tiny", "evofool.resume("])
