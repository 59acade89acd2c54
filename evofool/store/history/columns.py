"""The arrays of a history file: what they must be, and how files are cut and joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...io.arrays import Arrays
from ..records import MAX_SHARE

COLUMNS: dict[str, type] = {
    "generation": np.int32,
    "niche": np.int32,
    "evaluation_id": np.int64,
    "parent": np.int64,
    "score": np.float32,
}
"""Types of the arrays that have a row per change."""


def check_columns(arrays: Arrays, whole: bool) -> None:
    """Check that the arrays of a file, or some of them, fit together and can be true.

    Raises:
        KeyError: The file is read as a whole, and an array is missing.
        ValueError: An array is of another type, length or dimension, or has a value that can't be.
    """
    kinds = {**COLUMNS, "genome_id": np.int64}
    if whole and (missing := kinds.keys() - arrays.keys()):
        raise KeyError(f"{min(missing)} is missing")
    for name, array in arrays.items():
        if name in kinds and (array.dtype != kinds[name] or array.ndim != 1):
            raise ValueError(f"{name} is {array.dtype} with {array.ndim} dimensions")
    lengths = {len(array) for name, array in arrays.items() if name in COLUMNS}
    genomes = {len(array) if array.ndim else -1 for array in genome_arrays(arrays).values()}
    if len(lengths) > 1 or genomes - {len(arrays.get("genome_id", ()))}:
        raise ValueError("its arrays differ in length")
    for name, least in (("generation", 1), ("niche", 0), ("evaluation_id", 0)):
        if name in arrays and (arrays[name] < least).any():
            raise ValueError(f"{name} is {arrays[name].min()}")
    if "score" in arrays and not ((arrays["score"] >= 0) & (arrays["score"] <= MAX_SHARE)).all():
        raise ValueError("score is none")
    if {"parent", "evaluation_id"} <= arrays.keys() and (arrays["parent"] >= arrays["evaluation_id"]).any():
        raise ValueError("a child is not newer than its parent")


def genome_arrays(arrays: Arrays) -> Arrays:
    """Return the genomes of a file as the encoding's arrays."""
    return {name.removeprefix("genome."): array for name, array in arrays.items() if name.startswith("genome.")}


def before(arrays: Arrays, generation: int) -> Arrays:
    """Return a file's arrays without what happened after a generation."""
    rows = arrays["generation"] <= generation
    genomes = np.isin(arrays["genome_id"], arrays["evaluation_id"][rows])
    return {name: array[rows if name in COLUMNS else genomes] for name, array in arrays.items()}


def joined(parts: Sequence[Arrays]) -> Arrays:
    """Return the arrays of several files as those of one.

    Rows and genomes that a process left twice, since it was killed while it joined files, are there once.
    """
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows, genomes = unique_rows(arrays["generation"], arrays["niche"]), unique_rows(arrays["genome_id"])
    return {name: array[rows if name in COLUMNS else genomes] for name, array in arrays.items()}


def unique_rows(*keys: np.ndarray) -> NDArray[np.int64]:
    """Return where each combination of keys (C,) stands first, in order."""
    _, first = np.unique(np.stack(keys), axis=1, return_index=True)
    return np.asarray(np.sort(first), np.int64)
