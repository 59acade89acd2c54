"""Gradient ascent of a class's log-odds, many images at a time (Simonyan et al. 2014, §2; Nguyen et al. 2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...targets.gradients import flat_rows, gradient_of, log_odds
from ...targets.protocols import GRADIENT_PASSES, Differentiable, is_multilabel, rows_of
from ..progress import SURE
from .parametrisations import Fourier, Parametrisation, Pixels

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
"""Averaging rates and smallest divisor of Adam (Kingma and Ba 2015, algorithm 1)."""


class Look(NamedTuple):
    """Where a batch stands."""

    lead: Tensor
    """(B,) log-odds of each image's class."""
    gradient: Tensor
    """(B, C, H, W) their gradient with respect to pixels in [0, 1]."""


def look(target: Differentiable, images: Tensor, classes: Tensor, shift: tuple[int, int] = (0, 0)) -> Look:
    """Return the log-odds of images, and where they rise.

    Args:
        target: The classifier.
        images: (B, C, H, W) uint8.
        classes: (B,) the class of each.
        shift: Rows and columns by which the target sees the images shifted, around the edges.

    Raises:
        TargetError: The target gives no gradients, or some that are not finite.
    """
    parts, size = [], rows_of(target)
    for first in range(0, len(images), size):
        part = slice(first, first + size)
        pixels = (images[part].float() / 255).roll(shift, (2, 3)).requires_grad_()
        lead = lead_of(target, pixels, classes[part].to(pixels.device))
        parts.append(Look(lead.detach(), gradient_of(target, lead, pixels)))
    lead, gradient = (torch.cat(each) for each in zip(*parts, strict=True))
    return Look(lead, gradient.roll((-shift[0], -shift[1]), (2, 3)))


def lead_of(target: Differentiable, pixels: Tensor, classes: Tensor) -> Tensor:
    """Return (B,) log-odds of a class for pixels in [0, 1]; its probability is their sigmoid."""
    logits = target.logits(pixels)
    return logits.gather(1, classes[:, None])[:, 0] if is_multilabel(target) else log_odds(logits, classes)


class Adam:
    """Steps of Adam (Kingma and Ba 2015, algorithm 1), row by row.

    Args:
        size: The step size.
    """

    def __init__(self, size: float) -> None:
        self.size, self.count = size, 0
        self._mean = self._square = torch.zeros(())

    def step(self, slopes: Tensor) -> Tensor:
        """Return the step (B, …) up along slopes."""
        self.count += 1
        self._mean = _FIRST * self._mean + (1 - _FIRST) * slopes
        self._square = _SECOND * self._square + (1 - _SECOND) * slopes.square()
        mean, square = self._mean / (1 - _FIRST**self.count), self._square / (1 - _SECOND**self.count)
        return self.size * mean / (square.sqrt() + _TINY)

    def keep(self, rows: Tensor) -> None:
        """Keep some rows (B,) only."""
        if self.count:
            self._mean, self._square = self._mean[rows], self._square[rows]


@dataclass(frozen=True)
class Regularisation:
    """What keeps images smooth (Yosinski et al. 2015, §3; Olah et al. 2017).

    Attributes:
        decay: Share of every value that a step takes away.
        blur: Standard deviation in pixels of a Gaussian, every few steps; 0 is none.
        clip: Share of pixels, those nearest to grey, that become grey every few steps.
        every: How many steps that is.
        jitter: Most pixels by which the target sees the image shifted at a step, in each direction.
    """

    decay: float = 0.0
    blur: float = 0.0
    clip: float = 0.0
    every: int = 4
    jitter: int = 0

    def apply(self, images: Parametrisation, step: int) -> None:
        """Smooth images after a step, counted from 1."""
        if self.decay:
            images.decay(self.decay)
        if step % self.every == 0:
            if self.blur and isinstance(images, Pixels | Fourier):
                images.blur(self.blur)
            if self.clip and isinstance(images, Pixels):
                images.clip(self.clip)

    def shift(self, generator: np.random.Generator) -> tuple[int, int]:
        """Return by how many rows and columns the target sees the next images shifted."""
        if not self.jitter:
            return 0, 0
        rows, columns = generator.integers(-self.jitter, self.jitter + 1, 2).tolist()
        return rows, columns


@dataclass(frozen=True)
class Climbed:
    """What an ascent came to, image by image.

    Attributes:
        images: (B, C, H, W) uint8, the best of each way.
        start: (B,) log-odds at the beginning.
        steps: (B,) steps before the best image; of one that is sure enough, the first such.
        sure: (B,) steps until the class had 99 %, −1 where it never had.
        passes: (B,) forward passes; a backward pass counts as two.
        flat: (B,) whether the first gradient was zero everywhere.
    """

    images: Tensor
    start: Tensor
    steps: Tensor
    sure: Tensor
    passes: Tensor
    flat: Tensor


def climb(
    target: Differentiable,
    way: Parametrisation,
    classes: Tensor,
    *,
    steps: int,
    step_size: float,
    until: float,
    smooth: Regularisation,
    generator: np.random.Generator,
) -> Climbed:
    """Climb the log-odds of a class from each of B images, and return the best 8-bit images of their ways.

    Args:
        target: The classifier.
        way: Where the ways begin; it is changed.
        classes: (B,) The class of each, on the target's device.
        steps: Most steps.
        step_size: Size of Adam's steps.
        until: Probability at which a way ends.
        smooth: What keeps images smooth.
        generator: Draws shifts.

    Raises:
        TargetError: The target gives no gradients, or none that lead anywhere.
    """
    enough = math.inf if until >= 1 else math.log(until / (1 - until))
    sure_lead, adam = math.log(SURE / (1 - SURE)), Adam(step_size)
    images = way.images().to(classes.device)
    lead = torch.full((len(classes),), -torch.inf, device=classes.device)
    best, rows = lead.clone(), torch.arange(len(classes), device=classes.device)
    found = Climbed(
        images=images.clone(),
        start=lead,
        steps=torch.zeros_like(classes),
        sure=torch.full_like(classes, -1),
        passes=torch.zeros_like(classes),
        flat=torch.zeros_like(classes, dtype=torch.bool),
    )
    for step in range(steps + 1):
        shift = smooth.shift(generator)
        here = look(target, images, classes[rows], shift)
        found.passes[rows] += GRADIENT_PASSES
        if shift != (0, 0):
            with torch.no_grad():  # what counts is the image as it is
                here = here._replace(lead=lead_of(target, images.float() / 255, classes[rows]))
            found.passes[rows] += 1
        if step == 0:
            found.start[:], found.flat[:] = here.lead, flat_rows(target, here.gradient)
        better = here.lead > best[rows]
        found.images[rows[better]], best[rows[better]] = images[better], here.lead[better]
        found.steps[rows[better]] = step
        found.sure[rows[(here.lead >= sure_lead) & (found.sure[rows] < 0)]] = step
        going = best[rows] < enough
        if step == steps or not bool(going.any()):
            break
        gradient = here.gradient
        if not bool(going.all()):
            rows, gradient = rows[going], gradient[going]
            way.keep(going.to(way.values.device))
            adam.keep(going.to(way.values.device))
        way.values = way.values + adam.step(way.slopes(gradient).to(way.values))
        smooth.apply(way, step + 1)
        way.bound()
        images = way.images().to(classes.device)
    return found
