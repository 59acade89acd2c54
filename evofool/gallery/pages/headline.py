"""What a campaign found, in a sentence and a few figures."""

from __future__ import annotations

from dataclasses import dataclass

from ...attacks.statistics import Statistics
from ...config.attack import UNTARGETED
from .findings import Findings


@dataclass(frozen=True)
class Headline:
    """The head of a campaign's page."""

    title: str
    """plain words"""
    head: str
    """the same as a sentence, in HTML"""
    lead: str
    """how it was done, plain words"""
    facts: list[tuple[str, str, str]]
    """name, value and note of the figures"""


def headline(found: Findings) -> Headline:
    """What a campaign's pages begin with."""
    config, statistics = found.config, found.statistics
    pixels = config["pixels"]
    k = "one pixel" if pixels == [1] else f"{pixels[0]} pixels" if len(pixels) == 1 else f"up to {pixels[-1]} pixels"
    low, high = statistics.interval
    total = found.folder.pairs()
    pending = total - statistics.done
    counted = statistics.settled + pending
    criterion = "change class" if config["criterion"] == UNTARGETED else "reach the class asked for"
    kind = "images" if config["criterion"] == UNTARGETED else "pairs of image and criterion"
    so_far = ", so far" if pending else ""
    head = f"<b>{statistics.successes:,} of {counted:,}</b> {kind} {criterion} when {k} may be changed{so_far}"
    title = f"{config['target']['name']}: {statistics.successes} of {counted} fooled by {k}{so_far}"
    facts = [
        ("Success rate", share(statistics.rate), f"95 % interval {share(low)} – {share(high)}")
        if not pending
        else ("Success rate", f"≥ {share(statistics.bounds(total)[0])}", f"{pending:,} attempts to come"),
        ("Queries to a success", count(median(statistics)), "median"),
        (
            "Queries an attempt",
            count(statistics.queries / statistics.settled if statistics.settled else None),
            "mean, failures included",
        ),
        ("Queries in all", count(statistics.queries), "every scored image"),
    ]
    if found.baseline:
        facts.append(("Random search", share(found.baseline.rate), "with the same queries"))
    if statistics.already + statistics.wrong:
        facts.append(("Wrong before", count(statistics.already + statistics.wrong), "not counted in any rate"))
    data = config["data"]
    lead = (
        f"{config['target']['name']} on {data['name']}, criterion {config['criterion']}, strategy {config['strategy']}, "
        f"seed {config['seed']}. "
    )
    if data["labelled"]:
        lead += f"Of {data['looked']:,} images looked at, the target classifies {data['correct']:,} correctly; "
    else:
        lead += "Nobody labelled the images, the target's own predictions stand in; "
    lead += f"{data['chosen']:,} were attacked."
    if pending:
        lead += (
            f" The campaign is not finished: {pending:,} attempts have not ended. Attempts that succeed end first, so "
            "what the others bring is not to be guessed from these."
        )
    return Headline(title, head, lead, facts)


def median(statistics: Statistics) -> float | None:
    """Of the queries of successes."""
    value = statistics.figures()["median_queries_to_success"]
    return None if value is None else float(value)


def share(value: float) -> str:
    """A share in [0, 1]."""
    return f"{100 * value:.1f} %"


def count(value: float | None) -> str:
    """A number of things, or – where there is none."""
    return "–" if value is None else f"{value:,.0f}"
