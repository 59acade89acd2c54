"""The interface of a door."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from ...config.model import ModelOptions
from ..cards import Card
from ..execution.options import ExecutionOptions
from ..protocols import Target


@dataclass(frozen=True)
class Request:
    """How a target is wanted.

    Attributes:
        weights: A weights file of the user's, or None for those that belong to the name.
        execution: How its forward passes shall be run.
        model: How a classifier that the user brings is to be understood.
        classes: The class names of such a classifier that was recorded; None where it has to be found out.
    """

    weights: Path | None = None
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Loaded:
    """A target with where it comes from.

    Attributes:
        target: The target.
        card: What is known of it. A door always returns one; None marks a user's own object.
        weights: The file that its weights were read from, if there is one.
        user_weights: Whether the user gave that file.
        spare_tensors: Tensors of the file that the network has no place for.
        shown: How many images it was asked about to find out what it returns.
        remote: Whether it is behind a server, where queries cost time or money.
        spec: What it is loaded by, from wherever that is done; None for its name. Of several targets, those of each.
        model: How it was understood, where the user brings it; None for one that the door knows.
        members: Of several targets that are fooled together, each of them.
    """

    target: Target
    card: Card | None = None
    weights: Path | None = None
    user_weights: bool = False
    spare_tensors: tuple[str, ...] = ()
    shown: int = 0
    remote: bool = False
    spec: str | tuple[str, ...] | None = None
    model: ModelOptions | None = None
    members: tuple[Loaded, ...] = ()


class Door(Protocol):
    """Where a family of targets comes from: a module with these names.

    Attributes:
        PREFIX: What the targets' names begin with, such as ``torchvision:``; empty for plain names, files and URLs.
        EXAMPLE: A name, to show.
        SUFFIXES: Endings of the files that it opens, in lower case; none where its targets are no files.
        WHAT: What it stands for, in words; empty where the targets are listed one by one.
    """

    PREFIX: str
    EXAMPLE: str
    SUFFIXES: tuple[str, ...]
    WHAT: str

    def claims(self, name: str) -> bool:
        """Return whether a name, with its prefix, is one of this door's."""
        ...

    def check(self, name: str) -> None:
        """Check that a target can be there, as far as that can be told without importing torch.

        Raises:
            TargetError: It can't: it is not listed, its file is missing, or a package that it needs.
        """
        ...

    def load(self, name: str, request: Request) -> Loaded:
        """Build a target. What it draws from torch's global generator is put back.

        Args:
            name: Its name without the prefix.
            request: How it is wanted. A door that takes no weights file ignores that; it ignores settings of forward
                passes that its targets can't be run by, and :func:`evofool.targets.registry.load` refuses them. A
                resumed job asks for what the target said of itself when it was recorded.

        Raises:
            ConfigError: It can't be run so here.
            TargetError: There is no such target, or its weights can't be had.
        """
        ...


@runtime_checkable
class Catalogue(Door, Protocol):
    """A door that knows its targets before they are loaded."""

    def names(self) -> list[str]:
        """Return the names of all targets that this door knows, without the prefix; none where that has no end."""
        ...

    def card(self, name: str) -> Card:
        """Return the model card of a name without the prefix.

        Raises:
            TargetError: There is no such target.
        """
        ...
