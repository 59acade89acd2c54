"""Runs from strangers: config, metrics and elites that lie."""

from __future__ import annotations

import json
from typing import Any

import possible_jobs as possible
import pytest
from hostile import Fate, Sandbox, fuzz
from hypothesis import given
from hypothesis import strategies as st
from job_fates import elites_fate, metrics_fate
from mutations import json_files, line_files
from run_uses import RUNS, USES, use
from runs import json_lines


def held(kind: str, box: Sandbox, file: str, content: bytes, what: str, fate: Fate, *fields: str) -> None:
    """Hold a use of a run to the promise; every refusal names the run, a field or the encoding's settings."""
    box.held(kind, file, content, lambda: use(what, box.inside), fate, box.inside, " settings: ", *fields)


@fuzz(0.06)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)), what=st.sampled_from(USES))
def test_a_config_that_lies(data: Any, kind: str, what: str, boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes[kind].inside / "config.json").read_text())
    content = data.draw(json_files(config))
    fields = possible.changed_fields(possible.parsed(content), config)
    held(
        "run config",
        boxes[kind],
        "config.json",
        content,
        what,
        possible.config_fate(content, config, sealed=what != "inspect"),
        *fields,
    )


@pytest.mark.parametrize("what", USES)
def test_what_made_a_config_is_no_text(what: str, boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes["cppn"].inside / "config.json").read_text())
    content = json.dumps(config | {"job": ["run"]}).encode()
    held("run config", boxes["cppn"], "config.json", content, what, Fate.REFUSED)


@fuzz(0.03)
@given(data=st.data(), what=st.sampled_from(["show", "inspect", "go on"]))
def test_metrics_that_lie(data: Any, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes["direct"]
    content = data.draw(line_files(json_lines(box.inside / "metrics.jsonl")))
    held("run metrics", box, "metrics.jsonl", content, what, metrics_fate(content, what))


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
