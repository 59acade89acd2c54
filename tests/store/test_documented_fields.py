"""The docs name the fields of the files in job folders: those that are written, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from campaigns import small_attack
from runs import small_evolve

from evofool.io.lines import SEAL

DOCS = Path(__file__).parents[2] / "docs"


def documented(page: str, after: str) -> list[str]:
    """Return the keys in the first column of the first table after a line of a page of the docs."""
    _, found, rest = (DOCS / page).read_text(encoding="utf-8").partition(f"\n{after}")
    assert found, f"{page} has no line that begins with {after}"
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table
    cells = [row.split("|")[1] for row in table[0].splitlines()[2:]]
    return [key for cell in cells for names in re.findall("`([^`]+)`", cell) for key in names.split()]


def written(file: Path) -> set[str]:
    """Return the keys of all lines of a file."""
    return {key for line in file.read_text().splitlines() for key in json.loads(line)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of CPPNs with several pictures per class, whose lines have all fields."""
    folder = tmp_path_factory.mktemp("fields") / "run"
    small_evolve(folder, encoding="cppn", generations=1, classes=["3"], descriptors=["brightness"], gallery=False)
    return folder


@pytest.mark.parametrize("file", ["metrics.jsonl", "elites.jsonl"])
def test_every_field_of_a_run_is_documented_once(file: str, run: Path) -> None:
    keys = documented("FOLDERS.md", f"## {file}")
    assert sorted(keys) == sorted(written(run / file))


def test_every_field_of_a_campaign_is_documented_once(tmp_path: Path) -> None:
    small_attack(tmp_path / "a", count=2, queries=20)
    keys = documented("ATTACKS.md", "An outcome takes some 1 KB")
    assert sorted(keys) == sorted(written(tmp_path / "a" / "outcomes.jsonl"))
    first_row = keys[: keys.index("confidence") + 1]
    assert sorted([*first_row, SEAL]) == sorted(written(tmp_path / "a" / "images.jsonl"))
