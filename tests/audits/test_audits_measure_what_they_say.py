"""Changes of a network move an audit's figures the way they must: weights, temperature, rejection, training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import evofool
from evofool.audits.comparing import Difference, differences
from evofool.audits.record import AuditRecord
from evofool.targets.networks import DigitsNet

NAMES = [str(digit) for digit in range(10)]
QUERIES = 4_000


class Scaled(nn.Module):
    """The embedded digits network with its logits divided by a temperature."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = known(), temperature

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images) / self.temperature
        return logits


class Rejecting(nn.Module):
    """The same with an eleventh class for what is far from all images that it was trained on."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.network, self.images = known(), nn.Buffer(images.flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(images)
        nearest = torch.cdist(images.flatten(1), self.images).amin(1, keepdim=True)
        return torch.cat([logits, logits.amax(1, keepdim=True) + 20 * (nearest - 1.6)], 1)


def known() -> nn.Module:
    """The embedded network of digits, on pixels from 0 to 1."""
    network: nn.Module = evofool.load_target("digits", device="cpu").network  # type: ignore[attr-defined]
    return network


def trained_images() -> tuple[Tensor, Tensor]:
    """Digits (N, 1, 8, 8) from 0 to 1 that the audit's images are not among, and their classes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = torch.from_numpy(digits.images[:1400, None] / 16).float()
    return pixels, torch.from_numpy(digits.target[:1400])


def perturbed(network: nn.Module, images: Tensor, classes: Tensor, epsilon: float, steps: int = 3) -> Tensor:
    """PGD from the images themselves."""
    found = images.clone()
    for _ in range(steps):
        found.requires_grad_()
        (slope,) = torch.autograd.grad(nn.functional.cross_entropy(network(found), classes), found)
        found = (images + (found + epsilon / 2 * slope.sign() - images).clamp(-epsilon, epsilon)).clamp(0, 1).detach()
    return found


def hardened(epsilon: float) -> nn.Module:
    """The network after some training on perturbed images."""
    network, (images, classes) = known(), trained_images()
    for parameter in network.parameters():
        parameter.requires_grad_()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    order = np.random.default_rng(0)
    for _ in range(80):
        rows = torch.from_numpy(order.integers(0, len(images), 128))
        shown = perturbed(network, images[rows], classes[rows], epsilon)
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(shown), classes[rows]).backward()
        optimiser.step()
    return network.eval()


def audited(module: nn.Module, folder: Path, names: list[str] = NAMES, **options: Any) -> AuditRecord:
    """An audit of a network of digits."""
    target = evofool.Target(module.eval(), classes=names, image_shape=(1, 8, 8), device="cpu", precision="float32")
    given = {"budget": QUERIES, "profile": "quick", "progress": False, "seed": 3, **options}
    return evofool.audit(target, "digits", out=folder, **given).record


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    """The audit of the network as it is."""
    return audited(known(), tmp_path_factory.mktemp("audits") / "plain")


def changes(before: AuditRecord, after: AuditRecord) -> dict[str, Difference]:
    """The differences by name."""
    return {row.name: row for row in differences(before, after)}


def test_random_weights_lose_accuracy(plain: AuditRecord, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DigitsNet()
    found = changes(plain, audited(network, tmp_path / "random", skip=("fooling", "pixels", "perturb")))
    assert found["accuracy"].verdict == "worse"
    assert found["corrupted_accuracy"].verdict == "worse"


def test_a_temperature_moves_the_calibration_and_not_the_accuracy(plain: AuditRecord, tmp_path: Path) -> None:
    skip = ("fooling", "pixels", "perturb", "corruptions")
    found = changes(plain, audited(Scaled(8), tmp_path / "scaled", skip=skip))
    assert found["ece"].verdict == "worse"
    assert found["accuracy"].difference == 0


def test_a_network_that_rejects_what_is_far_from_its_images_is_fooled_less(plain: AuditRecord, tmp_path: Path) -> None:
    module = Rejecting(trained_images()[0])
    found = changes(plain, audited(module, tmp_path / "rejecting", [*NAMES, "none"], skip=("pixels", "perturb")))
    assert found["fooled_at_99"].verdict == "better"
    assert found["accuracy"].verdict != "worse"


def test_training_on_perturbed_images_helps_against_perturbations(tmp_path: Path) -> None:
    alone = {"skip": ("fooling", "pixels", "rejection", "corruptions", "calibration"), "budget": 60_000}
    before, after = (
        audited(network, tmp_path / name, **alone) for name, network in (("a", known()), ("b", hardened(0.25)))
    )
    found = changes(before, after)
    assert found["fgsm_0_3"].low > 0
    assert found["pgd_0_3"].verdict in ("better", "none")
