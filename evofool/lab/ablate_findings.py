"""What the results of ``ablate`` come to: how much of the confidence stays, by what was removed, and the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..attacks.statistics import mean_interval
from ..attacks.subject import Subject
from ..encodings.genome_file import GenomeFile, node_name
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.run_page import PAGE
from ..gallery.pages.sources import Figure
from ..gallery.prints.curves import histogram
from ..store.experiment import ExperimentFolder, Result
from ..text import between, class_name, counted, percent, rate
from .elites import kept
from .experiment import Findings

CARDS = 12
"""Largest number of images that a page shows."""

METHOD = (
    "A node that is removed from a CPPN gives 0 at every pixel; an output that is removed is a colour channel of 0. "
    "Repetition is taken out in two ways (Nguyen, Yosinski, Clune 2015, §3.4, ablate copies of repeated elements). In "
    "the genome, each sine and cosine that goes through more than one period keeps the one around the image's centre "
    "and is constant outside. In the picture, peaks of the autocorrelation tell where copies of an element are; one is "
    "painted over, or all but one. What stays is the confidence of the image's own class without the part, divided by "
    "that of the whole; a confidence that rises stays whole. All confidences are of 8-bit images. Intervals are "
    "bootstraps over the images."
)

MEASURES = {
    "node": ("node", np.mean, "a node less"),
    "worst_node": ("node", np.min, "the node that matters most less"),
    "pair": ("pair", np.mean, "two nodes less"),
    "worst_pair": ("pair", np.min, "the two that matter most less"),
    "period": ("period", lambda shares: shares[-1], "one period of each wave"),
    "copy": ("copy", np.mean, "a copy less"),
    "alone": ("alone", np.max, "the best copy alone"),
}
"""What is told of each image: of which kind of removal, how one number is made of all of that kind, and its words.

The last removal of the kind ``period`` has all periodic nodes at once.
"""

KINDS = {
    "node": "without {}",
    "pair": "without {}",
    "period": "one period of {}",
    "copy": "one copy of {} less",
    "alone": "one copy of {}",
}
"""How a removal is called on the page."""


def findings_of(folder: ExperimentFolder, results: Sequence[Sequence[Result]]) -> Findings:
    """Return what results come to.

    Args:
        folder: The experiment's folder.
        results: Those of each image that is done; the first of an image is the whole.
    """
    config = folder.config
    subjects = [folder.subjects[found[0]["image"]] for found in results]
    by_image = [_measures(found) for found in results]
    values = {name: [found for each in by_image if (found := each.get(name)) is not None] for name in MEASURES}
    means = {name: float(np.mean(of)) if of else None for name, of in values.items()}
    intervals = {name: mean_interval(of) for name, of in values.items() if of}
    figures: dict[str, Any] = {
        "kept": means,
        "kept_interval95": intervals,
        "elites_with": {name: len(of) for name, of in values.items()},
        "removals": sum(len(found) - 1 for found in results),
        "elites": [
            {
                "id": subject.id,
                "class": config.classes[subject.label],
                "confidence": found[0]["confidence"],
                "kept": each,
            }
            for subject, found, each in zip(subjects, results, by_image, strict=True)
        ],
    }
    told = [
        (name.replace("_", " "), f"{rate(mean)} stays ({between(*intervals[name])}), {words}: {_of(len(values[name]))}")
        for name, (_, _, words) in MEASURES.items()
        if (mean := means[name]) is not None
    ]
    columns = ["confidence", *(words for _, _, words in MEASURES.values())]
    rows = [("mean", ["", *(_cell(means[name]) for name in MEASURES)])] if results else []
    rows += [
        (
            class_name(config.classes[subject.label]),
            [percent(found[0]["confidence"]), *(_cell(each.get(name)) for name in MEASURES)],
        )
        for subject, found, each in zip(subjects, results, by_image, strict=True)
    ]
    told_of = ("worst_node", "period", "alone")
    page = ExperimentPage(
        title=_title(config.target.name, means),
        question="Which parts of a CPPN, and how many copies of what it repeats, does the confidence need?",
        method=METHOD,
        lead=f"{', '.join(config.options.genomes)}: {_of(len(results))}, {figures['removals']:,} removals.",
        facts=[
            Figure(MEASURES[name][2].capitalize(), rate(mean), f"stays; 95 % interval {between(*intervals[name])}")
            for name in told_of
            if (mean := means[name]) is not None
        ],
        table=Table(columns, rows),
        plots=_plots(results),
        cards_title="First each image as it is, then without what is named below it, in the same order.",
        cards=[_card(folder, subject, found) for subject, found in list(zip(subjects, results, strict=True))[:CARDS]],
        command=experiment_command(config),
        versions=config.versions,
        gallery=PAGE if results else "",
    )
    return Findings(figures, told, page, gallery=bool(results))


def removal_name(genome: GenomeFile | None, result: Result) -> str:
    """Return what was removed, in words: ``without sin 12 and x``.

    Raises:
        IndexError: The genome has no such node.
    """
    kind = result["kind"]
    if genome is None or kind in ("copy", "alone"):
        return KINDS[kind].format(result["copies"])
    names = [node_name(genome, node) for node in result["nodes"]]
    return KINDS[kind].format(" and ".join(names) if len(names) < 3 else f"{len(names)} waves")


def _measures(found: Sequence[Result]) -> dict[str, float]:
    """Return what is told of an image."""
    whole, shares = found[0]["confidence"], dict[str, list[float]]()
    for result in found[1:]:
        shares.setdefault(result["kind"], []).append(kept(result["confidence"], whole))
    return {
        name: float(measure(shares[kind]))  # type: ignore[operator]
        for name, (kind, measure, _) in MEASURES.items()
        if kind in shares
    }


def _title(target: str, means: dict[str, float | None]) -> str:
    """Return the finding in short."""
    if (period := means["period"]) is not None:
        return f"Without repetition, {rate(period)} of the confidence of {target} stays"
    if (worst := means["worst_node"]) is not None:
        return f"Without the node that matters most, {rate(worst)} of the confidence of {target} stays"
    return f"{target}, ablated"


def _of(images: int) -> str:
    return counted(images, "image")


def _cell(value: float | None) -> str:
    return "–" if value is None else rate(value)


def _plots(results: Sequence[Sequence[Result]]) -> list[Plot]:
    """Return how much stays, as histograms over single nodes and over pairs."""
    plots = []
    for kind, title in (("node", "What stays without one node"), ("pair", "What stays without two nodes")):
        values = [
            kept(result["confidence"], found[0]["confidence"])
            for found in results
            for result in found
            if result["kind"] == kind
        ]
        if values:
            svg = histogram(values, "share of the confidence that stays", title)
            plots.append(Plot(f"kept-{kind}", title, f"{counted(len(values), kind)} of {_of(len(results))}.", svg))
    return plots


def _card(folder: ExperimentFolder, subject: Subject, found: Sequence[Result]) -> Card:
    """Return an image and what is left of it, by kind of removal."""
    name, genome = class_name(folder.config.classes[subject.label]), folder.genome(subject)
    pictures = folder.pictures(subject.index)
    shots, notes = [(subject.image, name)], [f"{percent(found[0]['confidence'])} as it is"]
    try:
        for result in found:
            if result["picture"] is not None:
                words = f"{removal_name(genome, result)}: {percent(result['confidence'])}"
                shots.append((pictures[result["picture"]], words))
                notes.append(words)
    except IndexError as error:
        raise folder.other_images(subject.index) from error
    return Card(shots, name, " · ".join(notes))
