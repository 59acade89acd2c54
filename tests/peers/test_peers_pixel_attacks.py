"""Pixel attacks with the interfaces of other libraries: as those libraries call them, and as our own attack ends."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from peer_models import ArtClassifier, FoolboxModel
from support import random_images, tiny_network
from torch import Tensor, nn

import evofool
from evofool.errors import ConfigError
from evofool.peers.pixels import to_bytes, with_changes
from evofool.store.campaign import CampaignFolder

SETTINGS: dict[str, Any] = {"pixels": 4, "queries": 300}


def module() -> nn.Module:
    return tiny_network()


def batch(n: int = 12) -> tuple[Tensor, Tensor]:
    """Images in [0, 1] with the network's own guesses as labels."""
    images = random_images(n).float() / 255
    return images, guesses(images)


@torch.no_grad()
def guesses(images: Tensor) -> Tensor:
    return module().eval()(images).argmax(1)


def changed(before: Tensor, after: Tensor) -> Tensor:
    """How many pixels of each image differ."""
    return (before != after).any(1).flatten(1).sum(1)


def test_success_and_queries_are_those_of_our_own_attack(tmp_path: Path) -> None:
    images, labels = batch()
    attack = evofool.OnePixel(module(), seed=3, **SETTINGS)
    found = attack(images, labels)
    np.savez(tmp_path / "data.npz", images=random_images(12).permute(0, 2, 3, 1).numpy(), labels=labels.numpy())
    target = evofool.Target(module(), classes=list("0123"), image_shape=(3, 8, 8), device="cpu")
    evofool.attack(target, tmp_path / "data.npz", out=tmp_path / "ours", count=12, first=True, seed=3, **SETTINGS)
    outcomes = sorted(CampaignFolder.open(tmp_path / "ours").outcomes(), key=lambda outcome: outcome["image"])
    assert attack.last is not None
    assert [outcome["success"] for outcome in outcomes] == attack.last.success.tolist()
    assert [outcome["queries"] for outcome in outcomes] == attack.last.queries.tolist()
    assert attack.last.success.sum() > 0
    for outcome, before, after in zip(outcomes, to_bytes(images), to_bytes(found), strict=True):
        differ = {(int(x), int(y)) for y, x in np.argwhere((before != after).any(0))}
        assert differ <= {(edit["x"], edit["y"]) for edit in outcome["edits"]}


def test_onepixel_changes_few_pixels_and_says_what_fooled_the_module() -> None:
    images, labels = batch()
    kept = images.clone()
    attack = evofool.OnePixel(module(), **SETTINGS)
    found = attack(images, labels)
    assert attack.last is not None
    assert torch.equal(images, kept)
    assert int(changed(images, found).max()) <= 4
    assert torch.equal(guesses(found) != labels, torch.from_numpy(attack.last.success))
    assert int(attack.last.queries.max()) <= 300


