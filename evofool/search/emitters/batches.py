"""Parts of batches and of states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...encodings.cppn.batch import CPPNBatch
from ...errors import GenomeError
from ..archive import Archive

Load = Callable[[dict[str, np.ndarray]], CPPNBatch]

CHILDREN = 20
"""a generation, about, of one of several searches side by side"""


def shares(batch: int, parts: int) -> list[int]:
    """A batch in equal parts; the first ones have what is left over."""
    return [batch // parts + (part < batch % parts) for part in range(parts)]


def joined(batches: Sequence[Any]) -> Any:
    """Batches of genomes as one."""
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


def scores_of(scores: Tensor, asked: Sequence[tuple[int, int]]) -> list[NDArray[np.float64]]:
    """Of the scores (n, K) of children one after the other, each part's for its own class. Waits for a GPU once.

    Args:
        asked: of each part, the class and how many children.
    """
    if not asked:
        return []
    indices, counts = (np.array(each, np.int64) for each in zip(*asked, strict=True))
    columns = torch.from_numpy(np.repeat(indices, counts)).to(scores.device)
    own = scores[: len(columns)].gather(1, columns[:, None])[:, 0].numpy(force=True).astype(np.float64)
    return np.split(own, np.cumsum(counts)[:-1])


def under(prefix: str, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, without that."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def numbered(states: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Several states as one, their names behind ``0.``, ``1.`` and so on."""
    return {f"{at}.{name}": array for at, state in enumerate(states) for name, array in state.items()}


def parts(state: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The states that :func:`numbered` made one."""
    count = len({name.partition(".")[0] for name in state})
    return [under(f"{at}.", state) for at in range(count)]


def whole_numbers(array: np.ndarray, count: int) -> np.ndarray:
    """These, if they are so many of 0 or more.

    Raises:
        ValueError: they aren't.
    """
    if array.shape != (count,) or array.dtype != np.int64 or (array < 0).any():
        raise ValueError(f"should be {count} whole numbers of 0 or more")
    return array


def cppns_under(prefix: str, state: Mapping[str, np.ndarray], load: Load, archive: Archive) -> CPPNBatch:
    """The CPPNs whose arrays' names begin so, of as many slots as an archive's.

    Raises:
        ValueError: they are none.
    """
    try:
        batch = load(under(prefix, state))
    except GenomeError as error:
        raise ValueError(f"an emitter's genomes: {error}") from error
    elites = None if archive.genomes is None else archive.genomes.take(np.zeros(1, np.int64))
    if elites is None or [one.shape[1] for one in batch.graphs()] != [one.shape[1] for one in elites.graphs()]:
        raise ValueError("an emitter's genomes have other slots than the elites")
    return batch
