"""A figure as an object: a notebook shows it, and it can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...config.arguments import path_of
from ...errors import ConfigError
from ...io.files import write_atomically, writing


@dataclass(frozen=True, repr=False)
class Figure:
    """A figure in SVG. A notebook shows it.

    Attributes:
        name: What it shows.
        svg: The figure, with its style, on white.
    """

    name: str
    svg: str

    def __repr__(self) -> str:
        return f"figure {self.name}, {len(self.svg):,} letters of SVG; .save(FILE.svg)"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the figure into a file.

        Raises:
            ConfigError: It is no path, or its name doesn't end with ``.svg``.
            RunError: It can't be written.
        """
        return saved(path, ".svg", "a figure", self.svg)


def saved(path: str | Path, suffix: str, what: str, text: str) -> Path:
    """Write a text into a file that a user names, and return the file.

    Args:
        path: The file.
        suffix: What its name has to end with: the format in small letters, behind a dot.
        what: What is written, for messages.
        text: The text.

    Raises:
        ConfigError: It is no path, or its name doesn't end so.
        RunError: It can't be written.
    """
    file = path_of(path, "path")
    if file.suffix.lower() != suffix:
        kind = suffix[1:].upper()
        raise ConfigError(f"{what} is written as {kind}, got {file.name}; give a name that ends with {suffix}")
    with writing(file.parent):
        write_atomically(file, text)
    return file
