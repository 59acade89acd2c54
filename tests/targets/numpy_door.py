"""A door to a target without torch, which can't be run by any option."""

from __future__ import annotations

import pytest
from plain import PlainTarget

from evofool.errors import TargetError
from evofool.targets import registry
from evofool.targets.cards import Card
from evofool.targets.doors.base import Loaded, Request


class NumpyDoor:
    """Knows one target, ``numpy:plain``."""

    PREFIX = "numpy:"
    EXAMPLE = "numpy:plain"
    SUFFIXES: tuple[str, ...] = ()
    WHAT = "a target of the tests"

    def claims(self, name: str) -> bool:
        return name.startswith(self.PREFIX)

    def names(self) -> list[str]:
        return ["plain"]

    def check(self, name: str) -> None:
        pass

    def card(self, name: str) -> Card:
        if name != "plain":
            raise TargetError(f"there is no numpy:{name}")
        return Card(
            name="numpy:plain",
            architecture="a linear classifier",
            classes=("a", "b", "c", "d"),
            image_shape=(3, 8, 8),
            mean=(0.5, 0.5, 0.5),
            std=(1.0, 1.0, 1.0),
            data="none",
            accuracy="not measured",
            licence="MIT",
            weights="numpy",
            resize=8,
        )

    def load(self, name: str, request: Request) -> Loaded:
        return Loaded(PlainTarget("numpy:plain"), self.card(name))


def add_numpy_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """List the door, as one line in ``registry.DOORS`` does."""
    monkeypatch.setattr(registry, "DOORS", (NumpyDoor(), *registry.DOORS))
