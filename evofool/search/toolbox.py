"""The DEAP toolbox of an evolution: the one place where its parts are wired, and where a user swaps them."""

from __future__ import annotations

from typing import Any

from deap import base
from torch import Tensor

from ..config.evolve import EvolveOptions
from ..encodings.base import Encoding
from ..engines.base import Engine
from ..engines.population import Population, batched_map
from ..rng import Rng
from .archive import Archive
from .diversity import Diversity
from .emitters.emitter_schedule import EmitterSchedule
from .emitters.registry import EMITTERS, parse_emitter
from .map_elites import MapElites
from .selectors import selector_named, unsure

CONFIRM_ROWS = {"cpu": 4, "cuda": 64, "mps": 32}
"""Rows of a forward pass that confirms, by device. They are few on the CPU, where filling a pass up costs time."""


def build_toolbox(
    engine: Engine, encoding: Encoding, rng: Rng, options: EvolveOptions, diversity: Diversity | None = None
) -> base.Toolbox:
    """Register the operators of an evolution.

    ``random select mate mutate`` vary genomes, ``decode evaluate confirm check map`` score them. Where a class has
    several niches ``measure`` tells its images apart. The emitter ``tweak`` looks up ``select_unsure``, and like
    ``restart`` the ``mutate_slightly`` of CPPNs. :func:`build_search` adds the rest.

    Args:
        engine: Where batches are scored.
        encoding: How genomes are made, varied and decoded.
        rng: The evolution's random generators.
        options: The options, with the selector filled in.
        diversity: What tells several images of a class apart; None for one image per class.

    Raises:
        ConfigError: There is no such selector.
    """

    def evaluate(population: Population) -> Tensor:
        population.images = toolbox.decode(population.genomes)
        return engine.scores(population.images)

    assert options.selector is not None
    toolbox = base.Toolbox()
    toolbox.register("random", encoding.random, rng=rng)
    toolbox.register("select", selector_named(options.selector), rng=rng)
    toolbox.register("select_unsure", unsure, rng=rng)
    toolbox.register("mate", encoding.mate, rng=rng)
    toolbox.register("mutate", encoding.mutate, rng=rng)
    if mutate_slightly := getattr(encoding, "mutate_slightly", None):
        toolbox.register("mutate_slightly", mutate_slightly, rng=rng)
    toolbox.register("decode", encoding.decode)
    toolbox.register("evaluate", evaluate)
    toolbox.register("confirm", engine.confirm, rows=CONFIRM_ROWS.get(engine.device.type))
    toolbox.register("check", engine.check)
    toolbox.register("map", batched_map)
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
) -> MapElites:
    """Build MAP-Elites on a toolbox.

    Registers every emitter's ``ask`` under the emitter's name, and the search's ask and tell under the names that
    DEAP's ``algorithms.eaGenerateUpdate(toolbox, ngen)`` calls, ``generate`` and ``update``: it runs unmodified.

    Args:
        toolbox: What :func:`build_toolbox` returned.
        archive: The archive.
        encoding: How genomes are made, varied and decoded.
        rng: The evolution's random generators.
        options: The options, with emitters and batch filled in.
        initial: Genomes that take part in the first generation, or None.
        confirm: Whether children are scored again before they enter the archive.
    """
    assert options.emitters is not None
    assert options.batch is not None
    emitters = {}
    for name, begin in map(parse_emitter, options.emitters):
        emitters[name] = EMITTERS[name].build(toolbox, encoding, rng), begin
        toolbox.register(name, emitters[name][0].ask)
    search = MapElites(
        toolbox, archive, EmitterSchedule(emitters, rng), batch=options.batch, initial=initial, confirm=confirm
    )
    toolbox.register("generate", search.ask)
    toolbox.register("update", search.tell)
    return search
