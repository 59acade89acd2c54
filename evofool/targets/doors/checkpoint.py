"""Weights in a file, with the network that they belong to.

That is named by ``--arch torchvision:resnet18``, or in front of the file: ``torchvision:resnet18=weights.pth``. So each
of several targets can have its own.
"""

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


def split(name: str) -> tuple[str | None, str]:
    """Split ``ARCH=FILE`` into its two parts. Of any other name the first is None."""
    arch, equals, file = name.partition("=")
    known = arch.startswith((torchvision.PREFIX, timm.PREFIX)) or embedded.claims(arch)
    return (arch, file) if equals and known and claims(file) else (None, name)


def check(name: str) -> None:
    """Check that the file is there, and the network in front of it."""
    arch, file = split(name)
    need_file(file)
    if arch is not None:
        find(arch)


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..understanding import size_of
    from ..weights import classes_of_weights, load_weights
    from .brought import NOT_STATED, module_loaded

    check(name)
    options, (said, file) = request.model, split(name)
    path, arch = Path(file), said or options.arch
    if arch is None:
        raise ConfigError(
            f"{path} holds weights alone; say which network they are of, as in `arch=torchvision:resnet18`, or name a "
            "function of your own that returns the network with them, as in `target=path/to/file.py:function`"
        )
    if said is not None and options.arch is not None:
        raise ConfigError(f"{name} names its network already; leave `arch` out")
    architecture = find(arch)
    module = architecture.build(None)
    count = classes_of_weights(module, path)
    if count is not None:
        module = architecture.build(count)
    spare = load_weights(module, path, arch)
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
            "timm:resnet18 or cifar10:resnet32. A network of your own is named as a function that returns it with its "
            "weights, as in `target=path/to/file.py:function`"
        )
    return Architecture(embedded.card(arch), lambda count: embedded.network(arch))
