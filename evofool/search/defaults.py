"""What an evolution's options mean where they are left open."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from .. import encodings
from ..config.classes import choose_classes
from ..config.evolve import EvolveOptions
from ..encodings.banks import FOUNDERS, RANDOM, is_founders
from ..encodings.cppn.settings import CPPNSettings
from ..targets.protocols import Target
from .emitters.registry import known_emitters
from .selectors import selector_named

BATCH = {"default": 100, "nguyen2015": 200}
"""Children per generation, by preset."""

SELECTOR = {"default": "fresh", "nguyen2015": "uniform"}
"""The selector, by preset."""

SELECTOR_OF_FEW = {("direct", "default"): "unsure"}
"""The selector by encoding and preset, where it is not the preset's with few classes (docs/SEARCH.md)."""

FEW_CLASSES = 100
"""Largest number of classes that are few."""

EMITTERS = {("cppn", "default"): {"vary": 0, "tweak": 150, "restart": 200}}
"""The emitters by encoding and preset, where they are not ``vary`` alone, each with the number of evaluations per niche
after which it begins (docs/SEARCH.md)."""

TWEAK_SOONER = 1500, 50
"""With many niches ``tweak`` begins sooner: after so many evaluations, or so many per niche if that is more
(docs/SEARCH.md)."""

TWEAK_SHARE = 0.3
"""Share of a run's evaluations after which ``tweak`` begins with many niches, where that is later. Graphs that grow for
longer end better, if there is time (docs/SEARCH.md)."""

PRECISION = {"default": "auto", "nguyen2015": "float32"}
"""What a search scores in, by preset."""

VERIFIED_ELITES = 16
"""How many elites are scored again in generations 1, 2, 4, 8, … and after a restart."""

BINS = 5
"""Bins along each descriptor, and images per class with novelty."""

APART = 0.3
"""Smallest distance between two images of a class with novelty, in both of its spaces."""


INIT = {("cppn", "default"): FOUNDERS}
"""The genomes to begin with by encoding and preset, where images have colours; else random ones (docs/SEARCH.md)."""

FOUNDERS_EACH = 100
"""Most founders that a run begins with, for each niche."""

SHAPING = ("coordinates", "colour", "functions", "limit", "max_nodes", "max_connections")
"""Settings of CPPNs that tell whether a genome is one of theirs."""


def resolve(options: EvolveOptions) -> EvolveOptions:
    """Return options with all filled in that doesn't depend on the target. Resolved options stay as they are.

    Raises:
        ConfigError: The encoding, preset, selector or an emitter is unknown, or an emitter is not for such genomes or
            batches.
    """
    filled: dict[str, Any] = {}
    if options.settings is None or options.encoding in encodings.ENCODINGS:  # a user's own encoding has no presets
        settings = encodings.preset(options.encoding, options.preset)
        filled["settings"] = settings if options.settings is None else options.settings
    batch = BATCH.get(options.preset, BATCH["default"]) if options.batch is None else options.batch
    if options.selector is not None:
        selector_named(options.selector)
    elif (options.encoding, options.preset) not in SELECTOR_OF_FEW:
        filled["selector"] = SELECTOR.get(options.preset, SELECTOR["default"])
    if options.emitters is not None:
        filled["emitters"] = known_emitters(options.emitters, options.encoding, batch, ahead=options.ahead)
    if options.bins is None and (options.descriptors is not None or options.novelty is not None):
        filled["bins"] = BINS
    if options.apart is None and options.novelty is not None:
        filled["apart"] = APART
    return replace(options, batch=batch, **filled)


def resolve_for_target(options: EvolveOptions, target: Target) -> EvolveOptions:
    """Return options with nothing left open. Resolved options stay as they are.

    Args:
        options: The options.
        target: The target, for its classes and the channels of its images.

    Raises:
        ConfigError: An option names what doesn't exist, or options don't go together.
    """
    options = resolve(options)
    if options.emitters is not None and options.selector is not None:
        return options
    classes = len(choose_classes(options.classes, target.classes))
    emitters = options.emitters or default_emitters(options, niches_of(options, classes, target.image_shape[0]))
    return replace(options, emitters=emitters, selector=options.selector or default_selector(options, classes))


def niches_of(options: EvolveOptions, classes: int, channels: int) -> int:
    """Return how many niches the archive of a run has.

    Args:
        options: Its options, with ``bins`` and ``apart`` filled in.
        classes: How many classes it evolves for.
        channels: Of the target's images.

    Raises:
        ConfigError: Options don't go together.
    """
    from .diversity import diversity_of

    diversity = diversity_of(options, channels)
    return classes * (diversity.niches_per_class if diversity else 1)


def default_selector(options: EvolveOptions, classes: int) -> str:
    """Return the selector for an archive of so many classes, where nobody names one."""
    usual = SELECTOR.get(options.preset, SELECTOR["default"])
    return SELECTOR_OF_FEW.get((options.encoding, options.preset), usual) if classes <= FEW_CLASSES else usual


def default_emitters(options: EvolveOptions, niches: int) -> tuple[str, ...]:
    """Return the emitters for an archive of so many niches, where nobody names any.

    They depend on the evaluations that the run begins with the intention of making. A run that goes on for longer keeps
    them. The graphs of given genomes have grown, and those of the founders have grown enough for few niches.
    """
    begins = {name: n * niches for name, n in EMITTERS.get((options.encoding, options.preset), {"vary": 0}).items()}
    if "tweak" in begins:
        least, each = TWEAK_SOONER
        share = round(TWEAK_SHARE * _evaluations(options))
        few = begins["tweak"] <= least
        grown = options.init not in (None, RANDOM, FOUNDERS) or (few and options.init == FOUNDERS)
        begins["tweak"] = 0 if grown else min(begins["tweak"], max(least, each * niches, share))
    return tuple(f"{name}@{begin}" if begin else name for name, begin in begins.items())


def default_init(options: EvolveOptions, channels: int) -> str:
    """Return the name of the genomes that a run begins with.

    Args:
        options: Its options, resolved.
        channels: Of the target's images. Founders draw in colour; for digits, their lightness is worse than nothing.
    """
    if options.init is not None:
        return FOUNDERS if is_founders(options.init) else options.init
    init = INIT.get((options.encoding, options.preset), RANDOM)
    if init == RANDOM or options.settings is None or channels == 1:
        return RANDOM
    own, usual = (CPPNSettings(**each) for each in (options.settings, encodings.preset("cppn", options.preset)))
    return init if all(getattr(own, name) == getattr(usual, name) for name in SHAPING) else RANDOM


def _evaluations(options: EvolveOptions) -> int:
    """Return how many evaluations the limits allow for, 0 where none of them says."""
    batch = options.batch or BATCH["default"]
    limits = [options.evaluations, options.generations * batch if options.generations else None]
    return min((limit for limit in limits if limit), default=0)
