"""Run folders that are damaged, foreign or finished: one line, exit code 2, and the folder stays as it was."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from configs import REMOVED, edit_config
from runs import (
    Capture,
    assert_refused,
    change_checkpoint,
    checkpoint,
    json_lines,
    run_cli,
    save_weights,
    small_evolve,
    succeed,
    tree,
)
from support import assert_same_arrays, tiny_target

from evofool.targets import networks


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of three generations, which is copied and never changed."""
    run = tmp_path_factory.mktemp("finished") / "run"
    small_evolve(run, classes=["3", "8"])
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def refused_untouched(capsys: Capture, run: Path, *words: object, parts: list[str]) -> None:
    """Check that a command is refused and leaves a folder as it was."""
    before = tree(run)
    assert_refused(run_cli(capsys, *words), *parts)
    assert tree(run) == before


@pytest.mark.parametrize("command", ["resume", "inspect"])
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["config.json is damaged"]),
        ('{"format": 2, "targ', ["config.json is damaged"]),
        ("[]", ["config.json is damaged"]),
        ("{}", ["config.json is damaged"]),
        ("null", ["config.json is damaged"]),
        ('{"format": 1}', ["format 1", "reads 2"]),
        ('{"format": 3}', ["format 3", "reads 2"]),
        ('{"format": 3, "versions": {"evofool": "9.1"}}', ["format 3", "9.1"]),
        ('{"format": 3, "versions": null}', ["format 3"]),
        ('{"format": "new"}', ["format new", "reads 2"]),
        ('{"format": 2}', ["config.json is damaged (job is missing)"]),
        ('{"format": 2, "job": 5}', ["config.json is damaged (job is missing)"]),
        ('{"format": 2, "job": "holiday"}', ["is a holiday", "expected a run or a campaign"]),
        ('{"format": 2, "job": "run"}', ["config.json is damaged", "missing required field"]),
        ('{"format": 2, "job": "run", "versions": {}, "options": {}}', ["config.json is damaged", "target"]),
        ('{"format": 2, "job": "run", "versions": {}, "target": null}', ["config.json is damaged", "target"]),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(
    content: str, parts: list[str], command: str, run: Path, capsys: Capture
) -> None:
    (run / "config.json").write_text(content)
    refused_untouched(capsys, run, command, run, parts=parts)


@pytest.mark.parametrize("command", ["resume", "inspect"])
@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"options.generations": "many"}, "options.generations"),
        ({"options.days": 3}, "unknown field days"),
        ({"options": None}, "(options: expected object, got null)"),
        ({"options": REMOVED}, "missing required field options"),
        ({"options.settings": None}, "settings"),
        ({"options.batch": "many"}, "options.batch"),
        ({"options.batch": 0}, "options.batch"),
        ({"options.batch": None}, "batch"),
        ({"options.seed": "lucky"}, "options.seed"),
        ({"options.seed": -1}, "options.seed"),
        ({"options.until": 99}, "until"),
        ({"class_indices": ["three"]}, "class_indices"),
        ({"class_indices": [3, 99]}, "class_indices"),
        ({"class_indices": [8, 3]}, "class_indices"),
        ({"class_indices": []}, "class_indices"),
        ({"target": "digits"}, "(target: expected object, got str)"),
        ({"target": {"name": "digits"}}, "(target: object missing required field"),
        ({"target.name": 5}, "target.name"),
        ({"target.image_shape": [2, 8, 8]}, "1 or 3 channels"),
        ({"target.image_shape": [1, 8, 10**6]}, "target.image_shape"),
        ({"target.micro_batch": 0}, "target.micro_batch"),
        ({"target.spec": "mnist"}, "the target's name is not the same in options and target"),
        ({"target.device": "cuda"}, "device is not the same in options and target"),
        ({"class_indices": [3]}, "options.classes are not class_indices"),
        ({"mood": "good"}, "unknown field mood"),
    ],
    ids=str,
)
def test_a_config_that_no_run_can_have_is_damaged_and_its_field_named(
    changes: dict[str, object], part: str, command: str, run: Path, capsys: Capture
) -> None:
    edit_config(run, changes)
    refused_untouched(capsys, run, command, run, parts=["config.json is damaged", part])


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"options.settings": {"rate": "high"}}, "rate"),
        ({"options.settings": {"unheard": 1}}, "unheard"),
        ({"options.encoding": "cpn"}, 'unknown encoding "cpn"'),
        ({"options.encoding": "cppn"}, "settings"),
        ({"options.preset": "nguyen2014"}, 'unknown preset "nguyen2014"'),
        ({"options.selector": "newest"}, '"newest"'),
        ({"options.emitters": ["newest"]}, "newest"),
        ({"options.emitters": []}, "emitters"),
        ({"options.descriptors": ["mood"]}, "mood"),
        ({"options.novelty": "mood"}, "mood"),
        ({"options.bins": 4}, "--bins"),
        ({"options.apart": 0.5}, "--apart"),
        ({"class_indices": [3], "options.classes": [3]}, "is not of the job that"),
        ({"target.spec": "digts", "options.target": "digts"}, 'unknown target "digts"'),
        ({"target.device": "tpu", "options.device": "tpu"}, 'unknown device "tpu"'),
        ({"target.precision": "half", "options.precision": "half"}, 'unknown precision "half"'),
        ({"target.memory_format": "spiral", "options.memory_format": "spiral"}, "spiral"),
        (
            {"target.weights_sha256": "0" * 64, "options.weights_sha256": "0" * 64},
            "the weights of digits are not those",
        ),
    ],
    ids=str,
)
def test_a_config_that_names_what_does_not_exist_is_refused_by_its_name(
    changes: dict[str, object], part: str, run: Path, capsys: Capture
) -> None:
    edit_config(run, changes)
    refused_untouched(capsys, run, "resume", run, "--generations", 4, parts=[part])


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
        (lambda file: change_checkpoint(file.parents[1], format=np.array(3)), "format 3"),
        (lambda file: change_checkpoint(file.parents[1], format=np.array([2, 2])), "is damaged"),
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


