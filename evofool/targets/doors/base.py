"""The interface of a door."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..cards import Card
from ..execution.options import ExecutionOptions
from ..protocols import Target


@dataclass(frozen=True)
class Loaded:
    """A target with where it comes from.

    Attributes:
        target: The target.
        card: What is known of it. A door always returns one; None marks a user's own object.
        weights: The file that its weights were read from, if there is one.
        user_weights: Whether the user gave that file.
        spare_tensors: Tensors of the file that the network has no place for.
    """

    target: Target
    card: Card | None = None
    weights: Path | None = None
    user_weights: bool = False
    spare_tensors: tuple[str, ...] = ()


class Door(Protocol):
    """Where a family of targets comes from: a module with these names.

    Attributes:
        PREFIX: What the targets' names begin with, such as ``torchvision:``; empty for plain names.
    """

    PREFIX: str

    def names(self) -> list[str]:
        """Return the names of all targets that this door knows, without the prefix."""
        ...

    def card(self, name: str) -> Card:
        """Return the model card of a name without the prefix.

        Raises:
            TargetError: There is no such target.
        """
        ...

    def load(self, name: str, weights: Path | None, options: ExecutionOptions) -> Loaded:
        """Build a target. What it draws from torch's global generator is put back.

        Args:
            name: Its name without the prefix.
            weights: A weights file of the user's, or None for those that belong to the name. A door that takes none
                ignores it.
            options: How its forward passes shall be run. A door ignores those that its targets can't be run by, and
                :func:`evofool.targets.registry.load` refuses them. A resumed job asks for what the target said of
                itself when it was recorded.

        Raises:
            ConfigError: It can't be run so here.
            TargetError: There is no such target, or its weights can't be had.
        """
        ...
