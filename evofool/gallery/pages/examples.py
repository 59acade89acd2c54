"""Successes of a campaign in its report: before, after with the pixel ringed, and a closer look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...io.images import data_uri
from ...io.png import png
from .findings import Findings
from .items import item_details
from .successes import Success, shown_successes

MAX_EXAMPLES, MIN_EXAMPLES = 48, 6
"""Largest number of successes in a report, and how many large images may be shown nevertheless."""

MAX_BYTES = 6_000_000
"""Bytes of pictures in a report, about."""

CLOSE_UP = 0.4
"""Share of the image's shorter side that the closer look shows; always 5 to 13 pixels."""


@dataclass(frozen=True)
class Example:
    """A success as the report shows it; pictures are URIs for an ``<img>``, ``note`` is a further line of text."""

    success: Success
    before: str
    after: str
    close_up: str
    note: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image."""
        _, height, width = self.success.after.shape
        return width, height


def examples(findings: Findings) -> list[Example]:
    """Return the successes that a report shows: the surest, few of the same kind."""
    if not findings.successes:
        return []
    limit = example_limit(findings, MAX_EXAMPLES)
    return [example_of(success) for success in shown_successes(findings, limit)]


def example_limit(findings: Findings, most: int) -> int:
    """Return how many successes may be shown, at most ``most`` of them: fewer of large images."""
    size = len(png(findings.folder.subjects[0].image))
    return max(MIN_EXAMPLES, min(most, MAX_BYTES // (2 * size)))


def example_of(success: Success, note: str = "") -> Example:
    """Return a success as a report shows it. Its further line is ``note``, or else what its score is made of."""
    return Example(
        success,
        before=data_uri(png(success.subject.image)),
        after=data_uri(png(success.after)),
        close_up=data_uri(png(_close_up(success.after, success.changed))),
        note=note or ", ".join(f"{name} {value}" for name, value in item_details(success.outcome)),
    )


def _close_up(image: NDArray[np.uint8], changed: list[tuple[int, int]]) -> NDArray[np.uint8]:
    """Return the square around the first changed pixel, moved inside the image."""
    _, height, width = image.shape
    side = min(height, width, max(5, min(13, round(CLOSE_UP * min(height, width)) | 1)))
    x, y = changed[0] if changed else (width // 2, height // 2)
    left = min(max(0, x - side // 2), width - side)
    top = min(max(0, y - side // 2), height - side)
    return np.ascontiguousarray(image[:, top : top + side, left : left + side])
