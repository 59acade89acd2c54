"""Pages of runs and genomes: one file, or for many pictures a page beside a folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...errors import ConfigError, RunError
from ...io.files import write_atomically, writing
from ...io.images import data_uri
from ...io.slug import slug
from .exhibit import Source, Tile, collect, from_run
from .page import dumps, page
from .parts import encoded

PAGE = "index.html"
MOST_TILES, MOST_BYTES = 400, 16_000_000
"""tiles, and bytes of pictures and genomes, of a page in a single file; beyond, they lie in a folder beside it"""


def write_run_page(path: Path, *, every: float | None = None, title: str | None = None) -> Path:
    """Write ``index.html`` into a run's folder.

    Args:
        path: the run.
        every: the run goes on, and the page will be written again in so many seconds; None when it doesn't.
        title: instead of its own.

    Raises:
        RunError: the run is damaged, has no elites, or its folder can't be written.
    """
    return _write([from_run(path)], path / PAGE, title, every)


def write_gallery(
    paths: Sequence[Path], out: Path | None = None, title: str | None = None, classes: str | None = None
) -> Path:
    """Write a page of runs, genome files, folders of genomes or banks; several are shown side by side, class by class.

    Args:
        paths: what to show.
        out: the HTML file; ``index.html`` in a single run, ``comparison.html`` in the first of several,
            ``outputs/NAME.html`` for genomes.
        title: instead of the page's own.
        classes: of runs, names or indices, where not all are to be shown; the file is then ``CLASSES.html``.

    Raises:
        ConfigError: ``out`` names no HTML file, or a run has no such class.
        EvofoolError: a path holds nothing to show, or what it holds is damaged.
    """
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out must name an .html file, got {out}")
    if twice := [path for at, path in enumerate(paths) if path in paths[:at]]:
        raise ConfigError(f"{twice[0]} is given twice; a page compares different runs")
    sources: list[Source] = []
    for path in paths:
        found = collect(path, classes)
        for source in found if len(found) == 1 else []:
            if any(source.name == other.name for other in sources):
                source.name = str(path)
        sources += found
    for source in sources if len(sources) > 1 else []:
        source.one_a_class()
    return _write(sources, out or _default(paths, sources, classes), title, None)


def _default(paths: Sequence[Path], sources: list[Source], classes: str | None) -> Path:
    if classes is not None and len(sources) == 1:
        return paths[0] / f"{slug(classes)}.html"
    if (paths[0] / "config.json").exists():
        return paths[0] / (PAGE if len(sources) == 1 else "comparison.html")
    return Path("outputs") / f"{paths[0].stem or 'genomes'}.html"


def _write(sources: list[Source], file: Path, title: str | None, every: float | None) -> Path:
    live = {"every": round(every, 1), "written": round(time.time(), 1)} if every else None
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        store = Embedded() if _fits(sources) else Beside(file)
        html = page(sources, store, folder=file.parent, title=title, live=live)
        write_atomically(file, encoded(html), durable=every is None)
    return file


def _fits(sources: list[Source]) -> bool:
    """Whether all of it goes into one file."""
    tiles = [tile for source in sources for tile in source.tiles]
    if len(tiles) > MOST_TILES:
        return False
    weight = sum(len(dumps(source.past)) for source in sources)
    for tile in tiles:
        weight += len(_png(tile)) + len(tile.before or b"") + len(dumps(tile.genome))
    return weight <= MOST_BYTES


class Embedded:
    """Pictures and details inside of the page."""

    def picture(self, number: int, tile: Tile, kind: str = "") -> str:
        return data_uri(_png(tile, kind))

    def details(self, number: int, details: dict[str, Any], past: dict[int, Any]) -> dict[str, Any]:
        return details

    def past(self, past: dict[int, Any]) -> dict[int, Any]:
        return past


class Beside:
    """Pictures and details in a folder beside the page, loaded when they are looked at.

    Pictures that lie under the page's folder already are not copied. Details are scripts, for a page that was opened
    as a file may load those and nothing else.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.folder = file, file.with_name(f"{file.stem}-files")
        self.folder.mkdir(exist_ok=True)

    def picture(self, number: int, tile: Tile, kind: str = "") -> str:
        if not kind and isinstance(tile.picture, Path) and tile.picture.is_relative_to(self.file.parent):
            return quote(tile.picture.relative_to(self.file.parent).as_posix())
        name = f"{number:05d}{kind}.png"
        write_atomically(self.folder / name, _png(tile, kind), durable=False)
        return f"{quote(self.folder.name)}/{name}"

    def details(self, number: int, details: dict[str, Any], past: dict[int, Any]) -> dict[str, Any]:
        name = f"{number:05d}.js"
        script = f"evofoolDetails({number},{dumps({**details, 'past': past})})\n"
        write_atomically(self.folder / name, script, durable=False)
        return {"details": f"{quote(self.folder.name)}/{name}"}

    def past(self, past: dict[int, Any]) -> dict[int, Any]:
        return {}


def _png(tile: Tile, kind: str = "") -> bytes:
    picture = tile.before if kind else tile.picture
    if not isinstance(picture, Path):
        return picture or b""
    try:
        return picture.read_bytes()
    except OSError as error:
        raise RunError(
            f"cannot read {picture} ({error.strerror}); evofool resume {picture.parent.parent} writes it anew"
        ) from error
