"""The DEAP toolbox of an evolution: the one place where its parts are wired, and where a user swaps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from deap import base
from torch import Tensor

from ..config.evolve import EvolveOptions
from ..encodings.banks import FOUNDERS
from ..encodings.base import Encoding, Indices
from ..engines.base import Cluster, Engine
from ..engines.population import Population, batched_map
from ..engines.toolbox import Hook, Toolbox, swap
from ..rng import Rng
from ..targets.protocols import differentiable
from .archive import Archive
from .ascent.climb import look
from .defaults import FOUNDERS_EACH
from .diversity import Diversity
from .emitters.emitter_schedule import EmitterSchedule
from .emitters.registry import EMITTERS, parse_emitter
from .islands import Islands, Search
from .map_elites import MapElites
from .selectors import selector_named, unsure

Ask = Callable[[Archive, int], tuple[Any, Indices]]
"""Proposes so many children of an archive's elites: a batch of genomes, and the evaluation IDs of their parents."""

CONFIRM_ROWS = {"cpu": 2, "cuda": 64, "mps": 32}
"""Rows of a forward pass that confirms, by device. They are few on the CPU, where filling a pass up costs time."""

FIXED = {
    "clone": "nothing calls it",
    "decode": "pictures are decoded in many places; change images in the scores() of a target of your own",
    "confirm": "its scores go on record as the target's own; change them in a target of your own",
    "check": "it guards the scores on record",
    "look": "its gradients are the target's own; change them in a target of your own",
    "generate": "it keeps the run's counts; swap an emitter, or write a loop of your own around Evolution",
    "update": "it keeps the run's counts; write a loop of your own around Evolution",
}
"""Why operators of a run can't be swapped, by alias."""


def build_toolbox(
    engine: Engine, encoding: Encoding, rng: Rng, options: EvolveOptions, diversity: Diversity | None = None
) -> Toolbox:
    """Register the operators of an evolution.

    ``random select mate mutate`` vary genomes, ``decode evaluate confirm check map`` score them. Where a class has
    several niches ``measure`` tells its images apart. The emitter ``tweak`` looks up ``select_unsure``, and like
    ``restart`` the ``mutate_slightly`` of CPPNs. The emitter ``gradient`` looks up ``look``, the target's gradient.
    :func:`build_search` adds the rest.

    Args:
        engine: Where batches are scored.
        encoding: How genomes are made, varied and decoded.
        rng: The evolution's random generators.
        options: The options, with the selector filled in.
        diversity: What tells several images of a class apart; None for one image per class.

    Raises:
        ConfigError: There is no such selector.
        TargetError: An emitter needs gradients, and the target gives none.
    """

    def evaluate(population: Population) -> Tensor:
        if not isinstance(population, Population):
            raise TypeError(f"evaluate takes a whole population, got {type(population).__name__}")
        population.confirmed = population.exact
        if isinstance(engine, Cluster):
            return (engine.confirm_of if population.exact else engine.scores_of)(population.genomes, encoding)
        population.images = toolbox.decode(population.genomes)
        return (engine.confirm if population.exact else engine.scores)(population.images)

    def confirm(population: Population) -> Tensor:
        rows = CONFIRM_ROWS.get(engine.device.type)
        if isinstance(engine, Cluster):
            return engine.confirm_of(population.genomes, encoding, rows)
        if population.images is None:
            population.images = toolbox.decode(population.genomes)
        return engine.confirm(population.images, rows)

    assert options.selector is not None
    toolbox = Toolbox()
    toolbox.register("random", encoding.random, rng=rng)
    toolbox.register("select", selector_named(options.selector), rng=rng)
    toolbox.register("select_unsure", unsure, rng=rng)
    toolbox.register("mate", encoding.mate, rng=rng)
    toolbox.register("mutate", encoding.mutate, rng=rng)
    if mutate_slightly := getattr(encoding, "mutate_slightly", None):
        toolbox.register("mutate_slightly", mutate_slightly, rng=rng)
    toolbox.register("decode", encoding.decode)
    toolbox.register("evaluate", evaluate)
    toolbox.register("confirm", confirm)
    toolbox.register("check", engine.check)
    toolbox.register("map", batched_map)
    if any(EMITTERS[name].needs_gradients for name, _ in map(parse_emitter, options.emitters or ())):
        instead = ", alone and as it is; or leave the emitter gradient out"
        toolbox.register("look", look, differentiable(engine.target, instead=instead))
    if diversity:
        toolbox.register("measure", diversity.measure, engine.target)
    return toolbox


