"""Scoring candidates: edits are put into base images on the device, always in batches of one shape."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from deap import base
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.apply_edits import apply_edits
from ..engines.base import Engine
from ..engines.local import passes_at_once
from ..targets.execution.side_by_side import submit
from .candidates import Candidates, CandidateScores
from .margins import margins

CONFIRM_ROWS = 8
"""Rows of a confirming batch, filled up where there are fewer, so that a confirmed score never depends on its batch."""

TOP = 5
"""Classes whose probabilities are kept."""


@dataclass(frozen=True)
class _Batch:
    """A batch under way: its candidates, and what all its rows score, on the device."""

    candidates: Candidates
    margin: Tensor
    fitness: Tensor
    top: Tensor
    confidence: Tensor
    scores: Tensor


def batches_under_way(engine: Engine) -> int:
    """Return how many batches are sent before the first one's scores are read: one more than are computed at once."""
    at_once = passes_at_once(engine)
    return at_once + 1 if at_once > 1 or engine.device.type == "cuda" else 1


def build_toolbox(engine: Engine) -> base.Toolbox:
    """Wire scoring: ``decode`` (base images and edits to images), ``evaluate`` and ``confirm`` (images to scores)."""
    toolbox = base.Toolbox()
    toolbox.register("decode", apply_edits)
    toolbox.register("evaluate", engine.scores)
    toolbox.register("confirm", engine.confirm)
    return toolbox


class Scorer:
    """Scores candidates of many attempts in batches of exactly ``rows`` rows.

    A row's scores must not depend on its neighbours, or a resumed campaign could end otherwise than an undisturbed
    one. So every forward pass has the same shape, and a batch that is not full is filled up with repetitions.

    Args:
        toolbox: With ``decode evaluate confirm``.
        engine: Where scoring happens.
        rows: Rows of a batch.
        slots: Base images held on the device at once.
        settle: Score in the precision that goes on record only, and keep every row's whole score vector.
    """

    def __init__(self, toolbox: base.Toolbox, engine: Engine, rows: int, slots: int, *, settle: bool = False) -> None:
        self.toolbox, self.engine, self.rows, self.settle = toolbox, engine, rows, settle
        self.exact = settle or engine.exact
        self.images = torch.zeros((slots, *engine.target.image_shape), dtype=torch.uint8, device=engine.device)
        self.depth, self._beside = batches_under_way(engine), passes_at_once(engine) > 1
        self._batches: deque[_Batch | Future[_Batch]] = deque()

    @property
    def under_way(self) -> int:
        """Batches sent whose scores were not received yet."""
        return len(self._batches)

    def put(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Make (C, H, W) the base image of a slot."""
        self.images[slot] = torch.from_numpy(np.array(image)).to(self.engine.device)

    def send(self, candidates: Candidates) -> None:
        """Start scoring up to ``rows`` candidates."""
        evaluate = self.toolbox.confirm if self.exact else self.toolbox.evaluate
        start = partial(self._start, candidates, evaluate, self.rows)
        self._batches.append(submit(start) if self._beside else start())

    def receive(self) -> tuple[Candidates, CandidateScores]:
        """Return the candidates of the batch sent first, and their scores, successes and near misses confirmed.

        Raises:
            TargetError: The scores are no probabilities.
        """
        sent = self._batches.popleft()
        batch = sent.result() if isinstance(sent, Future) else sent
        candidates, scores = batch.candidates, self._fetch(batch)
        rows = np.flatnonzero(scores.margin < candidates.confirm_below)
        if len(rows) and not self.exact:
            scores.replace(rows, self.confirm(candidates.take(rows)))
        return candidates, scores

    def confirm(self, candidates: Candidates) -> CandidateScores:
        """Score candidates in the precision that goes on record, apart from the batches.

        Raises:
            TargetError: The scores are no probabilities.
        """
        parts = []
        for start in range(0, len(candidates), CONFIRM_ROWS):
            part = candidates.take(np.arange(start, min(start + CONFIRM_ROWS, len(candidates))))
            parts.append(self._fetch(self._start(part, self.toolbox.confirm, CONFIRM_ROWS)))
        return replace(CandidateScores.joined(parts), confirmed=np.ones(len(candidates), bool))

    def _start(self, candidates: Candidates, evaluate: Callable[[Tensor], Tensor], rows: int) -> _Batch:
        filled = candidates.take(np.resize(np.arange(len(candidates)), rows))
        watched, targeted, slots, edits = (
            torch.from_numpy(array).to(self.engine.device, non_blocking=True)
            for array in (filled.watched, filled.targeted, filled.slots, filled.edits)
        )
        scores = evaluate(self.toolbox.decode(self.images[slots], edits))
        confidence, top = scores.topk(min(TOP, scores.shape[1]), dim=1)
        kept = scores if self.settle else scores[:, :0]
        return _Batch(candidates, *margins(scores, watched, targeted), top, confidence, kept)

    def _fetch(self, batch: _Batch) -> CandidateScores:
        """Wait for a batch, and return what its candidates score."""
        n = len(batch.candidates)
        confidence = batch.confidence[:n].cpu()
        self.engine.check(confidence)  # NaN and infinity come first in a top five
        margin, fitness, top, scores = (
            tensor[:n].cpu().numpy() for tensor in (batch.margin, batch.fitness, batch.top, batch.scores)
        )
        return CandidateScores(margin, fitness, top, confidence.numpy(), np.zeros(n, bool), scores)
