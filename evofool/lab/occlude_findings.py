"""What the results of ``occlude`` come to: how much of the confidence stays, image by image, and the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import mean_interval
from ..attacks.subject import Subject
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
    "A square is moved over the image, and the network scores what is left (Zeiler & Fergus 2014, §4.2). What stays "
    "is the confidence of the image's own class with the square, divided by that without it; a confidence that rises "
    "stays whole. All confidences are of 8-bit images. The interval is a bootstrap over the images."
)

COLUMNS = ("confidence", "stays on average", "stays at worst", "places that change the class")

HOT = np.array([255, 90, 40], np.float64)
"""The colour of what the class depends on."""


def findings_of(
    folder: ExperimentFolder, results: Sequence[Result], grid: tuple[Sequence[int], Sequence[int], int]
) -> Findings:
    """Return what results come to.

    Args:
        folder: The experiment's folder.
        results: One for each image that is done, in order.
        grid: The upper and left edges of all places, and the side of the square.
    """
    rows, columns, patch = grid
    shares = [_shares(result) for result in results]
    means, lowest = [float(each.mean()) for each in shares], [float(each.min()) for each in shares]
    changed = [result["changed"] / each.size for result, each in zip(results, shares, strict=True)]
    subjects = [folder.subjects[result["image"]] for result in results]
    classes = folder.config.classes
    figures = {
        "patch": patch,
        "places": len(rows) * len(columns),
        "kept": {"mean": _mean(means), "lowest": _mean(lowest)},
        "kept_interval95": {"mean": mean_interval(means), "lowest": mean_interval(lowest)},
        "changed": _mean(changed),
        "elites": [
            {"id": subject.id, "class": classes[subject.label], "confidence": result["confidence"]}
            | {"mean": mean, "lowest": low, "changed": share}
            for subject, result, mean, low, share in zip(subjects, results, means, lowest, changed, strict=True)
        ],
    }
    table = [
        (class_name(classes[subject.label]), [percent(result["confidence"]), rate(mean), rate(low), rate(share)])
        for subject, result, mean, low, share in zip(subjects, results, means, lowest, changed, strict=True)
    ]
    told = []
    if results:
        told = [
            (
                "kept",
                f"{rate(_mean(means))} of the confidence on average (95 % interval {between(*mean_interval(means))})",
            ),
            ("at worst", f"{rate(_mean(lowest))} where the square matters most ({between(*mean_interval(lowest))})"),
            ("changed", f"{rate(_mean(changed))} of {counted(len(rows) * len(columns), 'place')} change the class"),
        ]
    config = folder.config
    name, square = config.target.name, f"{patch} × {patch} pixels"
    title = f"Without {square}, {name} keeps {rate(_mean(means))} of its confidence" if results else f"{name}, occluded"
    cards = [
        _card(folder, subject, result, share, grid)
        for subject, result, share in list(zip(subjects, results, shares, strict=True))[:CARDS]
    ]
    page = ExperimentPage(
        title=title,
        question="Which parts of an evolved image does its class depend on?",
        method=METHOD,
        lead=f"{', '.join(config.options.genomes)}: a square of {square}, {config.options.fill}, at "
        f"{counted(len(rows) * len(columns), 'place')} of each image.",
        facts=[
            Figure("Stays on average", rate(_mean(means)), f"95 % interval {between(*mean_interval(means))}"),
            Figure("Stays at worst", rate(_mean(lowest)), f"95 % interval {between(*mean_interval(lowest))}"),
            Figure("Class changes", rate(_mean(changed)), "of all places"),
        ]
        if results
        else [],
        table=Table(COLUMNS, table),
        plots=_plots(shares),
        cards_title="Left the image, in the middle what its class depends on, right the image at its worst.",
        cards=cards,
        command=experiment_command(config),
        versions=config.versions,
        gallery=PAGE if results else "",
    )
    return Findings(figures, told, page, gallery=bool(results))


def _shares(result: Result) -> NDArray[np.float64]:
    """Return how much of an image's confidence stays, at all places."""
    return np.array([[kept(value, result["confidence"]) for value in row] for row in result["left"]])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _plots(shares: Sequence[NDArray[np.float64]]) -> list[Plot]:
    if not shares:
        return []
    values = np.concatenate([each.ravel() for each in shares]).tolist()
    svg = histogram(values, "share of the confidence that stays", "What stays, over all places")
    caption = f"Over {counted(len(values), 'place')} of {counted(len(shares), 'image')}."
    return [Plot("kept", "What stays, over all places", caption, svg)]


def _card(
    folder: ExperimentFolder,
    subject: Subject,
    result: Result,
    shares: NDArray[np.float64],
    grid: tuple[Sequence[int], Sequence[int], int],
) -> Card:
    """Return an image, where it is sensitive, and the place that matters most."""
    rows, columns, _ = grid
    name, worst = class_name(folder.config.classes[subject.label]), np.unravel_index(shares.argmin(), shares.shape)
    y, x = rows[int(worst[0])], columns[int(worst[1])]
    left = result["left"][int(worst[0])][int(worst[1])]
    pictures = folder.pictures(subject.index)
    shots = [
        (subject.image, f"{name}, {percent(result['confidence'])}"),
        (heat_map(subject.image, 1 - shares, grid), "bright where the confidence falls"),
        (pictures[0], f"covered where it matters most: {percent(left)}"),
    ]
    note = f"{percent(result['confidence'])} as it is, {percent(left)} without the square at {x}, {y}"
    return Card(shots, name, note)


def heat_map(
    image: NDArray[np.uint8], drops: NDArray[np.float64], grid: tuple[Sequence[int], Sequence[int], int]
) -> NDArray[np.uint8]:
    """Return an image (C, H, W) in grey, with a colour where squares make the confidence drop, as (3, H, W).

    A pixel shows the mean over the squares that cover it.
    """
    rows, columns, patch = grid
    total, count = np.zeros((2, *image.shape[1:]))
    for row, y in enumerate(rows):
        for column, x in enumerate(columns):
            total[y : y + patch, x : x + patch] += drops[row, column]
            count[y : y + patch, x : x + patch] += 1
    heat = total / np.maximum(count, 1)
    grey = image.mean(0) * 0.45
    coloured: NDArray[np.uint8] = (grey * (1 - heat) + HOT[:, None, None] * heat).round().astype(np.uint8)
    return coloured
