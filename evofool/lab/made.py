"""Images that experiments make by the project's own search and attacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..attacks.campaign import Campaign
from ..attacks.outcome import recorded_edits
from ..attacks.plan import plan_of
from ..attacks.subject import Subject
from ..config.attack import AttackOptions
from ..config.budget import Budget
from ..config.evolve import EvolveOptions
from ..encodings import registry as encodings
from ..encodings.pixels import Edits
from ..engines.local import LocalEngine
from ..search.beginning import beginning
from ..search.evolution import Evolution
from ..search.progress import Progress
from ..targets.protocols import Target


def evolution_of(target: Target, options: EvolveOptions) -> Evolution:
    """Return an evolution in memory.

    Args:
        target: The target.
        options: Its options; ``init`` may name genomes that it starts from.
    """
    settings = encodings.preset(options.encoding, options.preset)
    encoding = encodings.build(options.encoding, settings, target.image_shape, str(LocalEngine(target).device))
    return Evolution(target, encoding, options, initial=beginning(options, encoding)[0])


def elites(
    target: Target, options: EvolveOptions, evaluations: int, observer: Callable[[Progress], object] | None = None
) -> tuple[Tensor, list[int]]:
    """Evolve images that a target is sure about.

    Args:
        target: The target.
        options: The options of the evolution; ``init`` may name genomes that it starts from.
        evaluations: Images that it scores.
        observer: Called after every generation.

    Returns:
        The (N, C, H, W) uint8 images of the surest elites on the CPU, and their N classes.
    """
    evolution = evolution_of(target, options)
    for progress in evolution.run(Budget(evaluations=evaluations)):
        if observer:
            observer(progress)
    archive = evolution.archive
    held = np.intersect1d(archive.surest(), archive.held())
    return evolution.encoding.decode(archive.genomes.take(held)).cpu(), archive.class_of_niche[held].tolist()


def best_edits(target: Target, subjects: Sequence[Subject], options: AttackOptions) -> list[Edits]:
    """Edit a few pixels of images so that a target takes them for another class than their label.

    Args:
        target: The target.
        subjects: N images that it takes for their labels.
        options: The options of the attempts.

    Returns:
        The edits (k, 2 + C) of the best candidate for each, successful or not.
    """
    numbered = [replace(subject, index=row) for row, subject in enumerate(subjects)]
    outcomes = {
        outcome["image"]: outcome
        for found in Campaign(target, numbered, plan_of(options, target)).run()
        for outcome in found
    }
    return [recorded_edits(outcomes[row], len(subject.image)) for row, subject in enumerate(subjects)]
