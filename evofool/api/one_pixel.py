"""The pixel attack with the interface of torchattacks (Kim 2020), for scripts that were written for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..attacks.campaign import Campaign
from ..attacks.outcome import Outcome, recorded_edits
from ..attacks.plan import plan_of
from ..attacks.subject import Subject
from ..config.arguments import kind_of_data
from ..config.attack import UNTARGETED, AttackOptions
from ..encodings.pixels import edited
from ..errors import ConfigError
from ..targets.torch_target import TorchTarget

SLACK = 1e-4
"""How far normalised images may be outside [0, 1] once that is undone."""


class OnePixel:
    """Change one or a few pixels of images so that a network takes them for another class.

    It is called as torchattacks' attacks are::

        attack = evofool.OnePixel(model, pixels=1, queries=2000)
        attack.set_normalization_used(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
        adversarial = attack(images, labels)

    What is scored is what is returned: images become 8-bit ones, and come back as multiples of 1/255. An image that the
    network takes for another class already stays as it is. One where no edit succeeds has the best edit that was found.

    Args:
        model: The network, (N, C, H, W) -> (N, K) logits. It is put into evaluation mode while it is asked.
        pixels: Number of pixels that may change, or ``auto`` for as few as succeed.
        queries: Most candidates that are scored for an image. None: what the strategy needs.
        strategy: How it searches; see docs/ATTACKS.md. None: the default of ``evofool attack``.
        seed: Random seed.

    Attributes:
        outcomes: What is recorded of each image of the last call, in their order: ``success``, ``queries``, ``edits``
            and more, as in a campaign's ``outcomes.jsonl``.
    """

    def __init__(
        self,
        model: nn.Module,
        pixels: int | str = 1,
        queries: int | None = 2000,
        *,
        strategy: str | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.outcomes: list[Outcome] = []
        self._options: dict[str, Any] = {"pixels": pixels, "queries": queries, "strategy": strategy, "seed": seed}
        self._normalisation: tuple[Sequence[float], Sequence[float]] | None = None
        self._targeted = False

    def set_normalization_used(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Take and return images that are normalised by these means and standard deviations of the channels."""
        self._normalisation = (list(mean), list(std))

    def set_mode_default(self) -> None:
        """Reach any class but the label, as at first."""
        self._targeted = False

    def set_mode_targeted_by_label(self) -> None:
        """Reach the labels: they are the classes that the images are to be taken for."""
        self._targeted = True

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Attack a batch.

        Args:
            images: (N, C, H, W) floats in [0, 1], or normalised ones.
            labels: (N,) true classes, or the classes to reach.

        Returns:
            (N, C, H, W) images like those given, on the same device.

        Raises:
            ConfigError: The images or labels are none, don't fit each other or the options.
        """
        pixels, target = self._bytes(images), self._target(images)
        wanted = self._checked(labels, len(pixels), len(target.classes))
        top = target.confirm(torch.from_numpy(pixels)).cpu().topk(1)
        subjects = [
            Subject(row, str(row), hashlib.sha256(image.tobytes()).hexdigest(), image, label, prediction, confidence)
            for row, (image, label, (prediction,), (confidence,)) in enumerate(
                zip(pixels, wanted, top.indices.tolist(), top.values.tolist(), strict=True)
            )
        ]
        self.outcomes = self._attack(target, subjects)
        changed = [
            edited(image, recorded_edits(outcome, image.shape[0]))
            for image, outcome in zip(pixels, self.outcomes, strict=True)
        ]
        return self._floats(np.stack(changed), images)

    def _attack(self, target: TorchTarget, subjects: list[Subject]) -> list[Outcome]:
        """Return the outcome of every subject; attempts to reach the same class are scored together."""
        found: dict[int, Outcome] = {}
        classes = sorted({subject.label for subject in subjects}) if self._targeted else [None]
        for wanted in classes:
            group = [subject for subject in subjects if wanted is None or subject.label == wanted]
            criterion: Any = UNTARGETED if wanted is None else (wanted,)
            plan = plan_of(AttackOptions.of({**self._options, "criterion": criterion}), target)
            numbered = [replace(self._unlabelled(subject, target), index=at) for at, subject in enumerate(group)]
            for outcomes in Campaign(target, numbered, plan).run():
                for outcome in outcomes:  # Of several numbers of pixels, the last one counts.
                    row = group[outcome["image"]].index
                    found[row] = {**outcome, "image": row}
        return [found[row] for row in range(len(subjects))]

    def _unlabelled(self, subject: Subject, target: TorchTarget) -> Subject:
        """Return a subject with a label that is not the class to reach: its prediction, or else any other class."""
        if not self._targeted:
            return subject
        other = (subject.label + 1) % len(target.classes)
        return replace(subject, label=subject.prediction if subject.prediction != subject.label else other)

    def _target(self, images: Tensor) -> TorchTarget:
        mean, std = self._normalisation or (0.0, 1.0)
        parameter = next(self.model.parameters(), images)
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                outputs = self.model(images[:1].to(parameter.device))
            return TorchTarget(
                self.model,
                classes=[str(index) for index in range(outputs.shape[1])],
                image_shape=(images.shape[1], images.shape[2], images.shape[3]),
                mean=mean,
                std=std,
                name="model",
                device=str(parameter.device),
                precision="float32",
            )
        finally:
            self.model.train(training)

    def _bytes(self, images: Tensor) -> NDArray[np.uint8]:
        """Return images (N, C, H, W) as uint8."""
        if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point() or not len(images):
            raise ConfigError(f"`images` must be a tensor (N, C, H, W) of floats, got {kind_of_data(images)}")
        shown = images.detach().float().cpu()
        if self._normalisation is not None:
            mean, std = (torch.tensor(part).view(-1, 1, 1) for part in self._normalisation)
            shown = shown * std + mean
        low, high = shown.min().item(), shown.max().item()
        if not (low > -SLACK and high < 1 + SLACK):
            raise ConfigError(
                f"`images` must be in [0, 1], got {low:.3g} to {high:.3g}; if they are normalised, call "
                "set_normalization_used(mean, std)"
            )
        pixels: NDArray[np.uint8] = (shown * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        return pixels

    def _floats(self, pixels: NDArray[np.uint8], like: Tensor) -> Tensor:
        """Return uint8 images as such tensors as were given."""
        images = torch.from_numpy(pixels).float() / 255
        if self._normalisation is not None:
            mean, std = (torch.tensor(part).view(-1, 1, 1) for part in self._normalisation)
            images = (images - mean) / std
        return images.to(like)

    def _checked(self, labels: Tensor, count: int, classes: int) -> list[int]:
        """Return labels as whole numbers."""
        if not isinstance(labels, Tensor) or labels.shape != (count,) or labels.is_floating_point():
            raise ConfigError(f"`labels` must be a tensor ({count},) of whole numbers, got {kind_of_data(labels)}")
        numbers: list[int] = labels.tolist()
        if not all(0 <= number < classes for number in numbers):
            raise ConfigError(f"`labels` must be from 0 to {classes - 1}, got {min(numbers)} to {max(numbers)}")
        return numbers
