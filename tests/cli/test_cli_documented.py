"""Every command that the README and the docs show has the commands, arguments and options that there are."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from evofool.cli.app import app

HOME = Path(__file__).parents[2]
PAGES = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """The commands in a page's blocks, without comments."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    found = [part.strip() for line in lines for part in re.split(r"&&|\s#\s|\s>\s[\w.]+\s2>&1|\s>\s[\w.]+$", line)]
    return [part.removeprefix("uv run ") for part in found if re.match(r"(uv run )?evofool [a-z]", part)]


@cache
def program() -> Any:
    """The command line."""
    return typer.main.get_command(app)


COMMANDS = {command: page.name for page in PAGES if page.name != "COMMANDS.md" for command in commands(page)}


def test_the_docs_show_many_commands() -> None:
    assert len(COMMANDS) > 100


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_command_can_be_given(command: str) -> None:
    _, *words = shlex.split(command.rstrip(" &").replace("…", "x"))
    group = program()
    while hasattr(group, "commands") and words and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    context = group.make_context("evofool", words)  # It parses, and runs nothing.
    assert context.params is not None
