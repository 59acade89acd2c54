"""A score is shown only beside what it was measured on: genomes that were changed are not scored anywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pages import data_of
from prints import record_texts
from runs import json_lines, small_evolve

from evofool.encodings import genome_file
from evofool.encodings.banks import bank_path
from evofool.encodings.genome_lines import dumps, read_genomes
from evofool.errors import RunError
from evofool.gallery.pages.run_page import write_gallery
from evofool.gallery.prints.poster import write_poster
from evofool.gallery.prints.sheet import contact_sheet


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A copy of three genomes of the bank of digits, by name of their digits."""
    source = bank_path("mnist-cppn")
    assert source is not None
    (tmp_path / "bank").mkdir()
    for file in sorted(source.glob("*.json"))[:3]:
        shutil.copy(file, tmp_path / "bank" / f"{file.name[:3]}.json")
    return tmp_path / "bank"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of CPPNs."""
    small_evolve(tmp_path / "run", encoding="cppn", generations=2, gallery=False)
    return tmp_path / "run"


def change(file: Path) -> None:
    """Turn a weight by hand, and take the check sum out, as the documentation says."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content["connections"][0]["weight"] += 3
    del content["sha256"]
    file.write_text(json.dumps(content), encoding="utf-8")


def test_a_page_says_of_a_changed_genome_that_it_is_not_scored_and_how_to_score_it(bank: Path, tmp_path: Path) -> None:
    file = bank / "001.json"
    change(file)
    page = write_gallery([file], tmp_path / "page.html")
    tile, html = data_of(page)["tiles"][0], page.read_text(encoding="utf-8")
    assert tile["c"] is None
    assert f"evofool score {file} --target mnist" in tile["commands"]
    assert tile["changed"] == [
        "1-changed.json",
        [
            "evofool render 1-changed.json --size 2048 --out 1-changed-2048.png",
            "evofool score 1-changed.json --target mnist",
        ],
    ]
    body = html[: html.index('<script type="application/json"')]
    assert ">not scored</span>" in body
    assert "99.9" not in body.replace("at least 99.9 %", "")
    assert "is sure about" not in body
    assert "taken for" not in body


def test_among_others_a_changed_genome_counts_in_no_figure(bank: Path, tmp_path: Path) -> None:
    before = {genome.provenance["class"]: genome.score for _, genome in read_genomes(bank)}
    change(bank / "001.json")
    page = write_gallery([bank], tmp_path / "page.html")
    assert {tile["n"]: tile["c"] for tile in data_of(page)["tiles"]} == before | {"1": None}
    html = page.read_text(encoding="utf-8")
    assert "2 of 2<small>classes</small>" in html
    assert "<dt>Not scored</dt><dd>1<small>of 3 pictures</small>" in html


def test_a_poster_says_so_too(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(bank / "001.json")
    texts = record_texts(monkeypatch)
    write_poster([bank], "1200x900", tmp_path / "poster.png")
    drawn = [text for text, _ in texts]
    assert drawn.count("not scored") == 1
    assert any(text.startswith("3 classes, 1 not scored · ") for text in drawn)
    texts.clear()
    write_poster([bank / "001.json"], "1200x900", tmp_path / "poster.png")
    assert not any("sure about" in text or "%" in text for text, _ in texts)


HEADS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "colour": lambda head: head.update(colour="rgb"),
    "shape": lambda head: head.update(image_shape=[3, 64, 64]),
    "target": lambda head: head.update(target="svhn"),
    "weights": lambda head: head.update(weights_sha256="0" * 64),
}


@pytest.mark.parametrize("edit", HEADS.values(), ids=HEADS)
def test_what_a_file_of_many_shares_belongs_to_its_check_sum(edit: Callable[[Any], Any], tmp_path: Path) -> None:
    source = bank_path("cifar10-cppn")
    assert source is not None
    file = tmp_path / "bank.jsonl"
    file.write_text(dumps([genome.content for _, genome in read_genomes(source)]), encoding="utf-8")
    assert all(genome.score for _, genome in read_genomes(file))
    head, body = file.read_text(encoding="utf-8").split("\n", 1)
    shared = json.loads(head)
    edit(shared)
    file.write_text(json.dumps(shared) + "\n" + body, encoding="utf-8")
    with pytest.raises(genome_file.GenomeError, match="not as it was written: its sha256 is another"):
        read_genomes(file)
    del shared["sha256"]
    file.write_text(json.dumps(shared) + "\n" + body, encoding="utf-8")
    assert [genome.score for _, genome in read_genomes(file)] == [None] * 10


def test_a_genome_out_of_a_bank_is_downloaded_with_a_check_sum_of_its_own(tmp_path: Path, bank: Path) -> None:
    file = tmp_path / "bank.jsonl"
    file.write_text(dumps([genome.content for _, genome in read_genomes(bank)]), encoding="utf-8")
    tiles = data_of(write_gallery([file], tmp_path / "page.html"))["tiles"]
    for tile in tiles:
        assert genome_file.parse(tile["genome"]).score == tile["c"] is not None


@pytest.mark.parametrize("show", [lambda run: write_gallery([run]), contact_sheet], ids=["page", "sheet"])
def test_a_run_shows_no_genome_that_was_changed(show: Callable[[Path], object], run: Path) -> None:
    show(run)
    change(run / json_lines(run / "elites.jsonl")[3]["genome"])
    with pytest.raises(RunError, match="has no check sum, so it may have been changed after it was scored; move it"):
        show(run)


def test_a_run_shows_no_genome_of_the_same_class_and_score_from_elsewhere(run: Path) -> None:
    file = run / json_lines(run / "elites.jsonl")[3]["genome"]
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(genome_file.dumps(content | {"generation": content["generation"] + 1}), encoding="utf-8")
    with pytest.raises(RunError, match="is another elite's"):
        write_gallery([run])
