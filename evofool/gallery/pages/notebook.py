"""What results show of themselves in a notebook: HTML that needs no page around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...io.images import to_image
from .commands import resume_call
from .experiment_page import Card
from .findings import read_findings
from .rendering import render, unbroken
from .successes import shown_successes

MOST_CARDS = 24
"""Largest number of pictures, or of pairs of them. A notebook keeps what it shows in its file."""

EDGE = 96
"""Default of the largest width and height of a picture in a notebook, in pixels."""


def fragment(
    title: str,
    rows: Sequence[tuple[str, str]],
    cards: Iterable[Card] = (),
    page: Path | None = None,
    *,
    edge: int = EDGE,
) -> str:
    """Return HTML that says what came out.

    Args:
        title: What was done.
        rows: Names and values.
        cards: Pictures with what they show; the first ``MOST_CARDS`` are used.
        page: The job's page, where there is one.
        edge: Largest width and height of a picture, in pixels; larger ones are made smaller.
    """
    shown = [_small(card, edge) for card in islice(cards, MOST_CARDS)]
    values = [(name, unbroken(value)) for name, value in rows]
    return render("notebook.html", title=unbroken(title), rows=values, cards=shown, page=page, edge=edge)


def resuming(path: Path | None, stopped: bool) -> list[tuple[str, str]]:
    """Return the row that says how a job goes on, if it was stopped and has a folder."""
    return [("go on", resume_call(path))] if path and stopped else []


def elite_cards(names: Sequence[str], values: Sequence[str], images: Iterable[NDArray[np.uint8]]) -> Iterable[Card]:
    """Yield a card for each elite.

    Args:
        names: Their classes.
        values: What is said of each.
        images: (C, H, W) uint8.
    """
    for name, value, image in zip(names, values, images, strict=True):
        yield Card([(image, name)], name, value)


def attempt_cards(path: Path) -> Iterable[Card]:
    """Yield a card for each of a campaign's first successes: before and after."""
    for success in shown_successes(read_findings(path), MOST_CARDS):
        outcome = success.outcome
        pictures = [(success.subject.image, "before"), (success.after, "after")]
        yield Card(pictures, outcome["final"], f"was {outcome['class']}; {success.changed_text(1)}")


def _small(card: Card, edge: int) -> Card:
    """Return a card whose pictures are at most so many pixels wide and high."""
    pictures = [(_thumbnail(picture, edge), words) for picture, words in card.pictures]
    return Card(pictures, unbroken(card.heading), unbroken(card.note))


def _thumbnail(picture: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    """Return a picture (C, H, W) that is small enough."""
    longest = max(picture.shape[1:])
    if longest <= edge:
        return picture
    height, width = (max(1, round(side * edge / longest)) for side in picture.shape[1:])
    pixels = np.asarray(to_image(picture).resize((width, height), Image.Resampling.BOX))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
