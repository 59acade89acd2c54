"""What the results of ``ascend`` come to: how sure the network is, after how many forward passes, and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.experiments import ExperimentConfig
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.curves import Curve, share_curves
from ..store.experiment import Result
from ..targets.protocols import GRADIENT_PASSES
from ..text import counted, percent, rate
from .experiment import Findings

CARDS = 30
"""Largest number of images that a page shows."""

LEVELS = (0.5, 0.9, 0.99, 0.999, 0.9999)
"""Confidences whose classes are counted."""

WAYS = {
    "pixel": "The pixels themselves are changed, from normal noise around mid-grey (Simonyan et al. 2014, §2).",
    "fourier": "Fourier coefficients are changed, each divided by its frequency, of colours that are decorrelated as "
    "those of photographs; a sigmoid keeps pixels in bounds (Olah et al. 2017, lucid).",
    "cppn": "The weights of an evolved CPPN are changed, and its graph stays: of the genomes to begin with, each class "
    "has the one that scores it highest.",
}
"""What is changed, by parametrisation."""

METHOD = (
    "Adam climbs the class's log-odds against all others, whose gradient does not vanish where the softmax is "
    "saturated, until the class has {until} (Nguyen et al. 2015, §3.7: 99.99 %) or after {steps} steps. At every step "
    "the network sees the 8-bit image, and its gradient is taken for that before rounding. The surest image of each "
    "way counts, scored again. A gradient counts as three forward passes: its own, and two for the backward pass."
)


def findings_of(
    config: ExperimentConfig, results: Sequence[Result], picture: Callable[[int], NDArray[np.uint8]]
) -> Findings:
    """Return what results come to.

    Args:
        config: The experiment's config.
        results: The results of the classes, in order.
        picture: Returns the image of one of them.
    """
    if not results:
        return Findings({}, [("classes", "none yet")], _page(config, [], {}, picture, []))
    sure = [result["confidence"] for result in results]
    passes = [result["passes"] for result in results]
    lowest = min(results, key=lambda result: float(result["confidence"]))
    flat = sum(result["flat"] for result in results)
    figures = {
        "parametrisation": config.options.parametrisation,
        "classes": len(results),
        "median": median(sure),
        "min": min(sure),
        "at_99": sum(value >= 0.99 for value in sure),
        "at_999": sum(value >= 0.999 for value in sure),
        "median_start": median(result["start"] for result in results),
        "lowest": lowest["class_name"],
        "passes": sum(passes),
        "median_passes": median(passes),
        "flat_gradients": flat,
    }
    classes = counted(len(results), "class")
    rows = [
        ("confidence", f"median {percent(median(sure))}   lowest {percent(min(sure))}, {lowest['class_name']}"),
        ("at 99 %", f"{figures['at_99']:,} of {classes}   at 99.9 % {figures['at_999']:,}"),
        ("forward passes", f"{figures['passes']:,} in all, a median of {figures['median_passes']:,.0f} for a class"),
    ]
    warnings = [f"{counted(flat, 'class')} with a first gradient of zero, which leads nowhere"] if flat else []
    rows += [("warning", warning) for warning in warnings]
    return Findings(figures, rows, _page(config, results, figures, picture, warnings))


def _page(
    config: ExperimentConfig,
    results: Sequence[Result],
    figures: dict[str, Any],
    picture: Callable[[int], NDArray[np.uint8]],
    warnings: Sequence[str],
) -> ExperimentPage:
    """Return what the page shows."""
    options, name = config.options, config.target.name
    facts, title, table = [], f"Ascent on {name} has not begun", []
    if results:
        classes = counted(len(results), "class")
        title = f"{name} is 99 % sure of {figures['at_99']:,} of {classes} after {options.parametrisation} ascent"
        facts = [
            Figure("Median confidence", percent(figures["median"]), f"before: {percent(figures['median_start'])}"),
            Figure("Lowest", percent(figures["min"]), figures["lowest"]),
            Figure("Forward passes", f"{figures['median_passes']:,.0f}", "for a class, in the median"),
        ]
        table = [(f"at least {percent(level)}", _counts(results, level)) for level in LEVELS]
    shown = sorted({round(row) for row in np.linspace(0, len(results) - 1, min(CARDS, len(results)))})
    return ExperimentPage(
        title=title,
        question="Does the gradient lead from noise to every class?",
        method=f"{WAYS[options.parametrisation]} {METHOD.format(until=percent(options.until), steps=options.steps)}",
        lead=f"Parametrisation {options.parametrisation}, seed {options.seed}.",
        facts=facts,
        table=Table(("classes", "share"), table),
        plots=_plots(results),
        cards_title="The surest image of each class, or of some of them.",
        cards=[_card(results[row], picture(row)) for row in shown],
        command=experiment_command(config),
        versions=config.versions,
        warnings=warnings,
    )


def _counts(results: Sequence[Result], level: float) -> list[str]:
    count = sum(result["confidence"] >= level for result in results)
    return [f"{count:,}", rate(count / len(results))]


def _card(result: Result, image: NDArray[np.uint8]) -> Card:
    """Return the image of a class with what the network takes it for."""
    name, confidence = result["class_name"], percent(result["confidence"])
    note = f"{percent(result['start'])} before · {counted(result['steps'], 'step')} · {result['passes']:,} passes"
    heading = f"{name} {confidence}"
    if result["final_index"] != result["class_index"]:
        heading = f"{heading}, taken for {result['final']}"
    return Card([(image, f"{name}, {confidence}")], heading, note)


def _plots(results: Sequence[Result]) -> list[Plot]:
    """Return how many classes had 99 % after how many forward passes."""
    sure = sorted((result["sure"] + 1) * GRADIENT_PASSES for result in results if result["sure"] is not None)
    if not sure:
        return []
    share = [(passes, (row + 1) / len(results)) for row, passes in enumerate(sure)]
    points = {0.0: 0.0} | {float(passes): reached for passes, reached in share}
    points[float(max(result["passes"] for result in results))] = share[-1][1]
    curve = Curve("99 % sure", [(passes, reached, reached, reached) for passes, reached in sorted(points.items())])
    svg = share_curves([curve], "forward passes for a class", "Classes that reached 99 %", lambda size: f"{size:,.0f}")
    caption = "Share of the classes that the network had been 99 % sure of after so many forward passes."
    return [Plot("sure", "Classes that reached 99 %", caption, svg)]
