"""Write COMMANDS.md, beside this file, from the commands' own help: ``python docs/make_commands.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from evofool.cli.app import app

PAGE = Path(__file__).with_name("COMMANDS.md")

WIDTH = 96
"""Letters in a line of help."""


def content() -> str:
    """Return the page."""
    parts = ["# Commands\n\nThis page is the commands' own `--help`: `python docs/make_commands.py` writes it anew.\n"]
    for words, command in _commands(["evofool"], typer.main.get_command(app)):
        context = command.make_context(" ".join(words), ["--help"], resilient_parsing=True)
        context.terminal_width = context.max_content_width = WIDTH
        parts.append(f"## {' '.join(words)}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _commands(words: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    """Yield every command that does something, with the words that call it."""
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield words, command
    for name, each in inner.items():
        yield from _commands([*words, name], each)


def write() -> None:
    """Write the page."""
    PAGE.write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    write()
