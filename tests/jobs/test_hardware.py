"""Hardware of several kinds that scores a job's images is noted in its folder, and told by its page and by inspect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from campaigns import archive, small_attack
from runs import assert_refused, run_cli, small_evolve, succeed, tree
from support import tiny_target

import evofool
from evofool.engines import opening
from evofool.engines.base import ClusterFacts, Place
from evofool.engines.local import LocalEngine
from evofool.errors import RunError
from evofool.store.hardware import HARDWARE, Hardware, read_hardware

WORDS = "scores on record by Xeon, then EPYC; searched also by H200"


class Several(LocalEngine):
    """A cluster of one worker, which is this process, whose hardware seems to change."""

    recorded_by: tuple[str, ...] = ("Xeon", "EPYC")
    searched_by: tuple[str, ...] = ("Xeon", "H200")

    def scores_of(self, genomes: Any, encoding: Any) -> Any:
        return self.scores(encoding.decode(genomes))

    def confirm_of(self, genomes: Any, encoding: Any, rows: int | None = None) -> Any:
        return self.confirm(encoding.decode(genomes), rows)

    def work(self, function: Any, common: Any, source: Any, *, first: int = 4) -> Iterator[list[tuple[Any, Any]]]:
        place, items, room = Place(self, [self.target]), [], first
        while True:
            new = source.take(room)
            items += new
            done = function(place, common, list(enumerate(items))[len(items) - len(new) :], len(new) == room)
            room = done.room
            yield [(items[number], result) for number, result in done.results]
            if not new and not done.results:
                return

    def facts(self) -> ClusterFacts:
        return ClusterFacts((), 0, 0, 0, self.recorded_by, self.searched_by)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have jobs scored by such a cluster."""
    monkeypatch.setattr(opening, "LocalEngine", Several)


def evolved(folder: Path) -> Path:
    small_evolve(folder)
    return folder / "index.html"


def attacked(folder: Path) -> Path:
    small_attack(folder)
    return folder / "report.html"


def perturbed(folder: Path) -> Path:
    data = archive(folder.parent / "data.npz")
    evofool.perturb(tiny_target(), data=data, count=2, steps=2, methods=("fgsm",), epsilon=(0.03,), out=folder)
    return folder / "report.html"


def audited(folder: Path) -> Path:
    skip = ("fooling", "pixels", "rejection", "calibration", "perturb")
    evofool.audit(tiny_target(), out=folder, data=archive(folder.parent / "photos.npz", 20), budget=600, skip=skip)
    return folder / "report.html"


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("make", [evolved, attacked, perturbed, audited])
def test_the_folder_the_page_and_inspect_tell_of_several_kinds(make: Callable[[Path], Path], tmp_path: Path) -> None:
    page = make(tmp_path / "job").read_text(encoding="utf-8")
    assert read_hardware(tmp_path / "job") == Hardware(("Xeon", "EPYC"), ("Xeon", "H200"))
    assert WORDS in page
    assert evofool.inspect(tmp_path / "job")["hardware"] == WORDS


def test_hardware_of_one_kind_leaves_the_folder_as_it_is_without_workers(
    several: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Several, "recorded_by", ("Xeon",))
    monkeypatch.setattr(Several, "searched_by", ("Xeon",))
    small_attack(tmp_path / "there")
    monkeypatch.setattr(opening, "LocalEngine", LocalEngine)
    small_attack(tmp_path / "here")
    ours, theirs = tree(tmp_path / "there"), tree(tmp_path / "here")
    assert sorted(ours) == sorted(theirs)
    assert "hardware" not in evofool.inspect(tmp_path / "there")


@pytest.mark.usefixtures("several")
def test_sessions_on_other_hardware_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    small_evolve(run, gallery=False)
    monkeypatch.setattr(Several, "recorded_by", ("A100",))
    monkeypatch.setattr(Several, "searched_by", ())
    evofool.resume(run, generations=4, gallery=False)
    assert read_hardware(run) == Hardware(("Xeon", "EPYC", "A100"), ("Xeon", "H200"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"recorded_by": "Xeon"}', '{"kind": []}', "\x00"])
def test_a_damaged_note_is_refused(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / HARDWARE).write_text(content)
    with pytest.raises(RunError, match=r"hardware\.json is damaged \(.+\); no result depends on it: take it out$"):
        read_hardware(tmp_path)


@pytest.mark.usefixtures("several")
def test_a_damaged_note_is_one_line_at_the_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_evolve(tmp_path / "run", gallery=False)
    assert WORDS in " ".join(succeed(capsys, "inspect", tmp_path / "run").out.split())
    (tmp_path / "run" / HARDWARE).write_text("{}{}")
    assert_refused(run_cli(capsys, "inspect", tmp_path / "run"), "hardware.json is damaged")
    assert_refused(run_cli(capsys, "resume", tmp_path / "run", "--generations", "5"), "hardware.json is damaged")
