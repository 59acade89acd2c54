"""Gradients of a torch target's logits, with respect to pixels in [0, 1]."""

from __future__ import annotations

import pytest
import torch
from support import random_images, tiny_network
from torch import Tensor, nn

from evofool.errors import TargetError
from evofool.targets.execution.execution import Execution
from evofool.targets.torch_target import TorchTarget

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def target_of(module: nn.Module, **options: object) -> TorchTarget:
    settings = {"mean": MEAN, "std": STD, "device": "cpu", "precision": "float32", **options}
    return TorchTarget(module, classes=list("abcd"), image_shape=(3, 8, 8), **settings)  # type: ignore[arg-type]


def pixels(count: int = 5) -> Tensor:
    return random_images(count).float().div(255).requires_grad_()


def gradient(target: TorchTarget, images: Tensor) -> Tensor:
    """Of the first two logits' difference."""
    logits = target.logits(images)
    (slope,) = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), images)
    return slope


def test_it_is_that_of_the_network_behind_its_normalisation() -> None:
    """Against autograd in float64, with the normalisation written out."""
    images = pixels()
    exact = images.detach().double().requires_grad_()
    normalised = torch.stack([(exact[:, channel] - MEAN[channel]) / STD[channel] for channel in range(3)], 1)
    logits = tiny_network().double()(normalised)
    (expected,) = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), exact)
    target = target_of(tiny_network())
    torch.testing.assert_close(target.logits(images).double(), logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gradient(target, images).double(), expected, atol=1e-4, rtol=1e-4)


def test_it_matches_finite_differences() -> None:
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(216, 4))
    target, images, step = target_of(module), pixels(1), 1e-3
    direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))

    def difference(shift: float) -> float:
        with torch.no_grad():
            logits = target.logits(images + shift * direction)[0]
        return float(logits[0] - logits[1])

    slope = (difference(step) - difference(-step)) / (2 * step)
    assert float((gradient(target, images) * direction).sum()) == pytest.approx(slope, rel=0.01)


@pytest.mark.parametrize(
    "execution",
    [
        Execution("bfloat16", "channels_last", 2),
        Execution("float32", "contiguous", 2),
        Execution("float32", "contiguous", 64),
    ],
)
def test_it_does_not_depend_on_how_a_search_runs_passes(execution: Execution) -> None:
    target, images = target_of(tiny_network()), pixels()
    expected = gradient(target, images)
    target.apply(execution)
    torch.testing.assert_close(gradient(target, images), expected, atol=1e-5, rtol=1e-5)


def test_it_flows_after_scores_that_had_none() -> None:
    target, images = target_of(tiny_network()), random_images(3)
    expected = gradient(target_of(tiny_network()), pixels(3))
    assert target.scores(images).grad_fn is None
    assert target.confirm(images).grad_fn is None
    torch.testing.assert_close(gradient(target, pixels(3)), expected)


@pytest.mark.parametrize("scored", [True, False])
def test_it_flows_through_a_network_that_looks_at_its_memory_format(scored: bool) -> None:
    """Where the memory format turns out to be the wrong one, during scores or logits."""

    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 6, 3), nn.Linear(6 * 36, 4)

        def forward(self, images: Tensor) -> Tensor:
            inner = self.conv(images)
            logits: Tensor = self.linear(inner.view(len(inner), -1))
            return logits

    target = target_of(Viewing())
    if scored:
        target.scores(random_images(2))
    assert float(gradient(target, pixels()).abs().max()) > 0
    assert target.execution.memory_format == "contiguous"


def test_probabilities_give_their_logarithms() -> None:
    soft = target_of(nn.Sequential(tiny_network(), nn.Softmax(1)), outputs="probabilities")
    images = pixels()
    expected = target_of(tiny_network()).logits(images).log_softmax(1)
    torch.testing.assert_close(soft.logits(images), expected, atol=1e-3, rtol=1e-3)


def test_a_probability_of_zero_has_a_logarithm() -> None:
    class Certain(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.tensor([1.0, 0, 0, 0]).expand(len(images), 4) + 0 * images.mean((1, 2, 3))[:, None]

    logits = target_of(Certain(), outputs="probabilities").logits(pixels())
    assert bool(logits.isfinite().all())
    assert logits[0, 0] > logits[0, 1]


def test_weights_keep_their_gradients() -> None:
    target = target_of(tiny_network())
    gradient(target, pixels())
    assert all(parameter.grad is None for parameter in target.network.parameters())


def test_doubles_are_taken_and_get_doubles_back() -> None:
    images = pixels().detach().double().requires_grad_()
    assert gradient(target_of(tiny_network()), images).dtype == torch.float64


@pytest.mark.parametrize("wrong", [random_images(2), torch.zeros(2, 3, 8, 9), torch.zeros(3, 8, 8)])
def test_other_pixels_are_refused(wrong: Tensor) -> None:
    with pytest.raises(TargetError, match=r"custom takes float torch tensors \(B, 3, 8, 8\), got "):
        target_of(tiny_network()).logits(wrong)


def test_a_network_that_fails_is_named() -> None:
    with pytest.raises(TargetError, match=r"target custom must return \(2, 4\)"):
        target_of(nn.Flatten()).logits(torch.zeros(2, 3, 8, 8))
    with pytest.raises(TargetError, match="target custom failed on"):
        target_of(nn.Linear(5, 4)).logits(torch.zeros(2, 3, 8, 8))


def test_passes_get_smaller_where_memory_runs_out() -> None:
    class Cramped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = tiny_network()

        def forward(self, images: Tensor) -> Tensor:
            if len(images) > 2:
                raise MemoryError
            logits: Tensor = self.network(images)
            return logits

    target, images = target_of(Cramped()), pixels()
    torch.testing.assert_close(gradient(target, images), gradient(target_of(tiny_network()), images))
    assert target.micro_batch <= 2
