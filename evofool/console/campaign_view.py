"""What a campaign looks like while it runs, in a terminal and piped."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from ..text import clock
from .run_view import PLAIN_SECONDS, pairs

if TYPE_CHECKING:
    from ..attacks.outcome import Outcome
    from ..attacks.statistics import Statistics
    from ..jobs.campaign import Standing

NEWS = 4
"""successes that are told by name"""


class CampaignView(Protocol):
    """Follows a campaign."""

    def __call__(self, standing: Standing) -> None: ...


class LiveCampaign:
    """A panel that is drawn anew a few times a second."""

    def __init__(self, live: Live) -> None:
        self.live, self.pace, self.drawn = live, CampaignPace(), 0.0
        self.news: deque[str] = deque(maxlen=NEWS)

    def __call__(self, standing: Standing) -> None:
        self.pace.note(standing)
        self.news.extend(told_success(outcome) for outcome in standing.new if outcome["success"])
        if time.monotonic() - self.drawn < 0.12:
            return
        self.drawn = time.monotonic()
        statistics, pace, campaign = standing.statistics, self.pace, standing.campaign
        done = statistics.done
        rows = [
            ("attempts", f"{done:,} of {standing.total:,} done   {campaign.running:,} running"),
            ("success", success_text(standing.statistics, standing.total)),
            *([("random", success_text(standing.baseline, standing.total))] if standing.baseline else []),
            ("queries", f"{statistics.queries:,.0f} in ended attempts   {pace.rate:,.0f} a second"),
            ("elapsed", f"{clock(pace.elapsed)}   remaining {clock(pace.remaining)}"),
            ("last", "\n".join(reversed(self.news)) or "–"),
        ]
        bar = ProgressBar(total=1.0, completed=standing.done / max(1, standing.all), width=48)
        title = Text(f"{campaign.target.name} · {campaign.plan.strategy}", style="bold")
        self.live.update(Group(title, Padding(pairs(rows), (0, 0, 0, 2)), Padding(bar, (0, 0, 0, 2))))


class PlainCampaign:
    """A line now and then: after the first batch, the last one, and every ``PLAIN_SECONDS`` between."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.pace, self.told = say, CampaignPace(), float("-inf")
        self.untold: Standing | None = None
        self.last = "–"

    def __call__(self, standing: Standing) -> None:
        self.pace.note(standing)
        won = [outcome for outcome in standing.new if outcome["success"]]
        if won:
            self.last = told_success(won[-1])
        self.untold = standing
        if time.monotonic() - self.told >= PLAIN_SECONDS:
            self.close()

    def close(self) -> None:
        """Tell the last standing, if it wasn't."""
        if self.untold is None:
            return
        standing, pace = self.untold, self.pace
        statistics, self.untold = standing.statistics, None
        if not standing.campaign.scored and not standing.new:
            return  # nothing was left to do
        success = success_text(statistics, standing.total)
        self.say(
            f"attempts {statistics.done:,}/{standing.total:,}  running {standing.campaign.running:,}  "
            f"success {success}  {pace.rate:,.0f} queries/s  elapsed {clock(pace.elapsed)}  "
            f"remaining {clock(pace.remaining)}  last {self.last}"
        )
        self.told = time.monotonic()


class CampaignPace:
    """Speed and remaining time, from this sitting only."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.rate = self.elapsed = 0.0
        self.remaining: float | None = None

    def note(self, standing: Standing) -> None:
        self.elapsed = time.monotonic() - self.started
        self.rate = standing.campaign.scored / self.elapsed if self.elapsed else 0.0
        new = standing.done - standing.begun
        self.remaining = self.elapsed / new * (standing.all - standing.done) if new > 0 else None


def told_success(outcome: Outcome) -> str:
    """``cat → dog at (14, 9), 23 queries``."""
    places = ", ".join(f"({edit['x']}, {edit['y']})" for edit in outcome["edits"][:3])
    more = " …" if len(outcome["edits"]) > 3 else ""
    count = outcome["queries_to_success"]
    word = "query" if count == 1 else "queries"
    return f"{outcome['class']} → {outcome['final']} at {places}{more}, {count:,} {word}"


def images_text(summary: dict[str, Any]) -> str:
    """How many images there are, and how many of those looked at the target gets right."""
    told = f"{summary['images']:,}"
    if summary["images"] < summary["asked"]:
        told += f" (there are no more, {summary['asked']:,} were asked for)"
    if not summary["labelled"]:
        return f"{told}; nobody labelled them, the target's own predictions stand in"
    return f"{told}; {summary['correct']:,} of {summary['looked']:,} looked at are classified correctly"


def success_text(statistics: Statistics, total: int) -> str:
    """``12 of 40: 30.0 % (95 % interval 18.1 – 45.4 %)``; while attempts are to come, what the end can bring."""
    low, high = (100 * bound for bound in statistics.interval)
    told = f"{statistics.successes:,} of {statistics.settled:,}: {100 * statistics.rate:.1f} % (95 % interval {low:.1f} – {high:.1f} %)"
    if not statistics.settled:
        told = "none of 0 yet"
    if statistics.done < total:
        least, most = (100 * bound for bound in statistics.bounds(total))
        told += f"; {least:.1f} – {most:.1f} % when all have ended"
    return told


def queries_text(figures: dict[str, Any]) -> str:
    """The queries of a campaign's summary in words."""
    told = f"{figures['queries']:,} in all"
    if figures["mean_queries"] is not None:
        told += f", {figures['mean_queries']:,.0f} an attempt (mean)"
    if figures["median_queries_to_success"] is not None:
        told += f", {figures['median_queries_to_success']:,.0f} to a success (median)"
    return told
