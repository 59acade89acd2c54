"""The lines of the files in job folders, as they must be. Files may have been edited, cut, or made to harm."""

from __future__ import annotations

import math
from types import UnionType
from typing import Annotated, Any, Literal

import msgspec

from ..config.options import LARGEST, fault_in_words

MAX_GENERATIONS = 10_000_000
"""Largest number of generations of a run."""

MAX_DEPTH = 32
"""Deepest nesting of JSON values that pages take over as they are; evofool writes four levels."""

MAX_SHARE = 1.0001
"""Largest probability; sums of float32 may pass 1 by a little."""

Natural = Annotated[int, msgspec.Meta(ge=0, le=LARGEST - 1)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
Share = Annotated[float, msgspec.Meta(ge=0, le=MAX_SHARE)]
"""A probability."""
NotNegative = Annotated[float, msgspec.Meta(ge=0, lt=LARGEST)]
Measure = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
"""A finite number."""
Guess = tuple[str, Share]
"""A class and its probability."""
Items = dict[str, Share]
"""What a score is made of, by name."""


Kind = type[msgspec.Struct] | UnionType
"""What a line must be: a structure, or one of several, which a tag tells apart."""


class EliteLine(msgspec.Struct, frozen=True):
    """A line of ``elites.jsonl``: the elite of one niche."""

    niche: Natural
    index: Natural
    generation: Natural
    evaluation: Natural
    size: Natural
    score: Share
    top5: list[Guess]
    file: str
    picture_crc32: str
    name: str = msgspec.field(name="class")
    genome: str | msgspec.UnsetType = msgspec.UNSET
    provisional: bool | msgspec.UnsetType = msgspec.UNSET
    networks: Items | msgspec.UnsetType = msgspec.UNSET
    robust: Items | msgspec.UnsetType = msgspec.UNSET
    cell: Annotated[list[Natural], msgspec.Meta(min_length=1, max_length=MAX_DEPTH)] | msgspec.UnsetType = msgspec.UNSET
    descriptors: dict[str, Measure] | msgspec.UnsetType = msgspec.UNSET


class MetricsLine(msgspec.Struct, frozen=True):
    """A line of ``metrics.jsonl``: one generation."""

    generation: Annotated[int, msgspec.Meta(ge=1, le=MAX_GENERATIONS)]
    evaluations: Natural
    confirmations: Natural
    seconds: NotNegative
    median: Share
    mean: Share
    min: Share
    max: Share
    at_99: Natural
    improved: Natural
    size: NotNegative


class ImageLine(msgspec.Struct, frozen=True):
    """A line of ``images.jsonl``: one image under attack, or one that an experiment works on."""

    id: str
    sha256: str
    label: Natural
    prediction: Natural
    confidence: Share
    genome: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Edit(msgspec.Struct, frozen=True):
    """A changed pixel of an outcome."""

    x: Natural
    y: Natural
    colour: list[Byte]


class OutcomeLine(msgspec.Struct, frozen=True):
    """A line of ``outcomes.jsonl``: the end of one attempt."""

    image: Natural
    sha256: str
    label: Natural
    confidence: Share
    criterion_index: Natural | None
    pixels: Natural
    strategy: str
    success: bool
    already: bool
    queries: Natural
    shared: Annotated[int, msgspec.Meta(ge=1, le=LARGEST - 1)]
    queries_to_success: Annotated[int, msgspec.Meta(ge=0, le=LARGEST - 1)] | None
    edits: list[Edit]
    top5: list[Guess]
    final: str | None
    final_index: Natural | None
    name: str = msgspec.field(name="class")
    networks: Items | msgspec.UnsetType = msgspec.UNSET
    robust: Items | msgspec.UnsetType = msgspec.UNSET


class PerturbResult(msgspec.Struct, frozen=True):
    """What one method at one ε made of one image."""

    image: Natural
    wanted: Natural | None
    found: bool
    success: bool
    final_index: Natural
    final: str
    confidence: Share
    linf: Annotated[int, msgspec.Meta(ge=0, le=255)]
    l2: NotNegative
    distortion: Share
    unrounded: Share
    flat: bool


class AscendResult(msgspec.Struct, frozen=True):
    """What the ascent to one class came to."""

    class_index: Natural
    class_name: str
    confidence: Share
    final_index: Natural
    final: str
    start: Share
    steps: Natural
    sure: Natural | None
    passes: Natural
    genome: Natural | None
    flat: bool


class OccludeResult(msgspec.Struct, frozen=True):
    """What covering each part of one image left of its confidence."""

    image: Natural
    confidence: Share
    left: Annotated[list[Annotated[list[Share], msgspec.Meta(min_length=1)]], msgspec.Meta(min_length=1)]
    changed: Natural


class AblateResult(msgspec.Struct, frozen=True):
    """What was left of an image's confidence without one part of it; the first result of an image is the whole."""

    image: Natural
    kind: Literal["whole", "node", "pair", "period", "copy", "alone"]
    nodes: list[Natural]
    centres: list[Measure]
    copies: Natural
    confidence: Share
    first: Natural
    picture: Natural | None


class TransferResult(msgspec.Struct, frozen=True):
    """What all networks make of an image that was made to fool one of them."""

    kind: str
    maker: Natural
    wanted: Natural
    label: Natural | None
    first: list[Natural]
    confidence: list[Share]
    same: list[Share]
    before: list[Natural] | None
    image: Natural | msgspec.UnsetType = msgspec.UNSET


class HardenEpoch(msgspec.Struct, frozen=True, tag_field="kind", tag="epoch"):
    """What a network was like after an epoch of training, or before the first one of round 1.

    The weights are kept after the last epoch of a round.
    """

    round: Natural
    epoch: Natural
    added: Natural
    loss: NotNegative | None
    accuracy: Share
    robust: Share | None
    weights_sha256: str | None


class HardenElite(msgspec.Struct, frozen=True, tag_field="kind", tag="elite"):
    """The surest image of a class, and how many images had been scored when one had 99 % and 99.99 %."""

    round: Natural
    encoding: str
    class_index: Natural
    confidence: Share
    at_99: Natural | None
    at_9999: Natural | None


class HardenShown(msgspec.Struct, frozen=True, tag_field="kind", tag="shown"):
    """What a network took an image for that was made to fool it; noise has no label."""

    round: Natural
    attack: str
    label: Natural | None
    first: Natural
    confidence: Share


HardenResult = HardenEpoch | HardenElite | HardenShown


class DetectedImage(msgspec.Struct, frozen=True, tag_field="of", tag="image"):
    """A real image, or one that was made to fool the network, and what its outputs and gradients say of it.

    Attributes:
        kind: ``real``, or how it was made.
        known: Whether detectors learn from it; they are tested on the others.
        wanted: The class that it was evolved for.
        label: The class of the real image that it is, or was made from.
        first, confidence: The network's first guess, and its probability.
        fools: Whether it was made to fool the network, and does.
        scores: What tells it from real ones, by the score's name; higher looks more real.
        image: The real image that it is, or was made from.
    """

    kind: str
    known: bool
    wanted: Natural | None
    label: Natural | None
    first: Natural
    confidence: Share
    fools: bool
    scores: dict[str, Measure]
    image: Natural | msgspec.UnsetType = msgspec.UNSET


class FittedScores(msgspec.Struct, frozen=True, tag_field="of", tag="fitted"):
    """What scores that learn from images say of the images of an earlier part.

    Attributes:
        part: Number of that part.
        scores: By the score's name, a value for each of its images, in order.
    """

    part: Natural
    scores: dict[str, list[Measure]]


def fault(line: dict[str, Any], kind: Kind) -> str | None:
    """Return the first thing that keeps a line from being of a kind, or None."""
    try:
        msgspec.convert(line, kind)
    except msgspec.ValidationError as error:
        return fault_in_words(error)[:120]
    except UnicodeEncodeError:  # A lone surrogate, where msgspec looks into a text for another type.
        return "it has text that is no Unicode"
    return None


def plain_fault(value: Any) -> str | None:
    """Return what is wrong with a JSON value that is taken over as it is, or None.

    Numbers must be finite and whole ones below ``LARGEST``, and nothing may be nested more than ``MAX_DEPTH`` deep.
    """
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"it has values in values, more than {MAX_DEPTH} deep"
        if isinstance(item, float) and not math.isfinite(item):
            return f"it has a number that is {item}"
        if isinstance(item, int) and abs(item) >= LARGEST:
            return "it has a number that is too large"
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting += [(each, depth + 1) for each in inner]
    return None
