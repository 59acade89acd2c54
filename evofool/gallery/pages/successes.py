"""The successes of a campaign that its pages show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...attacks.outcome import Outcome, recorded_edits
from ...attacks.subject import Subject
from ...encodings.pixels import edited
from .findings import Findings

MAX_OF_A_KIND = 2
"""Number of successes with the same change of class that come before all others are shown."""


@dataclass(frozen=True)
class Success:
    """A successful attempt.

    Attributes:
        outcome: Its record.
        subject: The image under attack.
        after: (C, H, W) uint8, the edited image.
        changed: (x, y) of the pixels that differ.
    """

    outcome: Outcome
    subject: Subject
    after: NDArray[np.uint8]
    changed: list[tuple[int, int]]

    @property
    def confidence(self) -> float:
        """Confidence of the new class."""
        return float(self.outcome["top5"][0][1])

    def changed_text(self, limit: int) -> str:
        """Return the changed pixels as a text with at most ``limit`` of them."""
        return ", ".join(f"({x},\u00a0{y})" for x, y in self.changed[:limit]) + (
            " …" if len(self.changed) > limit else ""
        )


def shown_successes(findings: Findings, limit: int) -> Iterator[Success]:
    """Yield at most ``limit`` successes with their images, in the order of :func:`ranked`."""
    for outcome in ranked(findings.successes)[:limit]:
        yield success_of(findings, outcome)


def success_of(findings: Findings, outcome: Outcome) -> Success:
    """Return a successful outcome with its image."""
    subject = findings.folder.subjects[outcome["image"]]
    before = subject.image
    edits = recorded_edits(outcome, len(before))
    after = edited(before, edits)
    changed = [(int(x), int(y)) for x, y in edits[:, :2] if (before[:, y, x] != after[:, y, x]).any()]
    return Success(outcome, subject, after, changed)


def ranked(successes: Sequence[Outcome]) -> list[Outcome]:
    """Return successes, the surest first; those beyond ``MAX_OF_A_KIND`` of the same change of class come last."""
    seen: Counter[tuple[int, int]] = Counter()
    ranks = []
    for outcome in sorted(successes, key=lambda outcome: (-outcome["top5"][0][1], outcome["image"])):
        change = outcome["label"], outcome["final_index"]
        seen[change] += 1
        ranks.append((seen[change] > MAX_OF_A_KIND, outcome))
    return [outcome for _, outcome in sorted(ranks, key=lambda rank: rank[0])]
