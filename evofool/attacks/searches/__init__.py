"""Strategies that search for pixel edits, by name, each with its budget and its DEAP operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from deap.base import Toolbox

from ...encodings.pixels import Pixels
from ...errors import ConfigError, suggestion
from .base import Brief, Feedback, Search
from .best_first import BestFirst
from .climb import Climb
from .corners import Corners
from .differential_evolution import DESettings, DifferentialEvolution, register
from .random_search import RandomSearch
from .sparse_rs import SparseRS

__all__ = ["DEFAULT", "PRESETS", "STRATEGIES", "Brief", "Feedback", "Search", "Strategy", "strategy"]

DEFAULT = "local"
SIMPLE_BUDGET = 10_000


@dataclass(frozen=True)
class Strategy:
    """How attempts are fought."""

    name: str
    summary: str
    search: Callable[[Brief], Search]
    queries: Callable[[Pixels], int]
    """budget of an attempt where none was asked for"""
    settings: DESettings | None = None
    """of a differential evolution"""
    sure: float | None = None
    """targeted attempts go on until 1 minus the criterion's probability is at most this; None stops at the first success"""
    sequential: bool = False
    """whether it wants its candidates scored one by one"""
    settles_all: bool = False
    """whether its candidates don't depend on scores, and one search settles all criteria of an image"""

    def toolbox(self, space: Pixels) -> Toolbox:
        """The operators, where a user swaps them."""
        toolbox = Toolbox()
        toolbox.register("random", space.random)
        if self.settings:
            register(toolbox, space, self.settings)
        return toolbox


def _local(brief: Brief) -> Search:
    return BestFirst(brief) if brief.space.k == 1 else Climb(brief)


def _evolution(name: str, summary: str, settings: DESettings, sure: float | None = None) -> Strategy:
    generations = settings.generations
    return Strategy(
        name,
        summary,
        partial(DifferentialEvolution, settings=settings),
        lambda space: settings.population * (generations + 1) if generations is not None else SIMPLE_BUDGET,
        settings,
        sure,
    )


_PLAIN = DESettings(population=100, mutation="rand1", weight=(0.5, 0.5), crossover=1.0)
_DITHERED = DESettings(population=100, mutation="best1", weight=(0.5, 1.0), crossover=0.9)

STRATEGIES: dict[str, Strategy] = {
    one.name: one
    for one in (
        Strategy("local", "best-first search for one pixel, hill climbing for more", _local, lambda space: 2_000),
        _evolution("rand1", "differential evolution, rand/1 without crossover", _PLAIN),
        _evolution("best1bin", "differential evolution, best/1 with binomial crossover and dither", _DITHERED),
        Strategy(
            "corners",
            "all positions × all corners of the colour cube, for one pixel",
            Corners,
            lambda space: space.places * 2**space.channels,
            settles_all=True,
        ),
        Strategy(
            "sparse-rs",
            "Sparse-RS (Croce et al. 2022), one query a step",
            SparseRS,
            lambda space: SIMPLE_BUDGET,
            sequential=True,
        ),
        Strategy("random", "uniform random edits, the baseline", RandomSearch, lambda space: SIMPLE_BUDGET),
        _evolution(
            "su2019",
            "Su, Vargas, Sakurai 2019: rand/1, NP 400, F 0.5, 100 generations",
            DESettings(400, "rand1", (0.5, 0.5), 1.0, start="normal", objective="fitness", generations=100),
            sure=0.1,
        ),
        _evolution(
            "hyperparticle",
            "Hyperparticle/one-pixel-attack-keras: best1bin, NP 400, dither 0.5–1, 75 generations",
            DESettings(400, "best1", (0.5, 1.0), 1.0, "latin", "redraw", "fitness", 75),
        ),
    )
}

PRESETS = ("su2019", "hyperparticle")
"""strategies that are a publication's settings, chosen with ``--preset``"""

ALIASES = {"de": "best1bin"}


def strategy(name: str) -> Strategy:
    """A strategy by name.

    Raises:
        ConfigError: none has that name.
    """
    known = STRATEGIES.get(ALIASES.get(name, name))
    if known is None:
        choices = [*ALIASES, *STRATEGIES]
        raise ConfigError(f'unknown strategy "{name}"{suggestion(name, choices)}; choose {", ".join(choices)}')
    return known
