"""Candidates of attempts, and what scoring them gives: arrays with a row per candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..encodings.base import Indices
from ..encodings.pixels import Edits


@dataclass(frozen=True)
class Candidates:
    """N candidates.

    Attributes:
        slots: (N,) where their base images lie; see :meth:`evofool.attacks.scorer.Scorer.put`.
        edits: (N, k, 2 + C) what is changed in them.
        watched: (N,) the class whose probability decides; see :func:`evofool.attacks.margins.margins`.
        targeted: (N,) whether that class is to be reached.
        confirm_below: (N,) the margin below which a fast score is confirmed.
    """

    slots: Indices
    edits: Edits
    watched: Indices
    targeted: NDArray[np.bool_]
    confirm_below: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, rows: Indices) -> Candidates:
        """Return the candidates of these rows."""
        return Candidates(**{name: array[rows] for name, array in vars(self).items()})

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """Return many attempts' candidates as one batch. Those with fewer pixels repeat their last one."""
        most = max(part.edits.shape[1] for part in parts)
        padded = [np.take(part.edits, np.minimum(np.arange(most), part.edits.shape[1] - 1), axis=1) for part in parts]
        return Candidates(
            np.concatenate([part.slots for part in parts]),
            np.concatenate(padded),
            np.concatenate([part.watched for part in parts]),
            np.concatenate([part.targeted for part in parts]),
            np.concatenate([part.confirm_below for part in parts]),
        )


@dataclass(frozen=True)
class CandidateScores:
    """What N candidates scored.

    Attributes:
        margin, fitness: (N,) each; see :class:`evofool.attacks.searches.base.Feedback`.
        top: (N, T) the classes with the highest probabilities, highest first.
        confidence: (N, T) their probabilities.
        confirmed: (N,) whether a fast score was replaced by one that goes on record, which is one more query.
        scores: (N, K) all probabilities where one search settles many criteria at once, else (N, 0).
    """

    margin: NDArray[np.float32]
    fitness: NDArray[np.float32]
    top: Indices
    confidence: NDArray[np.float32]
    confirmed: NDArray[np.bool_]
    scores: NDArray[np.float32]

    def cut(self, start: int, stop: int) -> Self:
        """Return the rows from ``start`` up to ``stop``."""
        return type(self)(**{name: array[start:stop] for name, array in vars(self).items()})

    def replace(self, rows: Indices, scores: CandidateScores) -> None:
        """Overwrite rows, in place."""
        for name, values in vars(scores).items():
            getattr(self, name)[rows] = values

    @classmethod
    def joined(cls, parts: Sequence[CandidateScores]) -> Self:
        """Return the rows of all parts, one after another."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})