def build_search(
    toolbox: base.Toolbox,
    archive: Archive,
    encoding: Encoding,
    rng: Rng,
    options: EvolveOptions,
    *,
    initial: Any = None,
    confirm: bool = False,
    islands: Sequence[Archive] = (),
) -> Search:
    """Build MAP-Elites on a toolbox.

    Registers every emitter's ``ask`` under the emitter's name, and the search's ask and tell under the names that
    DEAP's ``algorithms.eaGenerateUpdate(toolbox, ngen)`` calls, ``generate`` and ``update``: it runs unmodified.

    Args:
        toolbox: What :func:`build_toolbox` returned.
        archive: The archive.
        encoding: How genomes are made, varied and decoded.
        rng: The evolution's random generators.
        options: The options, with emitters and batch filled in.
        initial: Genomes that it begins with, or None. The first generation of each island has all of them. Of the
            founders, as many as the niches are worth (``FOUNDERS_EACH``) are shared out to the first generations of
            all islands.
        confirm: Whether children are scored again before they enter the archive.
        islands: Archives of islands, which then take turns; ``archive`` is that of the whole.
    """
    assert options.emitters is not None
    assert options.batch is not None
    names = [parse_emitter(text) for text in options.emitters]
    batch, askers, shared_out = options.batch, dict[str, dict[int, Ask]](), options.init == FOUNDERS

    def search_on(own: Archive, number: int) -> MapElites:
        emitters = {name: (EMITTERS[name].build(toolbox, encoding, rng), begin) for name, begin in names}
        for name, (emitter, _) in emitters.items():
            askers.setdefault(name, {})[id(own)] = emitter.ask
        schedule = EmitterSchedule(emitters, rng)
        provisional = not islands  # the archive of the whole has only what is confirmed
        first = initial
        if shared_out and initial is not None:
            first = initial.take(np.arange(number, min(len(initial), FOUNDERS_EACH * len(own)), max(1, len(islands))))
        portion = batch if shared_out else None
        return MapElites(
            toolbox, own, schedule,
            batch=batch, initial=first, portion=portion, confirm=confirm, provisional=provisional,
        )  # fmt: skip

    searches = [search_on(own, number) for number, own in enumerate(islands or (archive,))]
    for name, by_archive in askers.items():
        toolbox.register(name, _asked(by_archive))
    search: Search = Islands(searches, archive, encoding, rng) if islands else searches[0]
    toolbox.register("generate", search.ask)
    toolbox.register("update", search.tell)
    return search


def _asked(by_archive: Mapping[int, Ask]) -> Ask:
    """Return what has the children of an archive proposed by the emitter that works on it."""
    if len(by_archive) == 1:
        return next(iter(by_archive.values()))

    def ask(archive: Archive, count: int) -> tuple[Any, Indices]:
        return by_archive[id(archive)](archive, count)

    return ask


def swap_operators(toolbox: Toolbox, hook: Hook | None, search: Search, encoding: Encoding) -> dict[str, str]:
    """Let a user's hook swap operators of an evolution that is wired.

    Where ``evaluate`` or ``map`` is swapped, children that could enter the archive are scored again by ``confirm``:
    the scores on record are the target's own.

    Returns:
        The names of the user's operators by alias; none without a hook.

    Raises:
        ConfigError: The hook can't be called, or swaps nothing.
        OperatorError: It swaps what can't be swapped, or what nothing looks up.
    """
    if hook is None:
        return {}
    swapped = swap(toolbox, hook, _fixed(search, encoding))
    if {"evaluate", "map"} & swapped.keys():
        search.confirm_always()
    return swapped


def _fixed(search: Search, encoding: Encoding) -> dict[str, str]:
    """Return why operators of an evolution can't be swapped, by alias."""
    emitters = search.schedule.emitters
    used = {operator for emitter in emitters.values() for operator in emitter.operators}
    not_called = {
        operator: f"none of the run's emitters ({', '.join(emitters)}) calls it"
        for operator in ("select", "select_unsure", "mate", "mutate", "mutate_slightly")
        if operator not in used
    }
    if not encoding.crossover_rate:
        not_called["mate"] = f"nothing calls it, since {encoding.name} genomes are not crossed with these settings"
    return not_called | FIXED
