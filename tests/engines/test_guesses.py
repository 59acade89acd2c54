"""Scoring pictures and genomes: what was measured is found again, and what was resized is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import build, tiny_target

import evofool
from evofool.encodings import drawing, genome_file
from evofool.encodings.banks import bank_path
from evofool.errors import ConfigError, GenomeError, TargetError
from evofool.gallery.prints.render import render_genome
from evofool.io.images import to_image
from evofool.rng import Rng


def bank_file(bank: str, row: int) -> Path:
    folder = bank_path(bank)
    assert folder is not None
    return sorted(folder.glob("*.json"))[row]


def write_genome(file: Path, shape: tuple[int, int, int], **provenance: Any) -> Path:
    """Write a random genome."""
    encoding = build("cppn", "default", shape)
    content = genome_file.to_json(encoding, encoding.random(1, Rng(2)), 0, provenance)
    file.write_text(genome_file.dumps(content), encoding="utf-8")
    return file


def test_a_genome_of_a_bank_has_the_score_on_record_and_its_large_picture_none(tmp_path: Path) -> None:
    render_genome(Path("mnist-cppn#4"), "512", tmp_path / "large.png")
    scored = evofool.score(["mnist-cppn#4", tmp_path / "large.png"], device="cpu")
    genome, picture = scored["images"]
    assert scored["target"] == "mnist"
    assert (genome["size"], genome["scored_at"]) == ([28, 28], [28, 28])
    assert (picture["size"], picture["scored_at"]) == ([512, 512], [28, 28])
    best = genome["top5"][0]
    assert best["class"] == genome["recorded"]["class"] == "4"
    assert best["confidence"] == pytest.approx(genome["recorded"]["confidence"], abs=1e-4)
    assert genome["recorded"]["same_network"]
    assert "recorded" not in picture
    assert picture["top5"] != genome["top5"]


def test_a_changed_genome_is_scored_as_it_is_now_with_nothing_on_record(tmp_path: Path) -> None:
    content = json.loads(bank_file("mnist-cppn", 4).read_text(encoding="utf-8"))
    for connection in content["connections"]:
        connection["weight"] *= -0.3
    del content["sha256"]
    (tmp_path / "mine.json").write_text(json.dumps(content), encoding="utf-8")
    (image,) = evofool.score(tmp_path / "mine.json", device="cpu")["images"]
    assert "recorded" not in image
    genome = genome_file.read(tmp_path / "mine.json")
    target = evofool.load_target("mnist", device="cpu", precision="float32")
    scores = target.confirm(genome.encoding.decode(genome.genomes))[0]
    assert image["top5"][0]["index"] == int(scores.argmax())
    assert image["top5"][0]["confidence"] == pytest.approx(float(scores.max()), abs=1e-6)
    assert image["top5"][0]["confidence"] < 0.99


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 16, 16), (1, 8, 8), (3, 8, 16), (3, 24, 8)])
def test_a_genome_is_drawn_at_the_target_s_size_and_cropped_to_its_centre(
    shape: tuple[int, int, int], tmp_path: Path
) -> None:
    target = tiny_target()
    file = write_genome(tmp_path / "a.json", shape, target="another", **{"class": "a", "score": 0.5})
    (image,) = evofool.score(file, target)["images"]
    assert (image["size"], image["scored_at"]) == ([shape[2], shape[1]], [8, 8])
    assert not image["recorded"]["same_network"]
    genome = genome_file.read(file)
    high, wide = max(8, 8 * shape[1] // shape[2]), max(8, 8 * shape[2] // shape[1])
    drawn = genome.encoding.decode_at(genome.genomes, (high, wide))[0].numpy()
    top, left = (high - 8) // 2, (wide - 8) // 2
    rgb = np.asarray(to_image(drawn[:, top : top + 8, left : left + 8]).convert("RGB")).transpose(2, 0, 1)
    expected = target.confirm(torch.from_numpy(rgb.copy())[None])[0].sort(descending=True).values
    assert [guess["confidence"] for guess in image["top5"]] == pytest.approx(expected.tolist()[:5], abs=1e-6)


def test_a_genome_that_names_no_target_and_a_picture_are_scored_by_the_default(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    file = write_genome(tmp_path / "a.json", (3, 32, 32))
    assert evofool.score([str(tmp_path / "a.png"), file], device="cpu")["target"] == "cifar10"


@pytest.mark.parametrize(
    ("mode", "size", "colour", "cropped", "made_grey"),
    [
        ("RGB", (8, 8), (9, 9, 9), False, False),
        ("RGB", (16, 16), (9, 8, 9), False, True),
        ("RGB", (16, 24), (9, 9, 9), True, False),
        ("L", (24, 16), 9, True, False),
    ],
)
def test_a_picture_says_whether_it_was_cropped_and_lost_its_colours(
    mode: str, size: tuple[int, int], colour: Any, cropped: bool, made_grey: bool, tmp_path: Path
) -> None:
    Image.new(mode, size, colour).save(tmp_path / "a.png")
    (image,) = evofool.score(tmp_path / "a.png", "digits", device="cpu")["images"]
    assert (image["cropped"], image["made_grey"]) == (cropped, made_grey)


def test_genomes_of_several_targets_need_one_to_be_named() -> None:
    files = [bank_file("mnist-cppn", 0), bank_file("cifar10-cppn", 0)]
    with pytest.raises(ConfigError, match=r"was evolved for mnist, and .* for cifar10; name a `target`"):
        evofool.score(files)
    assert evofool.score(files, "digits", device="cpu")["target"] == "digits"


def test_a_genome_of_a_user_s_own_target_is_scored_by_it(tmp_path: Path) -> None:
    target = tiny_target()
    evofool.evolve(target, "cppn", generations=2, batch=20, out=tmp_path / "run", gallery=False)
    file = Path(shutil.copy(next((tmp_path / "run" / "elites").glob("*.json")), tmp_path / "elite.json"))
    with pytest.raises(ConfigError, match=r"your own Target tiny; score it in Python, evofool\.score\("):
        evofool.score(file)
    (image,) = evofool.score(file, target)["images"]
    recorded = image["recorded"]
    guesses = {guess["class"]: guess["confidence"] for guess in image["top5"]}
    assert guesses[recorded["class"]] == pytest.approx(recorded["confidence"], abs=1e-6)


def test_what_can_t_be_scored_is_refused(tmp_path: Path) -> None:
    folder = bank_path("mnist-cppn")
    assert folder is not None
    with pytest.raises(ConfigError, match="is no picture or genome; name one of its 10 genomes"):
        evofool.score(folder)
    with pytest.raises(GenomeError, match="cannot read genome"):
        evofool.score(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="belong to a named target"):
        evofool.score(bank_file("mnist-cppn", 0), tiny_target(), device="cpu")
    with pytest.raises(TargetError, match="`target` must be a name"):
        evofool.score(bank_file("mnist-cppn", 0), object())  # type: ignore[arg-type]


def test_a_genome_of_a_far_other_proportion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MAX_DRAWN", 8 * 8192)
    evofool.score(write_genome(tmp_path / "long.json", (3, 8, 8192)), tiny_target())
    with pytest.raises(GenomeError, match="a genome of 8192 × 7 pixels would be drawn at 9362 × 8 for a target of 8 ×"):
        evofool.score(write_genome(tmp_path / "longer.json", (3, 7, 8192)), tiny_target())
