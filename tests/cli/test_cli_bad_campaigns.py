"""Campaign folders that are damaged, foreign or finished: one line, exit code 2, and the folder stays as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import write_lines
from configs import REMOVED, edit_config
from runs import Capture, assert_refused, json_lines, run_cli, save_weights, small_evolve, succeed, tree

import evofool
from evofool import load_target
from evofool.targets import networks

ATTACK = ["attack", "--device", "cpu", "--count", "3", "--queries", "30"]
"""Three digits; an option that follows replaces one of these."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a campaign with successes, which is copied and never changed."""
    path = tmp_path_factory.mktemp("finished") / "campaign"
    result = evofool.attack(out=path, count=4, pixels=3, queries=300, device="cpu")
    assert result.statistics.successes
    return path


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "campaign"))


def refused_untouched(capsys: Capture, folder: Path, *words: object, parts: list[str]) -> None:
    """Check that a command is refused and leaves a folder as it was."""
    before = tree(folder)
    assert_refused(run_cli(capsys, *words), *parts)
    assert tree(folder) == before


def test_an_existing_campaign_is_not_overwritten_and_resume_is_named(campaign: Path, capsys: Capture) -> None:
    parts = ["exists already", f"evofool resume {campaign}"]
    refused_untouched(capsys, campaign, *ATTACK, "--out", campaign, parts=parts)


COMMANDS = ["resume", "inspect", "report"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_and_a_file_that_are_no_campaign_are_refused(command: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file", tmp_path / "file" / "below", tmp_path / "no", tmp_path / ("x" * 300)):
        refused_untouched(capsys, tmp_path, command, path, parts=["no ", str(path)[:100]])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["config.json is damaged"]),
        ('{"format": 2, "evofo', ["config.json is damaged"]),
        ("[]", ["config.json is damaged"]),
        ("null", ["config.json is damaged"]),
        ('{"format": 1, "evofool": "attack"}', ["format 1", "reads 2"]),
        ('{"format": 3, "job": "campaign"}', ["format 3", "reads 2"]),
        ('{"format": 3, "job": "campaign", "versions": {"evofool": "9.1"}}', ["format 3", "9.1"]),
        ('{"format": 2, "job": "campaign"}', ["config.json is damaged", "missing required field"]),
        ('{"format": 2, "job": "campaign", "versions": {}, "target": null, "data": []}', ["config.json is damaged"]),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(
    content: str, parts: list[str], command: str, campaign: Path, capsys: Capture
) -> None:
    (campaign / "config.json").write_text(content)
    refused_untouched(capsys, campaign, command, campaign, parts=parts)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "name",
    ["target", "data", "classes", "versions", "options", *(f"plan.{key}" for key in ("criterion", "queries", "seed"))],
)
def test_a_config_that_lacks_something_is_refused_and_it_is_named(
    name: str, command: str, campaign: Path, capsys: Capture
) -> None:
    edit_config(campaign, {name: REMOVED})
    parts = [f"{campaign / 'config.json'} is damaged", f"missing required field {name.rpartition('.')[2]}"]
    refused_untouched(capsys, campaign, command, campaign, parts=parts)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"plan.pixels": []}, "plan.pixels"),
        ({"plan.pixels": [0]}, "plan.pixels"),
        ({"plan.pixels": [65]}, "pixels"),
        ({"plan.pixels": [3, 1]}, "pixels"),
        ({"plan.pixels": ["one"]}, "plan.pixels"),
        ({"plan.pixels": None}, "plan.pixels"),
        ({"plan.strategy": "locl"}, "locl"),
        ({"plan.strategy": None}, "plan.strategy"),
        ({"plan.criteria": None}, "plan.criteria"),
        ({"plan.criteria": []}, "criteria"),
        ({"plan.criteria": [99]}, "criteria"),
        ({"plan.criteria": ["cat"]}, "plan.criteria"),
        ({"plan.criteria": "some"}, "criteria"),
        ({"plan.queries": "many"}, "plan.queries"),
        ({"plan.queries": -1}, "plan.queries"),
        ({"plan.seed": "lucky"}, "plan.seed"),
        ({"plan.seed": -1}, "plan.seed"),
        ({"plan.rows": "many"}, "plan.rows"),
        ({"plan.rows": -1}, "plan.rows"),
        ({"plan.baseline": "yes"}, "plan.baseline"),
        ({"options.seed": -1}, "options.seed"),
        ({"options.unheard": 1}, "unheard"),
        ({"classes": ["cat"]}, "classes"),
        ({"classes": None}, "classes"),
        ({"target": "digits"}, "target"),
        ({"target": {"name": "digits"}}, "target"),
    ],
    ids=str,
)
def test_a_config_changed_to_nonsense_is_refused_and_its_field_named(
    changes: dict[str, object], part: str, campaign: Path, capsys: Capture
) -> None:
    edit_config(campaign, changes)
    refused_untouched(capsys, campaign, "resume", campaign, parts=["config.json is damaged", part])


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"target.spec": "digts"}, '"digts"'),
        ({"target.device": "tpu"}, '"tpu"'),
        ({"target.precision": "half"}, '"half"'),
        ({"target.weights_sha256": "0" * 64}, "the weights of digits are not those"),
    ],
    ids=str,
)
def test_a_config_that_names_what_does_not_exist_is_refused_by_its_name(
    changes: dict[str, object], part: str, campaign: Path, capsys: Capture
) -> None:
    edit_config(campaign, changes)
    refused_untouched(capsys, campaign, "resume", campaign, parts=[part])


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def _other(file: Path) -> None:
    images = np.load(file)
    np.save(file, 255 - images)


