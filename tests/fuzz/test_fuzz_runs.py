"""Runs from strangers: config, metrics, elites, checkpoints and history that lie."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LONG, Sandbox, damaged, fuzz, instead, json_files, line_files, refused, tried
from hypothesis import given
from hypothesis import strategies as st
from runs import json_lines, small_evolve

from evofool.console.console import Console
from evofool.errors import EvofoolError
from evofool.gallery.pages.run_page import write_run_page
from evofool.io.arrays import read_arrays, write_arrays
from evofool.jobs import run as session
from evofool.jobs.inspect import inspect_run
from evofool.search.progress import Progress
from evofool.store.run import RunFolder

RUNS = {
    "cppn": {"encoding": "cppn", "emitters": "vary,tweak,restart,refine"},
    "direct": {"encoding": "direct"},
    "several": {"encoding": "direct", "descriptors": "brightness,symmetry", "bins": 2},
}
USES = ["show", "inspect", "resume"]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sandbox]:
    """A run of each kind, of three classes and three generations."""
    found = {}
    for kind, options in RUNS.items():
        box = Sandbox(tmp_path_factory.mktemp(kind))
        small_evolve(box.inside, **options, classes="0,1,2", gallery=False)
        box.remember()
        found[kind] = box
    return found


def use(what: str, run: Path) -> None:
    """Do with the run what commands do; resuming stops before it evolves, for the budget is spent."""
    if what == "show":
        write_run_page(run)
    elif what == "inspect":
        facts = inspect_run(run)
        elites = facts.pop("elites")
        console = Console()
        console.rich.file = io.StringIO()
        console.inspected_run(facts, elites)
    else:
        session.resume(run, generations=1, gallery=False, observer=enough)


class Enough(EvofoolError):
    """Ends an evolution."""


def enough(progress: Progress, _: object) -> None:
    """Ends one whose checkpoint says that it has hardly begun."""
    raise Enough(f"ended after generation {progress.generation}")


def held(kind: str, box: Sandbox, file: str, content: bytes, what: str) -> None:
    (box.inside / file).write_bytes(content)
    try:
        tried(kind, lambda: use(what, box.inside))
        box.assert_untouched()
        page = box.inside / "index.html"
        assert not page.exists() or Sandbox.SECRET not in page.read_text(encoding="utf-8")
    finally:
        box.restore()


@fuzz(0.06)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)), what=st.sampled_from(USES))
def test_a_config_that_lies(data: Any, kind: str, what: str, boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes[kind].inside / "config.json").read_text())
    held("run config", boxes[kind], "config.json", data.draw(json_files(config)), what)


@fuzz(0.03)
@given(data=st.data(), what=st.sampled_from(USES[:2]))
def test_metrics_that_lie(data: Any, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes["direct"]
    held("run metrics", box, "metrics.jsonl", data.draw(line_files(json_lines(box.inside / "metrics.jsonl"))), what)


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)), what=st.sampled_from(USES[:2]))
def test_elites_that_lie(data: Any, kind: str, what: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes[kind]
    held("run elites", box, "elites.jsonl", data.draw(line_files(json_lines(box.inside / "elites.jsonl"))), what)


def test_what_made_a_config_is_no_text(boxes: dict[str, Sandbox]) -> None:
    config = json.loads((boxes["cppn"].inside / "config.json").read_text())
    with instead(boxes["cppn"].inside / "config.json", json.dumps(config | {"evofool": ["evolve"]}).encode()):
        refused(lambda: RunFolder.open(boxes["cppn"].inside))


# Checkpoints and history: sealed anew, as a stranger who knows the seal would


VALUES = (0, 1, -1, 2, 127, -128, 2**15 - 1, 2**31 - 1, 2**62, np.nan, np.inf, -np.inf, 0.5)


@st.composite
def arrays(draw: Any, sample: dict[str, np.ndarray]) -> dict[str, Any]:
    """A checkpoint's or history's arrays with some changed, missing, or of another kind."""
    found: dict[str, Any] = dict(sample)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(sample)))
        array = np.array(sample[name])
        how = draw(st.sampled_from(["value"] * 4 + ["out", "kind", "shape", "cut", "twice", "empty", "scalar"]))
        if how == "value" and array.size:
            number = np.array(draw(st.sampled_from(VALUES)))
            where = ... if draw(st.booleans()) else np.unravel_index(draw(st.integers(0, array.size - 1)), array.shape)
            with np.errstate(all="ignore"):
                array[where] = number.astype(array.dtype)
        elif how == "out":
            found.pop(name, None)
            continue
        elif how == "kind":
            with np.errstate(all="ignore"):
                array = array.astype(draw(st.sampled_from([np.uint8, np.int64, np.float32, np.float64, "?", "S5"])))
        elif how == "shape":
            array = array.reshape(-1)
        elif how == "cut" and array.ndim:
            array = array[:-1]
        elif how == "twice" and array.ndim:
            array = np.concatenate([array, array])
        elif how == "empty":
            array = np.zeros((0, *array.shape[1:]), array.dtype)
        elif how == "scalar":
            array = np.array(draw(st.sampled_from([0, -1, 2**62, np.nan])))
        found[name] = array
    return found


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)))
def test_a_checkpoint_that_lies(data: Any, kind: str, boxes: dict[str, Sandbox]) -> None:
    """What a stranger changed and sealed anew is refused, or can be evolved further."""
    box = boxes[kind]
    file = box.inside / "checkpoint" / "state.npz"
    changed = data.draw(
        arrays({name: array for name, array in read_arrays(file).items() if name not in ("format", "run")})
    )
    write_arrays(file, read_arrays(file) | changed if data.draw(st.booleans()) else changed)
    tried("checkpoints", lambda: use("resume", box.inside))
    box.assert_untouched()
    box.restore()


def test_a_checkpoint_of_negative_counts(boxes: dict[str, Sandbox]) -> None:
    file = boxes["direct"].inside / "checkpoint" / "state.npz"
    write_arrays(file, read_arrays(file) | {"search.counts": np.full(3, -(2**62))})
    told = refused(lambda: use("resume", boxes["direct"].inside))
    boxes["direct"].restore()
    if told.startswith("ended"):
        raise Enough(told)


@fuzz(0.03)
@given(data=st.data())
def test_a_checkpoint_damaged(data: Any, boxes: dict[str, Sandbox]) -> None:
    file = boxes["direct"].inside / "checkpoint" / "state.npz"
    held("checkpoint bytes", boxes["direct"], "checkpoint/state.npz", data.draw(damaged(file.read_bytes())), "resume")


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)))
def test_a_history_that_lies(data: Any, kind: str, boxes: dict[str, Sandbox]) -> None:
    box = boxes[kind]
    file = sorted((box.inside / "history").glob("*.npz"))[0]
    changed = data.draw(arrays(read_arrays(file)))
    write_arrays(file, changed, compress=True)
    tried("history", lambda: use("show", box.inside))
    box.assert_untouched()
    box.restore()


# Links, paths and what is no file


PATHS = {
    "above": "../beside/secret.txt",
    "far above": "../../../../../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "a device": "/dev/zero",
    "through a folder": "elites/../../beside/secret.txt",
    "a link": "elites/link.png",
    "a link of links": "elites/second.png",
    "a linked folder": "elsewhere/secret.txt",
    "a folder": "elites",
    "a pipe": "elites/pipe.png",
    "nothing": "",
    "nul": "elites/\0.png",
    "no character": "elites/\ud800.png",
    "long": "elites/" + "x" * 5000,
    "looped": "elites/loop.png",
}


@pytest.fixture
def box(boxes: dict[str, Sandbox], tmp_path: Path) -> Sandbox:
    """A run with links and pipes in it."""
    import os

    fresh = Sandbox(tmp_path / "box")
    run = shutil.copytree(boxes["cppn"].inside, fresh.inside)
    (run / "elites" / "link.png").symlink_to(fresh.secret)
    (run / "elites" / "second.png").symlink_to(run / "elites" / "link.png")
    (run / "elites" / "loop.png").symlink_to(run / "elites" / "loop.png")
    (run / "elsewhere").symlink_to(fresh.beside)
    os.mkfifo(run / "elites" / "pipe.png")
    return fresh


def name_elsewhere(run: Path, key: str, place: str) -> None:
    lines = json_lines(run / "elites.jsonl")
    lines[1][key] = place
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("key", ["file", "genome"])
@pytest.mark.parametrize("place", PATHS.values(), ids=PATHS)
def test_a_page_shows_no_file_of_elsewhere(key: str, place: str, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    name_elsewhere(box.inside, key, place)
    for beside in (False, True):
        monkeypatch.setattr("evofool.gallery.pages.storage.MAX_EMBEDDED_TILES", 0 if beside else 400)
        told = tried("paths out of a run", lambda: use("show", box.inside), seconds=10)
        assert told is not None
        assert "elites.jsonl" in told or "cannot read" in told
        assert Sandbox.SECRET not in told
    assert not (box.inside / "index.html").exists()
    box.assert_untouched()


def test_a_run_reached_through_a_link_is_shown(boxes: dict[str, Sandbox], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(boxes["cppn"].inside)
    assert tried("paths out of a run", lambda: write_run_page(tmp_path / "link")) is None


@pytest.mark.parametrize("kind", ["a chain", "a circle", "its own child", "a crowd"])
def test_a_history_of_many_changes_is_shown_in_time_or_refused(
    kind: str, boxes: dict[str, Sandbox], tmp_path: Path
) -> None:
    """A child may descend from many others; of those that descend from themselves there is no first ancestor."""
    run = shutil.copytree(boxes["direct"].inside, tmp_path / "run")
    n, elite = 200_000 if LONG else 20_000, json_lines(run / "elites.jsonl")[0]["evaluation"]
    file = sorted((run / "history").glob("*.npz"))[0]
    identity, rows = read_arrays(file, ("format", "job")), np.arange(n)
    evaluation_id, parent = {
        "a chain": (rows, rows - 1),
        "a circle": (rows, (rows + 1) % n),
        "its own child": (np.full(n, elite), np.full(n, elite)),
        "a crowd": (np.full(n, elite), np.full(n, -1)),
    }[kind]
    changes = {
        "generation": np.full(n, 2, np.int32), "niche": rows.astype(np.int32), "evaluation_id": evaluation_id, "parent": parent,
        "score": np.full(n, 0.5, np.float32), "genome_id": np.empty(0, np.int64),
    }  # fmt: skip
    write_arrays(file, changes | identity, compress=True)
    told = tried("history", lambda: use("show", run), seconds=20)
    assert (told is not None) == (kind in ("a circle", "its own child"))
