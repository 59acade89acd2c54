"""Folders from strangers whose links, pipes and devices lead elsewhere: nothing there is read for long, or written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from campaigns import small_attack
from hostile import Sandbox, memory_limit, time_limit
from runs import small_evolve
from support import tiny_target

from evofool.encodings import genome_file
from evofool.errors import EvofoolError
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.run_page import write_run_page
from evofool.gallery.prints.poster import write_poster
from evofool.io.images import open_image
from evofool.jobs import campaign as campaigning
from evofool.jobs import run as session
from evofool.jobs.inspect import inspect_campaign, inspect_run
from evofool.store.campaign import CampaignFolder
from evofool.store.export import export_adversarial


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a campaign; copied, never changed."""
    root = tmp_path_factory.mktemp("sound")
    small_evolve(root / "run", encoding="cppn", classes="0,1", gallery=False)
    small_attack(root / "campaign", count=3, queries=60)
    return root


@pytest.fixture
def box(sound: Path, tmp_path: Path) -> Sandbox:
    box = Sandbox(tmp_path / "box")
    shutil.copytree(sound, box.inside)
    return box


def put(place: Path, target: Path) -> None:
    """A link in the place of what is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def act(what: Callable[[], object], seconds: float = 10) -> None:
    told = ""
    with time_limit(seconds), memory_limit(1 << 28):
        try:
            what()
        except EvofoolError as error:
            told = str(error)
    assert Sandbox.SECRET not in told


def resume_run(home: Path) -> None:
    session.resume(home / "run", generations=4, gallery=False)


def resume_campaign(home: Path) -> None:
    campaigning.resume_campaign(home / "campaign", target=tiny_target())


def export(home: Path) -> None:
    export_adversarial(CampaignFolder.open(home / "campaign"))


@pytest.mark.parametrize(
    ("place", "use"),
    [
        ("campaign/plots", lambda home: write_report([home / "campaign"])),
        ("campaign/adversarial", export),
        ("run/elites", resume_run),
        ("run/history", resume_run),
        ("campaign/report.html", lambda home: write_report([home / "campaign"])),
        ("run/index.html", lambda home: write_run_page(home / "run")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_link_takes_no_writing_elsewhere(place: str, use: Callable[[Path], object], box: Sandbox) -> None:
    put(box.inside / place, box.beside)
    act(lambda: use(box.inside))
    box.assert_untouched()


@pytest.mark.parametrize(
    ("place", "use"),
    [
        ("campaign/outcomes.jsonl", resume_campaign),
        ("run/.lock", resume_run),
        ("campaign/.lock", resume_campaign),
        ("run/metrics.jsonl", resume_run),
        ("run/elites.jsonl", resume_run),
        ("run/checkpoint/state.npz", resume_run),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_linked_file_is_not_written_through(place: str, use: Callable[[Path], object], box: Sandbox) -> None:
    put(box.inside / place, box.secret)
    act(lambda: use(box.inside))
    assert box.secret.read_text() == Sandbox.SECRET
    box.assert_untouched()


ENDLESS = {
    "elites.jsonl": lambda home: inspect_run(home / "run"),
    "metrics.jsonl": lambda home: inspect_run(home / "run"),
    "outcomes.jsonl": lambda home: inspect_campaign(home / "campaign"),
    "images.jsonl": lambda home: inspect_campaign(home / "campaign"),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_lines_without_an_end_are_refused(name: str, kind: str, box: Sandbox) -> None:
    for kept in ("run", "campaign"):
        place = box.inside / kept / name
        if place.exists():
            put(place, Path("/dev/zero"))
            if kind == "pipe":
                place.unlink()
                os.mkfifo(place)
    try:
        act(lambda: ENDLESS[name](box.inside), seconds=1)
    except BaseException as error:
        raise AssertionError(type(error).__name__) from None


@pytest.mark.parametrize(("kind", "reads"), [("device", open_image), ("pipe", open_image)], ids=["device", "pipe"])
def test_a_picture_without_an_end_is_refused(kind: str, reads: Callable[[Path], object], tmp_path: Path) -> None:
    refuse(kind, reads, tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_genome_without_an_end_is_refused(kind: str, tmp_path: Path) -> None:
    try:
        refuse(kind, genome_file.read, tmp_path / "a.json")
    except BaseException as error:
        raise AssertionError(type(error).__name__) from None


def refuse(kind: str, reads: Callable[[Path], object], file: Path) -> None:
    file.symlink_to("/dev/zero")
    if kind == "pipe":
        file.unlink()
        os.mkfifo(file)
    with time_limit(1), memory_limit(1 << 28), pytest.raises(EvofoolError):
        reads(file)


def test_a_poster_shows_no_picture_of_elsewhere(box: Sandbox) -> None:
    import json

    from PIL import Image
    from runs import json_lines

    Image.new("RGB", (8, 8), "red").save(box.beside / "private.png")
    run = box.inside / "run"
    lines = json_lines(run / "elites.jsonl")
    for line in lines:
        line["file"] = "../../beside/private.png"
        del line["genome"]
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(EvofoolError):
        write_poster([run], "400x400", box.inside / "poster.png")


def test_names_send_nothing_to_the_terminal(box: Sandbox) -> None:
    import io
    import json

    from runs import json_lines

    from evofool.console.console import Console

    run = box.inside / "run"
    lines = json_lines(run / "elites.jsonl")
    for line in lines:
        line["class"] = "cat\x1b]0;title\x07\x1b[2J"
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    console = Console()
    console.rich.file = io.StringIO()
    facts = inspect_run(run)
    console.inspected_run(facts, facts.pop("elites"))
    assert "\x1b" not in console.rich.file.getvalue()
