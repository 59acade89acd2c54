"""Differential evolution over pixel edits.

Storn & Price 1997, as Su, Vargas, Sakurai 2019 (section III-B) use it: a genome is k tuples of position and colour, and
a child competes with the parent of its own index.

    ask:   trial_i ← mate(parent_i, mutate(population))          (rand/1 or best/1, binomial crossover)
    tell:  trial_i replaces parent_i where it is no worse

Genomes are real numbers, x in [0, W), y in [0, H), colours in [0, 256). Their whole parts are the edit that is scored,
so that every 8-bit value, 255 too, is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from deap.base import Toolbox
from numpy.typing import NDArray

from ...encodings.base import Indices
from ...encodings.pixels import Edits, Pixels
from .base import Feedback, Problem

Genes = NDArray[np.float64]
"""(N, k, 2 + C) real genomes."""


@dataclass(frozen=True)
class DESettings:
    """What makes one differential evolution differ from another.

    Attributes:
        population: NP, at least 4.
        mutation: rand/1 or best/1.
        weight: F, in (0, 2], is drawn anew between these two each generation (dither).
        crossover: CR, the share of the genes that come from the mutant, in (0, 1]; 1 is no crossover.
        start: First genomes: uniform; uniform with colours from N(128, 127), as Su et al.; or a Latin hypercube.
        outside: What happens to genes that mutation put out of bounds.
        objective: Which of a candidate's two numbers is minimised.
        generations: How many follow the first population. None: until the budget is spent.
    """

    population: int
    mutation: Literal["rand1", "best1"]
    weight: tuple[float, float]
    crossover: float
    start: Literal["uniform", "normal", "latin"] = "uniform"
    outside: Literal["clip", "redraw"] = "clip"
    objective: Literal["margin", "fitness"] = "margin"
    generations: int | None = None

    def wire(self, toolbox: Toolbox, space: Pixels) -> None:
        """Register the operators ``random mutate mate select``."""
        toolbox.register("random", _STARTS[self.start], space=space)
        toolbox.register("mutate", _MUTATIONS[self.mutation], space=space, settings=self)
        toolbox.register("mate", binomial, rate=self.crossover)
        toolbox.register("select", no_worse)


class DifferentialEvolution:
    """One attempt's differential evolution. Its operators are looked up in the toolbox at every step."""

    def __init__(self, problem: Problem, settings: DESettings) -> None:
        self.problem, self.settings, self.space = problem, settings, problem.space
        self.genes: Genes | None = None
        self.trials: Genes = problem.toolbox.random(settings.population, problem.rng)
        self.values = np.zeros(0, np.float32)
        self.generation = 0

    def ask(self) -> Edits:
        limit = self.settings.generations
        if limit is not None and self.generation > limit:
            return np.empty((0, self.space.k, self.space.genes), np.int16)
        rng, toolbox = self.problem.rng, self.problem.toolbox
        if self.genes is not None:
            mutants = toolbox.mutate(self.genes, int(self.values.argmin()), rng)
            self.trials = toolbox.mate(self.genes, mutants, rng)
        whole = np.floor(self.trials)
        edits = self.space.repaired(whole.astype(np.int16), rng)
        self.trials = self.trials - whole + edits  # a position that was moved is the genome's from now on
        return edits

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        values = feedback.margin if self.settings.objective == "margin" else feedback.fitness
        self.generation += 1
        if self.genes is None:
            self.genes, self.values = self.trials.copy(), values.copy()
            return
        replaced = self.problem.toolbox.select(self.values, values)
        self.genes[replaced], self.values[replaced] = self.trials[replaced], values[replaced]


def uniform(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """Return ``n`` first genomes, uniform over positions and colours."""
    return rng.random((n, space.k, space.genes)) * upper_bounds(space)


def normal_colours(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """Return ``n`` first genomes of Su et al. 2019, section III-C: positions uniform, colours N(128, 127)."""
    genes = uniform(n, rng, space=space)
    genes[..., 2:] = rng.normal(128, 127, (n, space.k, space.channels))
    return clipped(genes, space)


def latin_hypercube(n: int, rng: np.random.Generator, *, space: Pixels) -> Genes:
    """Return ``n`` first genomes, one in each of ``n`` strata of every gene's range, as SciPy's evolution starts."""
    shape = (n, space.k * space.genes)
    strata = rng.permuted(np.broadcast_to(np.arange(n)[:, None], shape), axis=0)
    return ((strata + rng.random(shape)) / n).reshape(n, space.k, space.genes) * upper_bounds(space)


def rand1(genes: Genes, best: int, rng: np.random.Generator, *, space: Pixels, settings: DESettings) -> Genes:
    """Return mutants a + F · (b − c), for three others, distinct from each other and from the parent."""
    a, b, c = distinct_others(len(genes), 3, rng)
    return _inside(genes[a] + _weight(settings, rng) * (genes[b] - genes[c]), rng, space, settings)


def best1(genes: Genes, best: int, rng: np.random.Generator, *, space: Pixels, settings: DESettings) -> Genes:
    """Return mutants best + F · (b − c), for two others, distinct from each other and from the parent."""
    b, c = distinct_others(len(genes), 2, rng)
    return _inside(genes[best] + _weight(settings, rng) * (genes[b] - genes[c]), rng, space, settings)


def binomial(genes: Genes, mutants: Genes, rng: np.random.Generator, *, rate: float) -> Genes:
    """Return children with each gene from the mutant with probability ``rate``, and one of them always."""
    if rate >= 1:
        return mutants
    n, size = len(genes), genes[0].size
    from_mutant = rng.random((n, size)) < rate
    from_mutant[np.arange(n), rng.integers(size, size=n)] = True
    return np.where(from_mutant.reshape(genes.shape), mutants, genes)


def no_worse(parents: NDArray[np.float32], trials: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which trials (N,) replace the parent of their own index."""
    return trials <= parents


def distinct_others(n: int, count: int, rng: np.random.Generator) -> list[Indices]:
    """Return ``count`` index arrays (n,), in each row distinct from each other and from the row itself."""
    picked = [np.arange(n)]
    for taken in range(1, count + 1):
        draw = rng.integers(0, n - taken, n)
        for earlier in np.sort(np.stack(picked), axis=0):
            draw += draw >= earlier
        picked.append(draw)
    return picked[1:]


def upper_bounds(space: Pixels) -> NDArray[np.float64]:
    """Return the exclusive upper bounds (2 + C,) of one pixel's genes."""
    return np.array([space.width, space.height, *[256] * space.channels], np.float64)


def clipped(genes: Genes, space: Pixels) -> Genes:
    """Return genes with those out of bounds put on the bound. The whole part of the upper one is the largest value."""
    return np.clip(genes, 0, np.nextafter(upper_bounds(space), 0))


def _weight(settings: DESettings, rng: np.random.Generator) -> float:
    low, high = settings.weight
    return low if low == high else float(rng.uniform(low, high))


def _inside(genes: Genes, rng: np.random.Generator, space: Pixels, settings: DESettings) -> Genes:
    if settings.outside == "clip":
        return clipped(genes, space)
    outside = (genes < 0) | (genes >= upper_bounds(space))
    return np.where(outside, rng.random(genes.shape) * upper_bounds(space), genes)


_STARTS: dict[str, Callable[..., Genes]] = {"uniform": uniform, "normal": normal_colours, "latin": latin_hypercube}
_MUTATIONS: dict[str, Callable[..., Genes]] = {"rand1": rand1, "best1": best1}
