"""An audit measures what it says: networks that differ in one thing have figures that differ as they must."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import evofool
from evofool.audits.record import AuditFigure
from evofool.datasets.named import digits
from evofool.targets.networks import DigitsNet

BATCH, RATE = 128, 3e-3


class Cooled(nn.Module):
    """A network whose logits are divided by a temperature."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x) / self.temperature
        return logits


def untrained(classes: int = 10) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = DigitsNet()
        network.fc2 = nn.Linear(64, classes)
    return network.eval()


def trained(network: nn.Module, *, rejected: Tensor | None = None, epsilon: float = 0.0, steps: int = 150) -> nn.Module:
    """Train on digits; against PGD of ``epsilon``, and with images that are class 10, where these are given."""
    images, labels = digits(train=True)
    pixels, wanted = torch.from_numpy(images).float() / 255, torch.from_numpy(labels).long()
    if rejected is not None:
        pixels, wanted = torch.cat([pixels, rejected]), torch.cat([wanted, torch.full((len(rejected),), 10)])
    generator, optimiser = torch.Generator().manual_seed(0), torch.optim.Adam(network.parameters(), RATE)
    for _ in range(steps):
        rows = torch.randint(len(pixels), (BATCH,), generator=generator)
        clean, classes = pixels[rows], wanted[rows]
        batch = clean
        for _ in range(2 if epsilon else 0):
            batch = batch.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(F.cross_entropy(network(batch), classes), batch)
            change = batch.detach() + 0.7 * epsilon * gradient.sign() - clean
            batch = (clean + change.clamp(-epsilon, epsilon)).clamp(0, 1)
        optimiser.zero_grad()
        F.cross_entropy(network(batch), classes).backward()
        optimiser.step()
    return network.eval()


def patterns(count: int = 400) -> Tensor:
    """(6 ``count``, 1, 8, 8): noise, blots and blocks, which are no digits."""
    generator = torch.Generator().manual_seed(3)

    def noise(edge: int) -> Tensor:
        return torch.rand((count, 1, edge, edge), generator=generator)

    blots = [F.interpolate(noise(edge), size=(8, 8), mode="bilinear") for edge in (2, 3, 4)]
    blocks = (F.interpolate(noise(3), size=(8, 8)) > 0.5).float()
    return torch.cat([noise(8), *blots, blocks, (noise(8) > 0.6).float()])


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, AuditFigure]]:
    """The figures of five networks, audited in the same way."""
    folder = tmp_path_factory.mktemp("directions")
    images, labels = digits(train=False)
    np.savez(folder / "digits.npz", images=images, labels=labels)
    plain = trained(untrained())
    networks = {
        "plain": plain,
        "cooled": Cooled(plain, 4.0),
        "robust": trained(untrained(), epsilon=0.15, steps=250),
        "random": untrained(),
        "rejecting": trained(untrained(11), rejected=patterns(), steps=250),
    }
    found = {}
    for name, network in networks.items():
        names = [*map(str, range(10)), *(["none"] if name == "rejecting" else [])]
        about = {"classes": names, "image_shape": (1, 8, 8), "mean": 0.0, "std": 1.0, "name": name}
        target = evofool.Target(network, **about, device="cpu", precision="float32")
        result = evofool.audit(target, folder / "digits.npz", budget=12_000, out=folder / name)
        found[name] = result.record.figures
    return found


def values(figures: Mapping[str, Mapping[str, AuditFigure]], name: str) -> dict[str, float]:
    """A figure of every network."""
    found = {}
    for network, each in figures.items():
        value = each[name].value
        assert value is not None
        found[network] = value
    return found


def test_a_temperature_changes_confidences_and_nothing_else(
    figures: Mapping[str, Mapping[str, AuditFigure]],
) -> None:
    for name in ("accuracy", "corrupted_accuracy", "corrupted_flips"):
        assert values(figures, name)["cooled"] == values(figures, name)["plain"], name
    calibration, fooled = figures["plain"]["ece"], values(figures, "fooled_at_99")
    assert (figures["cooled"]["ece"].low or 0) > (calibration.high or 1)
    assert fooled["cooled"] < fooled["plain"]


def test_training_against_gradients_is_seen_by_them_and_lowers_the_confidence_in_fooling_images(
    figures: Mapping[str, Mapping[str, AuditFigure]],
) -> None:
    assert values(figures, "fgsm_0_3")["robust"] > values(figures, "fgsm_0_3")["plain"]
    assert values(figures, "auroc_msp")["robust"] > values(figures, "auroc_msp")["plain"]


def test_a_class_for_what_is_no_digit_tells_fooling_images_from_real_ones_better(
    figures: Mapping[str, Mapping[str, AuditFigure]],
) -> None:
    for name in ("auroc_msp", "auroc_entropy"):
        assert values(figures, name)["rejecting"] > values(figures, name)["plain"], name
    assert abs(values(figures, "accuracy")["rejecting"] - values(figures, "accuracy")["plain"]) < 0.05


def test_random_weights_know_nothing_and_are_sure_of_nothing(
    figures: Mapping[str, Mapping[str, AuditFigure]],
) -> None:
    assert values(figures, "accuracy")["random"] < 0.25 < 0.9 < values(figures, "accuracy")["plain"]
    assert values(figures, "fooled_at_50")["random"] == 0 < values(figures, "fooled_at_50")["plain"]
