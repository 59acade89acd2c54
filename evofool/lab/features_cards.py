"""The pictures of ``features``: what a person sees, what it is labelled, what a network learns from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..config.features import D_NR, D_R, IMAGES, MADE, D
from ..gallery.pages.experiment_page import Card
from ..store.experiment import ExperimentFolder
from ..text import class_name, percent
from .features_figures import FeatureFigures
from .features_labels import starts
from .features_plan import ROBUST, STANDARD

EACH = 3
"""Images of each data set that are shown."""

EVOLVED = 3
"""Evolved images of each network and encoding that are shown."""


def cards(folder: ExperimentFolder, figures: FeatureFigures) -> list[Card]:
    """Return the first images of every data set, and the surest that were evolved."""
    found = figures.found
    if D not in found.sets:
        return []
    ((part, _),) = found.sets[D]
    originals = folder.pictures(part)
    made = [name for name in MADE if name in found.sets]
    chosen = _differing(found.labels(D), [found.labels(name) for name in made])
    shown = [_set_card(folder, figures, name, row, originals) for name in made for row in chosen]
    return [*shown, *_evolved_cards(folder, figures)]


def _differing(true: Sequence[int], labels: Sequence[Sequence[int]]) -> list[int]:
    """Return images of different classes that the shown networks were asked about, all made already."""
    known = min((len(each) for each in labels), default=0)
    rows: dict[int, int] = {}
    for row in range(min(known, 12)):
        rows.setdefault(true[row], row)
    return list(rows.values())[:EACH]


def _set_card(
    folder: ExperimentFolder, figures: FeatureFigures, name: str, row: int, originals: NDArray[np.uint8]
) -> Card:
    """Return the card of one image of a data set."""
    config, found = folder.config, figures.found
    options, classes = config.options, list(map(class_name, config.classes))
    batch, place = divmod(row, options.batch)
    part, _ = found.sets[name][batch]
    picture, true, label = folder.pictures(part)[place], found.labels(D)[row], found.labels(name)[row]
    shots = [(originals[row], f"{classes[true]}")]
    seen = classes[true]
    if name in (D_R, D_NR):
        shots[0] = (originals[row], f"its features: {classes[true]}")
        if options.start == IMAGES:
            other = int(starts(options)[row])
            seen = classes[found.labels(D)[other]]
            shots.append((originals[other], f"began as {seen}"))
        else:
            seen = "noise"
    shots.append((picture, f"labelled {classes[label]}"))
    looks = f"begun as {seen}" if name in (D_R, D_NR) else f"looks like {seen}"
    return Card(shots, f"{name}: labelled {classes[label]}, {looks}", _says(figures, name, row, classes), captions=True)


def _says(figures: FeatureFigures, name: str, row: int, classes: Sequence[str]) -> str:
    """Return what the network that learnt from a set takes the unchanged image for."""
    shown = figures.found.shown.get(name)
    if shown is None or row >= len(shown.first):
        return "No network has learnt from it yet."
    return (
        f"The network that learnt from {name} takes the unchanged image at the left for {classes[shown.first[row]]}, "
        f"{percent(shown.confidence[row])}."
    )


def _evolved_cards(folder: ExperimentFolder, figures: FeatureFigures) -> list[Card]:
    """Return the surest images that were evolved against each network, of different classes."""
    classes, shown = list(map(class_name, folder.config.classes)), []
    for maker, encoding in figures.evolved:
        found = {
            part: each for part, each in figures.found.evolved if (each.network, each.encoding) == (maker, encoding)
        }
        surest: dict[int, tuple[int, int]] = {}
        ranked = sorted(
            (-sure, part, row) for part, each in found.items() for row, sure in enumerate(each.confidence[maker])
        )
        for _, part, row in ranked:
            surest.setdefault(found[part].wanted[row], (part, row))
        shots, told = [], []
        for wanted, (part, row) in list(surest.items())[:EVOLVED]:
            each = found[part]
            words = f"{classes[wanted]} {percent(each.confidence[maker][row])}"
            shots.append((folder.pictures(part)[row], words))
            others = (
                f"{name} {classes[each.first[name][row]]}" for name in (STANDARD, ROBUST, D_R, D_NR) if name != maker
            )
            told.append(f"{classes[wanted]}: {', '.join(others)}")
        shown.append(Card(shots, f"{encoding}, {maker} network", "What others see: " + " · ".join(told), captions=True))
    return shown
