"""Small runs, damaged runs and the command line inside this process, for the tests that need them."""

from __future__ import annotations

import json
import os
import signal
import sys
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
"""one small generation; options that follow go before these"""


LONG = os.environ.get("EVOFOOL_LONG") == "1"
"""whether tests of many cases try them all"""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    code: int
    out: str
    err: str


class Killed(BaseException):
    """What nobody catches, as a power cut."""


def kill() -> None:
    raise Killed


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def run_cli(capsys: Capture, *words: object) -> CommandResult:
    """``evofool`` with these arguments, as the console script calls it; an exception it lets out fails the test."""
    capsys.readouterr()
    arguments = ["evofool", *map(str, words)]
    with mock.patch.object(sys, "argv", arguments), pytest.raises(SystemExit) as stopped:
        cli.main()
    out, err = capsys.readouterr()
    code = stopped.value.code
    return CommandResult(code if isinstance(code, int) else int(code is not None), out, err)


def assert_refused(outcome: CommandResult, *parts: str) -> None:
    """Exit code 2, nothing on standard output, one line on standard error that holds ``parts``."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
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
"""options of runs whose graphs stay small, and whose elites get better step by step"""


def small_evolve(out: Path | None = None, **options: Any) -> Result:
    """Three generations of twenty direct genomes for the embedded digits network, unless told otherwise."""
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
    """Every file under ``folder``, hidden ones too: relative path -> bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def json_lines(file: Path) -> list[dict[str, Any]]:
    """What the lines say, without their seals."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key != SEAL} for line in lines]


def change_checkpoint(run: Path, **arrays: np.ndarray) -> None:
    """Replace arrays of a run's checkpoint, and seal it anew."""
    file = run / "checkpoint" / "state.npz"
    write_arrays(file, read_arrays(file) | arrays)


def save_weights(network: torch.nn.Module, file: Path, scale: float = 1.0) -> Path:
    """A network's tensors as a safetensors file; floating ones multiplied by ``scale``."""
    tensors = {k: (v * scale if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()}
    save_file(tensors, file)
    return file


def without_seconds(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def checkpoint(run: Path) -> dict[str, np.ndarray]:
    arrays = read_arrays(run / "checkpoint" / "state.npz")
    return {name: array for name, array in arrays.items() if name != "seconds"}


def history(run: Path) -> dict[str, np.ndarray]:
    """Changes, and the genomes in the order of ``evaluation_id``: how many files they are in depends on the clock."""
    past = RunFolder.open(run).history
    arrays = {f"changes.{name}": value for name, value in vars(past.changes()).items() if not name.startswith("_")}
    parts = list(past.genomes(set(past.kept().tolist())))
    order = np.argsort(np.concatenate([evaluation_id for evaluation_id, _ in parts]))
    for name in parts[0][1]:
        arrays[name] = np.concatenate([genomes[name] for _, genomes in parts])[order]
    return arrays | {"kept": past.kept()}


def history_of(folder: Path) -> HistoryFolder:
    """A history without a run."""
    return HistoryFolder(folder, bytes(32))


def assert_same_run(ours: Path, theirs: Path) -> None:
    """All files but for what a stopwatch wrote into them."""
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
