"""``elites.jsonl`` and the files it names: what is damaged, swapped or elsewhere is refused in one line."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from configs import run_config
from prints import write_elites
from runs import json_lines, small_evolve

from evofool.errors import EvofoolError, RunError
from evofool.store.run import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs for two classes; copied, never changed."""
    run = tmp_path_factory.mktemp("elites") / "run"
    small_evolve(run, encoding="cppn", classes="3,8", generations=2, gallery=False)
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> RunFolder:
    return RunFolder.open(Path(shutil.copytree(finished, tmp_path / "run")))


def refused(run: RunFolder, *parts: str) -> None:
    with pytest.raises(RunError) as caught:
        run.elites()
    message = str(caught.value)
    assert "\n" not in message
    for part in (*parts, f"evofool resume {run.path} writes it anew"):
        assert part in message


def change_line(run: RunFolder, number: int, changes: dict[str, Any]) -> None:
    lines = json_lines(run.path / "elites.jsonl")
    lines[number - 1] |= changes
    write_elites(run.path, lines)


def test_what_evofool_writes_is_read(run: RunFolder) -> None:
    lines = run.elites()
    assert [line["index"] for line in lines] == [3, 8]
    for line in lines:
        assert run.picture(line) == run.path / line["file"]
        genome = run.genome(line)
        assert genome is not None
        assert genome.provenance["index"] == line["index"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", float("nan")), ("score", 1.01), ("score", "1"), ("score", None), ("index", -1), ("index", 2**62),
        ("niche", 10**400), ("class", 5), ("class", None), ("top5", [["cat", -1e308]]), ("top5", [["cat"]]),
        ("generation", 1.5), ("evaluation", True), ("size", -1), ("file", None), ("genome", 3), ("cell", []),
        ("descriptors", {"hue": "red"}),
    ],
)  # fmt: skip
def test_a_line_that_lies_is_named_with_its_number(key: str, value: Any, run: RunFolder) -> None:
    change_line(run, 2, {key: value})
    refused(run, f"line 2 of {run.path / 'elites.jsonl'} is damaged ({key}")


@pytest.mark.parametrize(
    "key", ["niche", "index", "class", "score", "top5", "generation", "evaluation", "size", "file"]
)
def test_a_line_that_lacks_something_is_refused(key: str, run: RunFolder) -> None:
    lines = json_lines(run.path / "elites.jsonl")
    del lines[0][key]
    write_elites(run.path, lines)
    refused(run, f"line 1 of {run.path / 'elites.jsonl'} is damaged", key)


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"[]\n", b"\xff\xfe\n", b"null\n", b"[" * 10**6 + b"\n"])
def test_a_file_without_whole_lines_is_refused(content: bytes, run: RunFolder) -> None:
    (run.path / "elites.jsonl").write_bytes(content)
    refused(run, "is damaged (0 whole lines for 2 classes)")


def test_a_file_that_was_cut_anywhere_is_refused(run: RunFolder) -> None:
    file = run.path / "elites.jsonl"
    content = file.read_bytes()
    for length in range(0, len(content), 41):
        file.write_bytes(content[:length])
        refused(run, "is damaged (", "whole lines for 2 classes)")


def test_too_many_lines_are_refused(run: RunFolder) -> None:
    lines = json_lines(run.path / "elites.jsonl")
    write_elites(run.path, [*lines, lines[0]])
    refused(run, "is damaged (3 whole lines for 2 classes)")


def test_without_a_file_there_are_no_elites_yet(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path / "run", run_config()).elites() == []


# The files that lines name


def test_a_picture_that_was_changed_or_swapped_is_refused(run: RunFolder) -> None:
    first, second = run.elites()
    (run.path / first["file"]).write_bytes((run.path / second["file"]).read_bytes())
    with pytest.raises(RunError, match=r"is damaged or another picture, .*evofool resume .* writes it anew"):
        run.picture(first)
    (run.path / first["file"]).unlink()
    with pytest.raises(RunError, match=r"cannot read .*evofool resume .* writes it anew"):
        run.picture(first)
    assert run.picture(second).exists()


