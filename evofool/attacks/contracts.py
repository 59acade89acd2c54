"""What a user's operators of a pixel search must return."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..encodings.pixels import Edits, Pixels
from ..engines.toolbox import Contract, call_checked, seed_of
from .searches.base import Feedback, Problem, Search


def contracts(space: Pixels, *, real: bool) -> dict[str, Contract]:
    """Return the contracts by alias.

    Args:
        space: The edits that are searched.
        real: Whether first genomes are real numbers, of which edits are made later.
    """

    def first(arguments: tuple[Any, ...], result: Any) -> Any:
        return (genes_of if real else edits_of)(space, arguments[0], result)

    def mated(arguments: tuple[Any, ...], result: Any) -> Any:
        return genes_of(space, len(arguments[0]), result)

    return {
        "random": first,
        "mutate": mated,
        "mate": mated,
        "select": _chosen,
        "search": partial(_checked_search, space),
    }


def edits_of(space: Pixels, count: int | None, result: Any) -> Edits:
    """Check for edits (N, k, 2 + C) that are in the image and change k different pixels.

    Args:
        space: The edits that are searched.
        count: N, or None for any number.
        result: What an operator returned.
    """
    edits = _array(space, count, result, "iu", "whole numbers")
    _check_range(edits, space)
    places = np.sort(space.places_of(edits), axis=1)
    if (places[:, 1:] == places[:, :-1]).any():
        raise ValueError(f"must return edits of {space.k} different pixels, got one that edits a pixel twice")
    return edits.astype(np.int16)


def genes_of(space: Pixels, count: int, result: Any) -> NDArray[np.float64]:
    """Check for real genomes (count, k, 2 + C), x in [0, W), y in [0, H), colours in [0, 256)."""
    genes = _array(space, count, result, "iuf", "numbers")
    if not np.isfinite(genes).all():
        raise ValueError("must return finite numbers, got some that are not")
    _check_range(genes, space)
    return genes.astype(np.float64)


def _array(space: Pixels, count: int | None, result: Any, kinds: str, words: str) -> NDArray[Any]:
    shape = (count, space.k, space.genes)
    right = isinstance(result, np.ndarray) and result.ndim == 3 and result.dtype.kind in kinds
    if not right or result.shape[1:] != shape[1:] or count not in (None, len(result)):
        wanted = f"({'N' if count is None else count}, {space.k}, {space.genes})"
        raise ValueError(
            f"must return an array of {words} {wanted}: x, y and colour of each pixel; got {_kind(result)}"
        )
    array: NDArray[Any] = result
    return array


def _kind(result: Any) -> str:
    return f"{result.dtype} {result.shape}" if isinstance(result, np.ndarray) else f"{result!r:.60}"


def _check_range(values: NDArray[Any], space: Pixels) -> None:
    limits = np.array([space.width, space.height, *[256] * space.channels])
    if ((values < 0) | (values >= limits)).any():
        raise ValueError(
            f"must return x in [0, {limits[0]}), y in [0, {limits[1]}) and colours in [0, 256), got values from "
            f"{values.min():g} to {values.max():g}"
        )


def _chosen(arguments: tuple[Any, ...], result: Any) -> NDArray[np.bool_]:
    """Check which trials (N,) replace their parents."""
    count = len(arguments[0])
    if not isinstance(result, np.ndarray) or result.shape != (count,) or result.dtype != bool:
        raise ValueError(f"must return ({count},) bool, whether each trial replaces its parent; got {_kind(result)}")
    return result


def _checked_search(space: Pixels, arguments: tuple[Any, ...], result: Any) -> Search:
    """Check that a user's search can be asked and told, and check what it asks for later."""
    methods = [getattr(result, name, None) for name in ("ask", "tell")]
    if isinstance(result, type) or not all(map(callable, methods)):
        raise ValueError(f"must return an object with ask() and tell(), got {type(result).__name__}")
    return _CheckedSearch(result, space, arguments[0])


class _CheckedSearch:
    """A user's search, checked at every step."""

    def __init__(self, search: Search, space: Pixels, problem: Problem) -> None:
        self._search, self._space, self._problem, self._steps = search, space, problem, 0

    def ask(self) -> Edits:
        edits: Edits = self._call("ask", self._search.ask, partial(edits_of, self._space, None))
        return edits

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        self._call("tell", partial(self._search.tell, edits, feedback), None)

    def _call(self, method: str, function: Callable[[], Any], check: Callable[[Any], Any] | None) -> Any:
        self._steps += 1
        seed = seed_of(f"{method} {self._steps}", self._problem.rng)
        return call_checked(f"search ({type(self._search).__qualname__}.{method})", function, check, seed=seed)
