"""Small runs, damaged runs and the command line inside this process, for the tests that need them."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support import assert_same_arrays

import evofool
from evofool import Result, encodings
from evofool.cli import app as cli
from evofool.io.arrays import read_arrays, write_arrays
from evofool.io.lines import SEAL
from evofool.store.history import HistoryFolder
from evofool.store.run import RunFolder

Capture = pytest.CaptureFixture[str]

EVOLVE = ["evolve", "--target", "digits", "--generations", "1", "--batch", "20", "--device", "cpu"]
"""A run of one small generation; an option that follows replaces one of these."""

LONG = os.environ.get("EVOFOOL_LONG") == "1"
"""Whether tests of many cases try all of them."""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    code: int
    out: str
    err: str


class Killed(BaseException):
    """An end that nobody catches, like a power cut."""


def kill() -> None:
    """End the process as nobody expects it."""
    raise Killed


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


class After:
    """An observer that does something after so many steps of a job."""

    def __init__(self, steps: int, action: Callable[[], None]) -> None:
        self.left, self.action = steps, action

    def __call__(self, step: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()


def run_cli(capsys: Capture, *words: object) -> CommandResult:
    """Run ``evofool`` with these arguments as the console script does; an exception that it lets out fails the test."""
    capsys.readouterr()
    arguments = ["evofool", *map(str, words)]
    with mock.patch.object(sys, "argv", arguments), pytest.raises(SystemExit) as stopped:
        cli.main()
    out, err = capsys.readouterr()
    code = stopped.value.code
    return CommandResult(code if isinstance(code, int) else int(code is not None), out, err)


def succeed(capsys: Capture, *words: object) -> CommandResult:
    """Run a command that ends well."""
    outcome = run_cli(capsys, *words)
    assert outcome.code == 0, outcome.err
    return outcome


def assert_refused(outcome: CommandResult, *parts: str) -> None:
    """Check for exit code 2, nothing on standard output, and one line on standard error that holds ``parts``.

    Parameters of the library, which stand in backticks, must have become options.
    """
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
    assert "`" not in outcome.err
    for part in parts:
        assert part in outcome.err


SLOWLY: dict[str, dict[str, Any]] = {
    "cppn": {
        "settings": encodings.preset("cppn", "default")
        | {"rounds": 1, "add_connection": 0.5, "delete_connection": 0.3, "add_node": 0.5, "delete_node": 0.2},
        "selector": "uniform",
    },
    "direct": {"settings": encodings.preset("direct", "nguyen2015") | {"crossover": 0.0}, "selector": "uniform"},
}
"""Options of runs whose graphs stay small and whose elites get better step by step."""


def small_evolve(out: Path | None = None, **options: Any) -> Result:
    """Evolve three generations of twenty direct genomes for the embedded digits network, unless told otherwise."""
    defaults: dict[str, Any] = {
        "target": "digits",
        "encoding": "direct",
        "generations": 3,
        "batch": 20,
        "device": "cpu",
        "precision": "float32",
    }
    return evofool.evolve(out=out, **{**defaults, **options})


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file under a folder, hidden ones included, by relative path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def json_lines(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a file without their seals."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key != SEAL} for line in lines]


def change_checkpoint(run: Path, **arrays: np.ndarray) -> None:
    """Replace arrays of a run's checkpoint and seal it anew."""
    file = run / "checkpoint" / "state.npz"
    write_arrays(file, read_arrays(file) | arrays)


def save_weights(network: torch.nn.Module, file: Path, scale: float = 1.0) -> Path:
    """Write a network's tensors as a safetensors file, with floating ones multiplied by ``scale``."""
    tensors = {k: (v * scale if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()}
    save_file(tensors, file)
    return file


def without_seconds(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines of ``metrics.jsonl`` without what a clock wrote into them."""
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def checkpoint(run: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a run's checkpoint without what a clock wrote into them."""
    arrays = read_arrays(run / "checkpoint" / "state.npz")
    return {name: array for name, array in arrays.items() if name != "seconds"}


def history(run: Path) -> dict[str, np.ndarray]:
    """Return a run's history with genomes ordered by ``evaluation_id``: the clock decides which files they are in."""
    past = RunFolder.open(run).history
    arrays = {f"changes.{name}": value for name, value in vars(past.changes()).items() if not name.startswith("_")}
    parts = list(past.genomes(set(past.genome_ids().tolist())))
    order = np.argsort(np.concatenate([evaluation_id for evaluation_id, _ in parts]))
    for name in parts[0][1]:
        arrays[name] = np.concatenate([genomes[name] for _, genomes in parts])[order]
    return arrays | {"genome_id": past.genome_ids()}


def history_of(folder: Path) -> HistoryFolder:
    """Return a history that belongs to no run."""
    return HistoryFolder(folder, bytes(32))


def assert_same_run(ours: Path, theirs: Path) -> None:
    """Check that all files of two runs are the same, but for what a clock wrote into them."""
    timed = {"checkpoint/state.npz", "metrics.jsonl", "index.html"}
    our_files, their_files = (
        {name: content for name, content in tree(run).items() if not name.startswith(("history/", "checkpoint/prev"))}
        for run in (ours, theirs)
    )
    assert_same_arrays(history(ours), history(theirs))
    assert sorted(our_files) == sorted(their_files)
    assert [name for name in our_files if name not in timed and our_files[name] != their_files[name]] == []
    assert_same_arrays(checkpoint(ours), checkpoint(theirs))
    our_lines, their_lines = (without_seconds(json_lines(run / "metrics.jsonl")) for run in (ours, theirs))
    assert our_lines == their_lines


def assert_same_experiment(ours: Path, theirs: Path) -> None:
    """Check that two experiments' folders have the same files with the same bytes, but for where the data lie."""
    one, other = tree(ours), tree(theirs)
    assert sorted(one) == sorted(other)
    configs = [json.loads(files.pop("config.json")) for files in (one, other)]
    for files, config in zip((one, other), configs, strict=True):
        del config["data"], config["options"]["data"], files["report.html"]  # its command names the data
    assert configs[0] == configs[1]
    assert one == other
