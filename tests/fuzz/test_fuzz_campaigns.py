"""Campaigns from strangers: config, images and outcomes that lie."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import possible_jobs as possible
import pytest
from campaigns import sealed_bytes, small_attack
from hostile import Fate, Sandbox, fuzz, instead, tried
from hypothesis import given
from hypothesis import strategies as st
from job_fates import image_lines_fate, images_fate, outcomes_fate
from mutations import damaged, json_files, line_files
from runs import json_lines
from support import tiny_target

import evofool
from evofool.console.console import Console
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.run_page import write_gallery
from evofool.store.campaign import CampaignFolder
from evofool.store.export import export_adversarial

USES = ["report", "gallery", "inspect", "export", "repair", "resume"]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A campaign that is finished."""
    box = Sandbox(tmp_path_factory.mktemp("campaign") / "box")
    (box.root / "inside").mkdir()
    small_attack(box.inside / "a", count=4, pixels="auto", max_pixels=2, queries=60)
    box.remember()
    return box


def use(what: str, path: Path) -> None:
    """Do with a campaign's folder what commands do."""
    if what == "report":
        write_report([path], path / "report.html")
    elif what == "gallery":
        write_gallery([path])
    elif what == "inspect":
        console = Console()
        console.rich.file = io.StringIO()
        console.facts(evofool.inspect(path))
    elif what == "export":
        export_adversarial(CampaignFolder.open(path))
    elif what == "repair":
        evofool.repair(path)
    else:
        evofool.resume(path, target=tiny_target())


def held(kind: str, box: Sandbox, file: str, content: bytes, what: str, fate: Fate) -> None:
    """Hold a use of the campaign to the promise; every refusal names the campaign."""
    path = box.inside / "a"
    box.held(kind, f"a/{file}", content, lambda: use(what, path), fate, path)


def config_of(box: Sandbox) -> Any:
    return json.loads((box.inside / "a" / "config.json").read_text())


@fuzz(0.05)
@given(data=st.data(), what=st.sampled_from(USES))
def test_a_config_that_lies(data: Any, what: str, box: Sandbox) -> None:
    content, config = data.draw(json_files(config_of(box))), config_of(box)
    held("campaign config", box, "config.json", content, what, possible.config_fate(content, config, sealed=True))


@fuzz(0.06)
@given(data=st.data(), what=st.sampled_from(USES))
def test_outcomes_that_lie(data: Any, what: str, box: Sandbox) -> None:
    lines = json_lines(box.inside / "a" / "outcomes.jsonl")
    content = sealed_bytes(data.draw(line_files(lines)), box.inside / "a")
    held("outcomes", box, "outcomes.jsonl", content, what, outcomes_fate(content, box.inside / "a", what))


def test_an_outcome_that_stands_often_counts_once(box: Sandbox) -> None:
    content = (box.inside / "a" / "outcomes.jsonl").read_bytes()
    with instead(box.inside / "a" / "outcomes.jsonl", 50 * content):
        outcomes = list(CampaignFolder.open(box.inside / "a").outcomes())
        tried("outcomes", lambda: use("report", box.inside / "a"), Fate.LOADS)
    assert len(outcomes) == len(content.splitlines())


@fuzz(0.03)
@given(data=st.data(), what=st.sampled_from(USES))
def test_lines_of_images_that_lie(data: Any, what: str, box: Sandbox) -> None:
    lines = json_lines(box.inside / "a" / "images.jsonl")
    content = sealed_bytes(data.draw(line_files(lines)), box.inside / "a")
    held("campaign image lines", box, "images.jsonl", content, what, image_lines_fate(content, box.inside / "a", what))


@fuzz(0.02)
@given(data=st.data(), what=st.sampled_from(USES))
def test_images_damaged(data: Any, what: str, box: Sandbox) -> None:
    content = (box.inside / "a" / "images.npy").read_bytes()
    start = data.draw(damaged(content[:128], most=3)) + content[128:]
    held("campaign images", box, "images.npy", start, what, images_fate(start, content))


def header(text: str) -> bytes:
    """Return the header of an ``.npy`` file that says this."""
    text = text + " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


class Mark:
    """Unpickled without care, it leaves a marker behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.marker,)


LYING = {
    "huge": header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 3, 8, 8)}"),
    "large": header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 3, 8, 8)}"),
    "negative": header("{'descr': '|u1', 'fortran_order': False, 'shape': (-4, 3, 8, 8)}"),
    "objects": header("{'descr': '|O', 'fortran_order': False, 'shape': (4, 3, 8, 8)}"),
    "fields": header("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (4, 3, 8, 8)}"),
    "deep": header("(" * 5000 + ")" * 5000),
    "python 2": header("{'descr': '|u1', 'fortran_order': False, 'shape': (4L, 3, 8, 8)}"),
    "torn": header("{'descr': '|u1', 'fortran_order': (False, 'shape': '''"),
    "empty": b"",
    "zip": b"PK\x03\x04",
    "archive": archive(),
}


@pytest.mark.parametrize("name", LYING)
@pytest.mark.parametrize("what", USES)
def test_images_with_a_lying_header(what: str, name: str, box: Sandbox) -> None:
    held("campaign images", box, "images.npy", LYING[name], what, Fate.REFUSED)


@pytest.mark.parametrize("what", USES)
@pytest.mark.parametrize("packed", [False, True])
def test_images_with_code(packed: bool, what: str, box: Sandbox) -> None:
    marker = box.root / "marker"
    content = pickle.dumps(Mark(marker))
    if packed:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as zipped:
            zipped.writestr("a.npy", content)
        content = buffer.getvalue()
    held("campaign images", box, "images.npy", content, what, Fate.REFUSED)
    assert not marker.exists()
