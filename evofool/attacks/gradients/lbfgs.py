"""The smallest perturbation that reaches a goal, by L-BFGS in the box of all images (Szegedy et al. 2014, §4.1).

For a weight w, min over x' in [0, 1]ⁿ of w·‖x' − x‖² + loss(x') is found, and w is searched for the largest with which
the goal is still reached: it has the smallest perturbation. (The paper puts the weight c before the norm and asks for
the smallest c; with that objective it is the largest.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ...targets.protocols import Differentiable
from .goals import Goal, ascent

MEMORY = 8
"""Pairs of steps and changes of the gradient that are remembered."""

FIRST_WEIGHT, WEIGHT_FACTOR = 10.0, 10.0
"""Where the search for the weight begins, and its factor until the goal was both reached and missed."""

FIRST_STEP = 0.5
"""Euclidean norm of the first step of a minimisation, whose curvature is not known yet."""

HALVINGS = 6
"""Most times that a step is halved where it does not bring the objective down."""

CONVERGED = 1e-5
"""Smallest decrease, in shares of the objective, that is worth a step."""

ARMIJO = 1e-4
"""Share of the decrease that the gradient promises which a step must bring (Nocedal and Wright, §3.1)."""


def smallest(
    target: Differentiable, pixels: Tensor, goal: Goal, *, iterations: int, searches: int
) -> tuple[Tensor, Tensor]:
    """Return the images nearest to ``pixels`` that reach a goal, as far as they are found.

    Args:
        target: The classifier.
        pixels: (B, C, H, W) float in [0, 1].
        goal: What is to be reached.
        iterations: Iterations of a minimisation.
        searches: Weights that are tried.

    Returns:
        The images (B, C, H, W), as they were where none was found; and (B,) whether one was found.
    """
    nearest, _ = _search(target, pixels, goal, iterations, searches)
    return nearest.images, nearest.distance.isfinite()


def minimisers(
    target: Differentiable, pixels: Tensor, goal: Goal, *, iterations: int, searches: int, share: float
) -> tuple[Tensor, Tensor]:
    """Return the minimisers of the objective at a share of the largest weight with which the goal is reached.

    The nearest images lie at the border of a class. A smaller weight leads deeper into it.

    Args:
        target, pixels, goal, iterations, searches: As in :func:`smallest`.
        share: Share of the largest weight, in (0, 1].

    Returns:
        The images (B, C, H, W), and (B,) whether they reach the goal.
    """
    nearest, weight = _search(target, pixels, goal, iterations, searches)
    return _minimise(target, pixels, goal, share * weight, iterations, nearest)


def _search(
    target: Differentiable, pixels: Tensor, goal: Goal, iterations: int, searches: int
) -> tuple[_Nearest, Tensor]:
    """Search for the largest weight (B,) with which the goal is reached; it is the smallest tried where none is."""
    nearest = _Nearest(pixels.clone(), pixels.new_full((len(pixels),), torch.inf))
    weight = torch.full_like(nearest.distance, FIRST_WEIGHT)
    low, high = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
    for _ in range(searches):
        _, reached = _minimise(target, pixels, goal, weight, iterations, nearest)
        low, high = torch.where(reached, weight, low), torch.where(reached, high, weight)
        between = (low * high).sqrt()
        weight = torch.where(high.isinf(), low * WEIGHT_FACTOR, torch.where(low == 0, high / WEIGHT_FACTOR, between))
    return nearest, torch.where(low == 0, high, low)


@dataclass
class _Nearest:
    """The nearest images so far that reach the goal, and their squared distances (B,); infinite where there is none."""

    images: Tensor
    distance: Tensor

    def note(self, rows: Tensor, images: Tensor, distance: Tensor, reached: Tensor) -> None:
        """Take those images of some rows that reach the goal and are nearer."""
        better = reached & (distance < self.distance[rows])
        self.images[rows[better]] = images[better]
        self.distance[rows[better]] = distance[better]


class _Point(NamedTuple):
    """Images (B, C, H, W): the objective's value (B,), its gradient (B, n), and whether the goal is reached (B,)."""

    images: Tensor
    value: Tensor
    gradient: Tensor
    reached: Tensor


