"""Differential evolution over pixel edits.

Storn & Price 1997, as Su, Vargas, Sakurai 2019 (section III-B) use it: a genome is k tuples of position and colour, a
child competes with the parent of its own index.

    generate:  trial_i ← mate(parent_i, mutate(population))          (rand/1 or best/1, binomial crossover)
    update:    trial_i replaces parent_i where it is no worse

Genomes are real numbers, x in [0, W), y in [0, H), colours in [0, 256); their whole parts are the edit that is
scored, so that every 8-bit value, 255 too, is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from deap import base
from numpy.typing import NDArray

from ...encodings.pixels import Edits, Pixels
from .base import Brief, Feedback

Genes = NDArray[np.float64]
"""(N, k, 2 + C) real genomes"""


@dataclass(frozen=True)
class DESettings:
    """What makes one differential evolution differ from another."""

    population: int
    """NP, at least 4"""
    mutation: Literal["rand1", "best1"]
    weight: tuple[float, float]
    """F: drawn anew each generation between these two (dither), (0, 2]"""
    crossover: float
    """CR: share of the genes that come from the mutant, (0, 1]; 1 is no crossover"""
    start: Literal["uniform", "normal", "latin"] = "uniform"
    """first colours: uniform; N(128, 127), as Su et al.; or a Latin hypercube over all genes"""
    outside: Literal["clip", "redraw"] = "clip"
    """genes that mutation put out of bounds"""
    objective: Literal["margin", "fitness"] = "margin"
    """which of a candidate's two numbers is minimised"""
    generations: int | None = None
    """after the first population; None: until the budget is spent"""


class DifferentialEvolution:
    """One attempt's differential evolution; its operators are looked up in the toolbox at every step."""

    def __init__(self, brief: Brief, settings: DESettings) -> None:
        self.brief, self.settings, self.space = brief, settings, brief.space
        self.genes: Genes | None = None
        self.trials: Genes = brief.toolbox.random(settings.population, brief.rng)
        self.values = np.zeros(0, np.float32)
        self.generation = 0

    def generate(self) -> Edits:
        limit = self.settings.generations
        if limit is not None and self.generation > limit:
            return np.empty((0, self.space.k, self.space.genes), np.int16)
        rng, toolbox = self.brief.rng, self.brief.toolbox
        if self.genes is not None:
            mutants = toolbox.mutate(self.genes, int(self.values.argmin()), rng)
            self.trials = toolbox.mate(self.genes, mutants, rng)
        whole = np.floor(self.trials)
        edits = self.space.repaired(whole.astype(np.int16), rng)
        self.trials = self.trials - whole + edits  # a place that was moved is the genome's from now on
        return edits

    def update(self, edits: Edits, feedback: Feedback) -> None:
        values = feedback.margin if self.settings.objective == "margin" else feedback.fitness
        self.generation += 1
        if self.genes is None:
            self.genes, self.values = self.trials.copy(), values.copy()
            return
        better = self.brief.toolbox.select(self.values, values)
        self.genes[better], self.values[better] = self.trials[better], values[better]


def register(toolbox: base.Toolbox, space: Pixels, settings: DESettings) -> None:
    """Wire the operators of a differential evolution."""
    toolbox.register("random", _STARTS[settings.start], space=space)
    toolbox.register("mutate", _MUTATIONS[settings.mutation], space=space, settings=settings)
    toolbox.register("mate", binomial, rate=settings.crossover)
    toolbox.register("select", no_worse)


def uniform(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """``n`` first genomes, uniform over positions and colours."""
    return rng.random((n, space.k, space.genes)) * upper(space)


def normal_colours(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """Su et al. 2019, section III-C: positions uniform, colours N(128, 127)."""
    genes = uniform(n, rng, space=space)
    genes[..., 2:] = rng.normal(128, 127, (n, space.k, space.channels))
    return clipped(genes, space)


def latin_hypercube(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """Each gene's range cut into ``n`` strata, one genome in each, as SciPy's differential evolution starts."""
    shape = (n, space.k * space.genes)
    strata = rng.permuted(np.broadcast_to(np.arange(n)[:, None], shape), axis=0)
    return ((strata + rng.random(shape)) / n).reshape(n, space.k, space.genes) * upper(space)


def rand1(genes: Genes, best: int, rng: np.random.Generator, *, space: Pixels, settings: DESettings) -> Genes:
    """a + F · (b − c) for three others, distinct from each other and from the parent."""
    a, b, c = others(len(genes), 3, rng)
    return _inside(genes[a] + _weight(settings, rng) * (genes[b] - genes[c]), rng, space, settings)


def best1(genes: Genes, best: int, rng: np.random.Generator, *, space: Pixels, settings: DESettings) -> Genes:
    """best + F · (b − c) for two others, distinct from each other and from the parent."""
    b, c = others(len(genes), 2, rng)
    return _inside(genes[best] + _weight(settings, rng) * (genes[b] - genes[c]), rng, space, settings)


def binomial(genes: Genes, mutants: Genes, rng: np.random.Generator, *, rate: float) -> Genes:
    """Each gene from the mutant with probability ``rate``, one of them always."""
    if rate >= 1:
        return mutants
    n, size = len(genes), genes[0].size
    from_mutant = rng.random((n, size)) < rate
    from_mutant[np.arange(n), rng.integers(size, size=n)] = True
    return np.where(from_mutant.reshape(genes.shape), mutants, genes)


def no_worse(parents: NDArray[np.float32], trials: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which trials replace the parent of their own index."""
    return trials <= parents


def others(n: int, count: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """``count`` index arrays (n,): in each row distinct from each other and from the row itself."""
    picked = [np.arange(n)]
    for taken in range(1, count + 1):
        draw = rng.integers(0, n - taken, n)
        for earlier in np.sort(np.stack(picked), axis=0):
            draw += draw >= earlier
        picked.append(draw)
    return picked[1:]


def upper(space: Pixels) -> NDArray[np.float64]:
    """(2 + C,) the exclusive upper bounds of one pixel's genes."""
    return np.array([space.width, space.height, *[256] * space.channels], np.float64)


def clipped(genes: Genes, space: Pixels) -> Genes:
    """Genes outside their bounds put on them; the whole part of the upper one is the largest value."""
    top = upper(space)
    return np.clip(genes, 0, np.nextafter(top, 0))


def _weight(settings: DESettings, rng: np.random.Generator) -> float:
    low, high = settings.weight
    return low if low == high else float(rng.uniform(low, high))


def _inside(genes: Genes, rng: np.random.Generator, space: Pixels, settings: DESettings) -> Genes:
    if settings.outside == "clip":
        return clipped(genes, space)
    out = (genes < 0) | (genes >= upper(space))
    return np.where(out, rng.random(genes.shape) * upper(space), genes)


_STARTS: dict[str, Callable[..., Genes]] = {"uniform": uniform, "normal": normal_colours, "latin": latin_hypercube}
_MUTATIONS: dict[str, Callable[..., Genes]] = {"rand1": rand1, "best1": best1}
