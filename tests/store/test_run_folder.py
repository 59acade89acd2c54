"""The run folder: names and lines that agree, file systems and disks that don't help."""

from __future__ import annotations

import os
import re
import stat
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import run_config
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from runs import assert_refused, assert_same_run, json_lines, run_cli, small_evolve, tree
from support import build, tiny_target

from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.encodings import genome_file
from evofool.errors import RunError
from evofool.jobs import run as run_job
from evofool.jobs import session
from evofool.jobs.run import RunStep
from evofool.search.evolution import Evolution
from evofool.store.elites import Elites, elite_stem
from evofool.store.run import RunFolder

HOSTILE = [
    "../../x",
    "/etc/passwd",
    "a/b\\c",
    "<script>alert(1)</script>",
    "n" * 300,
    "🦊🦊",
    "",
    "CON",
    "con.txt",
    "line\nbreak\ttab",
    "nul\0byte",
    "...",
    "--help",
    "größe œuvre 猫",
]


def evolution(generations: int = 1, **target: Any) -> Evolution:
    """Return an evolution of direct genomes for the small RGB network after some generations."""
    network = tiny_target(**target)
    encoding = build("direct", "default", network.image_shape)
    run = Evolution(network, encoding, EvolveOptions(batch=12, seed=0, selector="uniform", emitters=("vary",)))
    for _ in range(generations):
        run.step()
    return run