def test_normalised_images_come_back_normalised() -> None:
    images, labels = batch(6)
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
    centre, scale = torch.tensor(mean).view(1, 3, 1, 1), torch.tensor(std).view(1, 3, 1, 1)

    class Unnormalising(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module()

        def forward(self, given: Tensor) -> Tensor:
            result: Tensor = self.inner(given * scale + centre)
            return result

    attack = evofool.OnePixel(Unnormalising(), **SETTINGS)
    attack.set_normalization_used(mean=mean, std=std)
    given = (images - centre) / scale
    answer = attack(given, labels)
    found = answer * scale + centre
    assert attack.last is not None
    assert int(changed(given, answer).max()) <= 4  # All other pixels are the same numbers.
    assert attack.last.success.any()
    assert torch.equal(guesses(found) != labels, torch.from_numpy(attack.last.success))
    assert int(((found - images).abs() > 1e-5).any(1).flatten(1).sum(1).max()) <= 4


def test_targeted_by_label_and_by_function() -> None:
    images, labels = batch()
    wanted = (labels + 1) % 4
    attack = evofool.OnePixel(module(), **SETTINGS)
    attack.set_mode_targeted_by_function(lambda images, labels: (labels + 1) % 4)
    by_function = attack(images, labels)
    attack.set_mode_targeted_by_label()
    by_label = attack(images, wanted)
    assert attack.last is not None
    assert torch.equal(by_function, by_label)
    reached = guesses(by_label) == wanted
    assert bool(reached.any())
    assert torch.equal(reached, torch.from_numpy(attack.last.success))
    attack.set_mode_default()
    assert bool((guesses(attack(images, labels)) != labels).any())


def test_a_module_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Flatten(), nn.Linear(192, 4)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    evofool.OnePixel(network, queries=20)(*batch(2))
    assert all(part.training for part in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_module_that_learns_meanwhile_is_attacked_as_it_is_now() -> None:
    images, labels = batch(4)
    network = module()
    attack = evofool.OnePixel(network, **SETTINGS)
    attack(images, labels)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.neg_()
    found = attack(images, network(images).argmax(1))
    assert attack.last is not None
    with torch.no_grad():
        fooled = network(found).argmax(1) != network(images).argmax(1)
    assert fooled.tolist() == attack.last.success.tolist()


def test_foolbox_s_call_gives_images_and_success_for_every_epsilon() -> None:
    images, labels = batch()
    raw, clipped, success = evofool.PixelAttack(queries=300)(FoolboxModel(), images, labels, epsilons=[1, 4])
    assert [int(changed(images, found).max()) <= k for found, k in zip(raw, (1, 4), strict=True)] == [True, True]
    assert success.shape == (2, 12)
    for found, same, won in zip(raw, clipped, success, strict=True):
        assert torch.equal(found, same)
        assert torch.equal(guesses(found) != labels, won)
    assert int(success[1].sum()) >= int(success[0].sum())
    single, _, alone = evofool.PixelAttack(queries=300)(FoolboxModel(), images, labels, epsilons=4)
    assert torch.equal(single, raw[1])
    assert torch.equal(alone, success[1])


def test_foolbox_s_criteria_are_understood() -> None:
    images, labels = batch()
    wanted = (labels + 1) % 4
    criterion = SimpleNamespace(target_classes=SimpleNamespace(raw=wanted))
    found, _, success = evofool.PixelAttack(queries=300)(FoolboxModel(), images, criterion, epsilons=4)
    assert torch.equal(guesses(found) == wanted, success)
    named = SimpleNamespace(labels=SimpleNamespace(raw=labels))
    assert bool(evofool.PixelAttack(queries=300)(FoolboxModel(), images, named, epsilons=4)[2].any())


@pytest.mark.parametrize("one_hot", [False, True])
def test_art_s_call_gives_arrays(one_hot: bool) -> None:
    images, labels = batch()
    x, y = images.numpy(), np.eye(4)[labels] if one_hot else labels.numpy()
    attack = evofool.ArtPixelAttack(ArtClassifier(), **SETTINGS)
    found = attack.generate(x, y)
    assert attack.last is not None
    assert (found.dtype, found.shape) == (x.dtype, x.shape)
    assert (guesses(torch.from_numpy(found)) != labels).tolist() == attack.last.success.tolist()
    assert attack.last.success.any()
    np.testing.assert_array_equal(attack.generate(x), found)  # The classifier's own guesses are these labels.
    aimed = evofool.ArtPixelAttack(ArtClassifier(), targeted=True, **SETTINGS)
    reached = guesses(torch.from_numpy(aimed.generate(x, (labels.numpy() + 1) % 4))) == (labels + 1) % 4
    assert aimed.last is not None
    assert reached.tolist() == aimed.last.success.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: evofool.OnePixel(module())(x * 255, y), r"images must be from 0 to 1, got values from .* to 2"),
        (lambda x, y: evofool.OnePixel(module())(x[0], y), r"images must be \(N, C, H, W\)"),
        (lambda x, y: evofool.OnePixel(module())((x * 255).byte(), y), r"floating point, got .* in uint8"),
        (lambda x, y: evofool.OnePixel(module())(x, y[:3]), r"there are 4 images and 3 labels; give one for each"),
        (lambda x, y: evofool.OnePixel(module())(x, y + 4), r"labels must be from 0 to 3, got"),
        (lambda x, y: evofool.OnePixel(module(), pixels=0)(x, y), r"pixels"),
        (lambda x, y: evofool.PixelAttack()(FoolboxModel(), x, y, epsilons=[0.03]), r"whole numbers of pixels.*0\.03"),
        (lambda x, y: evofool.PixelAttack()(FoolboxModel(), x, y, epsilons=None), r"whole numbers of pixels.*None"),
        (lambda x, y: evofool.ArtPixelAttack(SimpleNamespace(clip_values=None)), r"has no clip_values"),
        (lambda x, y: evofool.ArtPixelAttack(ArtClassifier(), targeted=True).generate(x.numpy()), r"needs `y`"),
    ],
)
def test_what_can_not_be_is_one_line(call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        call(*batch(4))
    assert "\n" not in str(raised.value)


def test_pixels_that_do_not_change_keep_their_values() -> None:
    images = torch.rand(2, 3, 4, 4)
    before = to_bytes(images)
    after = before.copy()
    after[0, :, 1, 2] = 255 - after[0, :, 1, 2]
    found = with_changes(images, before, after, 0.0, 1.0)
    assert changed(images, found).tolist() == [1, 0]
    np.testing.assert_array_equal(to_bytes(found), after)


# The libraries themselves


def test_torchattacks_and_ours_take_the_same_calls() -> None:
    torchattacks = pytest.importorskip("torchattacks", reason="torchattacks is in the extra bench")
    images, labels = batch(4)
    theirs = torchattacks.OnePixel(module().eval(), pixels=1, steps=2, popsize=4, inf_batch=16)
    ours = evofool.OnePixel(module().eval(), pixels=1, queries=100)
    for attack in (theirs, ours):
        attack.set_mode_targeted_by_function(lambda images, labels: (labels + 1) % 4)
        attack.set_mode_default()
        assert attack(images, labels).shape == images.shape


def test_foolbox_s_own_model_and_criteria() -> None:
    foolbox = pytest.importorskip("foolbox", reason="foolbox is in the extra bench")
    images, labels = batch()
    model = foolbox.PyTorchModel(module().eval(), bounds=(0, 1), device="cpu")
    criterion = foolbox.criteria.Misclassification(labels)
    raw, _, success = evofool.PixelAttack(queries=300)(model, images, criterion, epsilons=[4])
    assert torch.equal(criterion(raw[0], model(raw[0])), success[0])
    aimed = foolbox.criteria.TargetedMisclassification((labels + 1) % 4)
    found, _, reached = evofool.PixelAttack(queries=300)(model, images, aimed, epsilons=4)
    assert torch.equal(model(found).argmax(1) == (labels + 1) % 4, reached)


def test_art_s_own_classifier() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        art = pytest.importorskip("art.estimators.classification", reason="ART is in the extra bench")
    images, labels = batch()
    classifier = art.PyTorchClassifier(
        module().eval(), loss=nn.CrossEntropyLoss(), input_shape=(3, 8, 8), nb_classes=4, clip_values=(0.0, 1.0)
    )
    attack = evofool.ArtPixelAttack(classifier, **SETTINGS)
    found = attack.generate(images.numpy(), labels.numpy())
    assert attack.last is not None
    assert (classifier.predict(found).argmax(1) != labels.numpy()).tolist() == attack.last.success.tolist()
