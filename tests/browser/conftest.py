"""A browser for the tests of pages, which are skipped without one, and the runs that are shown in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import LOCAL, Open
from runs import SLOWLY, small_evolve

from evofool.gallery.pages.run_page import write_run_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--disable-features=RenderDocument",  # with it a page that is just loading itself again never closes: Chromium 150
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of all tests."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens pages. The test fails where one complains, asks, or loads what lies neither in it nor beside it.

    Options go to the browser's context. With ``EVOFOOL_SCREENSHOTS`` set, each page's last state is kept there.
    """
    contexts: list[Any] = []
    problems: list[str] = []

    def open_page(file: Path | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 1400}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: _note(problems, said))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("dialog", lambda asked: (problems.append(f"asks: {asked.message}"), asked.dismiss()))
        page.on("request", lambda asked: _check(problems, asked.url))
        if file is not None:
            page.goto(file.as_uri())
        return page

    yield open_page
    kept = os.environ.get("EVOFOOL_SCREENSHOTS")
    for number, context in enumerate(contexts):
        for page in context.pages if kept else []:
            name = re.sub(r"\W+", "-", request.node.name)
            page.screenshot(path=Path(kept or "") / f"{name}-{number}.png")
        context.close()
    assert problems == []


def _note(problems: list[str], said: Any) -> None:
    if said.type in ("error", "warning"):
        problems.append(f"{said.type}: {said.text}")


def _check(problems: list[str], url: str) -> None:
    if not url.startswith(LOCAL):
        problems.append(f"loads {url[:200]}")


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs for ten classes of 1×8×8 images, with its page; read only."""
    return _made(tmp_path_factory, "digits", encoding="cppn", generations=12)


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs for ten classes of 3×32×32 images, with its page; read only."""
    return _made(tmp_path_factory, "colours", target="cifar10", encoding="cppn", init="random", generations=6, seed=3)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs for the same classes that begins with founders, whose graphs are large; read only."""
    return _made(tmp_path_factory, "founded", target="cifar10", encoding="cppn", generations=6, seed=3)


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of raw pixels for ten classes of 1×8×8 images, with its page; read only."""
    return _made(tmp_path_factory, "raw", generations=6)


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs with a grid of niches for each of ten classes of 1×8×8 images, with its page; read only."""
    grid = {"descriptors": "brightness,complexity", "bins": 3}
    return _made(tmp_path_factory, "several", encoding="cppn", generations=6, **grid)


@pytest.fixture(params=["digits", "colours", "raw"])
def run(request: pytest.FixtureRequest) -> Path:
    """Each of the runs with one image per class."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


def _made(factory: pytest.TempPathFactory, name: str, **options: Any) -> Path:
    run = factory.mktemp("runs") / name
    small_evolve(run, gallery=False, **SLOWLY[options.get("encoding", "direct")], **options)
    write_run_page(run)
    return run
