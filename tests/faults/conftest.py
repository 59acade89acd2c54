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

from evofool.cli import app as cli


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Do all once in this process, so that what is imported late is there before the first fork."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    place = tmp_path_factory.mktemp("warm")
    for command in COMMANDS.values():
        for words in command.words_for(place / command.name), ["resume", place / command.name, "--quiet"]:
            arguments = ["evofool", *map(str, words)]
            with mock.patch.object(sys, "argv", arguments), contextlib.suppress(SystemExit):
                cli.main()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Command], Undisturbed]:
    place, made = tmp_path_factory.mktemp("undisturbed"), dict[str, Undisturbed]()

    def get(command: Command) -> Undisturbed:
        if command.name not in made:
            started = time.monotonic()
            outcome = command.start(place / command.name).end()
            assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
            made[command.name] = Undisturbed(place / command.name, time.monotonic() - started)
        return made[command.name]

    return get


@pytest.fixture(scope="session")
def all_figures() -> Iterator[dict[str, Figures]]:
    """By command and kind of fault; written to the file that EVOFOOL_FIGURES names."""
    found: dict[str, Figures] = {}
    yield found
    if file := os.environ.get("EVOFOOL_FIGURES"):
        told = {name: {**vars(figures), "failures": len(figures.failures)} for name, figures in found.items()}
        Path(file).write_text(json.dumps(told, indent=2) + "\n")


@pytest.fixture
def figures(all_figures: dict[str, Figures], request: pytest.FixtureRequest) -> Figures:
    """Those of a test."""
    return all_figures.setdefault(request.node.name.removeprefix("test_"), Figures())
