"""Rendering a genome or a picture: any size, in bands, and sizes that can't be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evofool.encodings import genome_file
from evofool.encodings.banks import bank_path
from evofool.encodings.genome_lines import read_genome
from evofool.errors import ConfigError, RunError
from evofool.gallery.prints.render import render_genome


def bank_genome(bank: str) -> Path:
    folder = bank_path(bank)
    assert folder is not None
    return min(folder.glob("*.json"))


@pytest.mark.parametrize("bank", ["cifar10-cppn", "mnist-cppn"])
def test_a_genome_rendered_in_bands_is_the_same(bank: str, tmp_path: Path) -> None:
    genome = bank_genome(bank)
    render_genome(genome, "40x70", tmp_path / "whole.png")
    render_genome(genome, "40x70", tmp_path / "bands.png", band=40 * 9)
    assert (tmp_path / "bands.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


def test_a_genome_at_its_native_size_is_what_the_network_saw(tmp_path: Path) -> None:
    file = bank_genome("cifar10-cppn")
    assert render_genome(file, "32", tmp_path / "a.png") == (32, 32)
    genome = read_genome(file)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(
            np.asarray(image).transpose(2, 0, 1), genome.encoding.decode(genome.genomes)[0].numpy()
        )


@pytest.mark.parametrize(("size", "expected"), [("6", (12, 6)), ("3x9", (3, 9)), (" 3×9 ", (3, 9))])
def test_a_picture_is_scaled_to_its_shorter_side_or_to_width_and_height(
    size: str, expected: tuple[int, int], tmp_path: Path
) -> None:
    Image.new("L", (4, 2), 7).save(tmp_path / "a.png")
    assert render_genome(tmp_path / "a.png", size, tmp_path / "b.png") == expected
    with Image.open(tmp_path / "b.png") as image:
        assert (image.size, image.mode, image.getextrema()) == (expected, "L", (7, 7))


@pytest.mark.parametrize("size", ["", "x", "-5", "3x", "1.5", "9" * 13])
def test_what_is_no_size_is_refused(size: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`size` must be a number of pixels or WIDTHxHEIGHT"):
        render_genome(bank_genome("mnist-cppn"), size, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", ["0", "32769", "0x9", "9x32769"])
def test_a_size_out_of_bounds_is_refused(size: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`size` must be 1 to 32768 pixels a side"):
        render_genome(bank_genome("mnist-cppn"), size, tmp_path / "a.png")


@pytest.mark.parametrize("out", ["a.jpg", "a", "a.png.txt"])
def test_another_ending_is_refused(out: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`out` must name a \.png file"):
        render_genome(bank_genome("mnist-cppn"), "16", tmp_path / out)


def test_a_bank_is_no_picture_and_one_of_its_genomes_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cifar10-cppn is no .*; name one of its 10 .*, as in cifar10-cppn#air"):
        render_genome(Path("cifar10-cppn"), "16", tmp_path / "a.png")


@pytest.mark.parametrize("name", ["cifar10-cppn#cat", "cifar10-cppn#3", "imagenet-cppn#volcano"])
def test_a_genome_of_a_bank_is_written_as_text(name: str, tmp_path: Path) -> None:
    width, height = render_genome(name, "16", tmp_path / "mine.json")
    genome = genome_file.read(tmp_path / "mine.json")
    assert genome.image_shape[1:] == (height, width)
    render_genome(tmp_path / "mine.json", "16", tmp_path / "copy.png")
    render_genome(name, "16", tmp_path / "bank.png")
    assert (tmp_path / "copy.png").read_bytes() == (tmp_path / "bank.png").read_bytes()


def test_a_changed_genome_gets_no_new_check_sum(tmp_path: Path) -> None:
    content = genome_file.read(bank_genome("mnist-cppn")).content
    del content["sha256"]
    (tmp_path / "mine.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="was changed, and a new check sum would hide that"):
        render_genome(tmp_path / "mine.json", "16", tmp_path / "copy.json")


def test_a_picture_has_no_genome_to_write(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="is a picture and has no genome"):
        render_genome(tmp_path / "a.png", "16", tmp_path / "a.json")


def test_a_folder_that_is_not_there_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="choose another `out`"):
        render_genome(bank_genome("mnist-cppn"), "16", tmp_path / "no" / "a.png")
