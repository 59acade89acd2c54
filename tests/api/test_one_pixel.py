"""``evofool.OnePixel`` as scripts call it that were written for torchattacks."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from support import random_images, tiny_network
from torch import Tensor, nn

import evofool
from evofool.errors import ConfigError

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


class Normalised(nn.Module):
    """A network that normalises its images itself."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network((images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None])


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return tiny_network().eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return random_images(12).float() / 255


@torch.no_grad()
def predictions(model: nn.Module, images: Tensor) -> Tensor:
    return model(images).argmax(1)


def changed(before: Tensor, after: Tensor) -> list[int]:
    """How many pixels of each image differ."""
    return ((before - after).abs() > 1e-6).any(1).flatten(1).sum(1).tolist()


def test_images_that_come_back_are_taken_for_another_class(network: nn.Module, images: Tensor) -> None:
    attack = evofool.OnePixel(network, pixels=1, queries=600)
    labels = predictions(network, images)
    adversarial = attack(images, labels)
    assert (adversarial.shape, adversarial.dtype) == (images.shape, images.dtype)
    fooled = predictions(network, adversarial) != labels
    assert fooled.tolist() == [outcome["success"] for outcome in attack.outcomes]
    assert fooled.sum() >= 3
    assert max(changed(images, adversarial)) <= 1
    assert [outcome["image"] for outcome in attack.outcomes] == list(range(12))
    assert all(outcome["queries"] <= 600 for outcome in attack.outcomes)
    levels = adversarial * 255
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-3)


def test_the_success_is_that_of_evofool_attack(network: nn.Module, images: Tensor, tmp_path: object) -> None:
    labels = predictions(network, images)
    attack = evofool.OnePixel(network, queries=300, seed=7)
    attack(images, labels)
    target = evofool.Target(
        network, classes=list("0123"), image_shape=(3, 8, 8), name="model", device="cpu", precision="float32"
    )
    np.savez(f"{tmp_path}/data.npz", images=(images * 255).round().byte().permute(0, 2, 3, 1), labels=labels)
    result = evofool.attack(
        target, f"{tmp_path}/data.npz", out=f"{tmp_path}/out", queries=300, seed=7, count=12, progress=False
    )
    ours = sum(outcome["success"] for outcome in attack.outcomes)
    assert ours == result.statistics.successes
    assert ours >= 2


def test_the_python_of_the_page_of_attacks_runs(
    network: nn.Module, images: Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ATTACKS.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## In place of torchattacks\n```python\n(.*?)```", page, re.DOTALL)
    given = {"evofool": evofool, "model": network, "images": images[:2], "labels": torch.tensor([0, 1])}
    exec(block.replace("2000", "20"), given)
    assert given["adversarial"].shape == (2, 3, 8, 8)
    assert capsys.readouterr().out.count(",") == 1


def test_images_stay_as_they_are_where_the_network_is_wrong_already(network: nn.Module, images: Tensor) -> None:
    labels = (predictions(network, images) + 1) % 4
    attack = evofool.OnePixel(network, queries=50)
    torch.testing.assert_close(attack(images, labels), images, rtol=0, atol=1e-6)
    assert all(outcome["already"] and outcome["queries"] == 0 for outcome in attack.outcomes)


def test_labels_can_be_the_classes_to_reach(network: nn.Module, images: Tensor) -> None:
    attack = evofool.OnePixel(network, pixels=3, queries=600)
    attack.set_mode_targeted_by_label()
    wanted = torch.arange(12) % 4
    adversarial = attack(images, wanted)
    reached = predictions(network, adversarial) == wanted
    assert reached.tolist() == [outcome["success"] or outcome["already"] for outcome in attack.outcomes]
    assert sum(outcome["success"] for outcome in attack.outcomes) >= 2
    assert max(changed(images, adversarial)) <= 3
    attack.set_mode_default()
    attack(images[:2], predictions(network, images[:2]))
    assert {outcome["criterion"] for outcome in attack.outcomes} == {"untargeted"}


def test_normalised_images_come_back_normalised(network: nn.Module, images: Tensor) -> None:
    mean, std = (torch.tensor(part)[:, None, None] for part in (MEAN, STD))
    labels = predictions(network, (images - mean) / std)
    plain = evofool.OnePixel(Normalised(network), queries=300)(images, labels)
    attack = evofool.OnePixel(network, queries=300)
    attack.set_normalization_used(mean=MEAN, std=STD)
    normalised = attack((images - mean) / std, labels)
    torch.testing.assert_close(normalised * std + mean, plain, rtol=0, atol=1e-5)


def test_the_model_stays_in_training(images: Tensor) -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), tiny_network()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evofool.OnePixel(model, queries=30)(images[:2], torch.zeros(2, dtype=torch.long))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


WRONG = {
    "no tensor": (None, "`images` must be a tensor"),
    "one image": (torch.zeros(3, 8, 8), "`images` must be a tensor (N, C, H, W) of floats"),
    "bytes": (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "`images` must be a tensor (N, C, H, W) of floats"),
    "normalised": (torch.full((2, 3, 8, 8), -2.0), "call set_normalization_used(mean, std)"),
    "not a number": (torch.full((2, 3, 8, 8), torch.nan), "`images` must be in [0, 1], got nan"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_other_images_are_refused_in_one_line(network: nn.Module, wrong: str) -> None:
    images, words = WRONG[wrong]
    with pytest.raises(ConfigError) as caught:
        evofool.OnePixel(network)(images, torch.zeros(2, dtype=torch.long))  # type: ignore[arg-type]
    assert words in str(caught.value)


@pytest.mark.parametrize("labels", [torch.zeros(3, dtype=torch.long), torch.zeros(2), torch.tensor([0, 4]), [0, 1]])
def test_other_labels_are_refused_in_one_line(network: nn.Module, images: Tensor, labels: object) -> None:
    with pytest.raises(ConfigError, match="`labels` must be"):
        evofool.OnePixel(network)(images[:2], labels)  # type: ignore[arg-type]


def test_wrong_options_are_refused_in_one_line(network: nn.Module, images: Tensor) -> None:
    labels = torch.zeros(2, dtype=torch.long)
    with pytest.raises(ConfigError, match="unknown strategy"):
        evofool.OnePixel(network, strategy="nope")(images[:2], labels)
    with pytest.raises(ConfigError, match="`pixels`"):
        evofool.OnePixel(network, pixels=0)(images[:2], labels)
    with pytest.raises(ConfigError, match="`queries`"):
        evofool.OnePixel(network, queries=-1)(images[:2], labels)
