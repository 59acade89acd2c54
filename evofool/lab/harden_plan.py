"""What ``harden`` does: the parts of its work, and what can't be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from ..config.fooling import ENCODINGS
from ..config.harden import BY, NORMS, REPLAY, HardenOptions
from ..config.training import check_train_precision
from ..errors import ConfigError, suggestion
from ..targets.doors.embedded import HARDENABLE, HARDENED, card, claims

EPSILON = {
    "l2": {"digits": 0.5, "mnist": 2.0, "cifar10": 0.25},
    "linf": {"digits": 0.1, "mnist": 0.25, "cifar10": 8 / 255},
}
"""Largest norms of perturbations: Ilyas et al. 2019 and Madry et al. 2018 for cifar10; for mnist what ``transfer``
takes."""

ATTACKS = ("pixel", "noise", "pgd", "pgd-l2")
"""What else is tried on the first and the last network."""

EPOCH = "epoch"
"""The kind of a part that trains for an epoch, or, before the first round, measures what the network is like. Other
kinds are encodings and :data:`ATTACKS`."""


class Piece(NamedTuple):
    """A part of the work."""

    kind: str
    """:data:`EPOCH`, an encoding that is evolved, or one of :data:`ATTACKS`."""
    round: int
    """The round; 0 is before the first training."""
    number: int
    """Which epoch of the round, or which evolution, from 0."""


def check_options(options: HardenOptions) -> HardenOptions:
    """Check what needs no target, and return the options with the target's own name.

    Raises:
        ConfigError: There is no such choice, or the target is none that can be trained.
    """
    for name, choices in (("by", tuple(BY)), ("replay", REPLAY), ("norm", NORMS)):
        value = getattr(options, name)
        if value not in choices:
            hint = suggestion(value, choices)
            raise ConfigError(f'`{name}` must be one of {", ".join(choices)}{hint}, got "{value:.40}"')
    check_train_precision(options.train_precision)
    target = options.target or "digits"
    target = card(target).name if claims(target) else target
    if target not in HARDENABLE:
        raise ConfigError(
            f"`target` must be a network that evofool can train, {', '.join(HARDENABLE)}"
            f'{suggestion(target, HARDENABLE)}, got "{target:.60}"'
        )
    if options.by != "pgd" and options.epsilon is not None:
        raise ConfigError("`epsilon` is that of `by=pgd`; say so, or leave it out")
    return replace(options, target=target, data_dir=str(Path(options.data_dir).absolute()))


def hardened_name(options: HardenOptions) -> str:
    """Return the name of the target that a trained network is."""
    return f"{options.target}{'' if options.by == 'pgd' else HARDENED}"


def epsilons(options: HardenOptions) -> dict[str, float]:
    """Return the sizes of perturbations by norm: what is learnt from with ``by=pgd``, and what is tried."""
    sizes = {norm: by_target[str(options.target)] for norm, by_target in EPSILON.items()}
    return sizes if options.epsilon is None else sizes | {options.norm: options.epsilon}


def pieces(options: HardenOptions) -> list[Piece]:
    """Return the parts of the work, in order."""
    found = list[Piece]()
    for number in range(options.rounds + 1):
        found += [Piece(EPOCH, number, epoch) for epoch in range(options.epochs if number else 1)]
        found += _evolutions(options, BY[options.by], number)
    others = tuple(encoding for encoding in ENCODINGS if encoding not in BY[options.by])
    for number in (0, options.rounds):
        found += _evolutions(options, others, number)
        found += [Piece(attack, number, 0) for attack in ATTACKS]
    return found


def _evolutions(options: HardenOptions, encodings: tuple[str, ...], number: int) -> list[Piece]:
    return [Piece(encoding, number, run) for encoding in encodings for run in range(options.runs)]
