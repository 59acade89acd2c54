"""The figures and pictures of ``probe``'s page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..gallery.pages.experiment_page import Card, Plot
from ..gallery.prints.curves import Curve, share_curves
from ..text import percent, rate
from .probe_figures import ADVERSARIAL, ORIGINAL, Probed, SourceFigures
from .probe_grid import colours
from .probe_levels import GAUSSIAN, HISTOGRAM

CARDS = 6
"""Largest number of images of a source that a page shows."""

CELL, GAP = 4, 1
"""Edge of a cell of the map of colours, in pixels, and of the dark line after it."""


def plots(source: str, name: str, each: SourceFigures) -> list[Plot]:
    """Return shares against the noise's level: from the adversarial images, and from the originals."""
    made = []
    for start, words in ((ADVERSARIAL, "from the adversarial image"), (ORIGINAL, "from the original")):
        curves = [
            _curve(each, noise, start, what)
            for noise in (GAUSSIAN, HISTOGRAM)
            for what in ("kept", "reverted")
            if len(each.levels(noise)) > 1
        ]
        names = [_level(factor) for factor in each.levels(GAUSSIAN)]
        axis = "noise, in standard deviations of the perturbation"
        svg = share_curves(curves, axis, f"{name}, {words}", partial(_at, names))
        caption = (
            "Share of noisy images with the adversarial label, and with the original class. Own values: noise drawn "
            "from the perturbation. Thin: single images; shaded: 95 % interval of the mean."
        )
        if start == ADVERSARIAL:
            moments = ", ".join(f"{name} {value:.2g}" for name, value in each.moments().items())
            caption += f" Perturbations, on average: {moments}."
        made.append(Plot(f"{source}-{start}", f"{name}, {words}", caption, svg))
    return made


def _curve(each: SourceFigures, noise: str, start: str, what: str) -> Curve:
    """Return the mean share by level; under Gaussian noise with its interval, and each image's that keep the label.

    The levels are equally far apart.
    """
    kinds = {GAUSSIAN: "Gaussian noise", HISTOGRAM: "its own values"}
    names = {"kept": "adversarial label", "reverted": "original class"}
    means, intervals = each.mean(noise, start, what), each.intervals(noise, start, what)
    if noise == HISTOGRAM:
        intervals = [(mean, mean) for mean in means]
    rows = each.shares(noise, start, what) if noise == GAUSSIAN and what == "kept" else np.empty((0, 0))
    return Curve(
        f"{names[what]}, {kinds[noise]}",
        [(float(place), means[place], *intervals[place]) for place in range(len(means))],
        [[(float(place), float(share)) for place, share in enumerate(row)] for row in rows],
    )


def _at(names: Sequence[str], place: float) -> str:
    """Return the name of the level at a place of the axis."""
    return names[round(place)]


def _level(factor: float) -> str:
    """Return a level as its axis says it: ``1/32``, ``4``, or ``0.59``."""
    power = math.log2(factor)
    if power != round(power):
        return f"{factor:.2g}"
    return f"1/{2 ** -round(power)}" if power < 0 else f"{2 ** round(power)}"


def cards(name: str, each: SourceFigures) -> list[Card]:
    """Return the first images with what they became; edits of one pixel with their maps."""
    made, shares = [], each.shares(GAUSSIAN, ADVERSARIAL, "kept")[:, each.own]
    for probed, share in list(zip(each.found, shares.tolist(), strict=True))[:CARDS]:
        around, classes = probed.result.around, each.config.classes
        assert around
        before, after = classes[probed.result.before], classes[probed.result.after]
        shots = [
            (probed.original, f"{before}, as it is" if probed.subject else "the flat image of its mean colour"),
            (probed.picture, f"taken for {after}"),
        ]
        note = f"{name} · {percent(around.confidence)} · noise of own size keeps {rate(share)}"
        if around.edits:
            works, _ = each.works(probed)
            shots.append((_place_map(probed, works), "places that work too"))
            shots.append((_colour_map(probed), "colours that work too"))
            note += f" · {int(works.sum()) - 1} of {works.size - 1} other places work"
        made.append(Card(shots, f"{before} → {after}", note))
    return made


def _place_map(probed: Probed, works: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the image (3, H, W) in dim grey, with the cells that work in orange."""
    height, width = probed.original.shape[1:]
    grey = probed.original.mean(0)
    rows, columns = (np.arange(edge) * cells // edge for edge, cells in zip((height, width), works.shape, strict=True))
    lit = works[rows[:, None], columns]
    dim = np.repeat((40 + grey / 4)[None], 3, 0)
    orange = np.array([249, 115, 22])[:, None, None]
    return np.where(lit, orange, dim).astype(np.uint8)


def _colour_map(probed: Probed) -> NDArray[np.uint8]:
    """Return the colours that work as a picture (3, H, W) of cells; those that don't are left dark."""
    assert probed.result.around
    assert probed.result.around.edits
    palette, found = colours(len(probed.original)), np.array(probed.result.around.edits.colours)
    side = math.isqrt(len(palette) - 1) + 1
    cells = np.zeros((side * side, 3), np.uint8)
    shown = np.broadcast_to(palette, (len(palette), 3))
    cells[: len(palette)] = np.where((found != probed.result.before)[:, None], shown, 0)
    edge = CELL + GAP
    picture = np.full((side * edge, side * edge, 3), 30, np.uint8)
    for number, colour in enumerate(cells.tolist()):
        row, column = divmod(number, side)
        picture[row * edge : row * edge + CELL, column * edge : column * edge + CELL] = colour
    return np.ascontiguousarray(picture.transpose(2, 0, 1))
