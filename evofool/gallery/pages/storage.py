"""Where a page's pictures and details are: inside the page, or in a folder beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

from ...errors import RunError
from ...io.files import write_atomically
from ...io.images import data_uri
from .rendering import script_json
from .sources import Source, Tile

MAX_EMBEDDED_TILES = 400
"""Largest number of tiles of a page that is a single file."""

MAX_EMBEDDED_BYTES = 16_000_000
"""Largest number of bytes of pictures and genomes of a page that is a single file."""

Kind = Literal["", "before"]
"""Which of a tile's pictures is meant: the one that the network saw, or the image as it was."""


class Storage(Protocol):
    """Keeps pictures and details of a page."""

    def picture(self, number: int, tile: Tile, kind: Kind = "") -> str:
        """Return the ``src`` of a tile's picture."""
        ...

    def details(self, number: int, details: dict[str, Any], ancestors: dict[int, Any]) -> dict[str, Any]:
        """Return what the page's data says of a tile's details, to which its ancestors belong."""
        ...

    def ancestors(self, ancestors: dict[int, Any]) -> dict[int, Any]:
        """Return what the page's data says of a source's ancestors."""
        ...


class Embedded:
    """Keeps everything inside the page."""

    def picture(self, number: int, tile: Tile, kind: Kind = "") -> str:
        """Return the picture as a data URI."""
        return data_uri(_png(tile, kind))

    def details(self, number: int, details: dict[str, Any], ancestors: dict[int, Any]) -> dict[str, Any]:
        """Return the details. The ancestors are among those of the source."""
        return details

    def ancestors(self, ancestors: dict[int, Any]) -> dict[int, Any]:
        """Return the ancestors."""
        return ancestors


class Beside:
    """Keeps everything in a folder beside the page, to be loaded when it is looked at.

    Pictures that lie below the page's folder already are not copied. Details are scripts, since a page that was opened
    as a file may load those and nothing else.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._folder = file, file.with_name(f"{file.stem}-files")
        self._folder.mkdir(exist_ok=True)

    def picture(self, number: int, tile: Tile, kind: Kind = "") -> str:
        """Return the picture's path from the page; write a file where there is none below the page's folder."""
        if not kind and isinstance(tile.picture, Path) and tile.picture.is_relative_to(self._file.parent):
            return quote(tile.picture.relative_to(self._file.parent).as_posix())
        return self._write(f"{number:05d}{kind}.png", _png(tile, kind))

    def details(self, number: int, details: dict[str, Any], ancestors: dict[int, Any]) -> dict[str, Any]:
        """Write the details as a script, and return its path."""
        script = f"evofoolDetails({number},{script_json({**details, 'past': ancestors})})\n"
        return {"details": self._write(f"{number:05d}.js", script)}

    def ancestors(self, ancestors: dict[int, Any]) -> dict[int, Any]:
        """Return nothing, since each tile's script has its ancestors."""
        return {}

    def _write(self, name: str, content: bytes | str) -> str:
        write_atomically(self._folder / name, content, durable=False)
        return f"{quote(self._folder.name)}/{name}"


def storage_for(sources: list[Source], file: Path) -> Storage:
    """Return where a page of these sources keeps its pictures: inside, as long as they are few and small.

    Raises:
        RunError: A picture can't be read.
        OSError: The folder beside the page can't be made.
    """
    return Embedded() if _fits(sources) else Beside(file)


def _fits(sources: list[Source]) -> bool:
    """Return whether everything goes into one file."""
    tiles = [tile for source in sources for tile in source.tiles]
    if len(tiles) > MAX_EMBEDDED_TILES:
        return False
    size = sum(len(script_json(source.ancestors)) for source in sources)
    for tile in tiles:
        size += len(_png(tile)) + len(tile.before or b"") + len(script_json([tile.genome, tile.parts]))
    return size <= MAX_EMBEDDED_BYTES


def _png(tile: Tile, kind: Kind = "") -> bytes:
    """Return the bytes of a tile's picture.

    Raises:
        RunError: Its file can't be read.
    """
    picture = tile.before if kind else tile.picture
    if not isinstance(picture, Path):
        return picture or b""
    try:
        return picture.read_bytes()
    except OSError as error:
        raise RunError(
            f"cannot read {picture} ({error.strerror}); evofool resume {picture.parent.parent} writes it anew"
        ) from error
