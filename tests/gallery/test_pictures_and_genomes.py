"""Pictures and genomes that a notebook shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import evofool
from evofool.errors import ConfigError, GenomeError
from evofool.gallery.pages.notebook import MOST_CARDS


def test_pictures_are_shown_with_what_is_said_of_them() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 8, 8), np.uint8)
    html = evofool.show(images, ["<cat>", 0.5, "dog"], edge=40)._repr_html_()
    assert html.count("<img") == 3
    assert html.count('width="40"') == 3
    assert "&lt;cat&gt;</figcaption>" in html
    assert "0.5</figcaption>" in html
    assert "<table" not in html
    assert evofool.show(torch.as_tensor(images))._repr_html_().count("<img") == 3
    assert evofool.show(images[0]).images.shape == (1, 3, 8, 8)
    assert evofool.show(np.zeros((99, 1, 2, 2), np.uint8))._repr_html_().count("<img") == MOST_CARDS


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (np.zeros((2, 3, 8, 8)), [], r"`images` must be .* uint8 .*, got ndarray \(2, 3, 8, 8\) float64; .*round"),
        (
            np.zeros((8, 8, 3), np.uint8),
            [],
            r"`images` must be \(N, C, H, W\) or \(C, H, W\) .*, got ndarray \(8, 8, 3\)",
        ),
        (np.zeros((0, 3, 8, 8), np.uint8), [], "`images` must be"),
        ("cat.png", [], "`images` must be .*, got str"),
        ([np.zeros((1, 8, 8)), np.zeros((1, 9, 8))], [], "`images` must be .*, got list"),
        (np.zeros((2, 1, 8, 8), np.uint8), ["a"], "`captions` must be one for each of 2 images, got 1"),
        (np.zeros((2, 1, 8, 8), np.uint8), "ab", "`captions` must be a list of texts, got 'ab'"),
    ],
)
def test_what_are_no_pictures_is_refused(images: Any, captions: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        evofool.show(images, captions)


def test_a_genome_draws_what_the_network_saw_and_the_same_finer() -> None:
    genome = evofool.load_genome("mnist-cppn#7")
    score = evofool.load_target("mnist", device="cpu").confirm(torch.as_tensor(genome.picture()[None]))[0, 7]
    assert float(score) == pytest.approx(genome.confidence, abs=1e-4)
    fine = genome.picture(280)
    assert fine.shape == (1, 280, 280)
    small = Image.fromarray(fine[0]).resize((28, 28), Image.Resampling.BOX)
    assert np.abs(np.asarray(small, int) - genome.picture()[0]).mean() < 16
    assert "<img" in genome._repr_html_()
    assert repr(genome).startswith("genome 7, 99.99")


def test_a_weight_that_is_turned_changes_the_picture_and_nothing_else() -> None:
    genome = evofool.load_genome("cifar10-cppn#ship")
    before = genome.picture()
    same, other = (genome.with_weight(7, genome.connections[7]["weight"] + by) for by in (0, 2.5))
    np.testing.assert_array_equal(same.picture(), before)
    assert (other.picture() != before).any()
    np.testing.assert_array_equal(genome.picture(), before)
    changed = [a != b for a, b in zip(genome.connections, other.connections, strict=True)]
    assert [place for place, differs in enumerate(changed) if differs] == [7]
    assert other.confidence is None
    assert "ship, not scored" in other._repr_html_()
    assert f"weight {other.connections[7]['weight']:.2f}" in other.describe(7)


def test_a_genome_that_is_saved_is_read_again_and_one_that_was_changed_claims_no_score(tmp_path: Path) -> None:
    genome = evofool.load_genome("cifar10-cppn#cat")
    again = evofool.load_genome(genome.save(tmp_path / "cat.json"))
    assert again.confidence == genome.confidence
    changed = evofool.load_genome(genome.with_weight(0, 1.25).save(tmp_path / "mine.json"))
    assert changed.connections[0]["weight"] == 1.25
    assert changed.confidence is None
    assert not {"sha256", "score"} & json.loads((tmp_path / "mine.json").read_text()).keys()
    with pytest.raises(ConfigError, match=r"a name that ends with \.json"):
        genome.save(tmp_path / "cat.png")


def test_what_a_genome_can_t_do_is_refused(tmp_path: Path) -> None:
    genome = evofool.load_genome("cifar10-cppn#cat")
    with pytest.raises(ConfigError, match=r"`connection` must be 0 to \d+, got -1"):
        genome.with_weight(-1, 1.0)
    with pytest.raises(GenomeError):
        genome.with_weight(0, float("nan"))
    with pytest.raises(ConfigError, match="`size` must be 1 to "):
        genome.picture(0)
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="is no CPPN genome"):
        evofool.load_genome(tmp_path / "a.png")
    with pytest.raises(GenomeError, match=r'no genome "cta" \(did you mean "cat"\?\)'):
        evofool.load_genome("cifar10-cppn#cta")
