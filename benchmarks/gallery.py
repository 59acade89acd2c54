"""Pages: the time to write them, first paint, scrolling, and what it costs a run to keep one up to date."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .common import Row, shared, table

CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

SCROLL = """() => new Promise(done => {
  const times = [], long = [];
  const watch = new PerformanceObserver(seen => seen.getEntries().forEach(e => long.push(e.duration)));
  watch.observe({entryTypes: ["longtask"]});
  let last = performance.now(), y = 0;
  const end = Math.min(24000, document.body.scrollHeight - innerHeight);
  const step = now => {
    times.push(now - last); last = now; y += 60; scrollTo(0, y);
    if (y < end) requestAnimationFrame(step);
    else { times.sort((a, b) => a - b);
      done({frames: times.length, median: times[times.length >> 1], p95: times[Math.floor(times.length * 0.95)],
        long: long.length, longest: Math.max(0, ...long)}); }
  };
  requestAnimationFrame(step);
})"""
"""A script that scrolls by 60 pixels per frame and times the frames."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure a ten-class run on the embedded network and, where its weights are, a 1,000-class run on SqueezeNet."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        small, large = Path(temporary) / "small", Path(temporary) / "large"
        _evolve("--evaluations", "10000", "--out", str(small))
        rows.append(_page("ten classes", small, seeds or 5))
        folder = shared()
        if folder is None:
            print("gallery: 1,000 classes skipped, no weights; set EVOFOOL_SHARED")
        else:
            weights = folder / "weights" / "squeezenet1_1-imagenet.safetensors"
            target = ("--target", "torchvision:squeezenet1_1", "--weights", str(weights))
            _evolve(*target, "--evaluations", "6000", "--out", str(large))
            rows.append(_page("1,000 classes", large, seeds or 3))
    table(rows)
    yield rows
    cost = _cost(seeds or 3)
    table([cost])
    yield [*rows, cost]


def _evolve(*options: str) -> float:
    """Evolve, and return the seconds that it took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "evofool", "evolve", "--quiet", *options], check=True)
    return time.perf_counter() - started


def _page(name: str, run: Path, times: int) -> Row:
    """Return what is measured of a run's page."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "evofool", "gallery", "--quiet", str(run)], check=True)
        took.append(time.perf_counter() - started)
    beside = list((run / "index-files").glob("*"))
    return {
        "page": name,
        "evofool gallery, seconds": round(statistics.median(took), 2),
        "page MB": round((run / "index.html").stat().st_size / 1e6, 2),
        "details beside MB": _megabytes(beside),
        "pictures beside MB": _megabytes((run / "elites").glob("*.png")) if beside else 0,
        "history MB": _megabytes((run / "history").glob("*")),
        **_painting((run / "index.html").absolute().as_uri()),
    }


def _megabytes(files: Iterable[Path]) -> float:
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)


def _painting(address: str) -> dict[str, Any]:
    """Return first paint and scrolling in headless Chromium, without a GPU."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser = None
    if browser is None:
        print("gallery: no browser, so nothing about painting")
        return {"first paint ms": None, "frame median ms": None, "frame p95 ms": None, "long tasks": None}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(CHROMIUM))
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_timeout(1500)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        scrolling = page.evaluate(SCROLL)
        chromium.close()
    return {
        "first paint ms": round(paint),
        "frame median ms": round(scrolling["median"], 1),
        "frame p95 ms": round(scrolling["p95"], 1),
        "long tasks": f"{scrolling['long']} of {scrolling['frames']} frames, longest {scrolling['longest']:.0f} ms",
    }


def _cost(times: int) -> Row:
    """Return the ratio of the default run's time with its page kept up to date to the time without, in turns."""
    kept, without = [], []
    for _ in range(times):
        for took, option in ((kept, "--gallery"), (without, "--no-gallery")):
            with tempfile.TemporaryDirectory() as folder:
                took.append(_evolve(option, "--evaluations", "20000", "--out", f"{folder}/run"))
    return {
        "page": "kept up to date while the default run goes on",
        "seconds with": round(statistics.median(kept), 2),
        "seconds without": round(statistics.median(without), 2),
        "ratio": round(statistics.median(kept) / statistics.median(without), 3),
    }