def decoded(run: Evolution, changed: np.ndarray | None = None) -> Elites:
    elites = Elites.of(run, changed)
    assert elites.decode()
    return elites


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", run_config())


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_files_and_lines_agree(encoding: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = small_evolve(run, encoding=encoding)
    lines = json_lines(run / "elites.jsonl")
    assert [line["score"] for line in lines] == result.confidence.tolist()
    for line, image in zip(lines, result.images, strict=True):
        np.testing.assert_array_equal(Image.open(run / line["file"]), image[0])
        stem = elite_stem(line["index"], line["class"], line["score"], line["evaluation"])
        assert line["file"] == f"elites/{stem}.png"
        assert line["picture_crc32"] == f"{zlib.crc32((run / line['file']).read_bytes()):08x}"
        assert len(line["top5"]) == 5
        assert dict(line["top5"]).get(line["class"], line["score"]) == pytest.approx(line["score"])
        assert line["parent"] < line["evaluation"] < result.evaluations
        assert 1 <= line["generation"] <= result.generations
        if encoding == "cppn":
            genome = genome_file.read(run / line["genome"])
            np.testing.assert_array_equal(genome.encoding.decode(genome.genomes)[0].numpy(), image)
            assert genome.provenance["class"] == line["class"]
            assert genome.provenance["score"] == line["score"]
    named = {line[key] for line in lines for key in ("file", "genome") if key in line}
    assert named == {f"elites/{name}" for name in os.listdir(run / "elites")}


def test_files_of_beaten_elites_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    run, seen = tmp_path / "run", set()

    def look(*_: object) -> None:
        time.sleep(0.1)  # the thread that writes gives way to others
        seen.update(os.listdir(run / "elites"))

    small_evolve(run, encoding="cppn", generations=5, observer=look)
    left = set(os.listdir(run / "elites"))
    assert len(left) == 20
    assert seen - left  # there were others before


def test_elites_are_decoded_bit_by_bit_and_stay_those_of_their_moment() -> None:
    run = evolution()
    whole, parts = decoded(run), Elites.of(run)
    pixels = run.encoding.image_shape[1] * run.encoding.image_shape[2]
    steps = [parts.decode(2 * pixels)]
    for _ in range(5):
        run.step()
        steps.append(parts.decode(pixels))
    assert steps == [step + 2 >= len(whole.images) for step in range(6)]
    assert parts.decode()
    np.testing.assert_array_equal(parts.images, whole.images)
    assert parts.lines == whole.lines


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_a_folder_is_the_same_however_slowly_its_elites_are_decoded(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_evolve(tmp_path / "at once", encoding=encoding, generations=12)
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    monkeypatch.setattr(run_job, "DECODED_PIXELS", 1)
    small_evolve(tmp_path / "slowly", encoding=encoding, generations=12)
    assert_same_run(tmp_path / "slowly", tmp_path / "at once")


def test_a_checkpoint_waits_for_no_picture_and_a_page_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten pictures, one a generation; meanwhile every generation is on disk."""
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    monkeypatch.setattr(run_job, "DECODED_PIXELS", 1)
    run, seen = tmp_path / "run", list[tuple[int, int, bool]]()

    def look(step: RunStep) -> None:
        deadline, saved = time.monotonic() + 20, -1
        while saved < step.progress.generation - 1 and time.monotonic() < deadline:
            time.sleep(0.02)
            saved = int(RunFolder.open(run).checkpoints.load()["search.counts"][0])
        seen.append((step.progress.generation, saved, (run / "index.html").exists()))

    small_evolve(run, generations=25, observer=look)
    assert [saved for _, saved, _ in seen[2:]] == [generation - 1 for generation, _, _ in seen[2:]]
    assert not seen[5][2]  # the pictures are not all there
    assert seen[20][2]


@pytest.mark.parametrize("links", [True, False])
def test_pictures_of_one_child_are_one_file_where_there_are_links(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError()))
    folder = RunFolder.create(tmp_path / "run", run_config(target={"classes": 40}))
    run = evolution(classes=40)
    folder.save_elites(decoded(run))
    by_child: dict[int, list[Path]] = {}
    for line in folder.elites():
        by_child.setdefault(line["evaluation"], []).append(folder.picture(line))
    for files in by_child.values():
        assert {file.read_bytes() for file in files} == {files[0].read_bytes()}
        assert len({file.stat().st_ino for file in files}) == (1 if links else len(files))
    several = max(by_child.values(), key=len)
    assert len(several) > 1
    several[1].write_bytes(b"someone's edit")  # of one file, or of all its names
    folder.save_elites(decoded(run))
    for line in folder.elites():
        folder.picture(line)


def test_files_that_the_page_names_stay_until_there_is_another(folder: RunFolder) -> None:
    run = evolution()
    folder.save_elites(decoded(run))
    folder.page_written()
    shown = {line["file"] for line in folder.elites()}
    while len(shown - {f"elites/{name}" for name in os.listdir(folder.path / "elites")}) == 0:
        assert run.step().generation < 200
        folder.save_elites(decoded(run))
        if run.search.generation > 20:
            folder.page_written()
    assert run.search.generation > 20
    left = {f"elites/{name}" for name in os.listdir(folder.path / "elites")}
    assert left == {line["file"] for line in folder.elites()}


def test_pictures_that_a_killed_process_left_are_removed(folder: RunFolder) -> None:
    left = folder.path / "elites" / "003_cat_0.9987_4711.png"
    left.write_bytes(b"")
    folder.save_elites(decoded(evolution()))
    assert not left.exists()


def test_only_changed_elites_are_written_anew(folder: RunFolder) -> None:
    run = evolution()
    folder.save_elites(decoded(run))
    files = [folder.path / line["file"] for line in folder.elites()]
    for file in files:
        os.utime(file, (0, 0))
    folder.save_elites(decoded(run, np.array([1])))
    assert [file.stat().st_mtime == 0 for file in files] == [True, False, True, True]


@pytest.mark.parametrize("name", ["notes.txt", "003_cat_0.9987.png", "cat_0.9987_4711.png"])
def test_a_user_s_own_files_among_the_elites_stay(name: str, folder: RunFolder) -> None:
    (folder.path / "elites" / name).write_text("the third looks like a fox")
    folder.save_elites(decoded(evolution()))
    assert (folder.path / "elites" / name).exists()


def test_class_names_hostile_to_file_systems_stay_inside_the_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    target = tiny_target(classes=len(HOSTILE))
    target.classes = HOSTILE
    small_evolve(run, target=target, generations=1, device="auto", precision="auto")
    assert os.listdir(tmp_path) == ["run"]
    names = os.listdir(run / "elites")
    assert len(names) == len(HOSTILE)
    for name in names:
        assert re.fullmatch(r"\d{3}_[A-Za-z0-9-]{1,40}_[01]\.\d{4}_\d+\.png", name)
    assert [line["class"] for line in json_lines(run / "elites.jsonl")] == HOSTILE
    with Image.open(run / "gallery.png") as gallery:
        gallery.load()


@given(st.integers(0, 99_999), st.text(), st.floats(0, 1, width=32))
def test_any_name_makes_a_plain_file_name(index: int, name: str, score: float) -> None:
    stem = elite_stem(index, name, score, 4711)
    assert re.fullmatch(r"\d{3,}_[A-Za-z0-9-]{1,40}_[01]\.\d{4}_4711", stem)
    shown = float(stem.rsplit("_", 2)[1])
    assert shown <= score < shown + 1.001e-4


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("great white shark", "003_great-white-shark_0.9999"),
        ("Café, crème!", "003_Cafe-creme_0.9999"),
        ("猫", "003_class_0.9999"),
        ("", "003_class_0.9999"),
        ("a/../b", "003_a-b_0.9999"),
    ],
)
def test_a_file_name_has_class_and_score_cut_not_rounded(name: str, stem: str) -> None:
    assert elite_stem(3, name, 0.99999, 12) == f"{stem}_12"


def test_an_empty_folder_is_taken_and_any_other_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (RunFolder.create(tmp_path / "empty", run_config()).path / "config.json").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".hidden").write_text("mine")
    with pytest.raises(RunError, match="exists already"):
        RunFolder.create(tmp_path / "full", run_config())
    assert tree(tmp_path / "full") == {".hidden": b"mine"}


def test_a_run_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "a" / "b" / "run", run_config())
    assert RunFolder.open(tmp_path / "a" / "b" / "run").config == run_config()


def test_another_budget_is_recorded_and_makes_no_other_run(folder: RunFolder) -> None:
    before = folder.config
    folder.config = folder.with_budget(Budget(evaluations=500, until=0.5))
    folder.write_config()
    after = RunFolder.open(folder.path).config
    assert after == folder.config
    assert after.options.budget == Budget(evaluations=500, until=0.5)
    assert after.digest() == before.digest()
    assert before.options.budget == Budget(generations=3)


def test_a_checkpoint_holds_no_objects(folder: RunFolder) -> None:
    folder.checkpoints.save(evolution().state())
    with np.load(folder.path / "checkpoint" / "state.npz", allow_pickle=False) as archive:
        assert [name for name in archive.files if archive[name].dtype.hasobject] == []


def _refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", ["replace", "fsync"])
@pytest.mark.parametrize("what", ["config", "checkpoint", "metrics", "elites"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    what: str, broken: str, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = evolution(1), evolution(6)
    folder.checkpoints.save(older.state())
    folder.save_elites(decoded(older))
    folder.append_metrics(older.step())
    before = tree(folder.path)
    folder.config = folder.with_budget(Budget(generations=5))
    actions = {
        "config": folder.write_config,
        "checkpoint": lambda: folder.checkpoints.save(newer.state()),
        "metrics": lambda: folder.trim_metrics(0),
        "elites": lambda: folder.save_elites(decoded(newer)),
    }
    monkeypatch.setattr(os, broken, _refuse)
    with pytest.raises(RunError, match=r"cannot write to .*run: No space left on device; make room") as caught:
        actions[what]()
    assert "\n" not in str(caught.value)
    after = tree(folder.path)
    assert {name: after.get(name) for name in before} == before  # what elites.jsonl names is all there still
    assert [name for name in after if name.endswith(".tmp")] == []


def test_a_failed_append_to_the_metrics_is_a_run_error(folder: RunFolder) -> None:
    (folder.path / "metrics.jsonl").mkdir()
    with pytest.raises(RunError, match="cannot write to"):
        folder.append_metrics(evolution().step())


@pytest.mark.parametrize("writes", [0, 1, 2, 3, 8])
def test_a_full_disk_ends_with_one_line_and_later_the_run_goes_on_or_starts_anew(
    writes: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, left = os.replace, [writes]

    def full(*paths: Any) -> None:
        if not left[0]:
            _refuse()
        left[0] -= 1
        replace(*paths)

    monkeypatch.setattr(os, "replace", full)
    run = tmp_path / "run"
    words = ["evolve", "--target", "digits", "--batch", 20, "--generations", 2, "--classes", "3,8", "--device", "cpu"]
    assert_refused(run_cli(capsys, *words, "--out", run, "--quiet"), str(run), "No space left on device")
    monkeypatch.undo()
    begun = writes >= 2  # config and first checkpoint are there
    again = ["resume", run] if begun else [*words, "--out", run]
    assert run_cli(capsys, *again, "--quiet").code == 0
    assert [line["generation"] for line in json_lines(run / "metrics.jsonl")] == [1, 2]


def test_files_are_readable_by_others(folder: RunFolder) -> None:
    folder.save_elites(decoded(evolution()))
    mask = os.umask(0)
    os.umask(mask)
    for file in folder.path.rglob("*.png"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask
