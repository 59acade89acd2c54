"""What pages are made of: style sheets and scripts that lie beside this file, and text as bytes."""

from __future__ import annotations

from importlib import resources


def encoded(text: str) -> bytes:
    """UTF-8; what is no character (names of files can be any bytes) is written out."""
    return text.encode("utf-8", "backslashreplace")


def part(name: str) -> str:
    """A file of this folder: a style sheet, a script, a piece of HTML."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
