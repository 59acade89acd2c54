"""Pixels, Fourier coefficients and weights of CPPNs as what an ascent changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import build
from torch import Tensor

from evofool.rng import Rng
from evofool.search.ascent.parametrisations import COLOURS, Fourier, Noise, Pixels, Weights

CPU = torch.device("cpu")


def noise(shape: tuple[int, int, int] = (3, 8, 6), deviation: float = 0.1, count: int = 2) -> Noise:
    return Noise(count, shape, deviation, torch.Generator().manual_seed(0), CPU)


def test_pixels_become_the_nearest_bytes_and_their_gradient_is_that_of_the_image() -> None:
    pixels, gradient = Pixels(torch.tensor([[[[0.0, 0.1, 0.5019, 1.0]]]])), torch.randn(1, 1, 1, 4)
    assert pixels.images().tolist() == [[[[0, 26, 128, 255]]]]
    assert torch.equal(pixels.slopes(gradient), gradient)
    pixels.values += 0.7
    pixels.bound()
    assert pixels.values.max() == 1


def test_noise_is_around_mid_grey() -> None:
    values = Pixels.noise(noise((3, 40, 40), 0.05)).values
    assert values.mean() == pytest.approx(0.5, abs=0.003)
    assert values.std() == pytest.approx(0.05, abs=0.003)


def by_formula(values: Tensor, height: int, width: int) -> np.ndarray:
    """Lucid's image of Fourier coefficients, with numpy: spectrum / frequency, inverse transform, colours, sigmoid."""
    frequency = np.sqrt(np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(width)[None] ** 2)
    scale = np.sqrt(height * width) / np.maximum(frequency, 1 / max(height, width))
    numbers = values.numpy()
    images = np.fft.irfft2((numbers[..., 0] + 1j * numbers[..., 1]) * scale, s=(height, width)) / 4
    if images.shape[1] == 3:
        colours = np.array(COLOURS) / np.max(np.linalg.norm(COLOURS, axis=0))
        images = np.moveaxis(np.tensordot(images, colours.T, (1, 0)), -1, 1)
    return np.asarray(1 / (1 + np.exp(-images)))


@pytest.mark.parametrize("shape", [(3, 8, 6), (1, 7, 9)])
def test_fourier_images_are_lucids_formula(shape: tuple[int, int, int]) -> None:
    fourier = Fourier.noise(noise(shape, 2.0))
    expected = by_formula(fourier.values, *shape[1:])
    assert np.abs(fourier.images().numpy() - 255 * expected).max() <= 0.501


def test_fourier_gradients_match_differences_in_float64() -> None:
    fourier, gradient = Fourier.noise(noise(deviation=1.0)), torch.randn(2, 3, 8, 6, dtype=torch.float64)
    fourier.values = fourier.values.double()
    found = fourier.slopes(gradient)
    for place in [(0, 0, 0, 0, 0), (1, 2, 3, 1, 1), (0, 1, 7, 2, 0), (1, 0, 4, 3, 0)]:
        sides = []
        for step in (1e-5, -1e-5):
            moved = fourier.values.clone()
            moved[place] += step
            sides.append(float((torch.from_numpy(by_formula(moved, 8, 6)) * gradient).sum()))
        assert float(found[place]) == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5, abs=1e-8)


def test_blur_spreads_a_point_by_its_standard_deviation_and_keeps_its_sum() -> None:
    pixels = Pixels(torch.zeros(1, 1, 41, 31))
    pixels.values[0, 0, 20, 15] = 1
    pixels.blur(1.5)
    spread = pixels.values[0, 0]
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    for axis, centre in ((0, 20), (1, 15)):
        share, place = spread.sum(1 - axis), torch.arange(spread.shape[axis]) - centre
        assert float((share * place**2).sum()) == pytest.approx(1.5**2, rel=1e-3)


def test_blurred_coefficients_are_those_of_the_blurred_image() -> None:
    fourier = Fourier.noise(noise((1, 16, 16), 0.5))
    before = torch.logit(torch.from_numpy(by_formula(fourier.values, 16, 16)))
    pixels = Pixels(before.clone())
    pixels.blur(1.0)
    fourier.blur(1.0)
    after = torch.logit(torch.from_numpy(by_formula(fourier.values, 16, 16)))
    torch.testing.assert_close(after, pixels.values, atol=1e-5, rtol=1e-4)


def test_clipping_makes_the_share_of_pixels_grey_that_are_nearest_to_it() -> None:
    pixels = Pixels.noise(noise((3, 10, 10), 0.2))
    before = pixels.values.clone()
    pixels.clip(0.3)
    norm = (before - 0.5).square().sum(1).flatten(1)
    for row in range(2):
        grey = (pixels.values[row] == 0.5).all(0).flatten()
        assert int(grey.sum()) == 30
        assert norm[row][grey].max() <= norm[row][~grey].min()


def test_decay_leads_towards_grey_and_weights_of_0() -> None:
    pixels = Pixels(torch.full((1, 1, 2, 2), 0.9))
    pixels.decay(0.25)
    assert pixels.values.flatten().tolist() == pytest.approx([0.8] * 4)
    encoding = build("cppn", "default")
    weights = Weights(encoding.random(2, Rng(0)), encoding)
    before = weights.values.clone()
    weights.decay(0.25)
    torch.testing.assert_close(weights.values, 0.75 * before)


def test_weights_show_the_encodings_pictures_stay_in_bounds_and_keep_rows() -> None:
    encoding = build("cppn", "default")
    genomes = encoding.random(4, Rng(0))
    weights = Weights(genomes, encoding)
    assert torch.equal(weights.images(), encoding.decode(genomes))
    weights.values *= 100
    weights.bound()
    assert float(weights.values.abs().max()) == encoding.settings()["limit"]
    weights.keep(torch.tensor([False, True, False, True]))
    assert torch.equal(weights.values, torch.from_numpy(weights.genomes().weight))
    assert np.array_equal(weights.genomes().activation, genomes.activation[[1, 3]])
    assert (weights.slopes(torch.randn(2, 3, 8, 8)) != 0).any(1).all()
