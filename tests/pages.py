"""Reports read back: pages as a strict reader sees them, figures as XML."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

SVG = "http://www.w3.org/2000/svg"

VOID = {"meta", "img"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "p", "b", "small", "dl",
    "dt", "dd", "div", "figure", "figcaption", "table", "tr", "th", "td", "pre", "code", "ul", "li", "img", "svg",
    "text", "line", "rect", "path", "circle", "a",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "class", "src", "alt", "loading", "xmlns", "viewbox", "style", "role",
    "aria-label", "aria-hidden", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "width", "height", "d",
    "fill", "stroke", "stroke-width", "opacity", "text-anchor", "transform", "href",
}  # fmt: skip
"""none of them can run anything; ``src`` is looked at more closely"""


class Page(HTMLParser):
    """A page's tags, attributes and texts; whatever is not closed, repeated or foreign is in ``problems``."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self._open: list[str] = []
        self._ids: set[str] = set()
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        found = {name: value or "" for name, value in attrs}
        self.attributes.append((tag, found))
        if tag not in TAGS:
            self.problems.append(f"a <{tag}>")
        if len(found) < len(attrs) or found.keys() - ATTRIBUTES - {"id"}:
            self.problems.append(f"attributes of <{tag}>: {attrs}")
        if found.get("id", "") in self._ids:
            self.problems.append(f"id {found['id']} is there twice")
        self._ids |= {found["id"]} if "id" in found else set()
        if "src" in found:
            self.sources.append(found["src"])
            if not re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+=*", found["src"]):
                self.problems.append(f"<{tag}> loads {found['src'][:80]}")
        if found.get("href", "index.html") != "index.html":
            self.problems.append(f"<{tag}> leads to {found['href'][:80]}")
        if found.get("xmlns", SVG) != SVG or re.search(r"url\(|//", found.get("style", "")):
            self.problems.append(f"<{tag}> refers to something: {attrs}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        self.texts.append((self._open[-1], data))
        if self._open[-1] == "style" and re.search(r"url\(|@import|//", data):
            self.problems.append("the style refers to something")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data[:80]}")

    def of(self, tag: str) -> list[str]:
        """The texts inside of these tags."""
        return [text for where, text in self.texts if where == tag]

    @property
    def facts(self) -> dict[str, str]:
        """The figures at the head of the page."""
        return dict(zip(self.of("dt"), self.of("dd"), strict=True))

    @property
    def words(self) -> str:
        """All that is told, in one line."""
        return " ".join(" ".join(text for where, text in self.texts if where != "style").split())


def decode(source: str) -> np.ndarray:
    """(C, H, W) uint8 of an embedded picture."""
    with Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))) as picture:
        pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def xml(svg: str) -> ElementTree.Element:
    """A figure as XML; fails where it is none."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{{{SVG}}}svg"
    return root


def parts(figure: ElementTree.Element, tag: str, kind: str | None = None) -> list[dict[str, Any]]:
    """A figure's elements: attributes, numbers as numbers, with their ``text``; only of a class where one is named."""
    found = []
    for element in figure.iter(f"{{{SVG}}}{tag}"):
        if kind is None or kind in element.get("class", "").split():
            numbers = {
                name: float(value) if re.fullmatch(r"-?[0-9.]+", value) else value for name, value in element.items()
            }
            found.append({**numbers, "text": element.text or ""})
    return found


def data_of(page: Path) -> dict[str, Any]:
    """What the page's scripts read."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data
