"""What a campaign does with every image, as its options say: criteria, numbers of pixels, a strategy and its budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..config.attack import ALL, UNTARGETED, AttackOptions
from ..config.classes import choose_classes
from ..config.records import PlanRecord
from ..encodings.pixels import Pixels
from ..errors import ConfigError, GenomeError, suggestion
from ..targets.protocols import Target, device_of, precision_of, rows_of, runs_side_by_side
from .criterion import Criterion
from .searches.registry import BASELINE, DEFAULT, PRESETS, Strategy, find_strategy

AUTO = "auto"
"""The value of ``pixels`` that tries ever more of them."""

MAX_AUTO_PIXELS = 5
"""Where ``pixels=auto`` ends unless ``max_pixels`` says otherwise."""

MAX_ROWS = {"cpu": 64}
"""Most rows of a batch, by kind of device; no limit where there is none.

A campaign's last attempts can't fill larger ones, and a small network's activations stay in the caches (ResNet-20:
1,680 rows/s with 64, 1,230 with 128).
"""

MAX_SEQUENTIAL_ROWS = 32
"""Most rows of a batch where a search wants its candidates scored one by one; half as many where batches are computed
side by side, so that as many attempts fill two."""


class Choices(NamedTuple):
    """What options say of a campaign's attempts."""

    strategy: Strategy
    """How they search."""
    pixels: tuple[int, ...]
    """Numbers of pixels, tried in this order."""
    criteria: tuple[int | None, ...] | str
    """The classes to reach, None among them for any other class; or ``all``."""
    criterion: str
    """The criteria in words."""


def plan_of(options: AttackOptions, target: Target) -> PlanRecord:
    """Return what a campaign with these options does with every image.

    Raises:
        ConfigError: Options contradict each other, or don't fit the target.
    """
    strategy, pixels, criteria, criterion = choices_of(options, target.classes, target.image_shape)
    if options.queries == 1 and precision_of(target) != "float32" and not strategy.settles_all:
        raise ConfigError(
            "`queries` must be at least 2, got 1: one scores a candidate, one confirms it in float32; "
            "with `precision=float32` 1 is enough"
        )
    return PlanRecord(
        criterion=criterion,
        criteria=criteria,
        pixels=pixels,
        strategy=strategy.name,
        queries=options.queries or strategy.budget(Pixels(target.image_shape, pixels[-1])),
        baseline=options.baseline,
        seed=options.seed,
        rows=batch_rows(strategy, target, pixels[-1]),
    )


def choices_of(options: AttackOptions, classes: Sequence[str], image_shape: tuple[int, int, int]) -> Choices:
    """Return what options say of the attempts on a target with these classes and images.

    Raises:
        ConfigError: Options contradict each other, or don't fit the target.
    """
    strategy = _strategy(options.strategy, options.preset)
    pixels = _pixels(options.pixels, options.max_pixels, strategy, image_shape)
    if options.baseline and len(pixels) > 1:
        raise ConfigError("`baseline` compares attempts of one size; give `pixels` a number")
    if options.baseline and strategy.name == BASELINE:
        raise ConfigError(f"`strategy={BASELINE}` is the baseline itself; leave `baseline` out")
    return Choices(strategy, pixels, *_criteria(options.criterion, classes))


def criteria_of(plan: PlanRecord, label: int, classes: int) -> list[Criterion]:
    """Return the criteria of an image of class ``label``: those of the plan but its own class.

    Args:
        classes: How many classes the target has.
    """
    wanted = range(classes) if isinstance(plan.criteria, str) else plan.criteria
    return [Criterion(target_class) for target_class in wanted if target_class != label]


def count_pairs(plan: PlanRecord, labels: Sequence[int], classes: int) -> int:
    """Return how many pairs of image and criterion a campaign has, for images of these classes."""
    if isinstance(plan.criteria, str):
        return len(labels) * (classes - 1)
    return sum(target_class != label for label in labels for target_class in plan.criteria)


def excluded_classes(plan: PlanRecord) -> list[int]:
    """Return the classes whose images are not attacked, because their own class is the only one to reach."""
    if isinstance(plan.criteria, str) or len(plan.criteria) > 1:
        return []
    return [target_class for target_class in plan.criteria if target_class is not None]


def batch_rows(strategy: Strategy, target: Target, pixels: int) -> int:
    """Return how many rows the batches of a campaign with so many pixels at most have."""
    rows = rows_of(target)
    if strategy.sequential_from is not None and pixels >= strategy.sequential_from:
        return min(rows, MAX_SEQUENTIAL_ROWS // 2 if runs_side_by_side(target) else MAX_SEQUENTIAL_ROWS)
    return min(rows, MAX_ROWS.get(device_of(target).partition(":")[0], rows))


def _strategy(name: str | None, preset: str | None) -> Strategy:
    """Return the strategy that is asked for, by its name or as a preset."""
    if preset is None:
        return find_strategy(DEFAULT if name is None else name)
    if preset not in PRESETS:
        raise ConfigError(
            f'unknown preset "{preset}"{suggestion(preset, PRESETS)}; choose {" or ".join(PRESETS)}, or leave it out'
        )
    if name is not None:
        raise ConfigError(f"`preset={preset}` is a strategy of its own; leave `strategy={name}` out")
    return find_strategy(preset)


def _pixels(
    pixels: int | str, max_pixels: int | None, strategy: Strategy, image_shape: tuple[int, int, int]
) -> tuple[int, ...]:
    """Return the numbers of pixels that are tried."""
    text = str(pixels).strip().lower()
    auto = text == AUTO
    if not auto and max_pixels is not None:
        raise ConfigError(f"`max_pixels` is where `pixels={AUTO}` ends; leave it out")
    if not auto and not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ConfigError(f'`pixels` must be a number or {AUTO}, got "{pixels}"')
    last = (MAX_AUTO_PIXELS if max_pixels is None else max_pixels) if auto else int(text)
    try:
        space = Pixels(image_shape, last)
    except GenomeError as error:
        option = "`max_pixels`" if auto and max_pixels is not None else "`pixels`"
        raise ConfigError(str(error).replace("`pixels`", option)) from error
    strategy.check(space)
    return tuple(range(1, last + 1)) if auto else (last,)


def _criteria(
    criterion: tuple[int | str, ...] | str, classes: Sequence[str]
) -> tuple[tuple[int | None, ...] | str, str]:
    """Return the classes to reach, and what records call them.

    As text, ``untargeted`` and ``all`` are the words for these; in a list they are classes where these are called so.
    """
    names = [name.lower() for name in classes]
    word = criterion.strip().lower() if isinstance(criterion, str) else ""
    if not isinstance(criterion, str) and len(criterion) == 1 and str(criterion[0]).lower() not in names:
        word = str(criterion[0]).strip().lower()
    if word == UNTARGETED:
        return (None,), UNTARGETED
    if word == ALL:
        return ALL, ALL
    if criterion == () or (isinstance(criterion, str) and not word):
        raise ConfigError(f"`criterion` must be {UNTARGETED}, {ALL}, or names or indices of classes, got nothing")
    indices = choose_classes(criterion, classes, parameter="criterion", words=(UNTARGETED, ALL))
    return tuple(int(index) for index in indices), ", ".join(classes[index] for index in indices)