def test_a_genome_that_was_swapped_or_damaged_is_refused(run: RunFolder) -> None:
    first, second = run.elites()
    content = (run.path / first["genome"]).read_bytes()
    (run.path / first["genome"]).write_bytes((run.path / second["genome"]).read_bytes())
    with pytest.raises(RunError, match=r"is another elite's; evofool resume .* writes it anew"):
        run.genome(first)
    (run.path / first["genome"]).write_bytes(content[:-20])
    with pytest.raises(EvofoolError, match=str(run.path / first["genome"])):
        run.genome(first)


@pytest.mark.parametrize("key", ["file", "genome"])
@pytest.mark.parametrize(
    "name", ["../thesis", "elites/../../thesis", "/etc/hostname", "elites", "elites/nul\0byte", "."]
)
def test_files_elsewhere_are_never_opened(name: str, key: str, run: RunFolder) -> None:
    (run.path.parent / "thesis").write_text("mine")
    line = run.elites()[0] | {key: name}
    with pytest.raises(RunError, match=r"names .* which is no file of this run"):
        run.picture(line) if key == "file" else run.genome(line)


@pytest.mark.parametrize("key", ["file", "genome"])
def test_links_to_elsewhere_and_pipes_are_never_opened(key: str, run: RunFolder) -> None:
    (run.path.parent / "thesis").write_text("mine")
    line = run.elites()[0]
    read = run.picture if key == "file" else run.genome
    file = run.path / line[key]
    for make in (lambda: file.symlink_to(run.path.parent / "thesis"), lambda: os.mkfifo(file), lambda: file.mkdir()):
        file.unlink()
        make()
        with pytest.raises(RunError, match=r"names .* which is no file of this run"):
            read(line)
        if file.is_dir():
            break


# Metrics


METRICS = dict.fromkeys(("confirmations", "seconds", "median", "mean", "min", "max", "at_99", "improved", "size"), 0)


def write_metrics(run: RunFolder, lines: list[dict[str, Any]]) -> None:
    texts = [json.dumps({"generation": number, "evaluations": 20 * number, **METRICS, **line}) + "\n"
             for number, line in enumerate(lines, 1)]  # fmt: skip
    (run.path / "metrics.jsonl").write_text("".join(texts))


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 0}, {"generation": 10_000_001}, {"generation": 1.5}, {"generation": None}, {"evaluations": -1},
        {"confirmations": -1}, {"confirmations": None},
        {"seconds": float("inf")}, {"seconds": -1}, {"median": float("nan")}, {"max": 10**400}, {"at_99": "many"},
        {"improved": -1}, {"size": float("nan")},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
def test_metrics_that_lie_are_left_out_counted_and_taken_out(change: dict[str, Any], run: RunFolder) -> None:
    write_metrics(run, [{}, change, {}])
    assert [line["generation"] for line in run.metrics()] == [1, 3]
    with pytest.raises(
        RunError, match=r"1 damaged line in .*metrics\.jsonl; take them out with: evofool inspect --rep"
    ):
        run.trim_metrics(2)
    assert run.drop_damaged_metrics() == 1
    assert len(run.trim_metrics(3)) == len(run.metrics()) == 2
    assert run.drop_damaged_metrics() == 0


def test_metrics_after_a_generation_are_forgotten(run: RunFolder) -> None:
    write_metrics(run, [{}, {}, {}])
    assert [line["generation"] for line in run.trim_metrics(2)] == [1, 2]
    assert [line["generation"] for line in run.metrics()] == [1, 2]


def test_a_torn_last_line_of_the_metrics_is_no_damage(run: RunFolder) -> None:
    write_metrics(run, [{}, {}])
    file = run.path / "metrics.jsonl"
    file.write_bytes(file.read_bytes()[:-7])
    assert len(run.trim_metrics(1)) == len(run.metrics()) == 1
