"""Parts of batches and of states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..encodings.cppn_batch import CPPNBatch
from ..errors import GenomeError

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


def under(prefix: str, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, without that."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def cppns_under(prefix: str, state: Mapping[str, np.ndarray]) -> CPPNBatch:
    """The CPPNs whose arrays' names begin so.

    Raises:
        ValueError: they are none.
    """
    try:
        batch = CPPNBatch.of(under(prefix, state))
        batch.check(1)
    except GenomeError as error:
        raise ValueError(f"genomes of a search: {error}") from error
    return batch
