"""How far a campaign is: attempts, success rate, queries, speed and remaining time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..observers.rates import CampaignRate, Clock
from ..text import clock, per_second
from .live import Snapshot
from .phrases import describe_asked, describe_rate, describe_success, describe_workers

if TYPE_CHECKING:
    from ..jobs.campaign import CampaignStep

SUCCESSES_SHOWN = 4
"""How many of the last successes the live panel shows."""


class CampaignView:
    """Describes the steps of a campaign.

    Args:
        now: The clock.
    """

    notes: Sequence[str] = ()

    def __init__(self, now: Clock = time.monotonic) -> None:
        self.rate = CampaignRate(now)
        self._successes: deque[str] = deque(maxlen=SUCCESSES_SHOWN)
        self._noted = False

    def note(self, step: CampaignStep) -> None:
        """Take the figures and the successes of the next batch."""
        self.rate.note(step)
        self._successes.extend(describe_success(outcome) for outcome in step.new if outcome["success"])

    def describe(self, step: CampaignStep) -> Snapshot:
        """Return how far the campaign is."""
        campaign, statistics, successes = step.campaign, step.statistics, list(reversed(self._successes)) or ["–"]
        success, speed = describe_rate(statistics, step.total), per_second(self.rate.queries_per_second)
        elapsed, remaining = clock(self.rate.elapsed), clock(self.rate.remaining)
        rows = [
            ("attempts", f"{statistics.done:,} of {step.total:,} done   {campaign.running:,} running"),
            ("success", success),
            ("queries", f"{statistics.queries:,.0f} in ended attempts   {speed} a second"),
            ("elapsed", f"{elapsed}   remaining {remaining}"),
            *describe_asked(campaign.target),
            *describe_workers(campaign.engine),
            ("last", "\n".join(successes)),
        ]
        if step.baseline:
            rows.insert(2, ("random", describe_rate(step.baseline, step.total)))
        rows = [*((kind, note) for kind, _, note in (note.partition(": ") for note in step.notes)), *rows]
        line = (
            f"attempts {statistics.done:,}/{step.total:,}  running {campaign.running:,}  success {success}  "
            f"{speed} queries/s  elapsed {elapsed}  remaining {remaining}  last {successes[0]}"
        )
        if not self._noted:
            line, self._noted = "\n".join([*step.notes, line]), True
        nothing_left = not campaign.scored and not step.new
        return Snapshot(
            title=f"{campaign.target.name} · {campaign.plan.strategy}",
            rows=rows,
            share=step.done / max(1, step.expected),
            line="" if nothing_left else line,
        )
