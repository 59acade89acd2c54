"""How far a run is: generations, confidences, speed and remaining time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..observers.rates import RunRate
from ..text import clock, counted, least_confident, per_second, percent, rate, scored, sparkline
from .live import Snapshot
from .phrases import describe_asked, describe_workers

if TYPE_CHECKING:
    from ..config.budget import Budget
    from ..jobs.run import RunStep
    from ..search.archive import Archive
    from ..search.progress import Progress


class RunView:
    """Describes the steps of a run.

    Args:
        medians: The median confidence after each generation of former sessions.
        notes: What is to be said before the run begins, a line each.
    """

    def __init__(self, medians: Iterable[float] = (), notes: Sequence[str] = ()) -> None:
        self.medians, self.notes, self.rate = list(medians), notes, RunRate()

    def note(self, step: RunStep) -> None:
        """Take the figures of the next generation."""
        self.medians.append(step.progress.median)
        self.rate.note(step.progress)

    def describe(self, step: RunStep) -> Snapshot:
        """Return how far the run is."""
        progress, evolution, archive = step.progress, step.evolution, step.evolution.archive
        classes = [evolution.target.classes[index] for index in archive.class_indices]
        confidence = step.confidence.tolist()
        speed = f"{per_second(self.rate.images_per_second)} images/s"
        work = scored(progress.evaluations, progress.confirmations)
        elapsed, remaining = clock(progress.seconds), clock(self.rate.remaining(progress, step.budget))
        median, mean, lowest = percent(progress.median), percent(progress.mean), percent(progress.min)
        elites = coverage(progress, archive) if archive.niches_per_class > 1 else ""
        asked = [*describe_asked(evolution.target), *describe_workers(evolution.engine)]
        return Snapshot(
            title=f"{evolution.target.name} · {evolution.encoding.name}",
            rows=[
                ("generation", f"{progress.generation:,}   {work}   {speed}"),
                ("elapsed", f"{elapsed}   remaining {remaining}"),
                ("confidence", f"median {median}   mean {mean}   lowest {lowest}"),
                ("at 99 %", f"{progress.at_99} of {counted(len(classes), 'class')}"),
                *([("elites", elites)] if elites else []),
                *asked,
                ("hardest", least_confident(classes, confidence, 5)),
                ("median", sparkline(self.medians)),
            ],
            share=share_done(progress, step.budget),
            line=f"generation {progress.generation:,}  {work}  {speed}  "
            f"elapsed {elapsed}  remaining {remaining}  median {median}  mean {mean}  lowest {lowest}  "
            f"at 99 %: {progress.at_99}/{len(classes)}  {f'elites {elites}  ' if elites else ''}"
            f"{'  '.join(f'{name} {text}  ' for name, text in asked)}hardest {least_confident(classes, confidence, 3)}",
        )


def share_done(progress: Progress, budget: Budget) -> float:
    """Return how much of its budget a run has used, from 0.

    Where only ``until`` is set, this is how near the median confidence is to it.
    """
    share = budget.share(progress.generation, progress.evaluations, progress.seconds)
    return progress.median / budget.until if budget.until and not share else share


def coverage(progress: Progress, archive: Archive) -> str:
    """Return how full an archive with several niches per class is, and the sum of its confidences."""
    full = rate(progress.elites / len(archive))
    return f"{progress.elites:,} of {counted(len(archive), 'niche')} ({full})   QD score {progress.qd_score:,.1f}"
