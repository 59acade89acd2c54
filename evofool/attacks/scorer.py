"""Scoring candidates: edits scattered into base images on the device, always in batches of one shape."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import torch
from deap import base
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.pixels import Edits, apply_edits
from ..targets.torch_target import Target
from .criterion import margins

CONFIRM_ROWS = 8
"""rows of a confirming forward pass, filled up where there are fewer: one shape, the same scores always"""

TOP = 5
"""classes whose probabilities are kept"""


@dataclass(frozen=True)
class Candidates:
    """N candidates: ``slots`` (N,) their base images, ``edits`` (N, k, 2 + C), ``columns`` (N,) and ``targeted`` (N,)
    their criteria; see :func:`~evofool.attacks.criterion.margins`."""

    slots: NDArray[np.int64]
    edits: Edits
    columns: NDArray[np.int64]
    targeted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, rows: NDArray[np.int64]) -> Candidates:
        return Candidates(self.slots[rows], self.edits[rows], self.columns[rows], self.targeted[rows])


@dataclass(frozen=True)
class Scored:
    """What N candidates gave, on the host.

    Attributes:
        margin: (N,) and ``fitness`` (N,): see :class:`~evofool.attacks.searches.base.Feedback`.
        top: (N, T) the classes scored highest; ``confidence`` (N, T) their probabilities.
        confirmed: (N,) whether a fast score was replaced by one in float32, which is one more query.
        scores: (N, K) all probabilities, where the scorer settles many criteria at once; else (N, 0).
    """

    margin: NDArray[np.float32]
    fitness: NDArray[np.float32]
    top: NDArray[np.int64]
    confidence: NDArray[np.float32]
    confirmed: NDArray[np.bool_]
    scores: NDArray[np.float32]


def build_toolbox(target: Target) -> base.Toolbox:
    """Where scoring is wired: ``decode`` (base images, edits → images), ``evaluate`` and ``confirm``."""
    toolbox = base.Toolbox()
    toolbox.register("decode", apply_edits)
    toolbox.register("evaluate", target.scores)
    toolbox.register("confirm", target.confirm)
    return toolbox


class Scorer:
    """Scores candidates of many attempts in batches of exactly ``rows`` rows.

    A row's scores must not depend on its neighbours, or a resumed campaign could end otherwise than an undisturbed
    one: every forward pass has the same shape, and a batch that is not full is filled up with repetitions.

    Args:
        toolbox: with ``decode evaluate confirm``.
        target: for its device and shape.
        rows: of a batch.
        slots: base images held on the device at once.
        settle: score in float32 only, and give every row's whole score vector.
    """

    def __init__(self, toolbox: base.Toolbox, target: Target, rows: int, slots: int, *, settle: bool = False) -> None:
        self.toolbox, self.rows, self.settle = toolbox, rows, settle
        self.device, self.exact = target.device, settle or target.precision == "float32"
        self.images = torch.zeros((slots, *target.image_shape), dtype=torch.uint8, device=target.device)
        self.depth = 2 if target.device.type == "cuda" else 1
        self._flying: deque[tuple[Candidates, tuple[Tensor, ...]]] = deque()

    def put(self, slot: int, image: np.ndarray) -> None:
        """Make (C, H, W) uint8 the base image of a slot."""
        self.images[slot] = torch.from_numpy(np.array(image)).to(self.device)

    @property
    def flying(self) -> int:
        """batches sent whose results were not taken yet"""
        return len(self._flying)

    def send(self, rows: Candidates) -> None:
        """Start scoring up to ``self.rows`` candidates."""
        evaluate = self.toolbox.confirm if self.exact else self.toolbox.evaluate
        self._flying.append((rows, self._score(rows, evaluate, self.rows)))

    def take(self) -> tuple[Candidates, Scored]:
        """The candidates of the batch sent first, and what they gave."""
        rows, tensors = self._flying.popleft()
        scored = _on_host(tensors, len(rows))
        which = np.flatnonzero(scored.margin < 0)
        if len(which) and not self.exact:
            exact = self.exactly(rows.take(which))
            for name, values in vars(exact).items():
                getattr(scored, name)[which] = values
        return rows, scored

    def exactly(self, rows: Candidates) -> Scored:
        """Score candidates in float32, apart from the batches."""
        parts = []
        for start in range(0, len(rows), CONFIRM_ROWS):
            part = rows.take(np.arange(start, min(start + CONFIRM_ROWS, len(rows))))
            parts.append(_on_host(self._score(part, self.toolbox.confirm, CONFIRM_ROWS), len(part)))
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
        return replace(Scored(**joined), confirmed=np.ones(len(rows), bool))

    def _score(self, rows: Candidates, evaluate: object, size: int) -> tuple[Tensor, ...]:
        filled = rows.take(np.resize(np.arange(len(rows)), size))
        columns, targeted, slots, edits = (
            torch.from_numpy(array).to(self.device, non_blocking=True)
            for array in (filled.columns, filled.targeted, filled.slots, filled.edits)
        )
        scores = evaluate(self.toolbox.decode(self.images[slots], edits))  # type: ignore[operator]
        confidence, top = scores.topk(min(TOP, scores.shape[1]), dim=1)
        kept = scores if self.settle else scores[:, :0]
        return (*margins(scores, columns, targeted), top, confidence, kept)


def _on_host(tensors: tuple[Tensor, ...], n: int) -> Scored:
    margin, fitness, top, confidence, scores = (tensor[:n].cpu().numpy() for tensor in tensors)
    return Scored(margin, fitness, top, confidence, np.zeros(n, bool), scores)
