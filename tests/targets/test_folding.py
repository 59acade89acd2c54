"""Batch normalisations in the layers before them: the same outputs, or none at all."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from evofool.errors import ConfigError
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.folding import fold
from evofool.targets.torch_target import TorchTarget


def drawn(module: nn.Module) -> nn.Module:
    """With statistics that a network has after training, in evaluation mode."""
    torch.manual_seed(1)
    for one in module.modules():
        if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.track_running_stats:
            for tensor in (one.running_mean, one.bias):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            for tensor in (one.running_var, one.weight):
                nn.init.uniform_(tensor, 0.2, 2.0)  # type: ignore[arg-type]
    return module.eval()


class Residual(nn.Module):
    """Two normalised convolutions and a way around; ``early`` looks at a convolution before it is normalised."""

    def __init__(self, early: bool = False) -> None:
        super().__init__()
        self.one, self.norm1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.two, self.norm2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.early = early

    def forward(self, pixels: Tensor) -> Tensor:
        first = self.one(pixels)
        inner = self.norm1(first).relu()
        found: Tensor = (self.norm2(self.two(inner)) + (first if self.early else inner)).mean((2, 3))
        return found


class Branching(Residual):
    """What it does depends on what it is given."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels if float(pixels.mean()) > 0 else -pixels)


class NicheGenomes(Residual):
    """One convolution that is normalised in two ways."""

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = (self.norm1(self.one(pixels)) - self.norm2(self.one(pixels + 1))).mean((2, 3))
        return found


class Prepared(Residual):
    """Looks at its images in another way than its ``forward`` tells."""

    def __init__(self) -> None:
        super().__init__()
        self.register_forward_pre_hook(lambda _, given: (given[0] * 3,))


def norms(module: nn.Module | None) -> int:
    assert module is not None
    return sum(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in module.modules())


@pytest.mark.parametrize(("early", "left"), [(False, 0), (True, 1)])
def test_a_folded_network_gives_the_same(early: bool, left: int) -> None:
    network = drawn(Residual(early))
    before = copy.deepcopy(network.state_dict())
    images = torch.randn(5, 3, 8, 8)
    folded = fold(network, images[:2])
    assert norms(folded) == left  # one whose convolution is looked at by others stays
    assert folded is not None
    with torch.no_grad():
        assert torch.allclose(folded(images), network(images), atol=1e-5)
        assert not torch.allclose(folded(images), folded(-images), atol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_linear_layers_are_folded_as_well() -> None:
    network, rows = drawn(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU())), torch.randn(7, 6)
    folded = fold(network, rows[:2])
    assert norms(folded) == 0
    assert folded is not None
    assert torch.allclose(folded(rows), network(rows), atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1)),
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)),
        Branching(),
        NicheGenomes(),
        Prepared(),
    ],
)
def test_what_cannot_be_folded_stays(network: nn.Module) -> None:
    assert fold(drawn(network), torch.randn(2, 3, 8, 8)) is None


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_traced_network_stays() -> None:
    traced = torch.jit.trace(drawn(Residual()), torch.zeros(1, 3, 8, 8))
    assert fold(traced, torch.zeros(2, 3, 8, 8)) is None
    assert "fold" not in target_of(traced).tunable


def target_of(network: nn.Module, *, fold: bool | None = None) -> TorchTarget:
    options = {"classes": list("abcd"), "image_shape": (3, 8, 8), "device": "cpu", "precision": "float32"}
    return TorchTarget(network, fold=fold, **options)  # type: ignore[arg-type]


def test_a_folded_target_scores_and_confirms_alike() -> None:
    images = torch.randint(0, 256, (9, 3, 8, 8), dtype=torch.uint8)
    plain = target_of(drawn(Residual()))
    folded = target_of(copy.deepcopy(plain.network), fold=True)
    assert (plain.execution.fold, folded.execution.fold) == (False, True)
    assert torch.allclose(folded.scores(images), plain.scores(images), atol=1e-5)
    assert not torch.equal(folded.scores(images), plain.scores(images))
    assert torch.allclose(folded.confirm(images), plain.confirm(images), atol=1e-6)
    assert norms(folded.network) == 2


def test_a_target_that_cannot_be_folded_says_so() -> None:
    assert target_of(Branching(), fold=True).execution.fold is False


def test_bfloat16_is_folded_before_it_is_rounded() -> None:
    target = target_of(drawn(Residual()), fold=True)
    with pytest.raises(ConfigError):
        target.apply(Execution("int8", "contiguous", 4))
    images = torch.randint(0, 256, (9, 3, 8, 8), dtype=torch.uint8)
    exact = target.confirm(images)
    target.apply(Execution("bfloat16", "contiguous", 4, fold=True))
    assert torch.equal(target.confirm(images), exact)
    assert target.execution.fold
    assert torch.allclose(target.scores(images), target.confirm(images), atol=0.05)
    folded = fold(target.network, torch.zeros(2, 3, 8, 8))
    assert folded is not None
    rounded = target_of(folded)
    rounded.apply(Execution("bfloat16", "contiguous", 4))
    assert torch.equal(target.scores(images), rounded.scores(images))
    target.apply(Execution("float32", "channels_last", 4, fold=True))  # what was folded is folded still
    assert torch.allclose(target.scores(images), target.confirm(images), atol=1e-5)
