"""Pages read back as a strict reader sees them, figures as XML, and a disk with little room to write them to."""

from __future__ import annotations

import base64
import io
import json
import re
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

SVG = "http://www.w3.org/2000/svg"

VOID = {"meta", "img"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "h3", "p", "b", "small",
    "dl", "dt", "dd", "div", "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td", "bdi", "pre", "code",
    "ul", "li", "img", "svg", "text", "line", "rect", "path", "circle", "a",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "class", "src", "alt", "loading", "xmlns", "viewbox", "style", "role",
    "scope", "aria-label", "aria-hidden", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "width", "height",
    "d", "fill", "stroke", "stroke-width", "opacity", "text-anchor", "transform", "href", "data-head",
}  # fmt: skip
"""Attributes that can't run anything. ``src`` and ``href`` are checked more closely."""


class Page(HTMLParser):
    """Reads a page's tags, attributes and texts.

    Attributes:
        problems: What is not closed, is repeated, or has no business on the page.
        tags: How often each tag occurs.
        attributes: Each tag with its attributes.
        texts: Each text with the tag that it is in, with plain spaces.
        sources: The ``src`` of each picture.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self._open: list[str] = []
        self._ids: set[str] = set()
        self.feed(html.replace("<wbr>", ""))  # A line may end there; it is no text.
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        attributes = {name: value or "" for name, value in attrs}
        self.attributes.append((tag, attributes))
        if tag not in TAGS:
            self.problems.append(f"a <{tag}>")
        if len(attributes) < len(attrs) or attributes.keys() - ATTRIBUTES - {"id"}:
            self.problems.append(f"attributes of <{tag}>: {attrs}")
        if attributes.get("id", "") in self._ids:
            self.problems.append(f"id {attributes['id']} is there twice")
        self._ids |= {attributes["id"]} if "id" in attributes else set()
        if "src" in attributes:
            self.sources.append(attributes["src"])
            if not re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+=*", attributes["src"]):
                self.problems.append(f"<{tag}> loads {attributes['src'][:80]}")
        if attributes.get("href", "index.html") != "index.html":
            self.problems.append(f"<{tag}> leads to {attributes['href'][:80]}")
        if attributes.get("xmlns", SVG) != SVG or re.search(r"url\(|//", attributes.get("style", "")):
            self.problems.append(f"<{tag}> refers to something: {attrs}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        self.texts.append((self._open[-1], data.replace("\u00a0", " ")))
        if self._open[-1] == "style" and re.search(r"url\(|@import|//", data):
            self.problems.append("the style refers to something")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data[:80]}")

    def of(self, tag: str) -> list[str]:
        """Return the texts inside these tags."""
        return [text for where, text in self.texts if where == tag]

    @property
    def facts(self) -> dict[str, str]:
        """The figures at the top of the page: values by name."""
        return dict(zip(self.of("dt"), self.of("dd"), strict=True))

    @property
    def words(self) -> str:
        """All texts in one line."""
        return " ".join(" ".join(text for where, text in self.texts if where != "style").split())


def decode(source: str) -> np.ndarray:
    """Return the pixels (C, H, W) uint8 of an embedded picture."""
    with Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))) as picture:
        pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def xml(svg: str) -> ElementTree.Element:
    """Return a figure as XML; fail where it is none."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{{{SVG}}}svg"
    return root


def parts(figure: ElementTree.Element, tag: str, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the attributes of a figure's elements, numbers as numbers, with the element's ``text``.

    Args:
        figure: The figure.
        tag: The name of the elements.
        kind: A class that they must have, or None.
    """
    elements = []
    for element in figure.iter(f"{{{SVG}}}{tag}"):
        if kind is None or kind in element.get("class", "").split():
            numbers = {
                name: float(value) if re.fullmatch(r"-?[0-9.]+", value) else value for name, value in element.items()
            }
            elements.append({**numbers, "text": element.text or ""})
    return elements


def data_of(page: Path) -> dict[str, Any]:
    """Return what the page's scripts read."""
    script = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert script is not None
    data: dict[str, Any] = json.loads(script[1])
    return data


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: what a full disk does, to files of one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
