"""Continuous batching: each batch has candidates of many attempts; one that ends makes room for the next at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..encodings.pixels import Edits
from .attempt import Attempt, BestCandidate
from .candidates import Candidates, CandidateScores
from .scorer import Scorer
from .sweep import Sweep


@dataclass
class Entry:
    """An attempt in the pool.

    Attributes:
        attempt: Its state.
        slot: Where its base image lies.
        watched: The class whose probability decides.
        tag: What the caller knows it by.
        slice: Its candidates that wait for their scores.
        parts: The scores that have come so far, in order.
        missing: How many have not come yet.
    """

    attempt: Attempt | Sweep
    slot: int
    watched: int
    tag: Any = None
    slice: Candidates | None = None
    parts: list[CandidateScores] = field(default_factory=list)
    missing: int = 0

    def candidates(self, edits: Edits) -> Candidates:
        """Return edits (N, k, 2 + C) as candidates of this attempt."""
        n, attempt = len(edits), self.attempt
        return Candidates(
            np.full(n, self.slot),
            edits,
            np.full(n, self.watched),
            np.full(n, attempt.criterion.targeted),
            np.full(n, attempt.confirm_below, np.float32),
        )


class Pool:
    """Keeps a scorer busy with the slices of the attempts that are in it."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.entries: list[Entry] = []
        self.free_slots = deque(range(len(scorer.images)))
        self.scored = 0
        self._waiting: deque[tuple[Entry, Candidates]] = deque()
        self._sent: deque[list[tuple[Entry, int]]] = deque()
        self._waiting_rows = 0

    @property
    def has_room(self) -> bool:
        """Whether another attempt is needed to fill the batches, and finds a slot."""
        return bool(self.free_slots) and self._waiting_rows < self.scorer.rows * self.scorer.depth

    def add(self, attempt: Attempt | Sweep, image: NDArray[np.uint8], label: int, tag: Any = None) -> Entry | None:
        """Let an attempt in. It is returned at once where it stops before anything is scored.

        Args:
            image: (C, H, W), the image under attack.
            label: Its true class.
            tag: What the caller knows the attempt by.
        """
        entry = Entry(attempt, self.free_slots.popleft(), attempt.criterion.watched_class(label), tag)
        self.scorer.put(entry.slot, image)
        if not self._queue(entry):
            self.free_slots.append(entry.slot)
            return entry
        self.entries.append(entry)
        return None

    def step(self) -> Iterator[Entry]:
        """Receive a batch's scores, and return the attempts that end with it."""
        while self.scorer.under_way < self.scorer.depth and (
            self._waiting_rows >= self.scorer.rows or (self._waiting_rows and not self.scorer.under_way)
        ):
            self._send()
        if not self.scorer.under_way:
            return
        candidates, scores = self.scorer.receive()
        self.scored += len(candidates) + int(scores.confirmed.sum())
        start = 0
        for entry, n in self._sent.popleft():
            entry.parts.append(scores.cut(start, start + n))
            entry.missing -= n
            start += n
            if not entry.missing and not self._finish_slice(entry):
                self.entries.remove(entry)
                self.free_slots.append(entry.slot)
                yield entry

    def confirm(self, entry: Entry) -> None:
        """Confirm the score of an attempt's best candidate where that was not done.

        Args:
            entry: An attempt that ended. Its slot must not be taken again yet.
        """
        attempt = entry.attempt
        if self.scorer.exact or isinstance(attempt, Sweep) or attempt.best is None or attempt.best.confirmed:
            return
        edits = attempt.best.edits[None]
        attempt.confirm(BestCandidate.of_row(edits, self.scorer.confirm(entry.candidates(edits)), 0))
        self.scored += 1

    def _finish_slice(self, entry: Entry) -> bool:
        """Give an attempt the scores of its slice, and queue the next one. Returns False when it has stopped."""
        assert entry.slice is not None
        entry.attempt.take(entry.slice.edits, CandidateScores.joined(entry.parts))
        return self._queue(entry)

    def _queue(self, entry: Entry) -> bool:
        """Queue an attempt's next slice. Returns False when the attempt has stopped."""
        edits = entry.attempt.next_slice()
        if not len(edits):
            return False
        entry.slice = entry.candidates(edits)
        entry.parts, entry.missing = [], len(edits)
        self._waiting.append((entry, entry.slice))
        self._waiting_rows += len(edits)
        return True

    def _send(self) -> None:
        """Send as many waiting candidates as a batch holds."""
        taken: list[tuple[Entry, Candidates]] = []
        room = self.scorer.rows
        while self._waiting and room:
            entry, candidates = self._waiting.popleft()
            if len(candidates) > room:
                rows = np.arange(len(candidates))
                self._waiting.appendleft((entry, candidates.take(rows[room:])))
                candidates = candidates.take(rows[:room])
            taken.append((entry, candidates))
            room -= len(candidates)
            self._waiting_rows -= len(candidates)
        self._sent.append([(entry, len(candidates)) for entry, candidates in taken])
        self.scorer.send(Candidates.joined([candidates for _, candidates in taken]))
