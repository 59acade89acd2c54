"""What several targets need to be one: weights by name, the same classes, images of one size. It needs no torch."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

from ..config.class_names import listed
from ..config.scoring import COMBINE
from ..errors import ConfigError, TargetError, suggestion

SEPARATOR = " + "
"""What stands between the names of several targets in the name of all."""

Shape = tuple[int, int, int]


def joined(names: str | Sequence[str]) -> str:
    """Return the name of a target, or of several together."""
    return names if isinstance(names, str) else SEPARATOR.join(names)


def check_combine(combine: str) -> None:
    """Check the name of a way to combine scores.

    Raises:
        ConfigError: There is none.
    """
    if combine not in COMBINE:
        raise ConfigError(f'`combine` must be {" or ".join(COMBINE)}, got "{combine}"{suggestion(combine, COMBINE)}')


def check_names(names: Sequence[str]) -> None:
    """Check that targets of these names can be one: there are two at least, and each has a name of its own.

    Raises:
        TargetError: They can't.
    """
    if len(names) < 2:
        raise TargetError(f"an ensemble needs at least two targets, got {len(names)}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise TargetError(f"target {twice[0]} is there twice; give each target once, and objects names of their own")


def weights_by_name(names: Sequence[str], weights: str | Path | Sequence[str] | None) -> dict[str, Path]:
    """Return the weights file of each target that was given one.

    Args:
        names: The targets' names.
        weights: ``NAME=FILE``, or several.

    Raises:
        ConfigError: One names no target, or a target that has a file already.
    """
    found: dict[str, Path] = {}
    for text in [] if weights is None else [str(weights)] if isinstance(weights, str | Path) else weights:
        name = next((name for name in sorted(names, key=len, reverse=True) if text.startswith(f"{name}=")), None)
        if name is None:
            raise ConfigError(
                "of several targets, `weights` must name the one that they are for, as in "
                f"`weights={names[0]}=FILE`, got {text}{suggestion(text.partition('=')[0], names)}"
            )
        if name in found:
            raise ConfigError(f"`weights` has two files for {name}; give one")
        found[name] = Path(text.removeprefix(f"{name}=")).expanduser()
    return found


def common_shape(shapes: dict[str, Shape]) -> Shape:
    """Return the (C, H, W) that all targets' images have.

    Args:
        shapes: That of each target, by its name.

    Raises:
        TargetError: Two differ.
    """
    (first, shape), *others = shapes.items()
    for name, other in others:
        if other != shape:
            raise TargetError(
                f"{first} takes images of {_words(shape)} and {name} of {_words(other)}; targets that are fooled "
                "together must take images of one size"
            )
    return shape


def class_orders(classes: dict[str, Sequence[str]]) -> list[list[int] | None]:
    """Return where each target has the classes of the first one, matched by name.

    Args:
        classes: The class names of each target, by its name. A name that several classes share is matched in order.

    Returns:
        For each target the index of every class of the first; None where the order is the same.

    Raises:
        TargetError: A target has classes that another one hasn't.
    """
    (first, names), *others = ((target, tuple(named)) for target, named in classes.items())
    orders: list[list[int] | None] = [None]
    for target, other in others:
        if other == names:
            orders.append(None)
            continue
        missing, extra = (list((Counter(a) - Counter(b)).elements()) for a, b in ((names, other), (other, names)))
        if missing or extra:
            lacks = [f"{target} hasn't {listed(missing)}"] if missing else []
            lacks += [f"{first} hasn't {listed(extra)}"] if extra else []
            raise TargetError(f"{' and '.join(lacks)}; targets that are fooled together must have the same classes")
        places: dict[str, deque[int]] = defaultdict(deque)
        for index, name in enumerate(other):
            places[name].append(index)
        orders.append([places[name].popleft() for name in names])
    return orders


def _words(shape: Shape) -> str:
    channels, height, width = shape
    return f"{width} x {height} pixels with {channels} channel{'s' if channels > 1 else ''}"
