"""The page of a run that goes on loads itself again, and keeps what a reader has chosen."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import Open, open_tile, shown, until

from evofool.gallery.pages.run_page import write_run_page

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def running(digits: Path, tmp_path: Path) -> Path:
    """A run's folder, to write pages of a run that goes on."""
    return Path(shutil.copytree(digits, tmp_path / "run"))


def written(run: Path, seconds_ago: float, every: float = 1) -> Path:
    """Write the run's page as it would have been written so many seconds ago."""
    page = write_run_page(run, every=every)
    html = page.read_text(encoding="utf-8")
    html, count = re.subn(r'"written":[0-9.]+', f'"written":{time.time() - seconds_ago:.1f}', html)
    assert count == 1
    page.write_text(html, encoding="utf-8")
    return page


def loads(page: Page) -> list[float]:
    """Return a list that gets the time of every loading of the page from now on."""
    times: list[float] = []
    page.on("framenavigated", lambda _: times.append(time.monotonic()))
    return times


def wait_for(page: Page, times: list[float], count: int) -> None:
    """Wait until the page was loaded so often."""
    for _ in range(200):
        if len(times) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"loaded {len(times)} times, expected {count}")


def rests(page: Page) -> None:
    """Wait until the page has loaded itself again, as often as it takes to find what is written every minute."""
    rate = 'JSON.parse(document.getElementById("data").textContent).live.every'
    for _ in range(400):
        try:
            if page.evaluate(rate) == 60:
                page.wait_for_load_state()
                return
        except Exception as error:  # playwright's own, which is not imported where it is not installed
            if "navigat" not in str(error) and "null" not in str(error):
                raise
        page.wait_for_timeout(50)
    raise AssertionError("it did not load itself again")


def test_it_loads_itself_again_and_keeps_what_was_chosen(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=1), viewport={"width": 500, "height": 500})
    assert page.locator(".live").inner_text().startswith("live · generation 12, 240 evaluations")
    page.locator("#sort").select_option("index")
    page.locator("#level").select_option("-0.99")
    page.locator("#level").select_option("")
    page.locator("#look label", has_text="as the network saw it").click()
    page.evaluate("document.activeElement.blur(), scrollTo(0, 400)")
    write_run_page(running, every=60)
    rests(page)
    until(page, "scrollY === 400")
    assert page.locator("#sort").input_value() == "index"
    assert shown(page) == list(range(10))
    assert page.locator("#look [value=seen]").is_checked()
    assert page.locator("#grid canvas").count() == 0


def test_typing_goes_on_over_a_reload(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=1))
    page.locator("#filter").press_sequentially("4")
    write_run_page(running, every=60)
    rests(page)
    until(page, "document.activeElement.id === 'filter'")
    assert page.locator("#filter").input_value() == "4"
    assert shown(page) == [4]
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("2")
    assert page.locator("#filter").input_value() == "24"


def test_a_tile_in_focus_is_in_focus_after_a_reload(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=1))
    page.locator('.tile[data-n="4"]').focus()
    write_run_page(running, every=60)
    rests(page)
    until(page, "document.activeElement.dataset.n === '4'")


def test_it_shows_what_is_new(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=1))
    (running / "metrics.jsonl").write_text(
        (running / "metrics.jsonl").read_text().replace('"generation": 12,', '"generation": 1234,')
    )
    write_run_page(running, every=60)
    rests(page)
    until(page, "document.querySelector('.live').textContent.includes('generation 1,234')")


def test_it_stops_when_the_run_has(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=1))
    times = loads(page)
    write_run_page(running)
    wait_for(page, times, 1)
    page.wait_for_timeout(1800)
    assert len(times) == 1
    assert page.locator(".live").count() == 0


def test_it_waits_while_a_picture_is_open(opened: Open, running: Path) -> None:
    page = opened(write_run_page(running, every=5))  # long enough to open a picture on a busy machine
    open_tile(page, 3)
    page.wait_for_timeout(300)
    times = loads(page)
    page.wait_for_timeout(6500)
    assert times == []
    assert "waits while a picture is open" in (page.locator(".live").text_content() or "")
    page.keyboard.press("Escape")
    wait_for(page, times, 1)


def test_a_run_that_was_stopped_is_told_and_not_asked_again(opened: Open, running: Path) -> None:
    page = opened(written(running, seconds_ago=16 * 60 + 5))
    times = loads(page)
    assert page.locator(".live").inner_text() == "no news for a while: the run may have been stopped"
    page.wait_for_timeout(2500)
    assert len(times) <= 1


@pytest.mark.parametrize("ago", [5, 45, 75])
def test_a_page_that_is_late_is_not_loaded_over_and_over(opened: Open, running: Path, ago: float) -> None:
    page = opened()
    times = loads(page)
    page.goto(written(running, seconds_ago=ago).as_uri(), wait_until="commit")
    page.wait_for_timeout(2500)
    assert len(times) <= 5, f"loaded {len(times)} times in 2.5 s"
