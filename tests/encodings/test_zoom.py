"""CPPNs that show more of the plane."""

from __future__ import annotations

import numpy as np
from support import build

from evofool.encodings.cppn.zoom import zoomed_out
from evofool.rng import Rng


def test_an_image_that_is_larger_shows_more_and_each_pattern_in_as_many_pixels() -> None:
    rng, small, large = Rng(0), build("cppn", "default", (3, 8, 8)), build("cppn", "default", (3, 16, 16))
    genomes = small.random(10, rng)
    for _ in range(10):
        genomes = small.mutate(genomes, rng)
    before = genomes.weight.copy()
    pictures = large.decode(zoomed_out(genomes, 2)).numpy().astype(int)
    assert np.abs(pictures[:, :, 4:12, 4:12] - small.decode(genomes).numpy()).max() <= 1
    np.testing.assert_array_equal(genomes.weight, before)
    np.testing.assert_array_equal(zoomed_out(genomes, 1).weight, before)
