"""How small a change of all pixels changes the class: FGSM, its iterated form, PGD, and L-BFGS.

Szegedy et al. 2014, §4.1 (the smallest perturbation, by box-constrained L-BFGS; its distortion √(Σ(x′ − x)²/n));
Goodfellow et al. 2015, §4 (the fast gradient sign method); Kurakin et al. 2017, §2.2 (iterated); Madry et al. 2018,
§2.1 (PGD). What counts is the 8-bit image, scored again. How many perturbations work with real numbers and are
undone by rounding is told.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.subject import Subject
from ..config.experiments import ExperimentConfig
from ..config.perturb import PerturbOptions
from ..errors import TargetError
from ..io.arrays import shortest
from ..store.experiment import ExperimentFolder, Result
from ..store.records import PerturbResult
from ..targets.protocols import Differentiable, Target, differentiable, is_multilabel
from .criterion import excluded_classes, wanted_class
from .experiment import Findings, Part
from .image_experiment import ImageExperiment, chosen_images
from .perturb_arms import Arm, arms_of
from .perturb_findings import findings_of

if TYPE_CHECKING:
    from torch import Tensor

    from ..attacks.gradients.goals import Goal


class Perturb(ImageExperiment):
    """The experiment ``perturb``. A part is one method at one size, with one batch of images."""

    result = PerturbResult

    @classmethod
    def check(cls, options: PerturbOptions, classes: Sequence[str], channels: int) -> None:
        """Check methods, sizes and classes."""
        arms_of(options, channels)
        cls.excluded(options, classes)

    @classmethod
    def excluded(cls, options: PerturbOptions, classes: Sequence[str]) -> list[int]:
        """Return the classes that were not chosen, and the class to reach."""
        return excluded_classes(options, classes)

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many batches all arms have."""
        return len(arms_of(config.options, config.target.image_shape[0])) * _batches(config)

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Perturb one batch of images by one method at one size."""
        import torch

        from ..attacks.gradients.goals import Goal, flat_images
        from ..engines.local import LocalEngine

        (target,) = targets
        if is_multilabel(target):
            raise TargetError(f"target {target.name} can see several classes at once; perturb takes one of one class")
        options, network = folder.config.options, differentiable(target)
        arm, subjects = _part(folder, part)
        wanted = [wanted_class(options, folder.config.classes, each.index, each.label) for each in subjects]
        watched = [subject.label if index is None else index for subject, index in zip(subjects, wanted, strict=True)]
        engine = LocalEngine(target)
        originals = torch.from_numpy(np.stack([subject.image for subject in subjects])).to(engine.device)
        goal = Goal(torch.tensor(watched, device=engine.device), targeted=wanted[0] is not None)
        pixels = originals.float() / 255
        flat = flat_images(network, pixels, goal).tolist()
        exact, images = perturbed(arm, options, part, network, originals, goal)
        unrounded = (exact - pixels).flatten(1).square().mean(1).sqrt().tolist()
        with torch.no_grad():
            found = goal.reached(network.logits(exact)).tolist()
        scores = engine.confirm(images)
        engine.check(scores)
        success, (confidences, finals) = goal.reached(scores).tolist(), (each[:, 0].tolist() for each in scores.topk(1))
        pictures = images.cpu().numpy()
        results = [
            {
                "image": subject.index,
                "wanted": wanted[row],
                "found": found[row],
                "success": success[row],
                "final_index": finals[row],
                "final": folder.config.classes[finals[row]],
                "confidence": shortest(confidences[row]),
                **_distances(subject.image, pictures[row]),
                "unrounded": shortest(unrounded[row]),
                "flat": flat[row],
            }
            for row, subject in enumerate(subjects)
        ]
        return Part(results, pictures)

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return accuracy, rounding and distortion by method and size."""
        results: dict[Arm, list[tuple[Subject, Result]]] = defaultdict(list)
        for part, found in folder.results(PerturbResult):
            arm, subjects = _part(folder, part)
            if [result["image"] for result in found] != [subject.index for subject in subjects]:
                raise folder.other_images(part)
            results[arm] += zip(subjects, found, strict=True)
        return findings_of(folder, results, lambda arm, image: _picture(folder, arm, image))


EXPERIMENT = Perturb


def _batches(config: ExperimentConfig) -> int:
    """Return how many batches the images are."""
    batch: int = config.options.batch
    return math.ceil(chosen_images(config) / batch)


def _part(folder: ExperimentFolder, part: int) -> tuple[Arm, Sequence[Subject]]:
    """Return the arm and the images of a part.

    Raises:
        RunError: There is no such part.
    """
    config = folder.config
    arms, (arm, batch) = arms_of(config.options, config.target.image_shape[0]), divmod(part, _batches(config))
    if arm >= len(arms):
        raise folder.other_images(part)
    start = batch * config.options.batch
    return arms[arm], folder.subjects[start : start + config.options.batch]


def _picture(folder: ExperimentFolder, arm: Arm, image: int) -> NDArray[np.uint8]:
    """Return what an image became."""
    config = folder.config
    arms = arms_of(config.options, config.target.image_shape[0])
    batch, row = divmod(image, config.options.batch)
    picture: NDArray[np.uint8] = folder.pictures(arms.index(arm) * _batches(config) + batch)[row]
    return picture


def perturbed(
    arm: Arm, options: PerturbOptions, part: int, target: Differentiable, originals: Tensor, goal: Goal
) -> tuple[Tensor, Tensor]:
    """Perturb images.

    Args:
        arm: The method and its size.
        options: Its settings.
        part: Number of the part, which seeds what is random.
        target: The classifier.
        originals: (B, C, H, W) uint8, on its device.
        goal: What is to be reached.

    Returns:
        The perturbed pixels (B, C, H, W) in [0, 1], and the 8-bit images.
    """
    import torch

    from ..attacks.gradients import balls, lbfgs, steps

    pixels = originals.float() / 255

    def rounded(found: Tensor, ball: balls.Ball | None = None) -> tuple[Tensor, Tensor]:
        whole = (255 * (found - pixels)).round()
        whole = ball.whole_steps(whole) if ball else whole
        return found, (originals + whole).clamp(0, 255).to(torch.uint8)

    if arm.epsilon is None:
        found, _ = lbfgs.smallest(target, pixels, goal, iterations=options.iterations, searches=options.searches)
        return rounded(found)
    ball: balls.Ball = balls.L2(arm.epsilon) if arm.method == "pgd-l2" else balls.LInf(arm.epsilon)
    if arm.method == "fgsm":
        found = steps.fgsm(target, pixels, goal, ball)
    elif arm.method == "iterated":
        found = steps.iterated(target, pixels, goal, ball, steps=options.steps)
    else:
        seed = np.random.SeedSequence((options.seed, part)).generate_state(1, np.uint64)[0] >> np.uint64(1)
        found = steps.pgd(
            target,
            pixels,
            goal,
            ball,
            steps=options.steps,
            restarts=options.restarts,
            generator=torch.Generator().manual_seed(int(seed)),
        )
    return rounded(found, ball)


def _distances(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> dict[str, Any]:
    """Return how far an 8-bit image is from its original: ``linf`` in 8-bit steps, the others of pixels in [0, 1]."""
    change = after.astype(np.int64) - before
    square = int((change**2).sum())
    return {
        "linf": int(np.abs(change).max()),
        "l2": math.sqrt(square) / 255,
        "distortion": math.sqrt(square / change.size) / 255,
    }
