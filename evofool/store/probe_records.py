"""The lines of ``results.jsonl`` of the experiment ``probe``, as they must be."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .records import Measure, Natural, NotNegative, Share


class Counts(msgspec.Struct, frozen=True):
    """Of the samples of each level, how many are taken for the adversarial class, and how many for the original."""

    noise: str
    start: str
    kept: list[Natural]
    reverted: list[Natural]


class EditMap(msgspec.Struct, frozen=True):
    """What the network takes an edit of one pixel for at other places, and in other colours."""

    edit: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=8192)]], msgspec.Meta(min_length=3, max_length=5)]
    places: Annotated[list[Natural], msgspec.Meta(min_length=1)]
    colours: Annotated[list[Natural], msgspec.Meta(min_length=1)]


class Around(msgspec.Struct, frozen=True):
    """What was measured around an adversarial image; ``moments`` are mean, standard deviation, skewness, kurtosis."""

    confidence: Share
    rounded: bool
    norm: NotNegative
    moments: tuple[Measure, NotNegative, Measure, Measure]
    counts: list[Counts]
    random: Annotated[list[NotNegative | None], msgspec.Meta(min_length=1)]
    descent: NotNegative | None
    ascent: NotNegative | None
    edits: EditMap | None


class ProbeResult(msgspec.Struct, frozen=True):
    """What became of one image; fooling images have none that they come from."""

    goal: Natural | None
    before: Natural
    after: Natural
    around: Around | None
    image: Natural | msgspec.UnsetType = msgspec.UNSET