def _float(file: Path) -> None:
    np.save(file, np.load(file).astype(np.float32))


def _fewer(file: Path) -> None:
    np.save(file, np.load(file)[:-1])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (Path.unlink, "is missing or damaged"),
        (_cut, "is missing or damaged"),
        (lambda file: file.write_bytes(b""), "is missing or damaged"),
        (lambda file: file.write_bytes(b"no array"), "is missing or damaged"),
        (_float, "don't fit each other"),
        (_fewer, "don't fit each other"),
    ],
    ids=["missing", "truncated", "empty", "text", "floats", "one less"],
)
def test_images_that_cannot_be_used_are_refused(
    damage: Callable[[Path], None], part: str, command: str, campaign: Path, capsys: Capture
) -> None:
    damage(campaign / "images.npy")
    refused_untouched(capsys, campaign, command, campaign, parts=[part, "images.npy"])


def test_images_other_than_those_chosen_are_refused(campaign: Path, capsys: Capture) -> None:
    _other(campaign / "images.npy")
    refused_untouched(capsys, campaign, "report", campaign, parts=["not the one that was chosen"])
    (campaign / "outcomes.jsonl").unlink()
    refused_untouched(capsys, campaign, "resume", campaign, parts=["not the one that was chosen"])


@pytest.mark.parametrize("command", COMMANDS)
def test_lines_of_images_that_are_missing_or_torn_are_refused(command: str, campaign: Path, capsys: Capture) -> None:
    whole = (campaign / "images.jsonl").read_bytes()
    for content in (whole[:-20], b"", b"5\n" + whole):
        (campaign / "images.jsonl").write_bytes(content)
        refused_untouched(capsys, campaign, command, campaign, parts=["don't fit each other"])


def test_outcomes_of_one_torn_line_are_none_yet(campaign: Path, capsys: Capture) -> None:
    """A killed process leaves a torn last line. Any other line that is no outcome is refused."""
    whole = sorted((campaign / "outcomes.jsonl").read_bytes().splitlines())
    (campaign / "outcomes.jsonl").write_bytes(b"\xff\xfe\x00 no text \xff\n")
    assert json.loads(succeed(capsys, "inspect", campaign, "--json").out)["settled"] == 0
    succeed(capsys, "report", campaign, "--quiet")
    succeed(capsys, "resume", campaign, "--quiet")
    assert sorted((campaign / "outcomes.jsonl").read_bytes().splitlines()) == whole


