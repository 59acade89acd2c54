"""Batches of genomes that several searches side by side make up, and CPPNs of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...encodings.cppn.batch import CPPNBatch
from ...errors import GenomeError
from ..states import State, under

if TYPE_CHECKING:
    from torch import Tensor

    from ..archive import Archive

Load = Callable[[State], CPPNBatch]
"""A function that makes CPPNs of their arrays, or raises a GenomeError."""

CHILDREN_PER_SEARCH = 20
"""About how many children per generation each of several searches side by side has."""


def split_evenly(n: int, count: int) -> list[int]:
    """Return ``n`` in ``count`` equal parts; the first ones take what is left over."""
    return [n // count + (part < n % count) for part in range(count)]


def joined(batches: Sequence[Any]) -> Any:
    """Return batches of genomes as one."""
    first, *others = batches
    if not others:
        return first
    lengths = [len(batch) for batch in batches]
    whole = first.take(np.minimum(np.arange(sum(lengths)), lengths[0] - 1))
    start = lengths[0]
    for batch in others:
        whole.put(np.arange(start, start + len(batch)), batch)
        start += len(batch)
    return whole


def scores_of_parts(scores: Tensor, parts: Sequence[tuple[int, int]]) -> list[NDArray[np.float64]]:
    """Return the scores of each part of a batch for the part's own class. Waits for a GPU once.

    Args:
        scores: (n, K) The children's scores, part after part.
        parts: The class index of each part, and how many children it has.
    """
    import torch  # Checking an emitter's name needs none.

    if not parts:
        return []
    indices, counts = (np.array(column, np.int64) for column in zip(*parts, strict=True))
    columns = torch.from_numpy(np.repeat(indices, counts)).to(scores.device)
    reached = scores[: len(columns)].gather(1, columns[:, None])[:, 0].numpy(force=True).astype(np.float64)
    return np.split(reached, np.cumsum(counts)[:-1])


def copied_arrays(genomes: CPPNBatch) -> State:
    """Return copies of the arrays of CPPNs, which :func:`load_cppns` takes."""
    return {name: array.copy() for name, array in vars(genomes).items()}


def load_cppns(prefix: str, state: State, load: Load, archive: Archive) -> CPPNBatch:
    """Return the CPPNs in the part of a state with this prefix.

    Raises:
        ValueError: There are none, or they have other numbers of slots than the archive's.
    """
    try:
        batch = load(under(prefix, state))
    except GenomeError as error:
        raise ValueError(f"an emitter's genomes: {error}") from error
    elites = None if archive.genomes is None else archive.genomes.take(np.zeros(1, np.int64))
    if elites is None or [array.shape[1] for array in batch.graphs()] != [array.shape[1] for array in elites.graphs()]:
        raise ValueError("an emitter's genomes should have as many slots as the elites")
    return batch
