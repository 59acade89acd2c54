"""Pixel attacks as torchattacks has them: ``attack(images, labels)`` returns the changed images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ..targets.execution.modules import evaluating
from ..targets.torch_target import TorchTarget
from .pixel_attack import Attacked, attack_pixels
from .pixels import to_bytes, with_changes

Chosen = Callable[[Tensor, Tensor], Tensor]


class OnePixel:
    """Change a pixel or a few of each image so that a network takes it for another class.

    The interface is that of torchattacks' attacks, and so are images: floats in [0, 1], or normalised ones after
    :meth:`set_normalization_used`. What is scored, and counts as a success, is the 8-bit image. Pixels that are not
    changed keep their values.

    Args:
        model: A module from images in [0, 1], (N, C, H, W), to logits (N, K).
        pixels: How many pixels may change, or ``"auto"`` for ever more of them up to 5.
        queries: Most scored images for each image.
        strategy: As in :func:`evofool.attack`; None for the default.
        seed: Random seed.
        mean, std: The normalisation that the model expects, where it doesn't normalise by itself.

    Attributes:
        last: What became of the last batch; ``last.success`` and ``last.queries`` are (N,) arrays.

    Example:
        >>> import evofool, torch
        >>> module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
        >>> attack = evofool.OnePixel(module, pixels=3, queries=50)
        >>> attack(torch.rand(2, 1, 8, 8), torch.tensor([3, 5])).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(
        self,
        model: nn.Module,
        pixels: int | str = 1,
        queries: int = 2000,
        *,
        strategy: str | None = None,
        seed: int = 0,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
    ) -> None:
        self.model, self.mean, self.std = model, mean, std
        self.options = {"pixels": pixels, "queries": queries, "strategy": strategy, "seed": seed}
        self.last: Attacked | None = None
        self._used: tuple[Tensor, Tensor] | None = None
        self._choose: Chosen | None = None

    def set_normalization_used(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Say that images are normalised, as the model expects them; what is returned is normalised the same way."""
        self._used = torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(std).view(1, -1, 1, 1)

    def set_mode_default(self) -> None:
        """Attack so that each image becomes any class but its own."""
        self._choose = None

    def set_mode_targeted_by_label(self, quiet: bool = False) -> None:
        """Attack so that each image becomes the class that is given as its label.

        Args:
            quiet: Not used; torchattacks has it.
        """
        self._choose = lambda images, labels: labels

    def set_mode_targeted_by_function(self, target_map_function: Chosen, quiet: bool = False) -> None:
        """Attack so that each image becomes the class that a function of images and labels returns.

        Args:
            target_map_function: Returns the classes (N,).
            quiet: Not used; torchattacks has it.
        """
        self._choose = target_map_function

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the changed images; those that could not be fooled are as near to it as the search came.

        Args:
            images: (N, C, H, W) floats in [0, 1], or normalised.
            labels: (N,) the true classes; where the mode is targeted by label, those that images have to become.

        Raises:
            ConfigError: Images or labels can't be, or an option.
        """
        mean, std = (part.to(images) for part in self._used or (torch.zeros(1), torch.ones(1)))
        before = to_bytes(images * std + mean)
        wanted = None if self._choose is None else [int(label) for label in self._choose(images, labels)]
        own: list[int] | None = [int(label) for label in labels]
        if wanted == own:
            own = None  # They are the classes to reach, and nobody said the true ones.
        with evaluating(self.model, list(self.model.modules())):
            target = self._target((images.shape[1], images.shape[2], images.shape[3]), images.device)
            self.last = attack_pixels(target, before, own, self.options, wanted)
        return with_changes(images, before, self.last.images, -mean / std, (1 - mean) / std)

    def _target(self, shape: tuple[int, int, int], device: torch.device) -> TorchTarget:
        """Return the model as a target for images of a shape."""
        mean, std = self.mean, self.std
        if self._used is not None:
            mean, std = (part.flatten().tolist() for part in self._used)
        with torch.no_grad():
            outputs = self.model(torch.zeros(2, *shape, device=device)).shape[-1]
        classes = [str(index) for index in range(outputs)]
        return TorchTarget(self.model, classes=classes, image_shape=shape, mean=mean, std=std, device=str(device))
