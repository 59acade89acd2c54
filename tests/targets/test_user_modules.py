"""Modules that users bring: of other precisions and kinds, not to be copied, of one batch size, and in training."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from support import random_images
from torch import Tensor, nn

import evofool
from evofool.errors import TargetError

BFLOAT16 = "_is_avx512_bf16_supported"


def network() -> nn.Module:
    """A network whose weights are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)).eval()


def target_of(module: nn.Module, **options: Any) -> evofool.Target:
    return evofool.Target(module, classes=["a", "b"], image_shape=(3, 8, 8), device="cpu", **options)


@pytest.fixture
def fast_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``auto`` be bfloat16, as where the hardware multiplies it."""
    monkeypatch.setattr(torch.cpu, BFLOAT16, lambda: True, raising=False)


class Remote(nn.Module):
    """Holds what can't be copied, as a session with a server would be."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.inner = threading.Lock(), network()

    def forward(self, images: Tensor) -> Tensor:
        with self.lock:
            return self.inner(images)


def normed() -> nn.Module:
    """A network with the weight normalisation of old, whose weights are no leaves and can't be copied."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(192, 2)))


@pytest.mark.parametrize("make", [Remote, normed])
@pytest.mark.usefixtures("fast_bfloat16")
def test_a_module_that_cannot_be_copied_searches_in_float32(make: Callable[[], nn.Module]) -> None:
    target = target_of(make())
    assert target.precision == "float32"
    images = random_images(4)
    assert torch.equal(target.scores(images), target.confirm(images))
    with pytest.raises(TargetError, match=r"can't be copied \(.*\), which bfloat16 needs; use `precision=float32`"):
        target_of(make(), precision="bfloat16")


class Exact(nn.Module):
    """Can't run in bfloat16, which numpy doesn't know."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, images: Tensor) -> Tensor:
        return torch.from_numpy(self.inner(images).detach().numpy())


@pytest.mark.usefixtures("fast_bfloat16")
def test_a_module_that_fails_in_bfloat16_searches_in_float32_unless_that_was_asked_for() -> None:
    target = target_of(Exact())
    assert target.precision == "bfloat16"
    images = random_images(4)
    assert torch.equal(target.scores(images), target_of(network(), precision="float32").scores(images))
    assert target.precision == "float32"
    with pytest.raises(TargetError, match=r"failed on .* ScalarType BFloat16; use `precision=float32`"):
        target_of(Exact(), precision="bfloat16").scores(images)


@pytest.mark.usefixtures("fast_bfloat16")
def test_a_later_failure_does_not_change_the_precision() -> None:
    """Or a run would go on in another arithmetic than it began in."""

    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.fails = network(), False

        def forward(self, images: Tensor) -> Tensor:
            if fails:
                raise ValueError("no more")
            return self.inner(images)

    fails = False
    target = target_of(Failing())
    target.scores(random_images(4))
    fails = True
    with pytest.raises(TargetError, match="no more"):
        target.scores(random_images(4))
    assert target.precision == "bfloat16"


def exported() -> nn.Module:
    rows = torch.export.Dim("rows")
    return torch.export.export(network(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: rows},)).module()


def quantised() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(network(), {nn.Linear}, dtype=torch.qint8)


KINDS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "bfloat16": (lambda: network().bfloat16(), 0.01),
    "half": (lambda: network().half(), 1e-3),
    "double": (lambda: network().double(), 1e-6),
    "exported": (exported, 1e-6),
    "quantised": (quantised, 0.02),
    "scripted": (lambda: torch.jit.script(network()), 1e-6),
    "traced": (lambda: torch.jit.trace(network(), torch.zeros(2, 3, 8, 8)), 1e-6),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_modules_of_every_kind_run_a_job(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("EVOFOOL_TUNING", "on")
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("evofool.targets.execution.trials.TRIAL_SECONDS", 0.0)
    monkeypatch.setattr("evofool.targets.execution.trials.REPEATS", 1)
    make, tolerance = KINDS[kind]
    module = make()
    kinds = {name: tensor.dtype for name, tensor in module.named_parameters()}
    target = target_of(module)
    evofool.evolve(target, "direct", generations=2, batch=8, out=tmp_path / "run", gallery=False)
    images = random_images(6)
    expected = target_of(network(), precision="float32").confirm(images)
    torch.testing.assert_close(target.confirm(images), expected, atol=tolerance, rtol=0)
    assert {name: tensor.dtype for name, tensor in module.named_parameters()} == kinds  # the user's own stays


def test_numbers_of_several_types_are_told_with_the_remedy() -> None:
    module = network()
    module[2].half()
    with pytest.raises(TargetError, match=r"its numbers are of several types: give module.float\(\)"):
        target_of(module, precision="float32").scores(random_images(2))


def test_weights_that_are_not_there_are_one_line() -> None:
    with pytest.raises(TargetError, match=r"custom: the module can't be made ready on cpu \(.*meta.*\)"):
        target_of(network().to("meta"))


class OneSize(nn.Module):
    """Takes batches of 16 images, as many an export does."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, images: Tensor) -> Tensor:
        return self.inner(images).view(16, 2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("script", [False, True])
def test_a_network_of_one_batch_size_runs_with_that(script: bool) -> None:
    module = torch.jit.script(OneSize()) if script else OneSize()
    target, plain = target_of(module, micro_batch=16), target_of(network())
    for count in (1, 16, 21):
        images = random_images(count)
        for ours, theirs in (
            (target.scores(images), plain.scores(images)),
            (target.confirm(images), plain.confirm(images)),
            (target.confirm(images, rows=8), plain.confirm(images)),
            (target.logits(images / 255), plain.logits(images / 255)),
        ):
            torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0.02)
    result = evofool.evolve(target, "direct", generations=3, batch=20)
    assert result.evaluations == 60


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("script", [False, True])
def test_another_batch_size_than_its_own_is_told_with_the_remedy(script: bool) -> None:
    module = torch.jit.script(OneSize()) if script else OneSize()
    with pytest.raises(
        TargetError, match=r"shape '\[16, 2\]' is invalid .* batches of one size only, make that its `micro_batch`"
    ) as caught:
        target_of(module, micro_batch=8).scores(random_images(3))
    assert "\n" not in str(caught.value)


def test_an_exported_network_says_its_batch_size_itself() -> None:
    module = torch.export.export(network(), (torch.zeros(16, 3, 8, 8),)).module()
    target = target_of(module, precision="float32")
    assert target.micro_batch == 16
    images = random_images(21)
    torch.testing.assert_close(target.scores(images), target_of(network(), precision="float32").scores(images))


class Trained(nn.Module):
    """A network in the middle of its training."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.inner, self.frozen = nn.BatchNorm2d(3), network(), nn.BatchNorm2d(3).eval()

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.dropout(self.inner(self.frozen(self.norm(images))), 0.5, self.training)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_put_back_into_training_keeps_its_statistics_and_its_mode(precision: str) -> None:
    module = Trained()
    target = target_of(module, precision=precision)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    images = random_images(8)
    scores = [target.scores(images), target.confirm(images), target.logits(images / 255).detach()]
    module.train()
    module.frozen.eval()
    again = [target.scores(images), target.confirm(images), target.logits(images / 255).detach()]
    assert all(map(torch.equal, again, scores))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [layer.training for layer in (module, module.norm, module.inner, module.frozen)] == [True, True, True, False]
    target.apply(target.execution)  # copies, which are made now
    assert torch.equal(target.scores(images), scores[0])
