"""The ascent itself: Adam, what it counts, where it ends, and that its gradient is that of all that it goes through."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from support import build, random_images, tiny_network, tiny_target
from torch import Tensor, nn

from evofool import Target
from evofool.errors import TargetError
from evofool.rng import Rng
from evofool.search.ascent.climb import Adam, Climbed, Regularisation, climb, lead_of, look
from evofool.search.ascent.parametrisations import Fourier, Noise, Parametrisation, Pixels, Weights
from evofool.targets.gradients import gradient_of

CLASSES = torch.arange(4)


def start(kind: type[Pixels | Fourier] = Pixels, count: int = 4) -> Parametrisation:
    deviation = 0.1 if kind is Pixels else 0.01
    return kind.noise(Noise(count, (3, 8, 8), deviation, torch.Generator().manual_seed(0), torch.device("cpu")))


def climbed(target: Any, way: Parametrisation | None = None, classes: Tensor = CLASSES, **options: Any) -> Climbed:
    settings = {"steps": 60, "step_size": 0.05, "until": 0.999, "smooth": Regularisation()} | options
    return climb(target, way or start(), classes, generator=np.random.default_rng(0), **settings)


def probabilities(target: Any, found: Climbed, classes: Tensor = CLASSES) -> Tensor:
    of_classes: Tensor = target.confirm(found.images).gather(1, classes[:, None])[:, 0]
    return of_classes


def test_adam_takes_its_papers_steps() -> None:
    """Against algorithm 1 written out in float64 (torch's own takes ten seconds to import)."""
    adam, first, second = Adam(0.1), np.zeros((3, 5)), np.zeros((3, 5))
    for count in range(1, 7):
        slopes = np.random.default_rng(count).normal(size=(3, 5))
        first, second = 0.9 * first + 0.1 * slopes, 0.999 * second + 0.001 * slopes**2
        expected = 0.1 * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
        np.testing.assert_allclose(adam.step(torch.from_numpy(slopes).float()), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", [Pixels, Fourier])
def test_noise_reaches_every_class_as_8_bit_images(kind: type[Pixels | Fourier]) -> None:
    target = tiny_target()
    found = climbed(target, start(kind), steps=200)
    assert float(probabilities(target, found).min()) > 0.9989
    assert (found.steps >= found.sure).all()
    assert (found.sure >= 0).all()


def test_weights_of_cppns_climb_too() -> None:
    target, encoding = tiny_target(), build("cppn", "default")
    genomes = encoding.mutate(encoding.random(4, Rng(3)), Rng(4))
    before = target.confirm(encoding.decode(genomes)).diagonal()
    after = probabilities(target, climbed(target, Weights(genomes, encoding), step_size=0.03))
    assert (after >= before).all()
    assert float((after - before).max()) > 0.3


class Counting:
    """A target that counts the rows whose logits it was asked for."""

    def __init__(self) -> None:
        self._target, self.rows = tiny_target(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def logits(self, pixels: Tensor) -> Tensor:
        self.rows += len(pixels)
        return self._target.logits(pixels)


def test_a_gradient_counts_as_three_passes_and_ways_that_ended_take_none() -> None:
    target = Counting()
    found = climbed(target, until=0.9)
    assert found.passes.tolist() == (3 * (found.steps + 1)).tolist()
    assert int(found.passes.sum()) == 3 * target.rows
    assert len(set(found.passes.tolist())) > 1


def test_where_it_takes_all_steps_the_best_image_of_the_way_counts() -> None:
    target = tiny_target()
    found = climbed(target, until=1, steps=12, step_size=2.0)  # such steps jump about
    assert found.passes.tolist() == [39] * 4
    assert (probabilities(target, found) >= found.start.sigmoid() - 1e-4).all()
    assert int(found.steps.max()) > 0


@pytest.mark.parametrize("smooth", [Regularisation(decay=0.02), Regularisation(blur=0.7, every=1), Regularisation(
    clip=0.3, every=2), Regularisation(jitter=2)])  # fmt: skip
def test_regularised_ways_lead_up_and_look_otherwise(smooth: Regularisation) -> None:
    target = tiny_target()
    plain, found = climbed(target, steps=30, until=1), climbed(target, steps=30, until=1, smooth=smooth)
    assert (found.images != plain.images).any()
    after, before = probabilities(target, found), found.start.sigmoid()
    assert (after >= before - 1e-4).all()
    assert float(after.median()) > float(before.median()) + 0.2


def test_the_gradient_of_a_shifted_image_is_shifted_back() -> None:
    """Of a linear network, whose gradient is its weights wherever the image is."""
    linear = nn.Linear(3 * 8 * 8, 2, bias=False)
    target = Target(
        nn.Sequential(nn.Flatten(), linear),
        classes=["a", "b"],
        image_shape=(3, 8, 8),
        device="cpu",
        precision="float32",
    )
    difference = (linear.weight[1] - linear.weight[0]).detach().view(1, 3, 8, 8)
    here = look(target, random_images(1), torch.tensor([1]), shift=(2, -3))
    torch.testing.assert_close(here.gradient, difference.roll((-2, 3), (2, 3)))


def test_gradients_of_weights_through_a_network_match_differences_in_float64() -> None:
    """From a CPPN's weights to the log-odds of a class, with the network in float64 and pictures a step apart."""
    encoding = build("cppn", "default", (3, 8, 8), start=0.6, limit=3.0)
    genomes = encoding.mutate(encoding.random(1, Rng(7)), Rng(8))
    module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(180, 4))
    target = Target(module, classes=list("abcd"), image_shape=(3, 8, 8), device="cpu", precision="float32")
    exact, classes = nn.Sequential(*module).double(), torch.tensor([2])
    weights, twin = torch.from_numpy(genomes.weight.copy()), encoding.twin(genomes)

    pixels = twin.pictures(weights).view(1, 3, 8, 8).detach().requires_grad_()
    module.float()
    gradient = gradient_of(target, lead_of(target, pixels, classes), pixels)
    found = Weights(genomes, encoding).slopes(gradient)[0]

    module.double()
    step, checked = 2e-3, 0
    for edge in np.flatnonzero(genomes.source[0] >= 0):
        sides = []
        for sign in (1, -1):
            moved = weights.clone()
            moved[0, edge] += sign * step
            with torch.no_grad():
                scores = torch.softmax(exact(twin.pictures(moved).view(1, 3, 8, 8).double()), 1)[0, 2]
            sides.append(math.log(float(scores) / (1 - float(scores))))
        difference = (sides[0] - sides[1]) / (2 * step)
        assert float(found[edge]) == pytest.approx(difference, rel=0.02, abs=2e-3)
        checked += abs(difference) > 1e-2
    assert checked >= 5


def test_classes_that_can_be_seen_at_once_climb_their_own_logit() -> None:
    target = tiny_target(outputs="multilabel-logits")
    found = climbed(target, until=0.99)
    assert float(probabilities(target, found).min()) > 0.989


class Spoilt(nn.Module):
    """A network whose gradients are zero, or not a number."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.inner, self.how = tiny_network(), how

    def forward(self, images: Tensor) -> Any:
        logits = self.inner((4 * images).round() if self.how == "zero" else images)
        return logits if self.how == "zero" else logits + (images.flatten(1).sum(1, keepdim=True) * 0).sqrt()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("zero", "target spoilt gives gradients that are zero for all of 4 images"),
        ("nan", r"target spoilt gives gradients that are NaN or infinite \(image 1 of 4"),
    ],
)
def test_a_target_whose_gradients_lead_nowhere_is_named(how: str, message: str) -> None:
    target = Target(Spoilt(how), classes=list("abcd"), image_shape=(3, 8, 8), name="spoilt", device="cpu")
    with pytest.raises(TargetError, match=message):
        climbed(target)
