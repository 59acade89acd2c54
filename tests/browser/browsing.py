"""Pages in a real browser: what the tests ask of them."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from runs import json_lines
from support import tiny_network

from evofool import Target

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOCAL = ("file:", "data:", "blob:", "about:")
"""what a page may load"""

Open = Callable[..., "Page"]

LETTERS = """
const letters = (bytes) => {
  let all = "";
  for (let i = 0; i < bytes.length; i += 4096) all += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(all);
};
"""


def named_target(classes: list[str], shape: tuple[int, int, int] = (3, 8, 8)) -> Target:
    """A seeded network of random weights with these classes."""
    return Target(
        tiny_network(shape[0], len(classes), shape[1]),
        classes=classes, image_shape=shape, mean=0.5, std=0.25, name="tiny", device="cpu", precision="float32",
    )  # fmt: skip


def told(value: float) -> str:
    """A confidence as the page writes it."""
    if value >= 1:
        return "100 %"
    if 0 < value < 1e-4:
        return "< 0.01 %"
    digits = 4 if value > 0.9999 else 2
    return f"{math.floor(value * 10 ** (digits + 2) + 1e-7) / 10**digits:.{digits}f} %"


def elites(run: Path) -> list[dict[str, Any]]:
    """A run's elites by niche, which is how the page numbers its tiles."""
    return json_lines(run / "elites.jsonl")


def pixels(file: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.asarray(Image.open(file).convert("RGB"))


def canvas(page: Page, selector: str = "#stage") -> np.ndarray:
    """(H, W, 3) uint8 of what a canvas shows."""
    url = page.eval_on_selector(selector, "canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB"))


def shown(page: Page) -> list[int]:
    """The numbers of the tiles that are not hidden, in their order."""
    found: list[int] = page.eval_on_selector_all(
        ".card:not([hidden]) .tile", "tiles => tiles.map((tile) => Number(tile.dataset.n))"
    )
    return found


def focused(page: Page) -> int | None:
    """The tile that has the focus."""
    found = page.evaluate("document.activeElement.dataset.n ?? null")
    return None if found is None else int(found)


def open_tile(page: Page, number: int) -> None:
    """Open a tile, and wait until it is there."""
    page.locator(f'.tile[data-n="{number}"]').click()
    ready(page, number)


def ready(page: Page, number: int) -> None:
    """Wait for an opened tile's picture."""
    page.wait_for_selector(f'#closer[data-ready="{number}"]')
    still(page)


def still(page: Page, unlike: str | None = None) -> str:
    """Wait until the stage is drawn, anew where its last drawing is given, and stays so; returns the drawing's name."""
    found: str = page.evaluate(
        """async (unlike) => {
          const stage = document.getElementById("stage");
          for (let last = null, same = 0, i = 0; i < 400; i++) {
            const now = stage.dataset.drawn;
            same = now && now !== unlike && now === last ? same + 1 : 0;
            last = now;
            if (same === 4) return now;
            await new Promise((done) => setTimeout(done, 25));
          }
          throw new Error("the stage is not drawn");
        }""",
        unlike,
    )
    return found


def after(page: Page, act: Callable[[], Any]) -> np.ndarray:
    """The stage's pixels after something that changes them."""
    before = still(page)
    act()
    still(page, before)
    return canvas(page)


def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression holds. (The browser's own waiting would have the page evaluate text.)"""
    page.evaluate(
        f"""async () => {{
          for (let i = 0; i < 400; i++) {{
            if ({condition}) return;
            await new Promise((done) => setTimeout(done, 25));
          }}
          throw new Error("it did not come true");
        }}"""
    )


def whole_view(stage: np.ndarray, width: int, height: int) -> tuple[float, float, float, float]:
    """x, y, width and height, in the image's pixels, of the window that holds all of it."""
    wide = stage.shape[1] / stage.shape[0]
    across = max(width, height * wide)
    return (width - across) / 2, (height - across / wide) / 2, across, across / wide


def at_centres(stage: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width, 3): the stage at the centres of the image's pixels, when it shows the whole."""
    x, y, across, _ = whole_view(stage, width, height)
    scale = stage.shape[1] / across
    columns = ((np.arange(width) + 0.5 - x) * scale).astype(int)
    rows = ((np.arange(height) + 0.5 - y) * scale).astype(int)
    return stage[rows[:, None], columns[None]]


def rendered(page: Page, jobs: list[dict[str, Any]]) -> list[np.ndarray]:
    """(h, w, 3) uint8 of genomes as the page's script computes them.

    Args:
        page: that has the script.
        jobs: the genome ``file`` and ``frame`` with ``w``, ``h``, and a ``view`` unless the whole is meant.
    """
    found = page.evaluate(
        f"""(jobs) => {{
          {LETTERS}
          return JSON.parse(jobs).map(({{file, frame, w, h, view}}) => letters(view
            ? Cppn.render(Cppn.compact(file), frame, w, h, view) : Cppn.render(Cppn.compact(file), frame, w, h)));
        }}""",
        json.dumps(jobs),
    )
    pictures = []
    for job, letters in zip(jobs, found, strict=True):
        rgba = np.frombuffer(base64.b64decode(letters), np.uint8).reshape(job["h"], job["w"], 4)
        assert (rgba[..., 3] == 255).all()
        pictures.append(rgba[..., :3])
    return pictures


def as_rgb(images: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> (N, H, W, 3)."""
    return np.broadcast_to(images, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1)


def overflow(page: Page) -> list[str]:
    """What sticks out of the page on the right; empty where it cannot be scrolled sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? []
          : [`${document.documentElement.scrollWidth} > ${innerWidth}`, ...[...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
            .map((e) => `${e.tagName}#${e.id}.${e.getAttribute("class")}`).slice(0, 8)]"""
    )
    return found
