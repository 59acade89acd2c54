"""The targets with a plain name: small networks that evofool trains, ships and reads weights for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.class_lists import CIFAR10, DIGITS
from ...errors import TargetError
from ..cards import Card
from .base import Loaded, Request

if TYPE_CHECKING:
    from torch import nn

PREFIX = ""
EXAMPLE = "cifar10"
SUFFIXES: tuple[str, ...] = ()
WHAT = ""


def _cifar10(depth: int) -> Card:
    embedded = depth == 20
    return Card(
        name="cifar10" if embedded else f"cifar10:resnet{depth}",
        architecture=f"CIFAR ResNet-{depth}, option-A shortcuts (He et al. 2016)",
        classes=CIFAR10,
        image_shape=(3, 32, 32),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        data="CIFAR-10 (JPEG copies), 50,000 images" if embedded else "the user's own",
        accuracy="87.56 % of 5,000 held-out images (JPEG copies)" if embedded else "depends on the weights",
        licence="MIT, trained by this project" if embedded else "the user's own",
        weights="cifar10" if embedded else "",
        resize=32,
    )


HARDENED = ":hardened"
"""How the names of networks end that have a class more, for images that fool: what ``evofool lab harden`` trains."""

FOOLING = "fooling"
"""The name of that class."""

HARDENABLE = ("digits", "mnist", "cifar10")
"""The networks that it trains."""

_PLAIN = {
    "cifar10": _cifar10(20),
    "cifar10:resnet32": _cifar10(32),
    "cifar10:resnet44": _cifar10(44),
    "cifar10:resnet56": _cifar10(56),
    "mnist": Card(
        name="mnist",
        architecture="LeNet as in Caffe: conv 20@5, pool, conv 50@5, pool, fc 500 ReLU, fc 10",
        classes=DIGITS,
        image_shape=(1, 28, 28),
        mean=(0.0,),
        std=(256 / 255,),
        data="MNIST, 60,000 images, pixels / 256",
        accuracy="99.50 % of the 10,000 test images",
        licence="MIT, trained by this project",
        weights="mnist",
        resize=28,
    ),
    "mnist:logistic": Card(
        name="mnist:logistic",
        architecture="logistic regression: one layer from 784 pixels to 10 classes",
        classes=DIGITS,
        image_shape=(1, 28, 28),
        mean=(0.0,),
        std=(1.0,),
        data="MNIST, 60,000 images",
        accuracy="92.36 % of the 10,000 test images",
        licence="MIT, trained by this project",
        weights="mnist-logistic",
        resize=28,
    ),
    "digits": Card(
        name="digits",
        architecture="two 3×3 convolutions (16, 32), pool, fc 64, fc 10",
        classes=DIGITS,
        image_shape=(1, 8, 8),
        mean=(0.0,),
        std=(1.0,),
        data="scikit-learn's handwritten digits, 1,437 of 1,797 images",
        accuracy="98.89 % of 360 held-out images",
        licence="MIT, trained by this project",
        weights="digits",
        resize=8,
    ),
}


def _hardened(card: Card) -> Card:
    return replace(
        card,
        name=f"{card.name}{HARDENED}",
        architecture=f"{card.architecture}; one class more, for images that fool",
        classes=(*card.classes, FOOLING),
        data="the user's own, by evofool lab harden",
        accuracy="depends on the weights",
        licence="the user's own",
        weights="",
    )


CARDS: dict[str, Card] = _PLAIN | {f"{name}{HARDENED}": _hardened(_PLAIN[name]) for name in HARDENABLE}
"""The cards by name."""

ALIASES = {"cifar10:resnet20": "cifar10", "mnist:lenet": "mnist"}
"""Other names of the same targets."""


def claims(name: str) -> bool:
    """Return whether a name or alias is known here."""
    return name in CARDS or name in ALIASES


def names() -> list[str]:
    """Return all names, aliases last."""
    return [*CARDS, *ALIASES]


def check(name: str) -> None:
    """Check nothing: what this door claims is there."""


def card(name: str) -> Card:
    """Return the model card of a name or alias in :func:`names`."""
    return CARDS[ALIASES.get(name, name)]


def load(name: str, request: Request) -> Loaded:
    """Build a target; see :class:`~.base.Door`."""
    from ..torch_target import TorchTarget
    from ..weights import load_weights

    model_card, weights, options = card(name), request.weights, request.execution
    if weights is None and not model_card.weights:
        raise TargetError(f"{model_card.name} has no embedded weights; give yours with `weights=FILE`")
    path = embedded_weights(model_card.weights) if weights is None else weights
    module = network(model_card.name)
    others = [(other, partial(network, other)) for other in CARDS if other != model_card.name]
    spare = load_weights(module, path, model_card.name, others)
    return Loaded(TorchTarget.from_card(module, model_card, options), model_card, path, weights is not None, spare)


def embedded_weights(name: str) -> Path:
    """Return the weights file that ships inside the package."""
    return Path(str(resources.files("evofool.targets") / "embedded" / f"{name}.safetensors"))


def network(name: str) -> nn.Module:
    """Return the network of a card, without its weights."""
    from ..networks import CifarResNet, DigitsNet, LeNet, LogisticRegression

    plain, classes = name.removesuffix(HARDENED), len(CARDS[name].classes)
    others = {"mnist": LeNet, "mnist:logistic": LogisticRegression, "digits": DigitsNet}
    if plain in others:
        return others[plain](classes)
    return CifarResNet(20 if plain == "cifar10" else int(plain.removeprefix("cifar10:resnet")), classes)
