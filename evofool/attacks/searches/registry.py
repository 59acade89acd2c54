"""Every strategy that searches for pixel edits, by name.

To add one:

1. Write a file beside this one with a class of the :class:`~evofool.attacks.searches.base.Search` protocol. Its
   constructor takes a :class:`~evofool.attacks.searches.base.Problem`, ``ask()`` returns the next candidates, and
   ``tell()`` takes what they scored. ``random_search.py`` is the shortest example.
2. Add a :class:`Strategy` to ``STRATEGIES`` below.

The command line, campaigns, records and ``tests/attacks/searches/test_every_search.py`` find it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from deap import base

from ...encodings.pixels import Pixels
from ...errors import ConfigError, suggestion
from ...text import counted
from . import presets
from .base import Problem, Search
from .best_first import BestFirst
from .climb import Climb
from .corners import Corners
from .differential_evolution import DESettings, DifferentialEvolution
from .giving_up import GivingUp
from .many_pixels import ManyPixels
from .random_search import RandomSearch
from .sparse_rs import SparseRS

if TYPE_CHECKING:
    from ...engines.toolbox import Toolbox

DEFAULT = "local"
"""The strategy where none is asked for."""

BASELINE = "random"
"""The strategy that others are compared with."""

PRESETS = ("su2019", "hyperparticle")
"""Strategies that are a publication's settings, chosen with ``preset``."""

ALIASES = {"de": "best1bin"}
"""Other names that users know strategies by."""

DEFAULT_BUDGET = 10_000
"""Queries of an attempt whose search has no natural end."""

MANY_PIXELS = 20
"""Number of pixels from which ``local`` takes Sparse-RS's steps after its scan."""

DE_OPERATORS = ("random", "mutate", "mate", "select")
"""The operators that differential evolution calls."""


@dataclass(frozen=True)
class Strategy:
    """How attempts search.

    Attributes:
        name: What users and records call it.
        search: Starts the search of one attempt.
        budget: Queries of an attempt where the user asks for no other number.
        wire: Registers DEAP operators of its own in a toolbox that has ``random``. None: it needs no more than that.
        operators: The operators of the toolbox that its searches call.
        stop_fitness: Targeted attempts go on until 1 minus the probability of the class to reach is at most this.
            None: they stop at the first success.
        max_pixels: Most pixels that it can edit. None: any number.
        sequential_from: Fewest pixels from which it asks for one candidate at a time. None: it asks for more.
        settles_all: Whether its candidates don't depend on scores, so that one search settles all criteria of an image.
    """

    name: str
    search: Callable[[Problem], Search]
    budget: Callable[[Pixels], int] = lambda space: DEFAULT_BUDGET
    wire: Callable[[base.Toolbox, Pixels], None] | None = None
    operators: tuple[str, ...] = ()
    stop_fitness: float | None = None
    max_pixels: int | None = None
    sequential_from: int | None = None
    settles_all: bool = False

    def check(self, space: Pixels) -> None:
        """Refuse a space whose edits have more pixels than the strategy can edit.

        Raises:
            ConfigError: They have.
        """
        if self.max_pixels is not None and space.k > self.max_pixels:
            raise ConfigError(
                f"`strategy={self.name}` edits {counted(self.max_pixels, 'pixel')} at most, got {space.k}; "
                f"use `pixels={self.max_pixels}`"
            )

    def toolbox(self, space: Pixels) -> Toolbox:
        """Return the operators of its searches, for a user to swap, with ``search``, which starts one.

        Raises:
            ConfigError: The strategy can't edit as many pixels.
        """
        from ...engines.toolbox import Toolbox  # imports torch, which reading a campaign's folder does not need
        from ..contracts import contracts

        self.check(space)
        toolbox = Toolbox()
        toolbox.register("search", self.search)
        toolbox.register("random", space.random)
        if self.wire:
            self.wire(toolbox, space)
        toolbox.open(contracts(space, real="mutate" in self.operators))
        return toolbox


def _local(problem: Problem) -> Search:
    if problem.space.k == 1:
        return GivingUp(BestFirst(problem), problem)
    return GivingUp(Climb(problem) if problem.space.k < MANY_PIXELS else ManyPixels(problem), problem)


def _evolution(name: str, settings: DESettings, stop_fitness: float | None = None) -> Strategy:
    def budget(space: Pixels) -> int:
        return DEFAULT_BUDGET if settings.generations is None else settings.population * (settings.generations + 1)

    search = partial(DifferentialEvolution, settings=settings)
    return Strategy(name, search, budget, wire=settings.wire, operators=DE_OPERATORS, stop_fitness=stop_fitness)


_STRATEGIES = (
    Strategy("local", _local, lambda space: 2_000, sequential_from=MANY_PIXELS),
    _evolution("rand1", presets.RAND1),
    _evolution("best1bin", presets.BEST1BIN),
    Strategy("corners", Corners, lambda space: space.places * 2**space.channels, max_pixels=1, settles_all=True),
    Strategy("sparse-rs", SparseRS, sequential_from=1),
    Strategy(BASELINE, RandomSearch, operators=("random",)),
    _evolution("su2019", presets.SU2019, presets.SU2019_STOP_FITNESS),
    _evolution("hyperparticle", presets.HYPERPARTICLE),
)

STRATEGIES = {strategy.name: strategy for strategy in _STRATEGIES}


def find_strategy(name: str) -> Strategy:
    """Return a strategy by its name or alias.

    Raises:
        ConfigError: None has that name.
    """
    strategy = STRATEGIES.get(ALIASES.get(name, name))
    if strategy is None:
        choices = [*ALIASES, *STRATEGIES]
        raise ConfigError(f'unknown strategy "{name}"{suggestion(name, choices)}; choose {", ".join(choices)}')
    return strategy
