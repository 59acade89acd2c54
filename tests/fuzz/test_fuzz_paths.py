"""Runs from strangers whose elites name files elsewhere: none of them is shown."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hostile import Fate, Sandbox, tried
from run_uses import use
from runs import json_lines

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
    fresh = Sandbox(tmp_path / "box")
    run = shutil.copytree(boxes["cppn"].inside, fresh.inside)
    (run / "elites" / "link.png").symlink_to(fresh.secret)
    (run / "elites" / "second.png").symlink_to(run / "elites" / "link.png")
    (run / "elites" / "loop.png").symlink_to(run / "elites" / "loop.png")
    (run / "elsewhere").symlink_to(fresh.beside)
    os.mkfifo(run / "elites" / "pipe.png")
    return fresh


@pytest.mark.parametrize("key", ["file", "genome"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("embedded", [0, 400], ids=["beside", "in one file"])
def test_a_page_shows_no_file_of_elsewhere(
    key: str, path: str, embedded: int, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = box.inside
    lines = json_lines(run / "elites.jsonl")
    lines[1][key] = path
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setattr("evofool.gallery.pages.storage.MAX_EMBEDDED_TILES", embedded)
    message = tried("paths out of a run", lambda: use("show", run), Fate.REFUSED, run, seconds=10)
    assert Sandbox.SECRET not in str(message)
    assert not (run / "index.html").exists()
    assert not (run / "index-files").exists()
    box.assert_untouched()


def test_a_run_reached_through_a_link_is_shown(boxes: dict[str, Sandbox], tmp_path: Path) -> None:
    run = shutil.copytree(boxes["cppn"].inside, tmp_path / "run")
    (tmp_path / "link").symlink_to(run)
    tried("paths out of a run", lambda: use("show", tmp_path / "link"), Fate.LOADS)
    assert (run / "index.html").is_file()
