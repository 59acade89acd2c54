"""What lies around an image, against problems whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from support import tiny_target
from torch import nn

from evofool import Target
from evofool.config.probe import ProbeOptions
from evofool.encodings.pixels import edited
from evofool.engines.local import LocalEngine
from evofool.lab.probe_around import examined
from evofool.lab.probe_edits import edit_labels
from evofool.lab.probe_grid import colours, places
from evofool.lab.probe_levels import GAUSSIAN, HISTOGRAM, factors
from evofool.lab.probe_sources import Pair
from evofool.lab.probe_space import directions, moments, noise_like, radii

WEIGHTS = torch.tensor([3.0, -4.0, 1.0, 2.0])


def plane(bias: float) -> Target:
    """A target of two classes: the first where w·x > bias."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.stack([WEIGHTS, -WEIGHTS]) / 2)
        module[1].bias.copy_(torch.tensor([-bias, bias]) / 2)
    return Target(module, classes=["a", "b"], image_shape=(1, 2, 2), name="plane", device="cpu", precision="float32")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_levels_are_powers_of_two_and_the_authors_code_s_end_at_eleven() -> None:
    assert factors(GAUSSIAN, as_published=False) == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32)
    assert factors(HISTOGRAM, as_published=False) == factors(GAUSSIAN, as_published=False)
    published = factors(GAUSSIAN, as_published=True)
    assert published[0] == 1 / 32
    assert published[5] == pytest.approx(0.59049)
    assert published[-1] == pytest.approx(11.158, abs=1e-3)
    assert factors(HISTOGRAM, as_published=True) == (1.0,)


@pytest.mark.parametrize("shifted", [False, True])
def test_gaussian_noise_has_the_perturbation_s_deviation_and_its_mean_where_asked_for(shifted: bool) -> None:
    perturbation = torch.rand((3, 8, 8), generator=seeded()) * 0.1
    drawn = noise_like(perturbation, GAUSSIAN, 4.0, 2000, seeded(1), shifted=shifted)
    assert drawn.shape == (2000, 3, 8, 8)
    assert float(drawn.std()) == pytest.approx(4 * float(perturbation.std()), rel=0.01)
    assert float(drawn.mean()) == pytest.approx(float(perturbation.mean()) if shifted else 0, abs=0.002)


def test_the_other_noise_has_the_perturbation_s_own_values_as_often_as_it_does() -> None:
    perturbation = torch.tensor([0.25, 0.25, 0.25, -0.5]).view(1, 2, 2)
    drawn = noise_like(perturbation, HISTOGRAM, 2.0, 5000, seeded(), shifted=False)
    assert set(drawn.unique().tolist()) == {0.5, -1.0}
    assert float((drawn == -1).double().mean()) == pytest.approx(0.25, abs=0.01)


def test_moments_are_scipy_s() -> None:
    values = np.random.default_rng(0).gamma(2, size=(3, 5, 5)).astype(np.float32)
    exact = values.astype(float).ravel()
    expected = [exact.mean(), exact.std(), stats.skew(exact), stats.kurtosis(exact)]
    assert moments(values) == pytest.approx(expected, abs=1e-6)
    assert moments(np.full((1, 2, 2), 0.5)) == [0.5, 0, 0, 0]


def test_shares_under_noise_are_those_of_the_normal_distribution() -> None:
    """Near a plane, noise of deviation s keeps the label with probability Φ(depth / s)."""
    target, original, image = plane(0.98), torch.full((1, 2, 2), 0.49), torch.full((1, 2, 2), 0.5)
    image = image + torch.tensor([0.002, -0.001, 0.0, 0.003]).view(1, 2, 2)  # w·x is 1.016 here, and 0.98 there
    options = ProbeOptions(samples=4000, directions=2)
    pair = Pair(original - 0.001, image)
    found = examined(options, target, pair, seed=1)
    assert (found["before"], found["after"]) == (1, 0)
    deviation = float((image - pair.original).std(correction=0))
    depth = (float(WEIGHTS @ image.flatten()) - 0.98) / float(WEIGHTS.norm())
    counts = found["around"]["counts"][0]
    assert (counts["noise"], counts["start"]) == ("gaussian", "adversarial")
    levels = factors(GAUSSIAN, as_published=False)
    for factor, kept, reverted in zip(levels, counts["kept"], counts["reverted"], strict=True):
        expected = stats.norm.cdf(depth / (factor * deviation))
        assert kept / 4000 == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 4000))
        assert kept + reverted == 4000


