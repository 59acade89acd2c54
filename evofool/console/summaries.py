"""What is said of a job at its end, or when its folder is inspected: a title, and names with values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..attacks.data_warnings import describe_mapping
from ..config.class_names import listed
from ..text import clock, counted, ending, least_confident, operators_text, percent, scored
from .phrases import (
    describe_damage,
    describe_fact,
    describe_images,
    describe_missing,
    describe_queries,
    describe_rate,
    describe_skipped,
)

if TYPE_CHECKING:
    from ..jobs.result import CampaignResult, Result
    from ..sweeps.result import SweepResult

LONG_FACTS: dict[str, Callable[[Any], str]] = {
    "damaged": describe_damage,
    "mapping": describe_mapping,
    "skipped": describe_skipped,
}
"""Facts that are shortened where they are shown, with what says them in words."""

FACT_NAMES = {
    "at_99": "at 99 % or more",
    "elites_written": "elites in files",
    "weights_sha256": "weights (SHA-256)",
    "qd_score": "QD score",
    "min": "lowest",
}
"""Plain names of facts whose own names say little."""

Rows = list[tuple[str, str]]
"""Names and values."""


def finished_run(result: Result, resume_command: str) -> tuple[str, Rows]:
    """Return the title and the rows of a run that ended.

    Args:
        result: What it ended with.
        resume_command: The command that goes on with it.
    """
    summary, surest = result.summary(), result.surest()
    classes, confidence = [result.classes[row] for row in surest], result.confidence[surest].tolist()
    rows = [
        ("median", percent(summary["median"])),
        ("mean", percent(summary["mean"])),
        ("lowest", least_confident(classes, confidence, 3)),
        ("at 99 % or more", f"{summary['at_99']} of {counted(len(surest), 'class')}"),
    ]
    if result.places:
        elites = f"{summary['elites']:,} of {counted(summary['niches'], 'niche')}   QD score {summary['qd_score']:,.1f}"
        rows.append(("elites", elites))
    work = f"{counted(result.generations, 'generation')}, {scored(result.evaluations, result.confirmations)}"
    work += f" in {clock(result.seconds)}"
    rows.append(("work", f"{work} ({summary['images_per_second']:,.0f} images/s)"))
    rows += [(name, str(path)) for name, path in (("gallery", result.gallery), ("sheet", result.sheet)) if path]
    if result.note:
        rows.append(("stopped", result.note))
    if result.missing:
        rows.append(("letters", describe_missing(result.missing)))
    if result.run:
        rows.append(("run", str(result.run)))
        rows.append(("go on" if result.interrupted else "go further", resume_command))
    return f"{ending(result.interrupted)}: {summary['target']}, {summary['encoding']}", rows


def finished_sweep(result: SweepResult, resume_command: str) -> tuple[str, Rows]:
    """Return the title and the rows of a sweep: a row for each configuration, and where there is one, for each run.

    Args:
        result: What it ended with.
        resume_command: The command that goes on with it.
    """
    rows = []
    for each in result.rows if len(result.configurations) == 1 else ():
        if each.get("median") is not None:
            work = f"{scored(each['evaluations'], each['confirmations'])} in {clock(each['seconds'])}"
            text = f"median {percent(each['median'])}   lowest {percent(each['min'])}   {work}"
            rows.append((each["run"].replace("-", " "), text))
    rows += result.lines()
    if result.unequal:
        rows.append(("warning", result.unequal))
    rows += [("failed", f"{name}: {why}") for name, why in result.failed.items()]
    rows += [(name, str(path)) for name, path in (("report", result.report), ("page", result.page)) if path]
    rows.append(("runs", str(result.path)))
    if result.interrupted:
        rows.append(("go on", resume_command))
    done = sum(len(each.done) for each in result.configurations)
    return f"{ending(result.interrupted)}: {done:,} of {counted(len(result.rows), 'run')}", rows


def planned_sweep(facts: Mapping[str, Any]) -> tuple[str, Rows]:
    """Return the title and the rows of a sweep that was only planned.

    Args:
        facts: What it is to do.
    """
    rows: Rows = [(name, f"{counted(len(of), 'run')}: {listed(of, 4)}") for name, of in facts["configurations"].items()]
    if facts["evaluations"]:
        rows.append(("evaluations", f"{facts['evaluations']:,} in all, at most"))
    if facts["attempts"]:
        rows.append(("images", f"{facts['attempts']:,} in all, attacked"))
    if facts["seconds"] is not None:
        rows.append(("estimate", f"{clock(facts['seconds'])}, from {facts['measured']}"))
    return f"plan: {counted(len(facts['configurations']), 'configuration')}, {counted(facts['runs'], 'run')}", rows


def finished_campaign(result: CampaignResult, resume_command: str) -> tuple[str, Rows]:
    """Return the title and the rows of a campaign that ended.

    Args:
        result: What it ended with.
        resume_command: The command that goes on with it.
    """
    summary, statistics = result.summary(), result.statistics
    rows = [("warning", warning) for warning in summary["warnings"]]
    rows += [
        ("images", describe_images(summary)),
        ("success", describe_rate(statistics, result.total)),
        ("queries", describe_queries(summary)),
    ]
    if len(summary["pixels"]) > 1:
        counts = ", ".join(f"{pixels}: {count}" for pixels, count in summary["by_pixels"].items())
        rows.append(("by pixels", counts or "–"))
    if result.baseline:
        rate = describe_rate(result.baseline, result.total - statistics.already)
        rows.append(("random", f"{rate}, with equal queries"))
    if wrong := statistics.already + statistics.wrong:
        rows.append(("wrong before", f"{wrong:,}, not counted above"))
    if summary["mapping"]:
        rows.append(("classes", describe_mapping(summary["mapping"])))
    if summary["skipped"]:
        rows.append(("left out", describe_skipped(summary["skipped"])))
    rows += [("report", str(result.report)), ("campaign", str(result.path))]
    if result.note:
        rows.append(("stopped", result.note))
    if result.interrupted:
        rows.append(("go on", resume_command))
    return f"{ending(result.interrupted)}: {summary['target']}, {summary['criterion']}, {summary['strategy']}", rows


def fact_rows(facts: Mapping[str, Any]) -> Rows:
    """Return the facts of a job that was inspected; a baseline's figures and a sweep's runs get rows of their own."""
    baseline, rows = facts.get("baseline"), dict(facts)
    runs: Mapping[str, Any] = rows.pop("made", {})
    rows |= {name: LONG_FACTS[name](fact) if fact else None for name, fact in facts.items() if name in LONG_FACTS}
    if isinstance(baseline, Mapping):
        rows["baseline"] = "equal queries"
        rows |= {f"baseline_{name}": figure for name, figure in baseline.items()}
    if swapped := facts.get("swapped"):
        rows["swapped"] = operators_text(swapped)
    return [
        *((_fact_name(name), describe_fact(name.removeprefix("baseline_"), fact)) for name, fact in rows.items()),
        *((name, describe_fact("made", figures)) for name, figures in runs.items()),
    ]


def _fact_name(name: str) -> str:
    """Return what people call a fact."""
    return FACT_NAMES.get(name, name.replace("_", " "))
