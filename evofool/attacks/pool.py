"""Continuous batching: candidates of many attempts fill every batch; a finished attempt's place goes to the next at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .attempt import Attempt, best_of
from .scorer import Candidates, Scored, Scorer
from .sweep import Sweep


@dataclass
class Entry:
    """An attempt that runs: its slot on the device, and its slice under way."""

    attempt: Attempt | Sweep
    slot: int
    column: int
    tag: object = None
    """whatever the caller wants to know it by"""
    slice: Candidates | None = None
    parts: list[Scored] = field(default_factory=list)
    missing: int = 0


class Pool:
    """Keeps a scorer busy with the slices of the attempts that are in it."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.entries: list[Entry] = []
        self.free = deque(range(len(scorer.images)))
        self.scored = 0
        self._waiting: deque[tuple[Entry, np.ndarray]] = deque()
        self._sent: deque[list[tuple[Entry, int]]] = deque()
        self._rows = 0

    @property
    def hungry(self) -> bool:
        """Whether another attempt is needed to fill the batches, and has a place."""
        return bool(self.free) and self._rows < self.scorer.rows * self.scorer.depth

    def add(self, attempt: Attempt | Sweep, image: np.ndarray, column: int, tag: object = None) -> Entry | None:
        """Let an attempt in; returned at once where it stops before it scores anything."""
        entry = Entry(attempt, self.free.popleft(), column, tag)
        self.scorer.put(entry.slot, image)
        if not self._queue(entry):
            self.free.append(entry.slot)
            return entry
        self.entries.append(entry)
        return None

    def step(self) -> Iterator[Entry]:
        """Score a batch; gives the attempts that ended with it."""
        while self.scorer.flying < self.scorer.depth and (
            self._rows >= self.scorer.rows or (self._rows and not self.scorer.flying)
        ):
            self._send()
        if not self.scorer.flying:
            return
        rows, scored = self.scorer.take()
        self.scored += len(rows) + int(scored.confirmed.sum())
        start = 0
        for entry, n in self._sent.popleft():
            entry.parts.append(_cut(scored, start, start + n))
            entry.missing -= n
            start += n
            if not entry.missing and not self._finish_slice(entry):
                self.entries.remove(entry)
                self.free.append(entry.slot)
                yield entry

    def confirm(self, entry: Entry) -> None:
        """Score an attempt's best candidate in float32, where that was not done; before its slot is taken again."""
        if self.scorer.exact or not (waiting := entry.attempt.unconfirmed()):
            return
        edits = np.stack([best.edits for best in waiting])
        scored = self.scorer.exactly(_rows(entry, edits))
        self.scored += len(edits)
        entry.attempt.confirm([best_of(edits, scored, row) for row in range(len(edits))])

    def _finish_slice(self, entry: Entry) -> bool:
        assert entry.slice is not None
        whole = {name: np.concatenate([getattr(part, name) for part in entry.parts]) for name in vars(entry.parts[0])}
        entry.attempt.take(entry.slice.edits, Scored(**whole))
        return self._queue(entry)

    def _queue(self, entry: Entry) -> bool:
        """Queue the attempt's next slice; False when it has stopped."""
        edits = entry.attempt.next_slice()
        n = len(edits)
        if not n:
            return False
        entry.slice = _rows(entry, edits)
        entry.parts, entry.missing = [], n
        self._waiting.append((entry, np.arange(n)))
        self._rows += n
        return True

    def _send(self) -> None:
        taken: list[tuple[Entry, Candidates]] = []
        room = self.scorer.rows
        while self._waiting and room:
            entry, rows = self._waiting.popleft()
            if len(rows) > room:
                self._waiting.appendleft((entry, rows[room:]))
                rows = rows[:room]
            assert entry.slice is not None
            taken.append((entry, entry.slice.take(rows)))
            room -= len(rows)
            self._rows -= len(rows)
        self._sent.append([(entry, len(rows)) for entry, rows in taken])
        self.scorer.send(_joined([rows for _, rows in taken]))


def _rows(entry: Entry, edits: np.ndarray) -> Candidates:
    """Candidates of one attempt."""
    n, targeted = len(edits), entry.attempt.criterion.target is not None
    return Candidates(np.full(n, entry.slot), edits, np.full(n, entry.column), np.full(n, targeted))


def _joined(parts: list[Candidates]) -> Candidates:
    """Many attempts' candidates as one batch; those with fewer pixels name their last one again."""
    most = max(part.edits.shape[1] for part in parts)
    padded = [np.take(part.edits, np.minimum(np.arange(most), part.edits.shape[1] - 1), axis=1) for part in parts]
    return Candidates(
        np.concatenate([part.slots for part in parts]),
        np.concatenate(padded),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.targeted for part in parts]),
    )


def _cut(scored: Scored, start: int, stop: int) -> Scored:
    return Scored(**{name: array[start:stop] for name, array in vars(scored).items()})
