"""The elites of a run as pyribs keeps an archive: solutions, objectives, measures and the index of the cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config.classes import choose_classes
from ..config.records import RunConfig
from ..search.descriptors import DESCRIPTORS


class Found(Protocol):
    """What is needed of a run's result; see :class:`~evofool.jobs.result.Result`."""

    @property
    def classes(self) -> list[str]: ...
    @property
    def indices(self) -> np.ndarray: ...
    @property
    def confidence(self) -> np.ndarray: ...
    @property
    def decode(self) -> Callable[..., np.ndarray]: ...
    @property
    def places(self) -> list[dict[str, Any]] | None: ...
    @property
    def config(self) -> RunConfig: ...


@dataclass(frozen=True)
class ArchiveTable:
    """Elites in a grid.

    Attributes:
        solution: (N, C·H·W) float32, the pixels in [0, 1] that the network saw; times 255 they are whole numbers.
        objective: (N,) float32, the confidences.
        measures: (N, D) float32: the index of the class, then the descriptors, or the place in the class's niches
            where novelty tells its images apart. Where one class was asked for, the first is left out if there are
            others.
        cells: (N, D) The cell of each elite.
        names: What the D measures are.
        dims: How many cells there are along each measure; ``ranges`` its ends.
    """

    solution: NDArray[np.float32]
    objective: NDArray[np.float32]
    measures: NDArray[np.float32]
    cells: NDArray[np.int64]
    names: tuple[str, ...]
    dims: tuple[int, ...]
    ranges: tuple[tuple[float, float], ...]

    @property
    def index(self) -> NDArray[np.int64]:
        """The (N,) number of each elite's cell; the last measure counts fastest."""
        return np.asarray(np.ravel_multi_index(tuple(self.cells.T), self.dims), np.int64)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return columns as ``ribs.archives.ArchiveDataFrame`` has them."""
        return {
            **{f"solution_{place}": column for place, column in enumerate(self.solution.T)},
            "objective": self.objective,
            **{f"measures_{place}": column for place, column in enumerate(self.measures.T)},
            "index": self.index,
        }


def archive_table(result: Found, classes: str | int | Iterable[str | int] | None = None) -> ArchiveTable:
    """Return a run's elites as pyribs has them.

    Args:
        result: The run's result.
        classes: Names or indices of classes; None for all.

    Raises:
        ConfigError: A class is none that has elites.
    """
    options, count = result.config.options, result.config.target.classes
    wanted = choose_classes(classes, dict(zip(result.indices.tolist(), result.classes, strict=True)))
    rows = np.flatnonzero(np.isin(result.indices, wanted)).tolist()
    names, dims, ranges = ["class"], [count], [(0.0, float(count))]
    measures = [result.indices[rows].astype(np.float32)]
    cells = [result.indices[rows].astype(np.int64)]
    if result.places:
        places, bins = [result.places[row] for row in rows], options.bins or 1
        for axis, name in enumerate(options.descriptors or ("niche",)):
            cell = np.array([place["cell"][axis] for place in places], np.int64)
            own = [place["descriptors"][name] for place in places] if options.descriptors else cell
            known = DESCRIPTORS.get(name)
            names.append(name)
            dims.append(bins)
            ranges.append((known.low, known.high) if known else (0.0, float(bins)))
            measures.append(np.asarray(own, np.float32))
            cells.append(cell)
    first = 1 if classes is not None and len(wanted) == 1 and len(names) > 1 else 0
    pixels = result.decode(rows).reshape(len(rows), -1)
    return ArchiveTable(
        solution=pixels.astype(np.float32) / np.float32(255),
        objective=result.confidence[rows],
        measures=np.stack(measures[first:], 1),
        cells=np.stack(cells[first:], 1),
        names=tuple(names[first:]),
        dims=tuple(dims[first:]),
        ranges=tuple(ranges[first:]),
    )
