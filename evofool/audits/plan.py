"""What an audit's budget comes to: how many queries each part has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import floor, log10, prod, sqrt
from typing import NamedTuple

from ..config.audit import AuditPlan
from ..errors import ConfigError
from ..search.defaults import VERIFIED_ELITES
from .figure_table import EPSILONS, PIXELS

LEAST = 200
"""Fewest queries of an audit: fewer say nothing of any part."""

FEWEST = 10
"""Fewest images that a part works on; with fewer, it is skipped."""

BATCH = 100
"""Children of a generation; fewer where the budget has no room for ten generations of so many."""

ATTEMPT = (25, 2_000)
"""Fewest and most queries of an attempt to change an image's class."""

SEARCH = 2.0
"""An attempt has this times the square root of the queries for its number of pixels, so a larger budget gives more
images and more queries to each. ``docs/AUDIT.md`` has the measurement."""

CORRUPTIONS = ("jpeg", "resize", "blur", "noise", "brightness", "screenshot")
"""What images are scored under. ``screenshot`` is a resize, a JPEG file and a blur, one after the other."""

LOOKS = 2
"""Images that are looked at for each that is attacked, where half of them are classified rightly."""

PGD_STEPS, PGD_RESTARTS = 10, 1
"""Steps and restarts of PGD."""

IMAGE_COST = len(EPSILONS) * (4 + 3 * PGD_STEPS + 1) + 1
"""Forward passes that FGSM and PGD take for one image, a gradient counted as three, and the one that chooses it."""

LOST = 0.03
"""Share of a paid budget that is kept back: requests under way when a process is killed count as paid."""

CONFIRMED = 1.5
"""How many images a search scores for each of its evaluations where it confirms elites in float32."""

IMAGE_BYTES = 2**27
"""Most bytes that real images and what is said of them may have together in an audit's folder."""


class Caps(NamedTuple):
    """Most images of the parts of a profile; more would cost time and make intervals little narrower."""

    real: int
    attacked: int
    corrupted: int
    perturbed: int


CAPS = {
    "quick": Caps(500, 50, 100, 50),
    "standard": Caps(2_000, 200, 300, 100),
    "full": Caps(10_000, 1_000, 1_000, 500),
}
"""By profile."""

SHARES = {"cppn": 0.27, "direct": 0.18, "pixels": 0.35, "real": 0.08, "noise": 0.02, "corruptions": 0.1, "perturb": 0.1}
"""Shares of the budget. Those of parts that are left out, and what caps leave over, go to the first three."""


def plan_of(
    queries: int,
    profile: str,
    *,
    images: int,
    values: int,
    shape: tuple[int, int, int],
    gradients: bool,
    paid: bool,
    exact: bool,
    others: Sequence[int] = (),
    skip: Collection[str] = (),
) -> AuditPlan:
    """Return how a number of queries is shared by the parts.

    Args:
        queries: The budget.
        profile: The profile, whose :data:`CAPS` hold.
        images: How many real images there are.
        values: How many classes the target has.
        shape: (C, H, W) of its images.
        gradients: Whether the target gives gradients.
        paid: Whether queries are counted, and an image that was scored is not asked about again.
        exact: Whether what a search scores goes on record as it is.
        others: How many images each other data set has.
        skip: Parts that are left out.

    Raises:
        ConfigError: The budget is too small for anything.
    """
    caps, usable = CAPS[profile], floor(queries * (1 - LOST)) if paid else queries
    if queries < LEAST:
        raise ConfigError(
            f"`budget` is {queries:,} queries, too few for any part of an audit; {LEAST:,} are enough to evolve "
            f"images, about {round(FEWEST / SHARES['real'] / (1 - LOST)) * 4:,} to judge confidences as well"
        )
    real = noise = corrupted = perturbed = 0
    fitting = IMAGE_BYTES // (prod(shape) + 8 * values)
    if {"pixels", "rejection", "corruptions", "calibration", "perturb"} - set(skip):
        real = _enough(min(SHARES["real"] * usable, caps.real, images, fitting))
    if real and "rejection" not in skip:
        noise = _enough(min(SHARES["noise"] * usable, caps.real / 4))
    other = noise if others else 0
    if real and "corruptions" not in skip:
        corrupted = _enough(min(SHARES["corruptions"] * usable / len(CORRUPTIONS), caps.corrupted, real))
    if gradients and "perturb" not in skip:
        perturbed = _enough(min(SHARES["perturb"] * usable / IMAGE_COST, caps.perturbed, images))
    shown = noise + sum(min(other, n) for n in others) + corrupted * len(CORRUPTIONS)
    left = usable - real * (1 if paid else 2) - shown - perturbed * IMAGE_COST
    looks = 0 if paid else LOOKS
    attacked, attempt = (0, 0) if not real or "pixels" in skip else _attempts(left, min(caps.attacked, real), looks)
    left -= attacked * (attempt + looks) * len(PIXELS)
    if real and "rejection" not in skip and not paid:
        left -= min(2 * values, left // 2)  # The surest image of each class is scored again, by both encodings.
    fooling = 0.0 if "fooling" in skip else left / (1 if exact else CONFIRMED)
    again = 0 if paid else min(values, VERIFIED_ELITES)
    cppn = fooling * SHARES["cppn"] / (SHARES["cppn"] + SHARES["direct"])
    return AuditPlan(
        queries=queries,
        cppn=_generations(cppn, again),
        direct=_generations(fooling - cppn, again),
        real=real,
        noise=noise,
        others=other,
        attacked=attacked,
        attempt=attempt,
        corrupted=corrupted,
        perturbed=perturbed,
    )


def batch_of(evaluations: int) -> int:
    """Return how many children a generation has, so that there are ten generations at least."""
    return max(FEWEST, min(BATCH, evaluations // 10))


def rounded_down(number: float) -> int:
    """Return a number rounded down to two significant digits, and at least 1.

    >>> rounded_down(12_999), rounded_down(7.9)
    (12000, 7)
    """
    most = max(1.0, number)
    unit = 10 ** max(0, floor(log10(most)) - 1)
    return int(most // unit * unit)


def _enough(images: float) -> int:
    """Return a number of images, 0 where it is below :data:`FEWEST`."""
    return floor(images) if images >= FEWEST else 0


def _attempts(left: int, most: int, looks: int) -> tuple[int, int]:
    """Return how many images are attacked, and with how many queries each and for each number of pixels.

    Args:
        left: Queries that are left for this part and for evolving images.
        most: Most images.
        looks: Queries beside those of an attempt that it takes to choose an image.
    """
    pixels = SHARES["pixels"] / (SHARES["pixels"] + SHARES["cppn"] + SHARES["direct"]) * left / len(PIXELS)
    each = max(ATTEMPT[0] + looks, min(SEARCH * sqrt(max(0.0, pixels)), pixels / FEWEST))
    attacked = _enough(min(most, pixels / each))
    return attacked, min(ATTEMPT[1], floor(pixels / attacked) - looks) if attacked else 0


def _generations(evaluations: float, again: int) -> int:
    """Return a number of evaluations rounded down to whole generations.

    Args:
        evaluations: How many there may be.
        again: Elites that are scored again in generations 1, 2, 4 …, which has to fit as well.
    """
    batch = batch_of(floor(evaluations))
    checks = floor(evaluations / batch).bit_length()
    return floor((evaluations - min(again * checks, evaluations / 2)) / batch) * batch
