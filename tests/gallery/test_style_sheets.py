"""Style sheets reach no further than meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import evofool
from evofool.gallery.prints.svg import STYLE

ASSETS = Path(evofool.__file__).parent / "gallery" / "pages" / "assets"
SHARED = {"tokens", "base", "report"}
"""Style sheets that hold for a whole page; all others are of one component."""


def selectors(css: str) -> list[str]:
    """Return the selectors of all rules, those inside ``@media`` and ``@container`` included."""
    css = re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^}]*\})*[^}]*\}", "", css)
    heads = re.findall(r"([^{}]+)\{[^{}]*\}", css)
    return [selector.strip() for head in heads for selector in re.split(r",(?![^(]*\))", head)]


@pytest.mark.parametrize("file", sorted(ASSETS.glob("*.css")), ids=lambda file: file.stem)
def test_a_rule_reaches_its_component_alone(file: Path) -> None:
    found = selectors(file.read_text(encoding="utf-8"))
    assert found
    if file.stem not in SHARED:
        assert [selector for selector in found if not re.match(rf"[.#]{file.stem}(?![\w-])", selector)] == []


def test_figures_rules_reach_figures_alone() -> None:
    assert [selector for selector in selectors(STYLE) if not re.match(r"\.fig(?![\w-])", selector)] == []


def test_the_style_sheets_of_whole_pages_style_no_part_of_a_drawing() -> None:
    drawn = re.compile(r"(?<![\w-])(svg|path|line|text|circle|rect|g)(?![\w-])")
    for name in SHARED:
        found = selectors((ASSETS / f"{name}.css").read_text(encoding="utf-8"))
        assert [selector for selector in found if drawn.search(selector)] == []


def test_the_selectors_of_all_rules_are_found() -> None:
    css = "a{b:c}@media (x){.d,e:not(f,g) h{i:j}k{l:m}}@keyframes n{50%{o:p}}@container (q){.r{s:t}}u{v:w}"
    assert selectors(css) == ["a", ".d", "e:not(f,g) h", "k", ".r", "u"]
