"""What a campaign found, in a sentence and a few figures."""

from __future__ import annotations

from dataclasses import dataclass

from ...attacks.data_warnings import data_warnings
from ...attacks.statistics import Statistics
from ...config.attack import UNTARGETED
from ...text import amount, between, counted, operators_text, rate
from .findings import Findings
from .sources import Figure


@dataclass(frozen=True)
class Headline:
    """The top of a campaign's pages.

    Attributes:
        title: The finding in short.
        count: The number of successes and of all, with which the sentence begins.
        sentence: The rest of the sentence.
        lead: How it was done.
        figures: The most important figures.
        warnings: What looks wrong with the labels.
    """

    title: str
    count: str
    sentence: str
    lead: str
    figures: list[Figure]
    warnings: list[str]


def headline(findings: Findings) -> Headline:
    """Return the top of a campaign's pages."""
    config, statistics = findings.config, findings.statistics
    pixels, untargeted = config.plan.pixels, config.plan.criterion == UNTARGETED
    exactly = "one pixel" if pixels == (1,) else counted(pixels[0], "pixel")
    k = exactly if len(pixels) == 1 else f"up to {counted(pixels[-1], 'pixel')}"
    total = findings.folder.pairs()
    pending = total - statistics.done
    counting = statistics.settled + pending
    criterion = "change class" if untargeted else "reach the class asked for"
    kind = "images" if untargeted else "pairs of image and criterion"
    so_far = ", so far" if pending else ""
    what = "fooled by" if untargeted else f"{kind} reached with"
    return Headline(
        title=f"{config.target.name}: {statistics.successes:,} of {counting:,} {what} {k}{so_far}",
        count=f"{statistics.successes:,} of {counting:,}",
        sentence=f"{kind} {criterion} when {k} may be changed{so_far}",
        lead=_lead(findings, pending),
        figures=_figures(findings, total, pending),
        warnings=data_warnings(config),
    )


def _figures(findings: Findings, total: int, pending: int) -> list[Figure]:
    statistics, (low, high) = findings.statistics, findings.statistics.interval
    if pending:
        lowest = rate(statistics.bounds(total)[0])
        success = Figure("Success rate", f"≥ {lowest}", f"{counted(pending, 'attempt')} to come")
    else:
        success = Figure("Success rate", rate(statistics.rate), f"95 % interval {between(low, high)}")
    whose = f", random search's {findings.baseline.queries:,.0f} left out" if findings.baseline else ""
    figures = [
        success,
        Figure("Queries to a success", amount(median_queries(statistics)), "median"),
        Figure("Queries an attempt", amount(mean_queries(statistics)), "mean, failures included"),
        Figure("Queries in all", f"{statistics.queries:,.0f}", f"every scored image{whose}"),
    ]
    if findings.baseline:
        figures.append(Figure("Random search", rate(findings.baseline.rate), "with the same queries"))
    if wrong := statistics.already + statistics.wrong:
        figures.append(Figure("Wrong before", f"{wrong:,}", "not counted in any rate"))
    return figures


def _lead(findings: Findings, pending: int) -> str:
    config = findings.config
    plan, data = config.plan, config.data
    lead = (
        f"{config.target.name} on {data.name}, criterion {plan.criterion}, strategy {plan.strategy}, seed {plan.seed}. "
    )
    if config.swapped:
        lead += f"Operators of the user's own: {operators_text(config.swapped)}. "
    if data.labelled:
        lead += f"Of {counted(data.looked, 'image')} looked at, the target classifies {data.correct:,} correctly; "
    else:
        lead += "Nobody labelled the images, the target's own predictions stand in; "
    lead += f"{data.chosen:,} {'was' if data.chosen == 1 else 'were'} attacked."
    if pending:
        lead += (
            f" The campaign is not finished: {counted(pending, 'attempt')} {'has' if pending == 1 else 'have'} not "
            "ended. Attempts that succeed end first, so what the others bring is not to be guessed from these."
        )
    return lead


def median_queries(statistics: Statistics) -> float | None:
    """Return the median number of queries of a success."""
    value = statistics.figures()["median_queries_to_success"]
    return None if value is None else float(value)


def mean_queries(statistics: Statistics) -> float | None:
    """Return the mean number of queries of an attempt, failures included."""
    return statistics.queries / statistics.settled if statistics.settled else None
