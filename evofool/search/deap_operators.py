"""DEAP's own operators, adapted to batches of genomes and to archives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from ..encodings.base import Indices
from ..engines.population import Confidence
from ..errors import OperatorError
from ..rng import Rng, seeded_globals
from .archive import Archive


def per_genome(operator: Callable[..., Any], rng: Rng, **options: Any) -> Callable[..., Any]:
    """Return one of DEAP's mutations or crossovers, such as ``tools.mutGaussian``, as an operator on batches.

    It sees each genome as a list of numbers: a direct genome as its pixels in [0, 1], a CPPN as the weights of its
    connections. Values outside are put on the bound. Of two children of a crossover the first is taken. It is slow, a
    Python loop over every number. What the operator draws from the global generators of Python and numpy follows from
    the run's.

    Args:
        operator: One of DEAP's, or a function of the same kind: lists in, a tuple with the child first out.
        rng: The run's generators, ``toolbox.rng``.
        options: What the operator takes besides.

    Raises:
        OperatorError: ``rng`` is something else.

    Example:
        ``toolbox.register("mutate", per_genome(tools.mutGaussian, toolbox.rng, mu=0, sigma=0.1, indpb=0.1))``
    """
    _check_rng(rng)

    @wraps(operator)
    def called(parents: Any, *partners: Any, **given: Any) -> Any:
        if not hasattr(parents, "numbers"):
            raise TypeError(f"per_genome takes batches of direct genomes or CPPNs, got {type(parents).__name__}")
        children = parents.take(np.arange(len(parents)))
        with seeded_globals(_drawn(rng)):
            for row in range(len(children)):
                lists = [batch.numbers(row) for batch in (children, *partners)]
                children.set_numbers(row, _child(operator(*lists, **given), len(lists[0])))
        return children

    return partial(called, **options)


def per_elite(operator: Callable[..., Any], rng: Rng, **options: Any) -> Callable[..., Any]:
    """Return one of DEAP's selections, such as ``tools.selTournament``, as an operator on archives.

    It sees each niche that has an elite as an individual whose fitness is the elite's confidence. What it draws from
    the global generators of Python and numpy follows from the run's.

    Args:
        operator: One of DEAP's, or a function of the same kind: individuals and a number in, as many of them out.
        rng: The run's generators, ``toolbox.rng``.
        options: What the operator takes besides.

    Raises:
        OperatorError: ``rng`` is something else.

    Example:
        ``toolbox.register("select", per_elite(tools.selTournament, toolbox.rng, tournsize=3))``
    """
    _check_rng(rng)

    @wraps(operator)
    def called(archive: Archive, n: int, **given: Any) -> Indices:
        held = archive.held()
        pairs = zip(held.tolist(), archive.confidence[held].tolist(), strict=True)
        elites = [_Elite(niche, confidence) for niche, confidence in pairs]
        with seeded_globals(_drawn(rng)):
            return np.array([elite.niche for elite in operator(elites, n, **given)], np.int64)

    return partial(called, **options)


class _Elite:
    """An elite as DEAP's individual."""

    def __init__(self, niche: int, confidence: float) -> None:
        self.niche, self.fitness = niche, Confidence((confidence,))


def _check_rng(rng: object) -> None:
    if not isinstance(rng, Rng):
        raise OperatorError(
            "`rng` must be the run's own generators, toolbox.rng, whose state a checkpoint keeps; got "
            f"{type(rng).__name__}"
        )


def _drawn(rng: Rng) -> int:
    return int(rng.host.integers(2**63))


def _child(result: Any, count: int) -> np.ndarray:
    """Return the child of what an operator of DEAP's kind returned, as ``count`` numbers."""
    child = result[0] if isinstance(result, tuple) and result else result
    try:
        numbers = np.asarray(child, np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        kind = "numbers that are not finite" if numbers.shape == (count,) else f"{child!r:.60}"
        raise ValueError(f"it must return a tuple with the child first, a list of {count} finite numbers; got {kind}")
    return numbers
