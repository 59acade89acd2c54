"""Files of many genomes from the command line: shown, drawn, started from; mistakes are one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from pages import data_of
from PIL import Image
from runs import Capture, assert_refused, json_lines, run_cli, small_evolve

from evofool.encodings import banks
from evofool.encodings.genome_lines import dumps, read_genome, read_genomes
from evofool.gallery.prints.pictures import pictures_of
from evofool.store.run import RunFolder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The elites of a run as one file; read only."""
    folder = tmp_path_factory.mktemp("many")
    small_evolve(folder / "run", encoding="cppn", generations=3)
    run = RunFolder.open(folder / "run")
    genomes = [genome for line in run.elites() if (genome := run.genome(line))]
    (folder / "digits-small.jsonl").write_text(dumps([genome.content for genome in genomes]), encoding="utf-8")
    return folder / "digits-small.jsonl"


@pytest.fixture
def shipped(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same as a bank that ships with evofool."""
    monkeypatch.setattr(banks.resources, "files", lambda _: tmp_path / "evofool")
    (tmp_path / "evofool" / "genomes").mkdir(parents=True)
    shutil.copy(many, tmp_path / "evofool" / "genomes")
    return "digits-small"


def test_a_run_starts_from_all_or_from_one(many: Path, tmp_path: Path, capsys: Capture) -> None:
    for name, place in (("all", str(many)), ("one", f"{many}#3")):
        words = ["evolve", "-t", "digits", "--init", place, "--generations", "2", "--batch", "20"]
        assert run_cli(capsys, *words, "--out", tmp_path / name, "--quiet", "--device", "cpu").code == 0
        recorded = RunFolder.open(tmp_path / name).config.options.init
        assert recorded is not None
        assert Path(recorded.partition("#")[0]).is_absolute()
    before = json_lines(many.parent / "run" / "elites.jsonl")
    after = json_lines(tmp_path / "all" / "elites.jsonl")
    assert all(new["score"] >= old["score"] - 1e-6 for old, new in zip(before, after, strict=True))


def test_one_of_many_is_rendered_as_the_elite_was(many: Path, tmp_path: Path, capsys: Capture) -> None:
    line = json_lines(many.parent / "run" / "elites.jsonl")[3]
    assert run_cli(capsys, "render", f"{many}#3", "--size", "8", "--out", tmp_path / "3.png").code == 0
    elite = many.parent / "run" / line["file"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "3.png")), np.asarray(Image.open(elite)))


def test_a_page_names_each_of_many(many: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run_cli(capsys, "gallery", many, "--out", tmp_path / "page.html", "--quiet").code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert data_of(tmp_path / "page.html")["sources"][0]["name"] == "digits-small"
    for index in range(10):
        assert f"digits-small.jsonl#{index}" in page
        assert f"{index}_{index}-2048.png" in page


def test_a_folder_with_a_bank_in_it_shows_its_folders_too(many: Path, tmp_path: Path, capsys: Capture) -> None:
    place = tmp_path / "genomes"
    (place / "inner").mkdir(parents=True)
    shutil.copy(many, place)
    (place / "log.jsonl").write_text('{"line": 1}\n')
    genome = next((many.parent / "run" / "elites").glob("*.json"))
    shutil.copy(genome, place / "inner")
    assert run_cli(capsys, "gallery", place, "--out", tmp_path / "page.html", "--quiet").code == 0
    assert [source["name"] for source in data_of(tmp_path / "page.html")["sources"]] == ["digits-small", "inner"]


def test_a_poster_says_that_they_are_drawn_anew(many: Path, tmp_path: Path, capsys: Capture) -> None:
    pictures = pictures_of(many)
    assert len(pictures) == 10
    assert all(picture.is_genome for picture in pictures)
    assert run_cli(capsys, "poster", many, "--size", "800x600", "--out", tmp_path / "all.png", "--quiet").code == 0


@pytest.mark.parametrize("which", ["", "#3"])
def test_a_bank_s_name_stands_for_it(shipped: str, which: str) -> None:
    place = banks.find_genomes(shipped + which)
    assert place is not None
    assert banks.bank_names() == [shipped]
    assert len(read_genomes(place)) == (1 if which else 10)
    assert banks.find_genomes(f"genomes/{shipped}.jsonl{which}") == place


def test_a_name_that_no_bank_can_have_is_not_listed(shipped: str, tmp_path: Path) -> None:
    (tmp_path / "evofool" / "genomes" / "we#ird.jsonl").write_text("")
    assert banks.bank_names() == [shipped]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["render", "{many}", "--size", "64", "--out", "{out}.png"], "name one of its 10 genomes, as in"),
        (["render", "{many}#12", "--size", "64", "--out", "{out}.png"], 'has no genome "12"'),
        (["render", "{many}x#1", "--size", "64", "--out", "{out}.png"], "no genomes at"),
        (["gallery", "{many}#", "--out", "{out}.html"], 'has no genome ""'),
        (["poster", "{many}#none", "--out", "{out}.png"], 'has no genome "none"'),
        (
            ["evolve", "-t", "digits", "-e", "direct", "--init", "{many}", "--out", "{out}"],
            "leave --encoding direct out",
        ),
        (["evolve", "-t", "digits", "-e", "direct", "--init", "{many}#3", "--out", "{out}"], "start cppn runs"),
        (["evolve", "-t", "digits", "--selector", "frsh", "--out", "{out}"], 'unknown selector "frsh"'),
    ],
)
def test_mistakes_are_one_line(many: Path, tmp_path: Path, words: list[str], message: str, capsys: Capture) -> None:
    out = tmp_path / "made"
    outcome = run_cli(capsys, *(word.format(many=many, out=out) for word in words))
    assert_refused(outcome, message)
    assert not list(tmp_path.iterdir())


def test_the_file_is_the_same_genomes(many: Path) -> None:
    assert read_genome(many.with_name(f"{many.name}#7")).provenance["index"] == 7
