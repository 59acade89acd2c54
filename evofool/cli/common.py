"""What several commands share: their common options, the folders of new jobs, and exit codes of stopped ones."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from ..io.interrupts import last_signal
from ..store.folder import next_folder

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


@contextmanager
def folder_of_job(out: Path | None, stem: str) -> Iterator[Path]:
    """Give the folder of a new job: ``out``, or the next one in ``outputs/`` whose name starts with ``stem``.

    The latter is made at once, so that of several commands that begin together each has its own. It is removed at the
    end of the block if no job has begun in it.

    Raises:
        ConfigError: All numbers are taken.
        RunError: The folder can't be made.
    """
    if out is not None:
        yield out
        return
    folder = next_folder("".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in stem))
    try:
        yield folder
    finally:
        with suppress(OSError):  # Only empty folders can be removed so.
            folder.rmdir()
            folder.parent.rmdir()


def resume_command(path: Path | None) -> str:
    """Return the command that goes on with a job.

    Where standard output has no letters for the path, its bytes are written as bash, zsh and ksh read them.
    """
    quoted = shlex.quote(str(path))
    try:
        quoted.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        escaped = re.sub(rb"[^A-Za-z0-9/._-]", lambda byte: b"\\%03o" % byte[0][0], os.fsencode(str(path)))
        quoted = f"$'{escaped.decode()}'"
    return f"evofool resume {quoted}"


def resume_stopped(result: Any, path: Path | None) -> str:
    """Return the command that goes on with a job that was stopped; with a larger budget where its queries are spent.

    Args:
        result: What the job ended with; its ``note`` says that queries are spent, and nothing else.
        path: The job's folder.
    """
    from ..store.ledger import FolderLedger

    limit = result.config.options.max_queries
    if not (path and result.note and limit):
        return resume_command(path)
    return f"{resume_command(path)} --max-queries {2 * max(limit, FolderLedger(path).spent)}"


def exit_code(number: int) -> int:
    """Return the exit code that shells and batch systems know for a process that a signal stopped: 143 for SIGTERM."""
    return 128 + number


def end_as_stopped(interrupted: bool) -> None:
    """End the command with the exit code of the signal that stopped its job, so that nobody takes it for done."""
    if interrupted and (number := last_signal()):
        raise typer.Exit(exit_code(number))
