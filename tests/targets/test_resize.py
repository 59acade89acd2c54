"""What the shorter side of pictures becomes before a target's images are cropped from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import tiny_network

import evofool
from evofool.config.model import ModelOptions
from evofool.datasets import open_data
from evofool.errors import ConfigError
from evofool.targets import registry
from evofool.targets.prepare import as_loaded, fitting_of

FUNCTION = """
import numpy as np

def classify(images):
    bright = images.reshape(len(images), -1).mean(1) / 255
    return np.stack([bright, 1 - bright], 1)
"""


def framed(path: Path) -> Path:
    """A folder with a black picture in a white frame, a quarter of its width on each side."""
    pixels = np.full((32, 32, 3), 255, np.uint8)
    pixels[8:24, 8:24] = 0
    path.mkdir()
    Image.fromarray(pixels).save(path / "framed.png")
    return path


@pytest.mark.parametrize(("resize", "white"), [(8, True), (16, False)])
def test_a_larger_picture_loses_its_frame(resize: int, white: bool, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    loaded = registry.load(f"{tmp_path}/mine.py:classify", model=ModelOptions(image_size=8, resize=resize))
    image = open_data(str(framed(tmp_path / "data")), tmp_path, fitting_of(loaded)).read(0)
    assert (image.max() == 255) == white
    alone = fitting_of(as_loaded(loaded.target))  # whoever goes on with the object alone
    assert alone.resize == resize


def test_a_target_of_ones_own_says_it_too() -> None:
    options = {"classes": ["a", "b", "c", "d"], "image_shape": (3, 8, 8), "device": "cpu"}
    assert fitting_of(as_loaded(evofool.Target(tiny_network(), **options, resize=9))).resize == 9
    assert fitting_of(as_loaded(evofool.Target(tiny_network(), **options))).resize == 8


def test_the_targets_of_catalogues_bring_theirs_along() -> None:
    assert fitting_of(as_loaded(evofool.load_target("digits", device="cpu"))).resize == 8


def test_a_picture_smaller_than_the_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    with pytest.raises(ConfigError, match="`resize` must be at least 8, the shorter side of the images, got 7"):
        registry.load(f"{tmp_path}/mine.py:classify", model=ModelOptions(image_size=8, resize=7))


def test_a_target_that_says_it_itself_is_not_told_otherwise() -> None:
    with pytest.raises(ConfigError, match="target digits says itself how it is understood; leave `resize` out"):
        registry.load("digits", model=ModelOptions(resize=9))