@pytest.mark.parametrize("command", COMMANDS)
def test_outcomes_that_are_no_text_are_refused(command: str, campaign: Path, capsys: Capture) -> None:
    (campaign / "outcomes.jsonl").write_bytes(2 * b"\xff\xfe\x00 no text \xff\n")
    parts = [f"line 1 of {campaign / 'outcomes.jsonl'} is damaged", f"evofool inspect --repair {campaign}"]
    refused_untouched(capsys, campaign, command, campaign, parts=parts)


def change_outcome(campaign: Path, **changes: Any) -> None:
    """Edit the first success by hand."""
    outcomes = json_lines(campaign / "outcomes.jsonl")
    next(outcome for outcome in outcomes if outcome["success"]).update(changes)
    write_lines(campaign, "outcomes.jsonl", outcomes)


@pytest.mark.parametrize(
    "changes",
    [
        {"edits": [{"x": 99, "y": 0, "colour": [5]}] * 3},
        {"edits": [{"x": 1, "y": 0, "colour": [5, 5]}] * 3},
        {"edits": [{"y": 1}]},
        {"top5": []},
        {"label": None},
        {"final_index": 99},
        {"edits": None},
        {"queries": "many"},
    ],
    ids=str,
)
def test_an_outcome_of_nonsense_is_refused_by_report(changes: dict[str, Any], campaign: Path, capsys: Capture) -> None:
    change_outcome(campaign, **changes)
    refused_untouched(capsys, campaign, "report", campaign, parts=[str(campaign)])


def test_resume_with_limits_is_refused_for_a_campaign(campaign: Path, capsys: Capture) -> None:
    for limit in ("--generations", "--evaluations", "--minutes"):
        refused_untouched(
            capsys, campaign, "resume", campaign, limit, 5, parts=["is a campaign", "leave the limits out"]
        )
    refused_untouched(capsys, campaign, "resume", campaign, "--until", 0.9, parts=["leave the limits out"])


def test_a_run_of_evolve_is_no_campaign_to_report(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, generations=1, classes=["3"])
    refused_untouched(capsys, run, "report", run, parts=[str(run), "is a run", "expected a campaign"])


def test_one_bad_campaign_among_several_is_refused(campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    parts = ["no campaign at", "nowhere"]
    refused_untouched(capsys, tmp_path, "report", campaign, tmp_path / "nowhere", parts=parts)


@pytest.mark.parametrize("name", ["page.pdf", "page", ".html", "page.html.png"])
def test_a_report_that_is_no_html_file_is_refused(name: str, campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / name
    refused_untouched(capsys, tmp_path, "report", campaign, "--out", out, parts=["--out must name an .html", name])


def test_a_report_that_cannot_be_written_is_refused(campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.html").mkdir()
    for path in (tmp_path / "file" / "page.html", tmp_path / "folder.html"):
        refused_untouched(capsys, tmp_path, "report", campaign, "--out", path, parts=["cannot write to"])


def test_a_campaign_whose_weights_changed_is_refused(tmp_path: Path, capsys: Capture) -> None:
    network = networks.DigitsNet()
    network.load_state_dict(load_target("digits", device="cpu").network.state_dict())
    weights, path = save_weights(network, tmp_path / "own.safetensors"), tmp_path / "campaign"
    evofool.attack("digits", out=path, weights=weights, count=2, pixels=5, queries=200, device="cpu")
    save_weights(network, weights, scale=1.01)
    refused_untouched(capsys, path, "resume", path, parts=["weights of digits", "SHA-256"])
    weights.unlink()
    refused_untouched(capsys, path, "resume", path, parts=["no weights file", str(weights)])
