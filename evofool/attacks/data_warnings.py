"""What looks wrong with the labels of a job's images, from how many of them the target classifies correctly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..config.class_names import listed
from ..config.records import DataRecord
from ..text import counted
from .statistics import wilson

MARGIN = 0.1
"""How far above chance a target must be, as a share of the way from chance to all images."""

PAIRS_SHOWN = 10
"""How many names in the data are shown with their classes."""


class WithData(Protocol):
    """The config of a job on labelled images, as far as it says which those are."""

    @property
    def data(self) -> DataRecord | None: ...
    @property
    def classes(self) -> Sequence[str]: ...


def data_warnings(config: WithData) -> list[str]:
    """Return what looks wrong with the labels of a job's images, as sentences.

    A target that is hardly better than chance is told of: labels in another order than the classes are found so. Else a
    campaign that left out more images than it kept, because the target gets them wrong, says so.
    """
    data = config.data
    if data is None or not data.labelled or not data.looked:
        return []
    right = f"only {data.correct:,} of {counted(data.looked, 'image')} looked at are classified correctly"
    if hardly_above_chance(data.correct, data.looked, len(config.classes)):
        return [
            f"{right}, hardly more than by chance (1 of {len(config.classes):,}): the labels may be in another order "
            "than the classes, or the images of other classes or prepared otherwise than those it learned from"
        ]
    if 2 * data.correct < data.looked and data.chosen < data.looked:
        return [
            f"{right}, and the others were left out: look at the labels, and at how the images are prepared for the "
            "target"
        ]
    return []


def describe_mapping(mapping: Mapping[str, Any]) -> str:
    """Return what the class names in a campaign's data were taken for and why.

    Args:
        mapping: What :func:`data_facts` returns: the reason, and the names with the indices and names of their classes.
    """
    pairs = [f"{name} → {label}" for name, _, label in mapping["classes"]]
    return f"{mapping['reason']}: {listed(pairs, PAIRS_SHOWN)}"


def data_notes(config: WithData) -> list[str]:
    """Return what whoever starts a job is told of its data, a line each: doubts, and classes not taken by name."""
    facts = data_facts(config)
    mapping = facts["mapping"]
    notes = [f"warning: {warning}" for warning in facts["warnings"]]
    return [*notes, f"classes: {describe_mapping(mapping)}"] if mapping else notes


def hardly_above_chance(correct: int, looked: int, classes: int) -> bool:
    """Return whether a target is hardly better than chance.

    Of K classes, chance is right on 1/K of the images. A target counts as no better where the upper end of Wilson's
    95 % interval of its share of correct images is below 1/K + ``MARGIN`` (1 - 1/K): 19 % with ten classes, 55 % with
    two. A few images are not enough for that verdict.

    Args:
        correct: Images that it classifies correctly.
        looked: Images that it was shown.
        classes: The number K of classes.
    """
    chance = 1 / classes
    return wilson(correct, looked)[1] < chance + MARGIN * (1 - chance)


def data_facts(config: WithData) -> dict[str, Any]:
    """Return how a job's images were understood, as plain JSON values: doubts, class names and files left out."""
    data, classes = config.data, config.classes
    if data is None:
        return {"warnings": [], "mapping": None, "skipped": {}}
    pairs = [[name, index, classes[index]] for name, index in data.mapping]
    return {
        "warnings": data_warnings(config),
        "mapping": {"reason": data.reason, "classes": pairs} if pairs else None,
        "skipped": data.skipped,
    }
