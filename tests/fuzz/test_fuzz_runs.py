"""Runs from strangers: config, metrics and elites that lie."""

from __future__ import annotations

import json
import zlib
from itertools import takewhile
from pathlib import Path
from typing import Any

import possible_jobs as possible
import pytest
from hostile import Fate, Sandbox, fuzz
from hypothesis import given
from hypothesis import strategies as st
from mutations import json_files, line_files
from run_uses import RUNS, USES, use
from runs import json_lines


def held(kind: str, box: Sandbox, file: str, content: bytes, what: str, fate: Fate, *fields: str) -> None:
    """Hold a use of a run to the promise; every refusal names the run or a field."""
    box.held(kind, file, content, lambda: use(what, box.inside), fate, box.inside, *fields)


@fuzz(0.06)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)), what=st.sampled_from(USES))
def test_a_config_that_lies(data: Any, kind: str, what: str, boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes[kind].inside / "config.json").read_text())
    content = data.draw(json_files(config))
    fields = possible.changed_fields(possible.parsed(content), config)
    held("run config", boxes[kind], "config.json", content, what, config_fate(content, config, what), *fields)


def config_fate(content: bytes, config: Any, what: str) -> Fate:
    """Return what has to become of a run with another config; inspecting reads no file that belongs to one run only."""
    return possible.config_fate(content, config, sealed=what != "inspect")


@pytest.mark.parametrize("what", USES)
def test_what_made_a_config_is_no_text(what: str, boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes["cppn"].inside / "config.json").read_text())
    content = json.dumps(config | {"job": ["run"]}).encode()
    held("run config", boxes["cppn"], "config.json", content, what, Fate.REFUSED)


def metrics_fate(content: bytes, what: str) -> Fate:
    """Return what has to become of a run with other metrics.

    Damaged lines are left out where the run is shown, and have to be repaired before it goes on.
    """
    ended = content[: content.rfind(b"\n") + 1]
    if what == "go on" and not all(map(possible.METRICS, possible.lines_of(ended))):
        return Fate.REFUSED
    return Fate.LOADS


@fuzz(0.03)
@given(data=st.data(), what=st.sampled_from(["show", "inspect", "go on"]))
def test_metrics_that_lie(data: Any, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes["direct"]
    content = data.draw(line_files(json_lines(box.inside / "metrics.jsonl")))
    held("run metrics", box, "metrics.jsonl", content, what, metrics_fate(content, what))


def elites_fate(content: bytes, run: Path, what: str) -> Fate:
    """Return what has to become of a run with other elites."""
    config, before = json.loads((run / "config.json").read_text()), json_lines(run / "elites.jsonl")
    lines = list(takewhile(lambda line: line is not possible.DAMAGED, possible.lines_of(content)))
    if not all(map(possible.ELITE, lines)):
        return Fate.REFUSED
    bins = config["options"]["bins"]
    if (len({line["index"] for line in lines}) if bins else len(lines)) != len(config["class_indices"]):
        return Fate.REFUSED
    if what == "show" and not (all(_files_fit(line, run) for line in lines) and (not bins or _cells_fit(lines, bins))):
        return Fate.REFUSED
    return Fate.LOADS if lines == before else Fate.MAY_LOAD


def _files_fit(line: Any, run: Path) -> bool:
    """Return whether a line's picture and genome are in the run, and not those of another line."""
    try:
        picture = (run / line["file"]).read_bytes()
        genome = json.loads((run / line["genome"]).read_bytes()) if "genome" in line else {**line, "encoding": "cppn"}
    except (OSError, ValueError):
        return False
    crc32 = f"{zlib.crc32(picture):08x}"
    return line.get("picture_crc32", crc32) == crc32 and all(
        genome.get(key) == value for key, value in {"encoding": "cppn", **_told(line)}.items()
    )


def _told(line: Any) -> dict[str, Any]:
    """What a line and its genome both tell."""
    return {key: line[key] for key in ("index", "score")}


def _cells_fit(lines: Any, bins: int) -> bool:
    """Return whether every picture has a cell of its own, in the grid of two descriptors."""
    cells = [(line["index"], line["class"], *line.get("cell", [])) for line in lines]
    in_grid = all(len(cell) == 4 and max(cell[2:]) < bins for cell in cells)
    return in_grid and len(set(cells)) == len(cells)


@pytest.mark.parametrize("what", ["show", "inspect"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "1", None], ids=str)
def test_a_descriptor_that_is_no_number_is_refused(value: Any, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes["several"]
    lines = json_lines(box.inside / "elites.jsonl")
    lines[0]["descriptors"]["symmetry"] = value
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    held("run elites", box, "elites.jsonl", content, what, Fate.REFUSED)


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)), what=st.sampled_from(["show", "inspect"]))
def test_elites_that_lie(data: Any, kind: str, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes[kind]
    content = data.draw(line_files(json_lines(box.inside / "elites.jsonl")))
    held("run elites", box, "elites.jsonl", content, what, elites_fate(content, box.inside, what))
