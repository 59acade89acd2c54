"""Undisturbed runs to compare with, and figures of what was tried."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from commands import COMMANDS, Command, Figures, Undisturbed
from operations import Faults, operations


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Do everything once in this process, so that what is imported late is there before the first fork."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    folder = tmp_path_factory.mktemp("warm")
    with mock.patch.object(sys, "argv", sys.argv):
        for command in COMMANDS.values():
            for _ in ("begin", "go on"):
                with contextlib.suppress(SystemExit):
                    command.act(folder / command.name)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Command], Undisturbed]:
    """Give the folder of a command's job that nothing happened to."""
    folder, jobs = tmp_path_factory.mktemp("undisturbed"), dict[str, Undisturbed]()

    def get(command: Command) -> Undisturbed:
        if command.name not in jobs:
            run, log = folder / command.name, folder / f"{command.name}.log"
            child = command.start(run, prepare=Faults(log).install)
            started = time.monotonic()
            outcome = child.end()
            assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
            jobs[command.name] = Undisturbed(run, time.monotonic() - started, operations(log))
        return jobs[command.name]

    return get


@pytest.fixture(scope="session")
def all_figures() -> Iterator[dict[str, Figures]]:
    """Figures by command and kind of fault; written to the file that EVOFOOL_FIGURES names."""
    by_test: dict[str, Figures] = {}
    yield by_test
    if file := os.environ.get("EVOFOOL_FIGURES"):
        content = {name: {**vars(figures), "failures": len(figures.failures)} for name, figures in by_test.items()}
        Path(file).write_text(json.dumps(content, indent=2) + "\n")


@pytest.fixture
def figures(all_figures: dict[str, Figures], request: pytest.FixtureRequest) -> Figures:
    """Give the figures of a test."""
    return all_figures.setdefault(request.node.name.removeprefix("test_"), Figures())