def test_flipped_bits_in_a_checkpoint_are_noticed_unless_they_change_no_array(run: Path, capsys: Capture) -> None:
    """The budget is spent, so that a sound checkpoint is refused too, but for another reason."""
    file, damaged = run / "checkpoint" / "state.npz", 0
    whole, arrays = file.read_bytes(), checkpoint(run)
    for position in np.random.default_rng(0).integers(len(whole), size=25):
        content = bytearray(whole)
        content[position] ^= 0x55
        file.write_bytes(content)
        outcome = run_cli(capsys, "resume", run, "--generations", 2)
        if "is past that already" in outcome.err:
            assert_same_arrays(checkpoint(run), arrays)
        else:
            assert_refused(outcome, f"{file} is damaged")
            damaged += 1
    assert damaged > 15


NONSENSE = pytest.mark.parametrize("line", ["{}", "5", "[]", "null", '{"niche": 0}', "\\0", '{"generation": 1}'])


@NONSENSE
def test_nonsense_in_the_elites_is_refused_by_inspect_and_written_anew_by_resume(
    line: str, run: Path, capsys: Capture
) -> None:
    whole = (run / "elites.jsonl").read_bytes()
    (run / "elites.jsonl").write_text(line + "\n")
    refused_untouched(capsys, run, "inspect", run, parts=["elites.jsonl is damaged", f"evofool resume {run}"])
    succeed(capsys, "resume", run, "--quiet")
    assert (run / "elites.jsonl").read_bytes() == whole


@NONSENSE
def test_nonsense_in_the_metrics_is_counted_by_inspect_and_refused_by_resume(
    line: str, run: Path, capsys: Capture
) -> None:
    with open(run / "metrics.jsonl", "a") as file:
        file.write(line + "\n")
    facts = json.loads(run_cli(capsys, "inspect", run, "--json").out)
    assert (len(facts["damaged"]), facts["generation"]) == (1, 3)
    parts = ["1 damaged line in", "metrics.jsonl", f"evofool inspect --repair {run}"]
    refused_untouched(capsys, run, "resume", run, "--generations", 4, "--quiet", parts=parts)
    succeed(capsys, "inspect", run, "--repair")
    succeed(capsys, "resume", run, "--generations", 4, "--quiet")
    assert [line["generation"] for line in json_lines(run / "metrics.jsonl")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("limit", "part"),
    [
        ("--generations 1", "3 generations"),
        ("--generations 2", "--generations 6"),
        ("--evaluations 40", "60 evaluations"),
        ("--minutes 1e-9", "minutes"),
        ("--until 1e-9", "past that"),
        ("--generations 0", "--generations must be a whole number of at least 1, got 0"),
        ("--until 99.9", "did you mean 0.999?"),
    ],
)
def test_a_budget_that_is_spent_already_is_refused(limit: str, part: str, run: Path, capsys: Capture) -> None:
    refused_untouched(capsys, run, "resume", run, *limit.split(), parts=[part])


@pytest.mark.parametrize("command", ["resume", "inspect"])
def test_a_folder_and_a_file_that_are_no_run_are_refused(command: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        refused_untouched(capsys, tmp_path, command, path, parts=[str(path)[:100]])


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
