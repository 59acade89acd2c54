"""Gallery pages: one file, or for many pictures a page beside a folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from ...config.records import CampaignConfig
from ...errors import RunError
from ...io.files import writing
from ...io.slug import slug
from ...store.folder import CONFIG
from .gallery_page import gallery_page
from .names import folder_names
from .page_file import COMPARISON, check_different, check_page_file, write_page
from .path_source import read_kind, read_sources
from .run_source import read_run
from .sources import Source
from .storage import storage_for

PAGE = "index.html"


def write_run_page(path: Path, *, every: float | None = None, title: str | None = None) -> Path:
    """Write ``index.html`` into a run's folder.

    Args:
        path: The run's folder.
        every: Seconds until the page is written again; None where the run does not go on.
        title: Title instead of the page's own.

    Returns:
        The HTML file.

    Raises:
        RunError: The run is damaged, has no elites, or its folder can't be written.
        GenomeError: The genome of an elite is damaged.
    """
    return _write([read_run(path)], path / PAGE, title, every)


def write_gallery(
    paths: Sequence[Path], out: Path | None = None, title: str | None = None, classes: str | None = None
) -> Path:
    """Write a page of runs, campaigns, genome files, folders of genomes or banks.

    Several are shown side by side, class by class.

    Args:
        paths: What to show.
        out: The HTML file. None: ``index.html`` in a single run or sweep, ``comparison.html`` in the current folder for
            several, ``outputs/NAME.html`` for genomes.
        title: Title instead of the page's own.
        classes: Names or indices of the classes of runs to show, as ``"cat,dog,8"``; the page of a single run is then
            called after them. None: all.

    Returns:
        The HTML file.

    Raises:
        ConfigError: ``out`` names no HTML file, a path is given twice, or a run has no such class.
        RunError: Campaigns are given beside others, a path holds nothing to show, what it holds is damaged, or the
            page can't be written.
        GenomeError: A genome is damaged.
    """
    check_page_file(out)
    check_different(paths)
    kinds = [read_kind(path) for path in paths]
    if CampaignConfig.kind in kinds and len(set(kinds)) > 1:
        campaign = paths[kinds.index(CampaignConfig.kind)]
        raise RunError(
            f"{campaign} is a campaign, and a page of several shows either campaigns or what was evolved; "
            f"its page is written by: evofool report {campaign}"
        )
    sources: list[Source] = []
    for path, name in zip(paths, folder_names(paths), strict=True):
        found = read_sources(path, classes)
        if len(found) == 1 and any(other != path and other.name == path.name for other in paths):
            found[0].name = name
        elif len(found) > 1 and len(paths) > 1:
            for source in found:
                source.name = f"{name}/{source.name}"
        sources += found
    if len(sources) > 1:
        for source in sources:
            source.keep_surest_per_class()
    return _write(sources, out or _default_file(paths, sources, classes), title, None)


def _default_file(paths: Sequence[Path], sources: list[Source], classes: str | None) -> Path:
    if classes is not None and len(paths) == 1:
        return paths[0] / f"{slug(classes)}.html"
    if any((path / CONFIG).exists() for path in paths):
        return paths[0] / PAGE if len(paths) == 1 else Path(COMPARISON)
    return Path("outputs") / f"{paths[0].stem or 'genomes'}.html"


def _write(sources: list[Source], file: Path, title: str | None, every: float | None) -> Path:
    live = {"every": round(every, 1), "written": round(time.time(), 1)} if every else None
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        html = gallery_page(sources, storage_for(sources, file), folder=file.parent, title=title, live=live)
    write_page(file, html, durable=every is None)
    return file
