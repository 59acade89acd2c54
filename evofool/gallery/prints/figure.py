"""A figure as an object: a notebook shows it, and it can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
            ConfigError: The file's name doesn't end with ``.svg``.
            RunError: It can't be written.
        """
        path = Path(path).expanduser()
        if path.suffix.lower() != ".svg":
            raise ConfigError(f"a figure is written as SVG, got {path.name}; give a name that ends with .svg")
        with writing(path.parent):
            write_atomically(path, self.svg.encode())
        return path
