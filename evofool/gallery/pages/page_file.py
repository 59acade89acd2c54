"""The HTML file that a page is written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import ConfigError
from ...io.files import write_atomically, writing
from .rendering import encoded

COMPARISON, CAMPAIGNS = "comparison.html", "campaigns.html"
"""The page of several runs, and of several campaigns. They lie in the current folder, since they are no job's own."""


def check_page_file(out: Path | None) -> None:
    """Check that a user's choice is an HTML file.

    Raises:
        ConfigError: It is none.
    """
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"`out` must name an .html file, got {out}")


def check_different(paths: Sequence[Path]) -> None:
    """Check that no job is compared with itself.

    Raises:
        ConfigError: One is.
    """
    places = [path.resolve() for path in paths]
    if twice := [path for at, path in enumerate(paths) if places[at] in places[:at]]:
        raise ConfigError(f"{twice[0]} is given twice; a page compares different ones")


def write_page(file: Path, html: str, *, durable: bool = True) -> None:
    """Write a page, and the folder it is in where there is none; see :func:`~evofool.io.files.write_atomically`.

    Raises:
        RunError: It can't be written.
    """
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, encoded(html), durable=durable)
