"""Folders from strangers whose links, pipes and devices lead elsewhere: nothing there is read for long, or written."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from campaigns import small_attack
from hostile import Fate, Sandbox, tried
from PIL import Image
from run_uses import use
from runs import json_lines, small_evolve
from support import tiny_target

import evofool
from evofool.console.console import Console
from evofool.encodings import genome_file
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.prints.poster import write_poster
from evofool.io.images import open_image
from evofool.store.campaign import CampaignFolder
from evofool.store.export import export_adversarial

Use = Callable[[Path], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a campaign; copied, never changed."""
    root = tmp_path_factory.mktemp("sound")
    small_evolve(root / "run", encoding="cppn", classes="0,1", gallery=False)
    small_attack(root / "campaign", count=3, queries=60)
    return root


@pytest.fixture
def box(sound: Path, tmp_path: Path) -> Sandbox:
    """Copies of both."""
    box = Sandbox(tmp_path / "box")
    shutil.copytree(sound, box.inside)
    return box


def put(path: Path, target: Path) -> None:
    """Put a link in the place of what is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def act(action: Callable[[], object], fate: Fate, *parts: object, seconds: float = 10) -> None:
    """Hold a use of a folder to the promise, within a quarter of the memory; no message tells what is elsewhere."""
    message = tried("links and devices", action, fate, *parts, memory=1 << 28, seconds=seconds)
    assert Sandbox.SECRET not in str(message)


def go_on(home: Path) -> None:
    evofool.resume(home / "run", generations=4, gallery=False)


def show(home: Path) -> None:
    use("show", home / "run")


def inspect_run(home: Path) -> None:
    evofool.inspect(home / "run")


def inspect_campaign(home: Path) -> None:
    evofool.inspect(home / "campaign")


def go_on_with_campaign(home: Path) -> None:
    evofool.resume(home / "campaign", target=tiny_target())


def report(home: Path) -> None:
    write_report([home / "campaign"])


def export(home: Path) -> None:
    export_adversarial(CampaignFolder.open(home / "campaign"))


@pytest.mark.parametrize(("name", "action"), [
    ("campaign/plots", report), ("campaign/plots", export), ("campaign/adversarial", export), ("run/elites", go_on),
    ("run/history", go_on), ("run/checkpoint", go_on), ("run/index-files", show),
])  # fmt: skip
def test_a_linked_folder_is_refused(name: str, action: Use, box: Sandbox) -> None:
    put(box.inside / name, box.beside)
    act(lambda: action(box.inside), Fate.REFUSED, f"{box.inside / name} is a link")
    box.assert_untouched()


@pytest.mark.parametrize(("name", "action"), [("campaign/report.html", report), ("run/index.html", show)])
@pytest.mark.parametrize("target", ["folder", "file"])
def test_a_page_takes_the_place_of_a_link(target: str, name: str, action: Use, box: Sandbox) -> None:
    put(box.inside / name, {"folder": box.beside, "file": box.secret}[target])
    act(lambda: action(box.inside), Fate.LOADS)
    assert (box.inside / name).is_file()
    assert not (box.inside / name).is_symlink()
    box.assert_untouched()


@pytest.mark.parametrize(("name", "action", "fate"), [
    ("campaign/config.json", go_on_with_campaign, Fate.REFUSED),
    ("campaign/images.npy", go_on_with_campaign, Fate.REFUSED),
    ("campaign/images.jsonl", go_on_with_campaign, Fate.REFUSED),
    ("campaign/outcomes.jsonl", go_on_with_campaign, Fate.REFUSED),
    ("campaign/.lock", go_on_with_campaign, Fate.REFUSED),
    ("run/config.json", go_on, Fate.REFUSED),
    ("run/.lock", go_on, Fate.REFUSED),
    ("run/checkpoint/state.npz", go_on, Fate.REFUSED),
    ("run/metrics.jsonl", go_on, Fate.LOADS),  # These two are written anew, in the place of the links.
    ("run/elites.jsonl", go_on, Fate.LOADS),
])  # fmt: skip
def test_a_linked_file_is_not_written_through(name: str, action: Use, fate: Fate, box: Sandbox) -> None:
    put(box.inside / name, box.secret)
    act(lambda: action(box.inside), fate, (box.inside / name).parent)
    assert (box.inside / name).is_symlink() == (fate is Fate.REFUSED)
    assert box.secret.read_text() == Sandbox.SECRET
    box.assert_untouched()


def endless(path: Path, kind: str) -> None:
    """Put a device or a pipe in the place of a file."""
    path.unlink(missing_ok=True)
    if kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["device", "pipe"])
@pytest.mark.parametrize(("name", "action"), [
    ("run/config.json", inspect_run), ("run/elites.jsonl", inspect_run), ("run/metrics.jsonl", inspect_run),
    ("run/checkpoint/state.npz", go_on), ("campaign/config.json", inspect_campaign),
    ("campaign/outcomes.jsonl", inspect_campaign), ("campaign/images.jsonl", inspect_campaign),
    ("campaign/images.npy", inspect_campaign),
])  # fmt: skip
def test_a_file_without_an_end_is_refused(name: str, action: Use, kind: str, box: Sandbox) -> None:
    endless(box.inside / name, kind)
    act(lambda: action(box.inside), Fate.REFUSED, (box.inside / name).parent, seconds=1)


@pytest.mark.parametrize("kind", ["device", "pipe"])
@pytest.mark.parametrize(("name", "read"), [("a.png", open_image), ("a.json", genome_file.read)])
def test_a_picture_or_genome_without_an_end_is_refused(name: str, read: Use, kind: str, tmp_path: Path) -> None:
    endless(tmp_path / name, kind)
    act(lambda: read(tmp_path / name), Fate.REFUSED, tmp_path / name, seconds=1)


def change_elites(run: Path, **values: object) -> None:
    """Give every line of ``elites.jsonl`` these values, and no genome to draw instead of a picture."""
    lines = [{**line, **values} for line in json_lines(run / "elites.jsonl")]
    for line in lines:
        del line["genome"]
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_poster_shows_no_picture_of_elsewhere(box: Sandbox) -> None:
    Image.new("RGB", (8, 8), "red").save(box.beside / "private.png")
    run = box.inside / "run"
    change_elites(run, file="../../beside/private.png")
    act(lambda: write_poster([run], "400x400", box.inside / "poster.png"), Fate.REFUSED, run / "elites.jsonl")
    assert not (box.inside / "poster.png").exists()


def test_names_send_nothing_to_the_terminal(box: Sandbox) -> None:
    run = box.inside / "run"
    change_elites(run, **{"class": "cat\x1b]0;title\x07\x1b[2J"})
    console = Console()
    console.rich.file = io.StringIO()
    facts = evofool.inspect(run)
    console.inspected_run(facts, facts.pop("elites"))
    assert "cat" in console.rich.file.getvalue()
    assert "\x1b" not in console.rich.file.getvalue()
