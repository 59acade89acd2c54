"""Genomes to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import build

from evofool.config.evolve import EvolveOptions
from evofool.encodings import banks, genome_file
from evofool.encodings.banks import bank_path
from evofool.encodings.initial import initial_genomes
from evofool.errors import EvofoolError, GenomeError
from evofool.jobs.checks import check_evolve
from evofool.rng import Rng


def write_cppns(folder: Path, encoding: Any, count: int, seed: int = 0) -> Any:
    """Random genomes as files; returns the batch."""
    batch = encoding.random(count, Rng(seed))
    folder.mkdir(parents=True)
    for row in range(count):
        text = genome_file.dumps(genome_file.to_json(encoding, batch, row, {}))
        (folder / f"{row:03d}.json").write_text(text)
    return batch


def test_cppns_of_a_folder_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    encoding = build("cppn", "default")
    batch = write_cppns(tmp_path / "bank", encoding, 3)
    first = initial_genomes(tmp_path / "bank", encoding)
    np.testing.assert_array_equal(encoding.decode(first).numpy(), encoding.decode(batch).numpy())
    assert first.activation.shape[1] == encoding.settings()["max_nodes"]


def test_a_run_s_elites_are_found_in_the_run(tmp_path: Path) -> None:
    encoding = build("cppn", "default")
    write_cppns(tmp_path / "run" / "elites", encoding, 2)
    (tmp_path / "run" / "config.json").write_text("{}")
    assert len(initial_genomes(tmp_path / "run", encoding)) == 2


def test_genomes_for_another_image_size_are_taken_up(tmp_path: Path) -> None:
    small, large = build("cppn", "default", (3, 8, 8)), build("cppn", "default", (3, 20, 30))
    batch = write_cppns(tmp_path / "bank", small, 2)
    first = initial_genomes(tmp_path / "bank", large)
    np.testing.assert_array_equal(large.decode(first).numpy(), large.decode(large.resized(batch)).numpy())


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"colour": "rgb"}, "has colour rgb, expected hsl"),
        ({"coordinates": "pixels"}, "has coordinates pixels, expected unit"),
        ({"shape": (1, 8, 8)}, "has colour grey, expected hsl"),
    ],
    ids=str,
)
def test_cppns_that_would_look_different_are_refused(changes: dict[str, Any], part: str, tmp_path: Path) -> None:
    other = build("cppn", "default", **({"coordinates": "unit", "colour": "hsl"} | changes))
    write_cppns(tmp_path / "bank", other, 1)
    with pytest.raises(GenomeError, match=rf"000\.json {part}"):
        initial_genomes(tmp_path / "bank", build("cppn", "default", coordinates="unit", colour="hsl"))


def test_pictures_become_direct_genomes(tmp_path: Path) -> None:
    encoding = build("direct", "default")
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.new("RGBA", (50, 20), (0, 0, 0, 0)).save(tmp_path / "b.png")
    first = initial_genomes(tmp_path, encoding)
    np.testing.assert_array_equal(first.genes[0].numpy(), pixels.transpose(2, 0, 1))
    assert bool((first.genes[1] == 255).all())
    np.testing.assert_array_equal(initial_genomes(tmp_path / "a.png", encoding).genes, first.genes[:1])


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_an_empty_folder_and_no_folder_are_refused(encoding: str, tmp_path: Path) -> None:
    coded = build(encoding, "default")
    with pytest.raises(GenomeError, match=f"which encoding {encoding} starts from"):
        initial_genomes(tmp_path, coded)
    with pytest.raises(GenomeError, match="give a run, a genome file, a folder of genomes or a bank"):
        initial_genomes(tmp_path / "nowhere", coded)


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_a_file_of_another_kind_is_refused(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no genome")
    with pytest.raises(EvofoolError, match=r"a\.txt"):
        initial_genomes(tmp_path / "a.txt", build(encoding, "default"))


@pytest.mark.parametrize("name", ["digits-cppn", "genomes/digits-cppn", Path("genomes") / "digits-cppn"])
def test_the_bank_is_found_by_name_from_anywhere(
    name: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banks.resources, "files", lambda _: tmp_path / "evofool")
    monkeypatch.chdir(tmp_path.parent)
    encoding = build("cppn", "default")
    write_cppns(tmp_path / "evofool" / "genomes" / "digits-cppn", encoding, 2)
    assert bank_path(name) == tmp_path / "evofool" / "genomes" / "digits-cppn"
    assert len(initial_genomes(name, encoding)) == 2


@pytest.mark.parametrize("name", ["", ".", "..", "/", "nowhere"])
def test_what_is_no_bank_is_none(name: str) -> None:
    assert bank_path(name) is None


def test_a_mistyped_bank_gets_a_suggestion() -> None:
    with pytest.raises(
        GenomeError, match=r'did you mean "mnist-cppn".*bank \(cifar10-cppn, founders-cppn, imagenet-cppn, mnist-cppn\)'
    ):
        initial_genomes("mnist-cpn", build("cppn", "default", (1, 28, 28)))


def test_a_mistyped_random_gets_a_suggestion() -> None:
    with pytest.raises(GenomeError, match='nothing at `init=randon` \\(did you mean "random"\\?\\);'):
        check_evolve(EvolveOptions(init="randon"), named=True, out=None)


def test_a_picture_starts_no_cppn_run(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(GenomeError, match="add `encoding=direct`"):
        initial_genomes(tmp_path / "a.png", build("cppn", "default"))
