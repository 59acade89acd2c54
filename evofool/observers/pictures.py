"""What a job has found so far, as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..attacks.outcome import Outcome, recorded_edits
from ..attacks.subject import Subject
from ..encodings.pixels import edited
from ..gallery.prints.drawing import columns_for, fit_tile
from ..gallery.prints.lettering import DARK, draw_caption
from ..io.images import to_image

if TYPE_CHECKING:
    from ..search.evolution import Evolution

ELITES_DRAWN = 60
"""Most elites of a sheet; of more classes, those are drawn whose elites are surest."""

TILE, GAP, TEXT = 128, 12, 12
"""Side of a picture, gap between pictures, and font size, in pixels."""

Captioned = tuple[Sequence[NDArray[np.uint8]], str, float]
"""Pictures (C, H, W) that stand side by side, and the class and the confidence below the last."""


def elites_sheet(evolution: Evolution) -> Image.Image | None:
    """Draw the surest elite of every class, the surest first; None where there are none."""
    archive = evolution.archive
    niches = np.intersect1d(archive.surest(), archive.held())
    if not len(niches):
        return None
    niches = niches[np.argsort(-archive.confidence[niches], kind="stable")[:ELITES_DRAWN]]
    images = evolution.encoding.decode(archive.genomes.take(niches)).numpy(force=True)
    names = [evolution.target.classes[index] for index in archive.class_of_niche[niches]]
    return _sheet([([image], *rest) for image, *rest in zip(images, names, archive.confidence[niches], strict=True)])


def attempts_sheet(subjects: Sequence[Subject], successes: Sequence[Outcome]) -> Image.Image | None:
    """Draw images before and after successful attempts; None where there are none."""
    drawn: list[Captioned] = []
    for outcome in successes:
        before = subjects[outcome["image"]].image
        after = edited(before, recorded_edits(outcome, len(before))[: outcome["pixels"]])
        sure = outcome["top5"][0][1] if outcome["top5"] else 0.0
        drawn.append(([before, after], f"{outcome['class']} → {outcome['final']}", sure))
    return _sheet(drawn) if drawn else None


def _sheet(entries: Sequence[Captioned]) -> Image.Image:
    """Draw pictures in a grid, with class and confidence below each."""
    wide = len(entries[0][0]) * (TILE + GAP // 4) - GAP // 4
    columns = columns_for(len(entries), 1.6 * TILE / wide)
    rows, step = math.ceil(len(entries) / columns), (wide + GAP, TILE + 3 * TEXT)
    sheet = Image.new("RGB", (columns * step[0] + GAP, rows * step[1] + GAP), DARK.paper)
    draw = ImageDraw.Draw(sheet)
    style = DARK.for_texts([name for _, name, _ in entries])
    for position, (images, name, sure) in enumerate(entries):
        row, column = divmod(position, columns)
        x, y = GAP + column * step[0], GAP + row * step[1]
        for place, image in enumerate(images):
            sheet.paste(fit_tile(to_image(image), TILE), (x + place * (TILE + GAP // 4), y))
        draw_caption(draw, name, float(sure), (x, y + TILE), wide, TEXT, style)
    return sheet
