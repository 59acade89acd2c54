"""Where targets come from: embedded networks with their weights, torchvision's models, the user's files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TargetError, suggestion
from . import cards
from .cards import CARDS, Card

if TYPE_CHECKING:
    from torch import nn

    from .torch_target import Format, Precision, Target

__all__ = ["CARDS", "Card", "Loaded", "card", "embedded_weights", "load", "load_target"]


@dataclass(frozen=True)
class Loaded:
    """A target with what a run's record says of it."""

    target: Target
    card: Card
    weights: Path
    """the file the weights were read from"""
    spare: list[str]
    """tensors of the file that the network has no place for"""


def card(name: str) -> Card:
    """The model card of a target by name.

    Raises:
        TargetError: no target has that name.
    """
    from .doors import torchvision as vision

    if name.startswith(vision.PREFIX):
        return vision.card(name.removeprefix(vision.PREFIX))
    known = CARDS.get(cards.ALIASES.get(name, name))
    if known is None:
        choices = [*CARDS, *cards.ALIASES]
        hint = suggestion(name, choices)
        if not hint and name in vision.names():
            hint = f' (did you mean "{vision.PREFIX}{name}"?)'
        raise TargetError(
            f'unknown target "{name}"{hint}; choose {", ".join(CARDS)} or torchvision:NAME (see: evofool targets)'
        )
    return known


def load(
    name: str,
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    micro_batch: int | None = None,
    memory_format: Format = "auto",
    fold: bool | None = None,
) -> Loaded:
    """Build a target by name, with its card and where its weights came from; see :func:`load_target`."""
    import torch

    from .doors import torchvision as vision
    from .torch_target import Target
    from .weights import load_weights

    known = card(name)
    if weights is None and not known.weights:
        raise TargetError(f"{known.name} has no embedded weights; give yours with --weights FILE")
    spare: list[str] = []
    with torch.random.fork_rng(devices=[]):  # networks draw first weights from the global generator
        if known.weights == "torchvision":
            short = known.name.removeprefix(vision.PREFIX)
            network = vision.network(short, own_weights=weights is not None)
            path = Path(weights) if weights is not None else vision.cached_file(short)
        else:
            network = _network(known.name)
            path = Path(weights) if weights is not None else embedded_weights(known.weights)
    if weights is not None or known.weights != "torchvision":
        spare = load_weights(network, path, known.name)
    target = Target(
        network,
        classes=known.classes,
        image_shape=known.image_shape,
        mean=known.mean,
        std=known.std,
        name=known.name,
        device=device,
        precision=precision,
        micro_batch=micro_batch,
        memory_format=memory_format,
        fold=fold,
    )
    return Loaded(target, known, path, spare)


def load_target(
    name: str = "cifar10",
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    micro_batch: int | None = None,
) -> Target:
    """Build a target by name.

    Args:
        name: ``cifar10``, ``mnist``, ``digits``, ``cifar10:resnet32`` …, or ``torchvision:NAME``.
        weights: a ``.safetensors`` or torch checkpoint instead of the embedded or downloaded weights.
        device, precision, micro_batch: as in :class:`evofool.Target`.

    Raises:
        TargetError: no target has that name, or its weights can't be had.
        WeightsError: the weights file is damaged, unsafe, or of another network.

    Example:
        >>> import evofool
        >>> target = evofool.load_target("digits", device="cpu")
        >>> target.image_shape
        (1, 8, 8)
    """
    loaded = load(name, weights=weights, device=device, precision=precision, micro_batch=micro_batch)
    return loaded.target


def embedded_weights(name: str) -> Path:
    """The weights file that ships inside the package."""
    return Path(str(resources.files(__package__) / "embedded" / f"{name}.safetensors"))


def _network(name: str) -> nn.Module:
    from . import networks

    if name == "mnist":
        return networks.LeNet()
    if name == "digits":
        return networks.DigitsNet()
    return networks.CifarResNet(20 if name == "cifar10" else int(name.removeprefix("cifar10:resnet")))