def _minimise(
    target: Differentiable, pixels: Tensor, goal: Goal, weight: Tensor, iterations: int, nearest: _Nearest
) -> tuple[Tensor, Tensor]:
    """Minimise the objective of all images, and note all on the way.

    Returns:
        The last images (B, C, H, W), and (B,) whether they reach the goal.
    """

    def at(images: Tensor, rows: Tensor) -> _Point:
        here = ascent(target, images, Goal(goal.watched[rows], goal.targeted))
        away, scale = (images - pixels[rows]).flatten(1), weight[rows]
        distance = away.square().sum(1)
        nearest.note(rows, images, distance, here.reached)
        slope = -torch.sigmoid(-here.lead)[:, None] * here.gradient.flatten(1)
        value = scale * distance + softplus(-here.lead)
        return _Point(images, value, slope + 2 * scale[:, None] * away, here.reached)

    rows = torch.arange(len(pixels), device=pixels.device)
    point, memory = at(pixels, rows), _Memory()
    images, reached = point.images.clone(), point.reached.clone()
    for _ in range(iterations):
        flat = point.images.flatten(1)
        # Values at a bound that want to leave the box are held there (Bertsekas 1982, two-metric projection).
        free = ~((flat <= 0) & (point.gradient > 0) | (flat >= 1) & (point.gradient < 0))
        step = memory.direction(point.gradient * free, free)
        moved = _Point(*(part.clone() for part in point))
        waiting = torch.arange(len(flat), device=flat.device)  # rows of this iteration that have not moved yet
        for halving in range(HALVINGS):
            ahead = (flat[waiting] + step[waiting] / 2**halving).clamp(0, 1)
            gain = (point.gradient[waiting] * (ahead - flat[waiting])).sum(1)
            promising = gain < -CONVERGED * point.value[waiting].abs()
            waiting, ahead, gain = waiting[promising], ahead[promising], gain[promising]
            if not len(waiting):
                break
            tried = at(ahead.view(-1, *pixels.shape[1:]), rows[waiting])
            good = tried.value <= point.value[waiting] + ARMIJO * gain
            for part, new in zip(moved, tried, strict=True):
                part[waiting[good]] = new[good]
            waiting = waiting[~good]
        memory.add(moved.images.flatten(1) - flat, moved.gradient - point.gradient)
        going = moved.value < point.value
        if not bool(going.any()):
            break
        images[rows], reached[rows] = moved.images, moved.reached
        rows, point = rows[going], _Point(*(part[going] for part in moved))
        memory.keep(going)
    return images, reached


@dataclass
class _Memory:
    """Steps and changes of the gradient, (B, n) each, the last ones first: what L-BFGS knows of the curvature."""

    pairs: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def add(self, step: Tensor, change: Tensor) -> None:
        """Remember a pair and forget the oldest. Rows that did not move have zeros, which are passed over."""
        self.pairs = [(step, change), *self.pairs[: MEMORY - 1]]

    def keep(self, rows: Tensor) -> None:
        """Forget the rows that are not among ``rows`` (B,)."""
        self.pairs = [(step[rows], change[rows]) for step, change in self.pairs]

    def direction(self, gradient: Tensor, free: Tensor) -> Tensor:
        """Return the step (B, n) that the two-loop recursion proposes (Nocedal and Wright, algorithm 7.4).

        Args:
            gradient: (B, n), zero where a value is not free.
            free: (B, n) which values may move. The curvature is taken over these only.
        """
        length: Tensor = gradient.norm(dim=1, keepdim=True)
        plain: Tensor = -gradient * (FIRST_STEP / length.clamp_min(1e-12)).clamp(max=1)
        if not self.pairs:
            return plain
        used = [(step * free, change * free) for step, change in self.pairs]
        curvatures = [(step * change).sum(1, keepdim=True) for step, change in used]
        good = [curvature > 1e-10 for curvature in curvatures]
        rest, shares = gradient, []
        for (step, change), curvature, sound in zip(used, curvatures, good, strict=True):
            share = torch.where(sound, (step * rest).sum(1, keepdim=True) / curvature, 0)
            rest = rest - share * change
            shares.append(share)
        scale, known = torch.ones_like(length), torch.zeros_like(good[0])
        for (_, change), curvature, sound in zip(used, curvatures, good, strict=True):
            scale = torch.where(sound & ~known, curvature / change.square().sum(1, keepdim=True), scale)
            known = known | sound
        rest = rest * scale
        for (step, change), curvature, sound, share in reversed(list(zip(used, curvatures, good, shares, strict=True))):
            other = torch.where(sound, (change * rest).sum(1, keepdim=True) / curvature, 0)
            rest = rest + torch.where(sound, share - other, 0) * step
        downhill = known & ((rest * gradient).sum(1, keepdim=True) > 0)
        proposed: Tensor = torch.where(downhill, -rest, plain)
        return proposed
