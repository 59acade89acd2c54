"""Weights in a file, with the network that they belong to: ``weights.pth`` and ``--arch torchvision:resnet18``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ConfigError, TargetError, suggestion
from ..cards import OWN, Card
from . import embedded, timm, torchvision
from .base import Loaded, Request
from .needs import need_file

if TYPE_CHECKING:
    from torch import nn

PREFIX = ""
EXAMPLE = "weights.safetensors --arch torchvision:resnet18"
WHAT = "weights in a file, with the network they are of"

SUFFIXES: tuple[str, ...] = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")


class Architecture(NamedTuple):
    """A network that weights can be loaded into.

    Attributes:
        card: Its card.
        build: Returns it with so many classes, or with those of the card for None.
    """

    card: Card
    build: Callable[[int | None], nn.Module]


def claims(name: str) -> bool:
    """Return whether a name is that of a file with weights."""
    return name.lower().endswith(SUFFIXES)


def check(name: str) -> None:
    """Check that the file is there."""
    need_file(name)


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..understanding import size_of
    from ..weights import classes_of_weights, load_weights
    from .brought import NOT_STATED, module_loaded

    check(name)
    path, options = Path(name), request.model
    if options.arch is None:
        raise ConfigError(
            f"{path} holds weights alone; say which network they are of, as in `arch=torchvision:resnet18`"
        )
    architecture = find(options.arch)
    module = architecture.build(None)
    count = classes_of_weights(module, path)
    if count is not None:
        module = architecture.build(count)
    spare = load_weights(module, path, options.arch)
    card = replace(architecture.card, name=path.name, data=OWN, accuracy=NOT_STATED, weights=OWN)
    if (size := size_of(options.image_size)) is not None:
        card = replace(card, image_shape=(card.image_shape[0], *size), resize=min(size))
    return module_loaded(
        module,
        card,
        request,
        names=card.classes if count is None else None,
        weights=path,
        spare_tensors=spare,
    )


def find(arch: str) -> Architecture:
    """Return an architecture by the name that its door has for it.

    Raises:
        TargetError: There is none.
    """
    if arch.startswith(torchvision.PREFIX):
        name = arch.removeprefix(torchvision.PREFIX)
        return Architecture(torchvision.card(name), lambda count: torchvision.network(name, count))
    if arch.startswith(timm.PREFIX):
        name = arch.removeprefix(timm.PREFIX)
        return Architecture(timm.card(name), lambda count: timm.network(name, pretrained=False, classes=count))
    if not embedded.claims(arch):
        families = [torchvision.PREFIX, timm.PREFIX]
        hint = suggestion(arch, embedded.names()) or suggestion(arch.partition(":")[0] + ":", families)
        raise TargetError(
            f'no network is called "{arch}"{hint}; `arch` must be a name such as torchvision:resnet18, '
            "timm:resnet18 or cifar10:resnet32"
        )
    return Architecture(embedded.card(arch), lambda count: embedded.network(arch))
