"""Campaigns from strangers: config, images and outcomes that lie."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import sealed_bytes, small_attack
from hostile import Sandbox, damaged, fuzz, instead, json_files, line_files, refused, tried
from hypothesis import given
from hypothesis import strategies as st
from runs import json_lines
from support import tiny_target

from evofool.console.console import Console
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.run_page import write_gallery
from evofool.jobs import campaign as campaigning
from evofool.jobs.inspect import inspect_campaign
from evofool.store.campaign import CampaignFolder
from evofool.store.export import export_adversarial

USES = ["report", "gallery", "inspect", "export", "repair", "resume"]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    box = Sandbox(tmp_path_factory.mktemp("campaign") / "box")
    (box.root / "inside").mkdir()
    small_attack(box.inside / "a", count=4, pixels="auto", max_pixels=2, queries=60)
    box.remember()
    return box


def use(what: str, path: Path) -> None:
    if what == "report":
        write_report([path], path / "report.html")
    elif what == "gallery":
        write_gallery([path])
    elif what == "inspect":
        console = Console()
        console.rich.file = io.StringIO()
        console.facts(inspect_campaign(path))
    elif what == "export":
        export_adversarial(CampaignFolder.open(path))
    elif what == "repair":
        CampaignFolder.open(path).drop_damaged()
    else:
        campaigning.resume_campaign(path, target=tiny_target())


def held(kind: str, box: Sandbox, file: str, content: bytes, what: str) -> None:
    path = box.inside / "a"
    (path / file).write_bytes(content)
    try:
        tried(kind, lambda: use(what, path))
        box.assert_untouched()
    finally:
        box.restore()


@fuzz(0.05)
@given(data=st.data(), what=st.sampled_from(USES))
def test_a_config_that_lies(data: Any, what: str, box: Sandbox) -> None:
    config = json.loads((box.inside / "a" / "config.json").read_text())
    held("campaign config", box, "config.json", data.draw(json_files(config)), what)


@fuzz(0.06)
@given(data=st.data(), what=st.sampled_from(USES))
def test_outcomes_that_lie(data: Any, what: str, box: Sandbox) -> None:
    lines = json_lines(box.inside / "a" / "outcomes.jsonl")
    held("outcomes", box, "outcomes.jsonl", sealed_bytes(data.draw(line_files(lines)), box.inside / "a"), what)


def test_a_outcome_that_stands_often(box: Sandbox) -> None:
    content = (box.inside / "a" / "outcomes.jsonl").read_bytes()
    with instead(box.inside / "a" / "outcomes.jsonl", 50 * content):
        found = list(CampaignFolder.open(box.inside / "a").outcomes())
        tried("outcomes", lambda: use("report", box.inside / "a"))
    assert len(found) == len(content.splitlines())


@fuzz(0.03)
@given(data=st.data(), what=st.sampled_from(USES))
def test_lines_of_images_that_lie(data: Any, what: str, box: Sandbox) -> None:
    lines = json_lines(box.inside / "a" / "images.jsonl")
    held(
        "campaign image lines", box, "images.jsonl", sealed_bytes(data.draw(line_files(lines)), box.inside / "a"), what
    )


@fuzz(0.02)
@given(data=st.data(), what=st.sampled_from(USES))
def test_images_damaged(data: Any, what: str, box: Sandbox) -> None:
    content = (box.inside / "a" / "images.npy").read_bytes()
    start = data.draw(damaged(content[:128], most=3)) + content[128:]
    held("campaign images", box, "images.npy", start, what)


def header(text: str) -> bytes:
    text = text + " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


class Mark:
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
def test_images_with_a_lying_header(name: str, box: Sandbox) -> None:
    with instead(box.inside / "a" / "images.npy", LYING[name]):
        refused(lambda: len(CampaignFolder.open(box.inside / "a").subjects))


@pytest.mark.parametrize("packed", [False, True])
def test_images_with_code(packed: bool, box: Sandbox) -> None:
    marker = box.root / "marker"
    content = pickle.dumps(Mark(marker))
    if packed:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as zipped:
            zipped.writestr("a.npy", content)
        content = buffer.getvalue()
    for what in USES:
        held("campaign images", box, "images.npy", content, what)
    assert not marker.exists()
