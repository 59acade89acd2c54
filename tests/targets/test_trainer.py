"""The trainer that ``zoo train`` and the experiments share: any network, any images, stopped anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import global_random_untouched
from torch import Tensor, nn

from evofool.attacks.gradients.adversary import PGD
from evofool.attacks.gradients.balls import L2
from evofool.errors import ConfigError
from evofool.targets.training import trainer
from evofool.targets.training.data import Split, TrainingData
from evofool.targets.training.recipe import Recipe
from evofool.targets.training.trainer import Training, seeded, trained_until

RECIPE = Recipe(epochs=3, batch=16, peak=0.1, pad=1, mirror=True)


def stripes(count: int, seed: int) -> Split:
    """Return images (N, 3, 6, 6) with bright rows or bright columns, and which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 120, (count, 3, 6, 6))
    images[labels == 0, :, ::2] += 120
    images[labels == 1, :, :, ::2] += 120
    return Split(torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels))


IMAGES = TrainingData(stripes(100, 0), stripes(60, 1))


def small_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 2)
    )


def training(recipe: Recipe = RECIPE, *, network: nn.Module | None = None, **options: Any) -> Training:
    return Training(
        network or seeded(small_network, 0), options.pop("images", IMAGES), recipe, [0.5] * 3, [0.25] * 3, **options
    )


def bits(done: Training) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in done.weights().items()}


def trained(state: Path | None = None, **options: Any) -> Training:
    done = training(**options)
    list(done.run(state))
    return done


class Stop(Exception):
    """Stands for a kill."""


class StoppedAt:
    """An adversary that perturbs at random, and kills its training at some step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __repr__(self) -> str:
        return "noise"

    def __call__(self, network: Training, pixels: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        if network.step == self.step:
            raise Stop
        return pixels + 0.1 * torch.rand(pixels.shape, generator=generator)


def test_a_network_learns_what_its_images_show_and_reports_every_epoch() -> None:
    with global_random_untouched():
        done = training(Recipe(epochs=6, batch=10, average=0.9))
        reports = list(done.run())
    assert [(report.number, report.total) for report in reports] == [(number, 6) for number in range(1, 7)]
    assert reports == done.reports
    assert reports[-1].loss < 0.5 * reports[0].loss
    assert reports[-1].accuracy == done.accuracy(IMAGES.test) > 0.9
    assert (reports[1].to_go, reports[-1].to_go) == (4 * reports[1].seconds, 0)


@pytest.mark.parametrize("step", [0, 4, 6, 11, 17])
def test_killed_at_any_step_it_goes_on_to_the_same_bytes(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a state after every step: at the first one, within an epoch, between two, and at the very last one."""
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 0.0)
    whole, state = trained(adversary=StoppedAt(-1)), tmp_path / "state"
    with pytest.raises(Stop):
        trained(state, adversary=StoppedAt(step))
    again = trained(state, adversary=StoppedAt(-1))
    assert bits(again) == bits(whole)
    assert [(each.loss, each.accuracy) for each in again.reports] == [
        (each.loss, each.accuracy) for each in whole.reports
    ]


def test_a_training_that_is_done_is_taken_up_as_it_was(tmp_path: Path) -> None:
    whole = trained(tmp_path / "state")
    again = training()
    assert list(again.run(tmp_path / "state")) == []
    assert bits(again) == bits(whole)
    assert [report.number for report in again.reports] == [1, 2, 3]


def test_a_training_in_pieces_of_an_epoch_is_the_same_as_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for number in (1, 1, 2, 3, 4):  # The first epoch is asked for again, and one more than there are.
        piece = training()
        done = [report.number for report in piece.run(state, until=number)]
        assert piece.epoch == min(number, RECIPE.epochs)
        assert done in ([], [number])
    assert bits(piece) == bits(trained())


