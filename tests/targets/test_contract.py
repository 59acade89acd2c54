"""What every target does, wherever it comes from. A new door adds a line to ``KINDS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from numpy_door import add_numpy_door
from plain import PlainTarget
from support import global_random_untouched, random_images, tiny_network, tiny_target
from torch import nn

from evofool.config.evolve import EvolveOptions
from evofool.config.records import TargetRecord
from evofool.engines.base import Engine
from evofool.engines.local import LocalEngine, engine_of
from evofool.errors import TargetError
from evofool.targets.prepare import prepare_target, reload_target
from evofool.targets.protocols import SCORE_TOLERANCE, Differentiable, Target, differentiable
from evofool.targets.registry import load_target
from evofool.targets.torch_target import TorchTarget


def probabilities() -> TorchTarget:
    """A torch module with a softmax of its own."""
    module = nn.Sequential(tiny_network(), nn.Softmax(1))
    return TorchTarget(
        module, classes=list("abcd"), image_shape=(3, 8, 8), outputs="probabilities", name="soft", device="cpu"
    )


@dataclass(frozen=True)
class Kind:
    """A kind of target.

    Attributes:
        make: Returns one, on the CPU.
        named: Whether it is built by its name.
        options: Options of a job that has it.
        torch: Whether it runs in torch.
    """

    make: Callable[[], Target]
    named: bool = False
    options: tuple[tuple[str, str], ...] = ()
    torch: bool = True


def named(name: str, *, torch: bool = True, **options: str) -> Kind:
    """Return a kind of target that is built by its name."""
    options = {"device": "cpu", **options}
    return Kind(lambda: load_target(name, **options), True, tuple(options.items()), torch)


KINDS = {
    "digits": named("digits"),
    "mnist": named("mnist"),
    "cifar10": named("cifar10"),
    "cifar10, bfloat16": named("cifar10", precision="bfloat16"),
    "numpy door": named("numpy:plain", torch=False),
    "module": Kind(tiny_target),
    "module with a softmax": Kind(probabilities),
    "plain object": Kind(PlainTarget, torch=False),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind of target."""
    add_numpy_door(monkeypatch)
    return KINDS[request.param]


@pytest.fixture
def any_target(kind: Kind) -> Target:
    """One of them."""
    return kind.make()


def test_it_says_what_it_is(any_target: Target) -> None:
    assert isinstance(any_target, Target)
    assert any_target.name
    assert isinstance(any_target.name, str)
    assert len(any_target.classes) > 1
    assert all(isinstance(label, str) for label in any_target.classes)
    channels, height, width = any_target.image_shape
    assert channels in (1, 3)
    assert height > 0 < width


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("method", ["scores", "confirm"])
def test_it_gives_probabilities(any_target: Target, method: str, count: int) -> None:
    images = random_images(count, any_target.image_shape)
    before = images.clone()
    with global_random_untouched():
        scores = getattr(any_target, method)(images)
    assert torch.equal(images, before)
    assert scores.shape == (count, len(any_target.classes))
    assert scores.dtype == torch.float32
    assert bool((scores >= 0).all() & (scores <= 1).all())
    looseness = 1e-5 if method == "confirm" else 0.02  # a softmax in bfloat16
    torch.testing.assert_close(scores.sum(1), torch.ones(count), atol=looseness, rtol=0)


def test_an_image_scores_alike_in_any_batch(any_target: Target) -> None:
    images = random_images(7, any_target.image_shape)
    together = any_target.confirm(images)
    alone = torch.cat([any_target.confirm(image[None]) for image in images])
    assert float((together - alone).abs().max()) < SCORE_TOLERANCE
    assert float((together[0] - together[1]).abs().max()) > SCORE_TOLERANCE  # it tells images apart


def test_what_it_searches_in_is_close_to_what_goes_on_record(any_target: Target) -> None:
    images = random_images(32, any_target.image_shape)
    assert float((any_target.scores(images) - any_target.confirm(images)).abs().max()) < 0.1


def test_it_has_an_engine(any_target: Target) -> None:
    engine = LocalEngine(any_target)
    assert isinstance(engine, Engine)
    assert engine.target is any_target
    assert engine.rows >= 1
    assert engine_of(engine) is engine
    assert isinstance(engine_of(any_target), LocalEngine)
    images = random_images(5, any_target.image_shape)
    assert torch.equal(engine.scores(images), any_target.scores(images))
    assert engine.exact == torch.equal(any_target.scores(images), any_target.confirm(images))
    confirmed = engine.confirm(images, 4)
    engine.check(confirmed)
    torch.testing.assert_close(confirmed, any_target.confirm(images), atol=1e-5, rtol=0)
    torch.testing.assert_close(engine.confirm(images), any_target.confirm(images), atol=1e-5, rtol=0)


def test_its_engine_scores_no_images_at_all(any_target: Target) -> None:
    """As when no child of a generation is to be confirmed."""
    engine, none = LocalEngine(any_target), random_images(0, any_target.image_shape)
    for scores in (engine.scores(none), engine.confirm(none), engine.confirm(none, 4)):
        assert scores.shape == (0, len(any_target.classes))
        assert scores.dtype == torch.float32


def test_it_is_had_again_from_its_record(kind: Kind, any_target: Target, tmp_path: Path) -> None:
    options = EvolveOptions.of(dict(kind.options))
    prepared = prepare_target(any_target.name if kind.named else any_target, options)
    record = prepared.record
    assert isinstance(record, TargetRecord)
    assert (record.name, record.own) == (any_target.name, not kind.named)
    assert (record.image_shape, record.classes) == (tuple(any_target.image_shape), len(any_target.classes))
    assert record.device == "cpu"
    assert prepared.fitting.image_shape == any_target.image_shape
    again = reload_target(record, tmp_path, None if kind.named else kind.make())
    images = random_images(6, any_target.image_shape)
    assert torch.equal(again.scores(images), prepared.target.scores(images))


def test_torch_s_are_differentiable_and_the_others_say_so(kind: Kind, any_target: Target) -> None:
    if not kind.torch:
        assert not isinstance(any_target, Differentiable)
        with pytest.raises(TargetError, match=r"target .*plain gives neither gradients nor features; .*evofool.Target"):
            differentiable(any_target)
        return
    target = differentiable(any_target)
    assert target is any_target
    images = random_images(5, target.image_shape)
    pixels = (images / 255).requires_grad_()
    logits = target.logits(pixels)
    torch.testing.assert_close(logits.softmax(1), target.confirm(images), atol=1e-4, rtol=0)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), pixels)
    assert gradient.shape == pixels.shape
    assert bool((gradient.flatten(1).abs().amax(1) > 0).all())
    features = target.features(images)
    assert features.shape[0] == 5
    assert features.dtype == torch.float32
