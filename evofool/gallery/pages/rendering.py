"""Pages from templates: HTML in ``templates``, styles and scripts in ``assets``."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ...text import confidence, counted, percent

_FOLDER = Path(__file__).parent


def render(template: str, **values: Any) -> str:
    """Return a template's HTML; every value is escaped that is not :class:`~markupsafe.Markup`."""
    return _environment().get_template(template).render(values)


def encoded(text: str) -> bytes:
    """Return a text as UTF-8; what is no character, as the name of a file may have, is written as an escape."""
    return text.encode("utf-8", "backslashreplace")


def script_json(value: Any) -> Markup:
    """Return JSON that can stand inside a script element.

    Raises:
        ValueError: A number is not finite.
    """
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def one_line(text: str) -> str:
    """Return a text with single spaces for all white space."""
    return " ".join(text.split())


def unbroken(text: str) -> str:
    """Return a text in which no line ends between a number and its per cent sign."""
    return text.replace(" %", "\u00a0%")


def wrappable(text: str) -> Markup:
    """Return a text in HTML whose lines may end in its words too, behind ``_ : @ / -`` and dots before letters."""
    return Markup(re.sub(r"([_:@/-]+(?=\w)|\.(?=[^\W\d]))", r"\1<wbr>", str(escape(text))))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "one_line": one_line,
        "unbroken": unbroken,
        "wrappable": wrappable,
        "percent": percent,
        "confidence": confidence,
        "count": _count,
        "counted": counted,
        "script_json": script_json,
    }
    environment.globals |= {"asset": _asset}
    return environment


@cache
def _asset(name: str) -> Markup:
    """Return a style sheet or a script, which can stand inside its element as it is."""
    return Markup((_FOLDER / "assets" / name).read_text(encoding="utf-8"))


def _count(value: int) -> str:
    return f"{value:,}"
