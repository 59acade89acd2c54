"""How much work a sweep is, before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.attack import AttackOptions
from ..config.evolve import EvolveOptions
from ..config.model import ASKING
from ..config.sweep import COMMANDS
from ..jobs import evolve
from ..search.defaults import resolve
from ..text import counted
from .plan import SweepPlan

if TYPE_CHECKING:
    from ..jobs.run import RunStep

SECONDS = 2.0
"""Seconds that a configuration is evolved to measure its speed."""

MEASURED = 12
"""Largest number of configurations that are measured; others are taken to be as fast as the mean of these."""


def estimate(plan: SweepPlan) -> dict[str, Any]:
    """Return how many runs and evaluations a plan has, and about how many seconds they take here.

    Configurations are evolved in memory for ``SECONDS`` each. No time is told of campaigns, of runs that end at a
    confidence alone, and of classifiers that are asked elsewhere or whose queries are counted.

    Raises:
        EvofoolError: One of its family, where a target can't be had.
    """
    configurations: dict[str, list[str]] = {}
    options: dict[str, Any] = {}
    for run in plan.runs:
        configurations.setdefault(run.configuration or "all", []).append(run.name)
        options[run.name] = COMMANDS[plan.command].of(run.given)
    evolved = [each for each in options.values() if isinstance(each, EvolveOptions)]
    speeds: dict[str, float] = {}
    seconds: float | None = None
    if evolved and all(_is_local(each) for each in evolved):
        firsts = {name: options[runs[0]] for name, runs in configurations.items()}
        speeds = {name: _speed(firsts[name]) for name in list(firsts)[:MEASURED]}
        mean = sum(speeds.values()) / len(speeds)
        seconds = sum(
            _seconds(options[run], speeds.get(name, mean)) for name, runs in configurations.items() for run in runs
        )
    return {
        "command": plan.command,
        "runs": len(plan.runs),
        "configurations": configurations,
        "evaluations": sum(_evaluations(each) for each in evolved),
        "attempts": sum(each.count for each in options.values() if isinstance(each, AttackOptions)),
        "images_per_second": {name: round(speed, 1) for name, speed in speeds.items()},
        "measured": counted(len(speeds), "configuration") + " measured",
        "seconds": None if seconds is None else round(seconds, 1),
    }


def _is_local(options: EvolveOptions) -> bool:
    """Return whether a target may be asked to see how fast it is: it is here, and nobody counts."""
    names = [options.target] if isinstance(options.target, str) else options.target
    return not any("://" in name for name in names) and not options.said.keys() & set(ASKING)


def _evaluations(options: EvolveOptions) -> int:
    """Return the most evaluations that a run makes, 0 where only time ends it."""
    budget = options.budget.or_default()
    if budget.evaluations:
        return budget.evaluations
    return budget.generations * (resolve(options).batch or 0) if budget.generations else 0


def _seconds(options: EvolveOptions, speed: float) -> float:
    """Return about how many seconds a run takes at a speed."""
    budget = options.budget.or_default()
    limits = [_evaluations(options) / speed] if _evaluations(options) else []
    limits += [60 * budget.minutes] if budget.minutes else []
    return min(limits, default=0.0)


def _speed(options: EvolveOptions) -> float:
    """Return how many images a second a run scores, after its first generation."""
    seen: list[tuple[int, float]] = []

    def note(step: RunStep) -> None:
        seen.append((step.progress.evaluations, step.progress.seconds))

    evolve.run(EvolveOptions.given_beside(options, {"generations": 2, "engine": "local"}))  # Loops are compiled here.
    evolve.run(EvolveOptions.given_beside(options, {"minutes": SECONDS / 60, "engine": "local"}), observer=note)
    (first, start), (last, end) = seen[0], seen[-1]
    return (last - first) / (end - start) if len(seen) > 1 and end > start else last / max(end, 1e-3)
