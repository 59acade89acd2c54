"""What the tests ask of pages in a real browser."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from runs import json_lines
from support import tiny_network

from evofool import Target
from evofool.store.run import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOCAL = ("file:", "data:", "blob:", "about:")
"""The addresses that a page may load."""

Open = Callable[..., "Page"]

LETTERS = """
const letters = (bytes) => {
  let all = "";
  for (let i = 0; i < bytes.length; i += 4096) all += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(all);
};
"""


def named_target(classes: list[str], shape: tuple[int, int, int] = (3, 8, 8)) -> Target:
    """Return a seeded network of random weights with these classes."""
    return Target(
        tiny_network(shape[0], len(classes), shape[1]),
        classes=classes, image_shape=shape, mean=0.5, std=0.25, name="tiny", device="cpu", precision="float32",
    )  # fmt: skip


def elites(run: Path) -> list[dict[str, Any]]:
    """Return a run's elites by niche, which is how the page numbers its tiles."""
    return json_lines(run / "elites.jsonl")


def pixels(file: Path) -> np.ndarray:
    """Return the pixels (H, W, 3) uint8 of a picture."""
    return np.asarray(Image.open(file).convert("RGB"))


def canvas(page: Page, selector: str = "#stage") -> np.ndarray:
    """Return the pixels (H, W, 3) uint8 that a canvas shows."""
    url = page.eval_on_selector(selector, "canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB"))


def shown(page: Page) -> list[int]:
    """Return the numbers of the tiles that are not hidden, in their order."""
    numbers: list[int] = page.eval_on_selector_all(
        ".card:not([hidden]) .tile", "tiles => tiles.map((tile) => Number(tile.dataset.n))"
    )
    return numbers


def focused(page: Page) -> int | None:
    """Return the number of the tile that has the focus, or None."""
    number = page.evaluate("document.activeElement.dataset.n ?? null")
    return None if number is None else int(number)


def open_tile(page: Page, number: int) -> None:
    """Open a tile, and wait until it is there."""
    page.locator(f'.tile[data-n="{number}"]').click()
    ready(page, number)


def ready(page: Page, number: int) -> None:
    """Wait for an opened tile's picture."""
    page.wait_for_selector(f'#closer[data-ready="{number}"]')
    still(page)


def still(page: Page, unlike: str | None = None) -> str:
    """Wait until the stage is drawn and stays so, and return the drawing's number.

    Args:
        page: The page.
        unlike: The number of a drawing that does not count.
    """
    number: str = page.evaluate(
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
    return number


def after(page: Page, act: Callable[[], Any]) -> np.ndarray:
    """Return the stage's pixels after something that changes them."""
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
    """Return x, y, width and height, in the image's pixels, of the window that holds all of it."""
    wide = stage.shape[1] / stage.shape[0]
    across = max(width, height * wide)
    return (width - across) / 2, (height - across / wide) / 2, across, across / wide


def at_centres(stage: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the stage at the centres of the image's pixels, (height, width, 3), when it shows the whole."""
    x, y, across, _ = whole_view(stage, width, height)
    scale = stage.shape[1] / across
    columns = ((np.arange(width) + 0.5 - x) * scale).astype(int)
    rows = ((np.arange(height) + 0.5 - y) * scale).astype(int)
    return stage[rows[:, None], columns[None]]


def rendered(page: Page, jobs: list[dict[str, Any]]) -> list[np.ndarray]:
    """Return pictures (h, w, 3) uint8 of genomes as the page's script computes them.

    Args:
        page: A page that has the script.
        jobs: The genome ``file`` and ``frame`` with ``w``, ``h``, and a ``view`` unless the whole is meant.
    """
    encoded = page.evaluate(
        f"""(jobs) => {{
          {LETTERS}
          return JSON.parse(jobs).map(({{file, frame, w, h, view}}) => letters(view
            ? Cppn.render(Cppn.compact(file), frame, w, h, view) : Cppn.render(Cppn.compact(file), frame, w, h)));
        }}""",
        json.dumps(jobs),
    )
    pictures = []
    for job, letters in zip(jobs, encoded, strict=True):
        rgba = np.frombuffer(base64.b64decode(letters), np.uint8).reshape(job["h"], job["w"], 4)
        assert (rgba[..., 3] == 255).all()
        pictures.append(rgba[..., :3])
    return pictures


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Return images (N, C, H, W) as (N, H, W, 3)."""
    return np.broadcast_to(images, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1)


def overflow(page: Page) -> list[str]:
    """Return what sticks out of the page on the right; nothing where it cannot be scrolled sideways."""
    elements: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? []
          : [`${document.documentElement.scrollWidth} > ${innerWidth}`, ...[...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
            .map((e) => `${e.tagName}#${e.id}.${e.getAttribute("class")}`).slice(0, 8)]"""
    )
    return elements


def genome_of(run: Path, number: int) -> dict[str, Any]:
    """Return the file of a tile's genome as JSON."""
    genome: dict[str, Any] = json.loads((run / elites(run)[number]["genome"]).read_text(encoding="utf-8"))
    return genome


def largest(run: Path) -> int:
    """Return the number of the tile whose genome has most connections."""
    return max(range(10), key=lambda n: elites(run)[n]["size"])


def lineage(run: Path, number: int) -> list[tuple[int, str, float]]:
    """Return generation, class and confidence of a tile's ancestors and of itself."""
    line, names = elites(run)[number], {elite["niche"]: elite["class"] for elite in elites(run)}
    changes = RunFolder.open(run).history.changes()
    rows = changes.lineage(line["evaluation"], line["niche"])
    return [(int(changes.generation[r]), names[int(changes.niche[r])], float(str(changes.score[r]))) for r in rows]


def longest(run: Path) -> int:
    """Return the number of the tile with most ancestors."""
    return max(range(10), key=lambda n: len(lineage(run, n)))
