"""What a classifier returns, and how that becomes one score for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import ConfigError, TargetError
from ..checks import LOOSENESS, ONE_OF_SEVERAL, check_finite, check_probabilities

KINDS = ("logits", "probabilities", "multilabel-logits", "multilabel")
"""What a classifier may return. Where several classes can be true of one image, every output has a sigmoid of its own:
``multilabel-logits`` come before it, ``multilabel`` behind it, and the rows of such scores don't sum to 1."""

LOGITS = ("logits", "multilabel-logits")
"""Those kinds that aren't probabilities yet."""


class Head:
    """Turns what a classifier returns into (B, K) float32 scores.

    Of a tuple, a dict or an object it takes what is named ``logits``, or else the one tensor whose shape fits. Where
    there are two classes, one output, (B, 1) or (B,), is that of the second class.

    Args:
        name: The target's name, for messages.
        outputs: What the classifier returns, one of :data:`KINDS`.
        classes: The number K of classes.
        sigmoid: Whether the classifier is known to end in a sigmoid.

    Raises:
        ConfigError: There is no such kind of outputs.
    """

    def __init__(self, name: str, outputs: str, classes: int, *, sigmoid: bool = False) -> None:
        if outputs not in KINDS:
            raise ConfigError(f"{name}: `outputs` must be {' or '.join(KINDS)}, got {outputs!r:.60}")
        self.outputs, self.multilabel = outputs, outputs.startswith("multilabel")
        self.gives_logits = outputs == "logits"
        self._name, self._classes, self._sigmoid = name, classes, sigmoid
        self._checked = False

    def values(self, output: Any, rows: int, device: torch.device) -> Tensor:
        """Return the logits or probabilities (B, K) float32 in what a classifier returned for B images.

        Args:
            output: What it returned.
            rows: The number B of images.
            device: Where they were.

        Raises:
            TargetError: There is no tensor of real numbers on that device that fits, or more than one.
        """
        tensor = output if isinstance(output, Tensor) else self._inner(output, rows)
        if tensor is None or not self._fits(tensor, rows):
            raise TargetError(
                f"target {self._name} must return ({rows}, {self._classes}) for {rows} images and {self._classes} "
                f"classes, got {_described(output)}"
            )
        if tensor.device != device:
            raise TargetError(
                f"target {self._name} was given images on {device} and returned scores on {tensor.device}; "
                "leave them where they are"
            )
        if tensor.is_complex() or tensor.layout is not torch.strided:
            raise TargetError(f"target {self._name} must return real numbers in a plain tensor, got {tensor.dtype}")
        values = tensor.float()
        if values.shape == (rows, self._classes):
            return values
        second = values.reshape(rows, 1)
        first = torch.zeros_like(second) if self.outputs in LOGITS else 1 - second
        return torch.cat([first, second], 1)

    def probabilities(self, values: Tensor, precision: str) -> Tensor:
        """Return the probabilities (B, K) of what :meth:`values` returned. They are not checked, but for the first.

        Args:
            values: (B, K) logits or probabilities.
            precision: What they were computed in.

        Raises:
            TargetError: They are probabilities already, where logits were announced.
        """
        if self.outputs not in LOGITS:
            return values
        if self.multilabel:
            return values.sigmoid()
        if not self._checked:
            self._check_logits(values, precision)
            self._checked = True
        return values.softmax(1)

    def checked(self, scores: Tensor, *, at_once: bool) -> Tensor:
        """Return probabilities that are some.

        Args:
            scores: (B, K), of one pass or several.
            at_once: Whether to look at those of logits as well, which waits for a GPU.

        Raises:
            TargetError: They are NaN or infinite, or were announced as probabilities and are none.
        """
        if self.outputs not in LOGITS:  # clamped ones would always look right
            advice = "if these are logits, say `outputs=logits`"
            check_probabilities(self._name, scores, advice, multilabel=self.multilabel)
            return scores.clamp(0, 1)
        if at_once:
            check_finite(self._name, scores)
        return scores

    def refuse_logits(self) -> TargetError:
        """Return the error for asking a classifier for logits that returns others."""
        return TargetError(f"target {self._name} returns {self.outputs}, not the logits of one class among several")

    def logits(self, values: Tensor) -> Tensor:
        """Return the logits (B, K) of what :meth:`values` returned: of probabilities, their logarithms."""
        if self.outputs in LOGITS:
            return values
        return values.logit(1e-7) if self.multilabel else values.clamp_min(torch.finfo(values.dtype).tiny).log()

    def _fits(self, tensor: Tensor, rows: int) -> bool:
        shape = tuple(tensor.shape)
        return shape == (rows, self._classes) or (self._classes == 2 and shape in ((rows, 1), (rows,)))

    def _inner(self, output: Any, rows: int) -> Tensor | None:
        """Return the tensor of a container that is meant; None where none is, or several may be."""
        named = _parts(output)
        if self.outputs in LOGITS and isinstance(logits := named.get("logits"), Tensor):
            return logits
        fitting = [value for value in named.values() if isinstance(value, Tensor) and self._fits(value, rows)]
        return fitting[0] if len(fitting) == 1 else None

    def _check_logits(self, logits: Tensor, precision: str) -> None:
        """Refuse logits that are probabilities already: a softmax would flatten them."""
        looseness = LOOSENESS if precision == "bfloat16" else 1e-5
        varied = float((logits - logits.round()).abs().max()) > 0
        positive = varied and float(logits.min()) >= 0
        if positive and float((logits.sum(1) - 1).abs().max()) < looseness:
            raise TargetError(
                f"target {self._name} returns probabilities where logits were announced; "
                "say `outputs=probabilities`, or take its softmax out"
            )
        if positive and self._sigmoid and float(logits.max()) <= 1:
            single = self._classes == 2 and not bool(logits[:, 0].any())
            raise TargetError(
                f"target {self._name} ends in a sigmoid where logits were announced; "
                + ("say `outputs=probabilities`, or take it out" if single else ONE_OF_SEVERAL)
            )


def _parts(output: Any) -> dict[str, Any]:
    """Return the parts of a container by name: those of a tuple by number."""
    if isinstance(output, Mapping):
        return {str(name): part for name, part in output.items()}
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", map(str, range(len(output))))
        return dict(zip(names, output, strict=False))
    return dict(getattr(output, "__dict__", {}))


def _described(output: Any) -> str:
    """Return what was returned, in words: shapes, and what to do about several."""
    if isinstance(output, Tensor):
        return str(tuple(output.shape))
    shapes = [f"{name} {tuple(part.shape)}" for name, part in _parts(output).items() if isinstance(part, Tensor)]
    words = f"{type(output).__name__} with {', '.join(shapes[:8])}" if shapes else type(output).__name__
    return f"{words}; let forward() return the tensor of logits alone" if shapes else words