def test_it_begins_with_the_weights_that_the_network_has(tmp_path: Path) -> None:
    first = trained()
    network = small_network()
    network.load_state_dict(first.weights(), strict=False)
    still = trained(recipe=Recipe(epochs=1, peak=1e-12), network=network)
    for name, value in first.weights().items():
        if "running" not in name:
            torch.testing.assert_close(still.weights()[name], value)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"perturbed": 1.0},
        {"autocast": True},
        {"recipe": Recipe(epochs=4)},
        {"images": TrainingData(stripes(100, 2), IMAGES.test)},
        {"images": TrainingData(Split(IMAGES.train.images, 1 - IMAGES.train.labels), IMAGES.test)},
        {"network": seeded(small_network, 1)},
    ],
    ids=["seed", "perturbed", "autocast", "recipe", "images", "labels", "weights"],
)
def test_the_state_of_another_training_is_refused(other: dict[str, Any], tmp_path: Path) -> None:
    next(training().run(tmp_path / "state"))
    with pytest.raises(ConfigError, match="belongs to a training with other settings"):
        next(training(**other).run(tmp_path / "state"))


@pytest.mark.parametrize("left", ["nothing", "one epoch", "all epochs", "half an epoch more", "another", "damaged"])
def test_work_done_epoch_by_epoch_ends_with_the_same_bytes_whatever_state_is_there(left: str, tmp_path: Path) -> None:
    state, others = tmp_path / "state", {"another": {"seed": 1}}
    if left == "damaged":
        state.write_bytes(b"no state")
    elif left == "half an epoch more":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("evofool.targets.training.trainer.SAVE_SECONDS", -1.0)
            with pytest.raises(Stop):
                trained(state, adversary=StoppedAt(15))
    elif left != "nothing":
        for _ in training(adversary=StoppedAt(-1), **others.get(left, {})).run(
            state, until={"one epoch": 1, "all epochs": 3}.get(left, 2)
        ):
            pass
    done = trained_until(lambda: training(adversary=StoppedAt(-1)), state, 2)
    assert (done.epoch, done.within_epoch) == (2, False)
    whole = training(adversary=StoppedAt(-1))
    for _ in whole.run(until=2):
        pass
    assert bits(done) == bits(whole)


def test_all_of_the_loss_can_be_that_of_perturbed_images() -> None:
    """An adversary that blackens all images leaves nothing to learn, unless half of the loss is that of the images."""

    def black(network: Any, pixels: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(pixels)

    recipe = Recipe(epochs=6, batch=10, average=0.9)
    half, whole = (trained(recipe=recipe, adversary=black, perturbed=share) for share in (0.5, 1.0))
    assert half.reports[-1].accuracy > 0.9 > 0.7 > whole.reports[-1].accuracy
    assert whole.reports[-1].loss == pytest.approx(np.log(2), abs=0.1)


def test_bfloat16_learns_as_float32_does_and_differs_in_its_bits() -> None:
    recipe = Recipe(epochs=6, batch=10, average=0.9)
    exact, fast = (trained(recipe=recipe, autocast=autocast) for autocast in (False, True))
    assert fast.reports[-1].accuracy > 0.9
    assert all(value.dtype == torch.float32 for value in fast.weights().values())
    assert bits(fast) != bits(exact)


def test_a_robust_network_withstands_perturbations_in_l2_that_fool_another() -> None:
    recipe, adversary = Recipe(epochs=12, batch=10, average=0.9), PGD(L2(1.5), steps=3)
    test, right = IMAGES.test, list[float]()
    for against in (None, adversary):
        done = trained(recipe=recipe, adversary=against, perturbed=1.0)
        done.network.load_state_dict(done.averaged.state_dict())
        done.network.eval()
        perturbed = adversary(done, test.images.float() / 255, test.labels, torch.Generator().manual_seed(1))  # type: ignore[arg-type]
        right.append(float((done.logits(perturbed).argmax(1) == test.labels).double().mean()))
    assert right[1] > right[0] + 0.1


def test_fewer_images_than_a_batch_are_one_step_and_none_are_refused() -> None:
    few = Split(IMAGES.train.images[:5], IMAGES.train.labels[:5])
    done = trained(images=TrainingData(few, IMAGES.test))
    assert done.step == 3
    with pytest.raises(ConfigError, match="there are no images to learn from"):
        training(images=TrainingData(Split(few.images[:0], few.labels[:0]), IMAGES.test))
