"""What ``features`` does: its settings by data set, its networks, and the parts of its work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from ..config.experiments import ExperimentConfig
from ..config.features import D_NR, D_R, D_RAND, EXPORTS, MADE, STARTS, D, FeaturesOptions
from ..config.fooling import ENCODINGS
from ..config.training import check_train_precision
from ..errors import ConfigError, suggestion
from ..targets.doors.embedded import card

STANDARD, ROBUST = "standard", "robust"
"""The networks that data sets are made with, and that evolution is against."""

SIZE = 10_000
"""Images to learn from, where nobody says."""

FULL = {
    "size": 10**9, "steps": 100, "step_size": 0.1, "match_steps": 1000, "match_size": 0.1, "epochs": 100,
    "learning_rate": 0.1, "slow_rate": 0.01,
}  # fmt: skip
"""The published recipe (Ilyas et al. 2019, and their replications): settings for a GPU."""

SOME = {"size": SIZE, "steps": 20, "match_steps": 50, "match_size": 0.3, "learning_rate": 0.05, "slow_rate": 0.02}
"""Settings that two cores do in minutes."""

BY_DATA = {
    "digits": {
        "network": "digits",
        "learners": ("convnet", "perceptron"),
        "epsilon": 0.3,
        "epsilon_made": 1.0,
        "epochs": 30,
    },
    "mnist": {"network": "lenet", "learners": ("convnet", "perceptron"), "epsilon": 1.0, "epochs": 15},
    "cifar10": {"network": "convnet-bn", "learners": ("perceptron", "linear"), "epsilon": 0.25, "epochs": 20},
}
"""Settings by the data set."""

SLOW = (D_NR, D_RAND)
"""The data sets that are learnt at a lower rate."""

NETWORKS = {
    "digits": card("digits").image_shape,
    "lenet": card("mnist").image_shape,
    **{f"resnet{depth}": card("cifar10").image_shape for depth in (8, 20, 32, 44, 56)},
    "convnet": None,
    "convnet-bn": None,
    "perceptron": None,
    "linear": None,
}
"""The networks that can be trained, with the image shape (C, H, W) that each takes; None for any."""


def resolved(options: FeaturesOptions) -> FeaturesOptions:
    """Return the options with all settings filled in that nobody gave.

    Raises:
        ConfigError: There is no such data set, network, start or export, or they don't fit each other.
    """
    data = options.data
    if data not in BY_DATA:
        raise ConfigError(
            f"`target` must be {', '.join(BY_DATA)}{suggestion(data, BY_DATA)}, got {data:.40}; features trains "
            "networks of its own on images of these names"
        )
    if options.weights is not None:
        raise ConfigError("`weights`: features trains all its networks itself; leave them out")
    if options.start not in STARTS:
        raise ConfigError(f"`start` must be one of {', '.join(STARTS)}, got {options.start:.40}")
    if wrong := [name for name in options.export if name not in EXPORTS]:
        raise ConfigError(f"`export` must be of {', '.join(EXPORTS)}, got {wrong[0]:.40}")
    check_train_precision(options.train_precision)
    plain = tuple(name for name in options.unaugmented if name)
    if wrong := [name for name in plain if name not in (D, *MADE)]:
        hint = suggestion(wrong[0], (D, *MADE))
        raise ConfigError(f"`unaugmented` must be of {', '.join((D, *MADE))}{hint}, got {wrong[0]:.40}")
    larger = {"network": "resnet20", "learners": ("resnet8", "convnet", "perceptron")} if data == "cifar10" else {}
    chosen = SOME | BY_DATA[data] | (FULL | larger if options.full else {})
    filled = replace(options, **{name: value for name, value in chosen.items() if getattr(options, name) is None})
    assert filled.epsilon is not None
    filled = replace(
        filled,
        target=data,
        unaugmented=plain,
        epsilon_trained=filled.epsilon_trained or 2 * filled.epsilon,
        epsilon_made=filled.epsilon_made or 2 * filled.epsilon,
        learners=tuple(name for name in filled.learners or () if name not in ("", filled.network)),
    )
    _check_networks(filled)
    return filled


def _check_networks(options: FeaturesOptions) -> None:
    for parameter, names in {"network": (str(options.network),), "learners": options.learners or ()}.items():
        for name in names:
            if name not in NETWORKS:
                raise ConfigError(
                    f'`{parameter}`: there is no "{name:.40}"{suggestion(name, NETWORKS)}; choose {", ".join(NETWORKS)}'
                )
            if NETWORKS[name] not in (None, card(options.data).image_shape):
                raise ConfigError(f"`{parameter}`: {name} takes other images than {options.data} has")
        if len(set(names)) < len(names):
            raise ConfigError(f"`{parameter}` must be different ones, got {','.join(names)}")


class Trained(NamedTuple):
    """A network that is trained. Those that learn beside the first kind are measured on unchanged images alone."""

    name: str
    """What figures call it."""
    network: str
    """Its kind, one of :data:`NETWORKS`."""
    data: str
    """The data set that it learns from."""
    adversarial: bool = False
    """Whether it is trained against perturbations."""
    beside: bool = False
    """Whether it is one of those of several kinds whose learning is compared with transfer."""


def networks(options: FeaturesOptions) -> dict[str, Trained]:
    """Return all networks by name, in the order of their training."""
    own = str(options.network)
    found = [Trained(STANDARD, own, D), Trained(ROBUST, own, D, adversarial=True)]
    found += [Trained(name, own, name) for name in MADE]
    others = options.learners or ()
    found += [
        Trained(learner_name(learner, D), learner, D, beside=True) for learner in ((own, *others) if others else ())
    ]
    found += [Trained(learner_name(learner, D_RAND), learner, D_RAND, beside=True) for learner in others]
    return {each.name: each for each in found}


def learner_name(learner: str, data: str) -> str:
    """Return what a kind of network is called that learns from a data set, beside the first one."""
    return f"{learner} on {data}"


def maker_of(name: str) -> str:
    """Return the network that a data set is made with."""
    return ROBUST if name == D_R else STANDARD


def sizes(options: FeaturesOptions) -> tuple[float, float, float]:
    """Return the Euclidean norms that robust accuracy is measured at; the second is the one that was asked for."""
    assert options.epsilon is not None
    return options.epsilon / 2, options.epsilon, 2 * options.epsilon


class Piece(NamedTuple):
    """A part of the work."""

    kind: str
    """``set``: a batch of a data set; ``epoch`` of a training; ``accuracy`` of a network; ``transfer`` of
    perturbations; ``shown``: what networks make of images to learn from; ``evolved``: an evolution; ``export`` of a
    data set."""
    name: str
    """The data set or the network."""
    number: int = 0
    """Which batch, epoch or evolution it is."""


def pieces(config: ExperimentConfig) -> list[Piece]:
    """Return the parts of the work, in order."""
    options: FeaturesOptions = config.options
    assert options.size is not None
    assert options.epochs is not None
    batches, trained = math.ceil(options.size / options.batch), networks(options)
    sources = [Piece("set", D), *(piece for name in (STANDARD, ROBUST) for piece in _training(name, options.epochs))]
    sources += [Piece("set", name, number) for name in MADE for number in range(batches)]
    learning = [
        piece for name in trained if name not in (STANDARD, ROBUST) for piece in _training(name, options.epochs)
    ]
    evolutions = [
        Piece("evolved", maker, number)
        for maker in (STANDARD, ROBUST)
        for number in range(options.runs * len(ENCODINGS))
    ]
    exported = [Piece("export", name) for name in (D, *MADE) if options.export]
    return [*sources, *learning, Piece("transfer", STANDARD), Piece("shown", D), *evolutions, *exported]


def evolution(number: int) -> tuple[int, str]:
    """Return which run of which encoding an evolution is."""
    run, encoding = divmod(number, len(ENCODINGS))
    return run, ENCODINGS[encoding]


def _training(name: str, epochs: int) -> Iterator[Piece]:
    """Yield the parts of a training, and of what it came to."""
    yield from (Piece("epoch", name, number) for number in range(epochs))
    yield Piece("accuracy", name)
