"""The elites of a run as an archive of pyribs, for its analysis, its plots and its emitters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..jobs.archive_table import archive_table
from ..jobs.result import Result
from ..targets.doors.needs import need_package


def ribs_archive(result: Result, classes: str | int | Iterable[str | int] | None = None) -> Any:
    """Return the elites of a run as a ``ribs.archives.GridArchive``.

    A solution has the pixels in [0, 1] that the network saw, the objective is the confidence. Measures are the index of
    the class and the descriptors. Of one class alone, measures are the descriptors: two of them are a heat map.

    Args:
        result: What :func:`evofool.evolve` or :func:`evofool.open` returned.
        classes: Names or indices of classes; None for all.

    Raises:
        ConfigError: pyribs is missing, a class has no elites, or it is no result of a run.
    """
    if not isinstance(result, Result):
        raise ConfigError(f"`result` must be the result of evofool.evolve, got {type(result).__name__}")
    need_package("ribs", "archives", "bench", ConfigError)
    from ribs.archives import GridArchive

    table = archive_table(result, classes)
    archive = GridArchive(
        solution_dim=table.solution.shape[1], dims=table.dims, ranges=table.ranges, dtype=np.float32, seed=0
    )
    measures = table.measures.copy()
    low, high = np.array(table.ranges, np.float32).T
    middle = low + (table.cells + np.float32(0.5)) / np.array(table.dims, np.float32) * (high - low)
    elsewhere = archive.index_of(measures) != table.index  # On the edge of a cell, pyribs rounds in its own way.
    measures[elsewhere] = middle[elsewhere]
    archive.add(table.solution, table.objective, measures)
    return archive
