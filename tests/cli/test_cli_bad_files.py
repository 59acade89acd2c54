"""Pictures and genomes that are damaged or don't fit, and bad options of render: refused, and nothing is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from runs import EVOLVE, Capture, assert_refused, run_cli, small_evolve, tree


@pytest.mark.parametrize(
    "content",
    [b"no picture", b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"<svg/>", b"GIF89a"],
    ids=["text", "empty", "png head", "svg", "gif head"],
)
@pytest.mark.parametrize("command", ["score {} --target digits", "render {} --out {}.out.png"])
def test_a_file_that_is_no_picture_is_refused(command: str, content: bytes, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    assert_refused(run_cli(capsys, *command.replace("{}", str(file)).split()), str(file))
    assert os.listdir(tmp_path) == ["a.png"]


def test_one_bad_picture_among_good_ones_tells_no_scores(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, generations=1, classes=["3"])
    good, bad = next((run / "elites").glob("*.png")), tmp_path / "bad.png"
    bad.write_bytes(b"bad")
    assert_refused(run_cli(capsys, "score", good, bad, "--target", "digits", "--json"), "bad.png")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--size 0", ["--size", "1 to 32768"]),
        ("--size 0x5", ["--size", "0x5"]),
        ("--size 40000", ["--size", "40000"]),
        ("--size 99999x9", ["--size", "99999x9"]),
        ("--size " + "9" * 400, ["--size"]),
        ("--size " + "9" * 5000, ["--size"]),
        ("--size=-5", ["--size", '"-5"']),
        ("--size 1.5", ['"1.5"']),
        ("--size 8x", ['"8x"']),
        ("--size big", ['"big"']),
        ("--size=", ['""']),
        ("--out a.jpg", [".png", "a.jpg"]),
        ("--out a", [".png"]),
        ("--out nowhere/a.png", ["nowhere/a.png", "choose another --out"]),
    ],
)
@pytest.mark.parametrize("kind", ["json", "png"])
def test_a_bad_option_of_render_is_refused(
    kind: str, options: str, parts: list[str], genomes: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(genomes)
    before = tree(genomes)
    assert_refused(run_cli(capsys, "render", f"genome.{kind}", "--out", "a.png", *options.split()), *parts)
    assert tree(genomes) == before


@pytest.fixture
def genomes(tmp_path: Path) -> Path:
    """A folder with one small genome as ``genome.json`` and as ``genome.png``."""
    small_evolve(tmp_path / "run", encoding="cppn", generations=1, classes=["3"])
    folder = tmp_path / "genomes"
    folder.mkdir()
    for kind in ("json", "png"):
        (file,) = (tmp_path / "run" / "elites").glob(f"*.{kind}")
        file.rename(folder / f"genome.{kind}")
    return folder


def _edited(file: Path, **changes: Any) -> None:
    """Change a genome by hand, as one may who takes the check sum out."""
    content = json.loads(file.read_text()) | changes
    del content["sha256"]
    file.write_text(json.dumps(content))


def test_a_damaged_genome_is_refused_everywhere(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    file.write_bytes(file.read_bytes()[:-30])
    before = tree(genomes)
    assert_refused(run_cli(capsys, "render", file, "--out", genomes / "a.png"), str(file))
    assert_refused(run_cli(capsys, *EVOLVE, "--init", genomes, "--out", genomes / "run"), str(file))
    assert tree(genomes) == before


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--encoding cppn --preset nguyen2015", ["coordinates unit", "pixels", "--preset"]),
        ("--encoding cppn --init {}/empty", ["holds no CPPN genomes (.json, .jsonl)"]),
        ("--encoding direct --init {}/empty", ["holds no pictures"]),
        ("--encoding cppn --init {}/genome.png", ["genome.png", "add --encoding direct"]),
        ("--encoding direct --init {}/genome.json", ["genome.json", "leave --encoding direct out"]),
    ],
)
def test_genomes_that_do_not_fit_the_run_are_refused(
    options: str, parts: list[str], genomes: Path, capsys: Capture
) -> None:
    (genomes / "empty").mkdir()
    words = options.replace("{}", str(genomes)).split()
    assert_refused(run_cli(capsys, *EVOLVE, "--init", genomes, "--out", genomes / "run", *words), *parts)
    assert not (genomes / "run").exists()


def test_a_genome_of_another_colour_is_refused(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    content = json.loads(file.read_text())
    nodes = [*content["nodes"][:4], *({"id": 4 + i, "activation": "sin"} for i in range(3))]
    _edited(file, image_shape=[3, 8, 8], colour="rgb", nodes=nodes, connections=[])
    outcome = run_cli(capsys, *EVOLVE, "--init", file, "--out", genomes / "run")
    assert_refused(outcome, str(file), "colour rgb", "grey")
    assert not (genomes / "run").exists()


def test_a_genome_with_too_many_nodes_is_refused(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    content = json.loads(file.read_text())
    hidden = [{"id": 5 + i, "activation": "sin", "position": (i + 1) / 300} for i in range(200)]
    _edited(file, nodes=content["nodes"][:5] + hidden, connections=[])
    outcome = run_cli(capsys, *EVOLVE, "--init", file, "--out", genomes / "run")
    assert_refused(outcome, "205 nodes", "96")
    assert not (genomes / "run").exists()
