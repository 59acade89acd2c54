"""What a user's operators in the toolbox of an evolution must return."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..encodings.base import Encoding, Indices
from ..engines.population import NO_EVALUATION, Population
from ..engines.toolbox import Contract
from ..rng import Rng
from ..targets.checks import LOOSENESS
from .archive import Archive
from .emitters.registry import EMITTERS

ADVICE = {
    "map": "a whole population is scored as one batch, in one call of evaluate on all cores, so leave map as it is; to "
    "score in processes, spread the images over them in the scores() of a target of your own"
}
"""What to do where an operator fails, by alias."""


def contracts(encoding: Encoding, class_count: int, measures: int, device: torch.device) -> dict[str, Contract]:
    """Return the contracts by alias.

    Args:
        encoding: The run's encoding.
        class_count: The number K of the target's classes.
        measures: The number D of measures that tell a class's elites apart.
        device: Where scores are.
    """
    batch = _BatchContract(encoding, device)

    def evaluated(arguments: tuple[Any, ...], result: Any) -> Tensor:
        return _scores(result, (len(arguments[0]), class_count), device)

    def mapped(arguments: tuple[Any, ...], result: Any) -> Any:
        population: Population = arguments[1]
        if population.scores is None:
            raise ValueError("must leave the scores with the population")
        population.scores = evaluated((population,), population.scores)
        return result

    def measured(arguments: tuple[Any, ...], result: Any) -> Tensor:
        return _numbers(result, (len(arguments[0]), measures), device)

    def asked(arguments: tuple[Any, ...], result: Any) -> Any:
        archive, n = arguments
        if not isinstance(result, tuple) or len(result) != 2:
            raise ValueError(f"must return children and the evaluation IDs of their parents, got {_kind(result)}")
        children, parents = batch.check(result[0], n), _whole(result[1], n, "evaluation IDs of parents")
        last = int(archive.evaluation_id.max())
        if ((parents < NO_EVALUATION) | (parents > last)).any():
            raise ValueError(f"must return evaluation IDs of parents from {NO_EVALUATION} to {last}, got {parents}")
        return children, parents

    return {
        "random": lambda arguments, result: batch.check(result, arguments[0]),
        "mutate": lambda arguments, result: batch.check(result, len(arguments[0])),
        "mutate_slightly": lambda arguments, result: batch.check(result, len(arguments[0])),
        "mate": lambda arguments, result: batch.check(result, len(arguments[0])),
        "select": _selected,
        "select_unsure": _selected,
        "evaluate": evaluated,
        "measure": measured,
        "map": mapped,
        **dict.fromkeys(EMITTERS, asked),
    }


class _BatchContract:
    """Batches of genomes must be the encoding's own."""

    def __init__(self, encoding: Encoding, device: torch.device) -> None:
        self.encoding, self._device = encoding, device

    @cached_property
    def _example(self) -> Any:
        return self.encoding.random(1, Rng(0, self._device))

    def check(self, batch: Any, n: int) -> Any:
        """Check that ``batch`` has ``n`` genomes that can be."""
        example, kind = self._example, type(self._example).__name__
        if batch is None:
            raise ValueError(
                f"must return a {kind} of {n} genomes, got None; an operator that changes genomes in place returns "
                "them as well"
            )
        if not isinstance(batch, type(example)):
            raise ValueError(
                f"must return a {kind} of {n} genomes, got {_kind(batch)}; change a copy of the parents, as in "
                "parents.take(numpy.arange(len(parents))), and return that"
            )
        for name, array in vars(example).items():
            given, shape = getattr(batch, name), (n, *array.shape[1:])
            if type(given) is not type(array) or given.dtype != array.dtype or tuple(given.shape) != shape:
                raise ValueError(f"must return genomes whose {name} are {array.dtype} {shape}, got {_kind(given)}")
        self.encoding.load(self.encoding.dump(batch))
        return batch


def _selected(arguments: tuple[Any, ...], result: Any) -> Indices:
    """Check niches that a selector returned for (archive, n)."""
    archive: Archive = arguments[0]
    niches = _whole(result, arguments[1], "niches")
    if (outside := niches[(niches < 0) | (niches >= len(archive))]).size:
        raise ValueError(f"must return niches from 0 to {len(archive) - 1}, got {outside[0]}")
    if (empty := niches[archive.evaluation_id[niches] == NO_EVALUATION]).size:
        raise ValueError(f"must return niches that have an elite, as archive.held() names them, got {empty[0]}")
    return niches


def _whole(values: Any, n: int, what: str) -> Indices:
    """Check for an array of ``n`` whole numbers."""
    try:
        numbers = np.asarray(values) if isinstance(values, list | tuple | np.ndarray | Tensor) else None
    except ValueError:  # lists of several lengths
        numbers = None
    if numbers is None or numbers.shape != (n,) or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"must return {n} {what}, an array of whole numbers ({n},), got {_kind(values)}")
    return numbers.astype(np.int64)


def _scores(values: Any, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Check for probabilities."""
    scores = _numbers(values, shape, device)
    low, high = (float(scores.min()), float(scores.max())) if scores.numel() else (0.0, 1.0)
    if low < -LOOSENESS or high > 1 + LOOSENESS:
        raise ValueError(f"must return probabilities, got numbers from {low:.3g} to {high:.3g}")
    return scores


def _numbers(values: Any, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Check for finite numbers, and return them as float32 on a device."""
    try:
        numbers = torch.as_tensor(values, dtype=torch.float32, device=device).detach()
    except (TypeError, ValueError, RuntimeError):
        numbers = None
    if numbers is None or tuple(numbers.shape) != shape:
        raise ValueError(f"must return a tensor {shape}, got {_kind(values)}")
    if not bool(numbers.isfinite().all()):
        raise ValueError("must return finite numbers, got some that are not")
    return numbers


def _kind(value: Any) -> str:
    """Return what a value is, in words."""
    if isinstance(value, np.ndarray | Tensor):
        return f"{value.dtype} {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int | float | str | None):
        return f"{value!r:.60}"
    return f"{type(value).__name__}"
