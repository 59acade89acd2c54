"""What a reader sees of a page: what lies inside its drawing, what is painted, what overlaps, what breaks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUTSIDE = """([root, parts]) => [...document.querySelectorAll(root)].flatMap((drawing) => {
  const all = drawing.getBoundingClientRect();
  return [...drawing.querySelectorAll(parts)].filter((part) => part.checkVisibility()).filter((part) => {
    const box = part.getBoundingClientRect();
    return box.left < all.left - 0.5 || box.right > all.right + 0.5 || box.top < all.top - 0.5
      || box.bottom > all.bottom + 0.5;
  }).map((part) => `${part.tagName}.${part.getAttribute("class")} ${part.textContent.slice(0, 30)}`);
})"""

OVERLAPS = """(texts) => {
  const boxes = [...document.querySelectorAll(texts)].filter((text) => text.checkVisibility())
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  const pairs = boxes.flatMap(([a, one], i) => boxes.slice(i + 1).map(([b, other]) => [a, b, one, other]));
  return pairs.filter(([, , one, other]) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5
    && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5).map(([a, b]) => `${a} | ${b}`);
}"""

BROKEN = """() => {
  const broken = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (holder.closest("script, style, code, option, svg, .hidden") || !holder.checkVisibility()) continue;
    for (const {0: word, index} of node.data.matchAll(/[\\p{L}\\p{N}.,%]+/gu)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (tops.size > 1) broken.push(word);
    }
  }
  return broken;
}"""

SMALLEST = """(texts) => {
  const scaleOf = (text) => text.getScreenCTM ? Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b) : 1;
  return Math.min(...[...document.querySelectorAll(texts)].filter((text) => text.checkVisibility())
  .map((text) => parseFloat(getComputedStyle(text).fontSize) * scaleOf(text)));
}"""

STROKES = """(paths) => {
  const numbers = (words) => words.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    const colour = numbers(getComputedStyle(element).backgroundColor);
    return colour.length === 3 || colour[3] ? colour.slice(0, 3) : behind(element.parentElement);
  };
  return [...document.querySelectorAll(paths)].map((path) => {
  const matrix = path.getScreenCTM(), long = path.getTotalLength(), points = [];
  for (let i = 0; i <= 40; i++) {
    const {x, y} = path.getPointAtLength((long * i) / 40).matrixTransform(matrix);
    points.push([x, y]);
  }
  const style = getComputedStyle(path), faded = Number(getComputedStyle(path.parentElement).opacity);
  return {points, colour: numbers(style.stroke).slice(0, 3), ground: behind(path),
    opacity: faded * Number(style.opacity) * Math.min(1, parseFloat(style.strokeWidth))};
});
}"""

INK = """(texts) => [...document.querySelectorAll(texts)].filter((text) => text.checkVisibility()).map((text) => {
  const {left, top, right, bottom} = text.getBoundingClientRect(), style = getComputedStyle(text);
  return {words: text.textContent, box: [left, top, right, bottom],
    colour: (text.namespaceURI.endsWith("svg") ? style.fill : style.color).match(/[\\d.]+/g).slice(0, 3).map(Number)};
})"""


def screen(page: Page) -> np.ndarray:
    """Return what the window shows, (H, W, 3) float."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), float)


def outside(page: Page, root: str, parts: str) -> list[str]:
    """Return the visible parts of drawings whose boxes reach beyond the drawing's."""
    found: list[str] = page.evaluate(OUTSIDE, [root, parts])
    return found


def overlaps(page: Page, texts: str) -> list[str]:
    """Return pairs of visible texts whose boxes overlap."""
    found: list[str] = page.evaluate(OVERLAPS, texts)
    return found


def broken_words(page: Page) -> list[str]:
    """Return words that stand on two lines."""
    found: list[str] = page.evaluate(BROKEN)
    return found


def smallest_letters(page: Page, texts: str) -> float:
    """Return the size in pixels, as drawn, of the smallest of these texts."""
    size: float = page.evaluate(SMALLEST, texts)
    return size


def unpainted_strokes(page: Page, paths: str) -> list[int]:
    """Return the numbers of the paths in the window of whose colour no pixel is where they run.

    Other lines may lie over most of one, so a pixel at one of 41 points is enough. It has to lie on the way from the
    ground's colour to the stroke's, and at least 0.3 of what the stroke's opacity makes.
    """
    seen, missing = screen(page), []
    for number, stroke in enumerate(page.evaluate(STROKES, paths)):
        points = np.asarray(stroke["points"])
        columns, rows = points.astype(int).T
        if columns.min() < 0 or rows.min() < 0 or columns.max() >= seen.shape[1] or rows.max() >= seen.shape[0]:
            missing.append(number)
            continue
        ground = np.asarray(stroke["ground"])
        colour = np.asarray(stroke["colour"]) - ground
        near = np.concatenate([seen[np.clip(rows + d, 0, len(seen) - 1), columns] for d in (-1, 0, 1)]) - ground
        along = near @ colour / (colour @ colour)
        beside = np.linalg.norm(near - along[:, None] * colour, axis=1)
        if not ((along > 0.3 * stroke["opacity"]) & (beside < 40)).any():
            missing.append(number)
    return missing


def unpainted_texts(page: Page, texts: str) -> list[str]:
    """Return the texts in the window in whose box no pixel is near to their colour."""
    seen, missing = screen(page), []
    entries: list[dict[str, Any]] = page.evaluate(INK, texts)
    for entry in entries:
        left, top, right, bottom = (round(edge) for edge in entry["box"])
        box = seen[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].reshape(-1, 3)
        if not len(box) or np.abs(box - np.asarray(entry["colour"])).max(1).min() > 60:
            missing.append(entry["words"])
    return missing
