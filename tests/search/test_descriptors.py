"""Descriptors: what they say of images whose answer is known, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import build, random_images

from evofool.errors import ConfigError
from evofool.gallery.cells import ENDS
from evofool.rng import Rng
from evofool.search.descriptors import DESCRIPTORS, known_descriptors
from evofool.search.measures import MEASURES, measured


def value(name: str, image: torch.Tensor) -> float:
    """A descriptor of one (C, H, W) image with values in [0, 1]."""
    return float(measured([name], (255 * image[None]).round().to(torch.uint8), None)[0, 0])


def plain(*colour: float, size: int = 16) -> torch.Tensor:
    return torch.tensor(colour)[:, None, None].expand(len(colour), size, size)


def noise(size: int = 64, channels: int = 3) -> torch.Tensor:
    return random_images(1, (channels, size, size))[0] / 255


def checkers(size: int = 16) -> torch.Tensor:
    return (torch.arange(size)[:, None] + torch.arange(size)).remainder(2).float().expand(3, size, size)


@pytest.mark.parametrize(
    ("colour", "hue"),
    [((1, 0, 0), 0.0), ((1, 1, 0), 1 / 6), ((0, 1, 0), 1 / 3), ((0, 0, 1), 2 / 3), ((1, 0, 1), 5 / 6)],
)
def test_the_hue_of_pure_colours(colour: tuple[float, ...], hue: float) -> None:
    assert value("hue", plain(*colour)) == pytest.approx(hue, abs=1e-5)


def test_a_pixel_counts_for_the_hue_by_how_coloured_it_is() -> None:
    image = plain(0.5, 0.5, 0.5).clone()
    image[:, 0, 0] = torch.tensor([0.0, 1.0, 0.0])
    assert value("hue", image) == pytest.approx(1 / 3, abs=1e-4)


def test_grey_is_not_colourful_and_rainbows_are() -> None:
    assert value("colour", noise(channels=1).expand(3, -1, -1)) == 0.0
    assert value("colour", plain(1, 0, 0)) == pytest.approx(0.3 * (1 + 0.25) ** 0.5, abs=1e-5)  # by hand: M³ of Hasler
    assert value("colour", noise()) > 0.4


@pytest.mark.parametrize(("grey", "bright"), [(0.0, 0.0), (0.2, 0.2), (1.0, 1.0)])
def test_brightness_of_greys(grey: float, bright: float) -> None:
    assert value("brightness", plain(grey, grey, grey)) == pytest.approx(bright, abs=1e-5)
    assert value("brightness", plain(grey)) == pytest.approx(bright, abs=1e-5)


def test_green_looks_brighter_than_blue() -> None:
    assert value("brightness", plain(0, 1, 0)) > 5 * value("brightness", plain(0, 0, 1))


def test_complexity_is_the_mean_difference_of_neighbours() -> None:
    assert value("complexity", plain(0.3, 0.3, 0.3)) == 0.0
    assert value("complexity", checkers()) == pytest.approx(15 / 16)  # of 16 rows, 15 have one above them
    assert value("complexity", torch.arange(16).div(15).expand(3, 16, 16)) == pytest.approx(0.5 / 16, abs=1e-3)


def test_the_spectral_slope_of_noise_is_flat_and_of_its_sum_steep() -> None:
    assert value("slope", noise(128)) == pytest.approx(0.0, abs=0.1)
    brown = (noise(128, 1) - 0.5).cumsum(1).cumsum(2).expand(3, -1, -1)
    assert value("slope", (brown - brown.min()) / (brown.max() - brown.min())) < -2


def test_symmetry_is_that_of_left_and_right() -> None:
    half = noise(16)
    assert value("symmetry", torch.cat([half, half.flip(2)], 2)) == pytest.approx(1.0, abs=1e-5)
    ramp = torch.arange(16).div(15).expand(3, 16, 16)
    assert value("symmetry", ramp) == pytest.approx(-1.0, abs=1e-4)
    assert value("symmetry", ramp.transpose(1, 2)) == pytest.approx(1.0, abs=1e-5)
    assert value("symmetry", plain(0.5, 0.5, 0.5)) == 1.0
    assert abs(value("symmetry", noise())) < 0.1


def test_size_is_the_genomes() -> None:
    encoding = build("cppn", "default")
    genomes = encoding.random(3, Rng(0, "cpu"))
    np.testing.assert_array_equal(measured(["size"], random_images(3), genomes)[:, 0], genomes.sizes())


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 1, 5), (3, 2, 3), (1, 3, 2)])
def test_the_smallest_images_have_numbers_too(shape: tuple[int, int, int]) -> None:
    names = [
        name
        for name, descriptor in DESCRIPTORS.items()
        if not descriptor.cppn and not (descriptor.colour and shape[0] == 1)
    ]
    assert bool(measured(names, random_images(5, shape), None).isfinite().all())


def test_an_image_says_the_same_among_others() -> None:
    names, images = [name for name, one in DESCRIPTORS.items() if not one.cppn], random_images(7, (3, 32, 32))
    together = measured(names, images, None)
    for row in range(len(images)):
        torch.testing.assert_close(measured(names, images[row : row + 1], None)[0], together[row])


def test_each_has_a_range_and_words_for_its_ends() -> None:
    assert ENDS.keys() == DESCRIPTORS.keys()
    assert all(descriptor.low < descriptor.high for descriptor in DESCRIPTORS.values())


@pytest.mark.parametrize(
    ("names", "channels", "encoding", "parts"),
    [
        ("colur", 3, "cppn", ['unknown descriptor "colur"', 'did you mean "colour"']),
        ("", 3, "cppn", ['unknown descriptor ""', "choose from brightness"]),
        ("colour,", 3, "cppn", ['unknown descriptor ""']),
        ([], 3, "cppn", ["`descriptors` takes one or more of brightness"]),
        (5, 3, "cppn", ["`descriptors` takes one or more of brightness", "got 5"]),
        ([1], 3, "cppn", ["got [1]"]),
        ("hue,colour,hue", 3, "cppn", ["hue twice"]),
        ("complexity,colour", 1, "cppn", ["grey images", "no colour", "brightness, complexity"]),
        ("size", 3, "direct", ["all direct genomes have one size", "leave size out of `descriptors`"]),
    ],
)
def test_refused(names: object, channels: int, encoding: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        known_descriptors(names, channels, encoding)
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_spaces_around_names_are_nothing() -> None:
    assert known_descriptors(" colour , complexity", 3, "direct") == ("colour", "complexity")
    assert known_descriptors(["hue"], 3, "cppn") == ("hue",)


def test_every_descriptor_has_a_measure() -> None:
    assert MEASURES.keys() == DESCRIPTORS.keys()
