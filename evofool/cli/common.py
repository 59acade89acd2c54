"""What several commands share: their common options, and the next free folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Gallery = Annotated[
    bool,
    typer.Option("--gallery/--no-gallery", help="Keep index.html up to date, and write a contact sheet at the end."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="The new folder. [default: the next in outputs/]")]
Classes = Annotated[
    str | None,
    typer.Option("--classes", "--class", help='Classes, by name or index: "cat,dog,8". [default: all]'),
]


def next_folder(stem: str) -> Path:
    """Return the next free folder in ``outputs/`` whose name starts with ``stem``.

    Raises:
        ConfigError: All numbers are taken.
    """
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in stem)
    for number in range(1, 100_000):
        folder = Path("outputs") / f"{stem}-{number:03d}"
        if not folder.exists():
            return folder
    raise ConfigError("outputs/ is full; name a folder with `out`")


def resume_command(path: Path | None) -> str:
    """Return the command that goes on with a job."""
    return f"evofool resume {shlex.quote(str(path))}"
