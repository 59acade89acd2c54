"""Which class a perturbed image has to reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..config.attack import UNTARGETED
from ..config.classes import choose_classes
from ..config.perturb import RANDOM
from ..errors import ConfigError


class Criteria(Protocol):
    """Options that say what is to be reached."""

    @property
    def criterion(self) -> int | str: ...
    @property
    def classes(self) -> tuple[int | str, ...] | str | None: ...
    @property
    def seed(self) -> int: ...


def class_to_reach(options: Criteria, classes: Sequence[str]) -> int | str | None:
    """Return the class to reach: an index, ``random``, or None for any other class.

    Raises:
        ConfigError: There is no such class, or it names several.
    """
    word = str(options.criterion).strip().lower()
    if word in (UNTARGETED, RANDOM) and word not in map(str.lower, classes):
        return None if word == UNTARGETED else RANDOM
    found = choose_classes(options.criterion, classes, parameter="criterion", words=(UNTARGETED, RANDOM))
    if len(found) > 1:
        raise ConfigError(f"`criterion` must be {UNTARGETED}, {RANDOM} or one class, got {len(found)} of them")
    return int(found[0])


def wanted_class(options: Criteria, classes: Sequence[str], image: int, own: int) -> int | None:
    """Return the class that an image has to reach; None for any other. A random one depends on seed and image alone.

    Args:
        options: They say what is to be reached, and the seed.
        classes: The target's classes.
        image: The image's number.
        own: Its own class, which a random one is not.
    """
    wanted = class_to_reach(options, classes)
    if wanted != RANDOM:
        return None if wanted is None else int(wanted)
    rng = np.random.default_rng(np.random.SeedSequence((options.seed, image)))
    return int((own + rng.integers(1, len(classes))) % len(classes))


def excluded_classes(options: Criteria, classes: Sequence[str]) -> list[int]:
    """Return the classes whose images are left out: those that were not chosen, and the class to reach.

    Raises:
        ConfigError: No class is left.
    """
    wanted = set(choose_classes(options.classes, classes).tolist()) - {class_to_reach(options, classes)}
    if not wanted:
        raise ConfigError("`classes` are only the class to reach; choose others, or another `criterion`")
    return [index for index in range(len(classes)) if index not in wanted]
