"""The DEAP toolboxes of a campaign's searches, and what a user may swap in them."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.records import PlanRecord
from ..encodings.pixels import Pixels
from ..engines.toolbox import Hook, Toolbox, swap
from ..errors import OperatorError
from .searches.registry import BASELINE, STRATEGIES, Strategy

FIXED = {
    "clone": "nothing calls it",
    "map": "candidates of many attempts are scored as one batch on all cores; to score in processes, spread the images "
    "over them in the scores() of a target of your own",
    **dict.fromkeys(
        ("decode", "evaluate", "confirm"),
        "what is scored must be what is saved; change images or scores in a target of your own",
    ),
    **dict.fromkeys(("generate", "update"), "swap search, an object with ask() and tell()"),
}
"""Why operators of a campaign can't be swapped, by alias."""


@dataclass(frozen=True)
class Operators:
    """The operators of a campaign's searches.

    Attributes:
        toolboxes: By strategy and number of pixels.
        swapped: The names of the user's operators, by alias.
        hook: The user's function that swapped them, if there is one.
    """

    toolboxes: dict[tuple[str, int], Toolbox]
    swapped: dict[str, str]
    hook: Hook | None = None


def operators_of(plan: PlanRecord, image_shape: tuple[int, int, int], hook: Hook | None = None) -> Operators:
    """Wire the operators of a campaign.

    Args:
        plan: What the campaign does.
        image_shape: (C, H, W) of the images.
        hook: A user's function that swaps operators of the campaign's strategy. It is called for each number of pixels.
            The baseline keeps its own.

    Raises:
        GenomeError: The plan has more pixels than the images.
        ConfigError: The plan has more pixels than its strategy can edit, or the hook swaps nothing.
        OperatorError: The hook swaps what can't be swapped, or other operators for other numbers of pixels.
    """
    names = {plan.strategy, *([BASELINE] if plan.baseline else [])}
    toolboxes = {(name, k): STRATEGIES[name].toolbox(Pixels(image_shape, k)) for name in names for k in plan.pixels}
    swapped: dict[str, str] = {}
    if hook is not None:
        fixed = _fixed(STRATEGIES[plan.strategy])
        every = [swap(toolboxes[plan.strategy, k], hook, fixed) for k in plan.pixels]
        swapped = every[0]
        if any(others != swapped for others in every):
            raise OperatorError("`toolbox` must swap the same operators for every number of pixels")
    return Operators(toolboxes, swapped, hook)


def _fixed(strategy: Strategy) -> dict[str, str]:
    """Return why operators of a strategy can't be swapped, by alias."""
    missing = {"random", "mutate", "mate", "select"} - set(strategy.operators)
    reasons = dict.fromkeys(missing, f"strategy {strategy.name} doesn't call it; `strategy=de` does")
    if strategy.settles_all:
        reasons["search"] = f"strategy {strategy.name} settles all criteria of an image at once; use `strategy=local`"
    return FIXED | reasons