def test_noise_of_a_dark_image_brightens_it_unless_it_may_leave_the_box() -> None:
    """Of a black image clipping leaves the positive half, which leads across a plane of positive weights."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.stack([torch.ones(64), torch.zeros(64)]))
        module[1].bias.copy_(torch.tensor([-0.5, 0.0]))
    target = Target(module, classes=["light", "dark"], image_shape=(1, 8, 8), device="cpu", precision="float32")
    light = torch.zeros(1, 8, 8)
    light[0, 0, 0] = 0.9
    pair = Pair(light, torch.zeros(1, 8, 8))  # taken for light, then for dark
    kept = {}
    for unclipped in (False, True):
        around = examined(ProbeOptions(samples=200, directions=1, unclipped=unclipped), target, pair, 0)["around"]
        kept[unclipped] = around["counts"][0]["kept"][5]
    # Noise of deviation 0.11 brightens 64 clipped pixels by 64 · 0.11 / √(2π) = 2.8, and unclipped ones by 0 ± 0.9.
    assert kept[False] == 0
    assert kept[True] / 200 == pytest.approx(stats.norm.cdf(0.5 / (8 * light.std(correction=0).item())), abs=0.12)


def test_an_image_that_keeps_its_class_or_misses_the_goal_is_not_adversarial() -> None:
    target, dark, light = plane(0.98), torch.full((1, 2, 2), 0.4), torch.full((1, 2, 2), 0.6)
    options = ProbeOptions(samples=2, directions=1)
    assert examined(options, target, Pair(dark, dark), 0)["around"] is None
    assert examined(options, target, Pair(dark, light, goal=1), 0)["around"] is None
    assert examined(options, target, Pair(dark, light, goal=0), 0)["around"] is not None


def test_radii_are_the_distances_to_a_plane() -> None:
    target, image = plane(0.98), torch.full((1, 2, 2), 0.5)
    along = directions(target, image, 0, 6, seeded(3))
    assert torch.allclose(along.flatten(1).norm(dim=1), torch.ones(8))
    assert torch.allclose(along[-2].flatten(), -WEIGHTS / WEIGHTS.norm(), atol=1e-5)
    found = radii(target, image, 0, along, 0.01)
    for way, distance in zip(along, found, strict=True):
        slope = float(WEIGHTS @ way.flatten())
        expected = -0.02 / slope if slope < 0 else None
        assert distance == (None if expected is None else pytest.approx(expected, rel=2e-3, abs=1e-5))
    assert found[-1] is None  # upwards the label only gets surer


def test_distances_are_those_of_images_in_the_box() -> None:
    """At a corner, half of a step along the diagonal is cut off."""
    target, image = plane(-0.5), torch.tensor([0.0, 0.5, 0.5, 0.0]).view(1, 2, 2)
    way = torch.tensor([-1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2) / math.sqrt(2)
    value = float(WEIGHTS @ image.flatten())  # −1.5: the second class; nothing changes it along this way
    assert value < -0.5
    assert radii(target, image, 1, way, 0.1) == [None]
    (back,) = radii(target, image, 1, -way, 0.1)
    assert back == pytest.approx(math.sqrt(2) / 7, rel=2e-3)  # x₁ + t, x₂ − t: 7 t = 1


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 8)])
def test_the_map_of_an_edit_is_that_of_a_loop(channels: int, size: int) -> None:
    target = tiny_target(channels=channels, size=size)
    image = np.random.default_rng(0).integers(0, 256, (channels, size, size)).astype(np.uint8)
    edit = np.array([5, 2, *[255] * channels], np.int16)
    found_places, found_colours = edit_labels(LocalEngine(target), image, edit)

    def labels(edits: list[list[int]]) -> list[int]:
        changed = np.stack([edited(image, np.array([each], np.int16)) for each in edits])
        found: list[int] = target.confirm(torch.from_numpy(changed)).argmax(1).tolist()
        return found

    assert found_places == labels([[x, y, *[255] * channels] for y in range(size) for x in range(size)])
    palette = colours(channels).tolist()
    assert len(palette) == {1: 256, 3: 216}[channels]
    assert found_colours == labels([[5, 2, *colour] for colour in palette])
    assert len(set(found_places)) > 1  # else the map would say nothing


def test_places_of_large_images_are_further_apart_and_the_edit_s_own_is_among_them() -> None:
    columns, rows = places(224, 100, 203, 51)
    assert len(columns) <= 32
    assert 203 in columns
    assert 51 in rows
    assert set(np.diff(columns)) == {7}
