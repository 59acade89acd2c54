"""The target: the classifier under test as a pure function from 8-bit images to probabilities."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import ConfigError, EvofoolError, TargetError
from ..kernels.images import look_up
from .execution.devices import FORMATS, Execution, choose_device, choose_format, choose_precision
from .execution.folding import fold as fold_in
from .execution.folding import foldable
from .execution.memory import keep_memory

Precision = Literal["auto", "float32", "bfloat16"]
Format = Literal["auto", "channels_last", "contiguous"]

# Rows of one forward pass: about as many input values as keep a small network's activations in the caches
# of a CPU, or fill a GPU. A speed parameter only; `micro_batch` overrides it.
_VALUES_A_PASS = {"cpu": 2**20, "cuda": 2**26, "mps": 2**24}
SCORE_TOLERANCE = 1e-3
"""how far the scores of one image may be apart when it is scored again, in another batch"""

# How far the sum of probabilities may be from one: bfloat16 has 8 bits.
_LOOSE = 0.02

_ROWS_A_PASS = {"cpu": (16, 256), "cuda": (64, 4096), "mps": (32, 1024)}


class Target:
    """A classifier under test: 8-bit images in, class probabilities out.

    Normalisation, batching, device, memory format and precision are settled here; nobody else sees
    anything but uint8 images and float32 probabilities.

    Args:
        module: a network from normalised images (B, C, H, W) float to (B, K) logits (or probabilities, see
            ``outputs``). It is put into evaluation mode and moved to the device.
        classes: the K class names, in the order of the module's outputs.
        image_shape: (C, H, W) of the images; C is 1 (grey) or 3 (RGB).
        mean: per channel (or one for all), subtracted from pixels in [0, 1].
        std: per channel (or one for all), divides what is left.
        name: how records and messages call this target.
        outputs: ``"logits"`` (a softmax is applied) or ``"probabilities"`` (taken as they are).
        device: ``auto`` (CUDA, then MPS, then CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        precision: what a search scores in. ``auto`` is bfloat16 where the hardware has it, else float32;
            :meth:`confirm` is float32 always.
        micro_batch: rows of one forward pass; halved for good when the device runs out of memory.
        memory_format: of images and weights in forward passes.
        fold: batch normalisations are part of the layers before them in a search's passes, where the network lets
            itself be traced; None: not, unless that is found to be faster.

    Raises:
        ConfigError: the device or precision is unknown or not there.
        TargetError: image_shape, mean, std or classes don't fit each other.

    Example:
        >>> import torch, evofool
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 2))
        >>> target = evofool.Target(network, classes=["cat", "dog"], image_shape=(3, 8, 8), mean=0.5, std=0.25,
        ...                         device="cpu")
        >>> images = torch.zeros(5, 3, 8, 8, dtype=torch.uint8)
        >>> target.scores(images).shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        classes: Sequence[str],
        image_shape: tuple[int, int, int],
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        name: str = "custom",
        outputs: Literal["logits", "probabilities"] = "logits",
        device: str = "auto",
        precision: Precision = "auto",
        micro_batch: int | None = None,
        memory_format: Format = "auto",
        fold: bool | None = None,
    ) -> None:
        if len(image_shape) != 3 or image_shape[0] not in (1, 3) or min(image_shape) < 1:
            raise TargetError(f"{name}: image_shape must be (1 or 3 channels, height, width), got {image_shape}")
        if not isinstance(module, nn.Module):
            raise TargetError(
                f"{name}: expected a torch.nn.Module, got {type(module).__name__}; "
                f"put a function into a module's forward()"
            )
        if not classes:
            raise TargetError(f"{name}: classes is empty; give the name of every output, in order")
        if isinstance(classes, str) or not all(isinstance(one, str) for one in classes):
            raise TargetError(f"{name}: classes must be the name of every output, in order; got {classes!r:.60}")
        if outputs not in ("logits", "probabilities"):
            raise ConfigError(f'{name}: outputs must be "logits" or "probabilities", got {outputs!r:.60}')
        self.name = name
        self.classes = list(classes)
        channels, height, width = image_shape
        self.image_shape = (channels, height, width)
        self.outputs, self._looked_at = outputs, False
        self.device = choose_device(device)
        if self.device.type == "cpu":
            keep_memory()
        self.precision = choose_precision(precision, self.device)
        self.micro_batch = self._default_micro_batch() if micro_batch is None else micro_batch
        self.memory_format = choose_format(memory_format)
        self.fold = bool(fold)
        self.free = {
            name
            for name, open_ in (
                ("precision", precision == "auto"),
                ("memory_format", memory_format == "auto"),
                ("micro_batch", micro_batch is None),
                ("fold", fold is None and foldable(module)),
            )
            if open_
        }
        means, deviations = self._per_channel("mean", mean), self._per_channel("std", std)
        if not bool((deviations > 0).all() & means.isfinite().all()):
            raise TargetError(f"{name}: std must be above 0 and mean finite, got {std} and {mean}")
        self._scale, self._offset = 1 / (255 * deviations), -means / deviations
        every = torch.arange(256, device=self.device).expand(channels, 1, 256)
        self._table = every.float().mul(self._scale).add_(self._offset).view(channels, 256)
        self._exact = module.eval().to(self.device)
        self._room: int | None = None  # rows of a pass that the device's memory turned out to have room for
        self.use(self.setting)

    def __repr__(self) -> str:
        return f"Target({self.name}, {len(self.classes)} classes, {self.image_shape}, {self.device}, {self.precision})"

    @property
    def network(self) -> nn.Module:
        """the module itself, in float32 and evaluation mode: normalised images to logits"""
        return self._exact

    @property
    def setting(self) -> Execution:
        """how its forward passes are run"""
        return Execution(self.precision, self.memory_format, self.micro_batch, self.fold)

    def use(self, setting: Execution) -> None:
        """Run forward passes in another way from now on; not folded where nothing can be.

        Raises:
            ConfigError: there is no such way.
        """
        if type(setting.micro_batch) is not int or setting.micro_batch < 1:
            raise ConfigError(f"the micro-batch must be at least 1, got {setting.micro_batch}")
        self.precision, self.micro_batch = choose_precision(setting.precision, self.device), setting.micro_batch
        folded = self._folded if setting.fold else None
        self.fold = folded is not None
        self._fast = self._exact if folded is None else folded
        if self.precision == "bfloat16":
            self._fast = copy.deepcopy(self._fast).to(torch.bfloat16)
        self._use_format(choose_format(setting.memory_format))

    def scores(self, images: Tensor, *, checked: bool = True) -> Tensor:
        """Probabilities of every class, in the target's search precision.

        Args:
            images: (B, C, H, W) uint8, on any device.
            checked: look at them at once, which waits for a GPU; otherwise :meth:`check` is left to the caller.

        Returns:
            (B, K) float32 on the target's device; rows sum to one.

        Raises:
            TargetError: the images have another shape or type, or the network returned what are no probabilities:
                another shape than (B, K), NaN, infinity, rows that don't sum to one, or on another device.
        """
        return self._score(self._fast, images, None, checked)

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Tensor:
        """Like :meth:`scores`, by the network as it is, in float32: what is on record where a search is not in float32.

        Args:
            rows: of every pass, the last one filled up, so that no score depends on how many others are confirmed
                beside it, or on ``micro_batch``; halved as well when the device runs out of memory. None is as in a
                search.
            checked: as in :meth:`scores`.
        """
        return self._score(self._exact, images, rows, checked)

    def check(self, scores: Tensor) -> None:
        """Refuse scores (B, K) that are no numbers.

        Raises:
            TargetError: they are NaN or infinite.
        """
        if not bool(torch.isfinite(scores).all()):
            raise TargetError(self._fault(scores))

    @torch.inference_mode()
    def _score(self, module: nn.Module, images: Tensor, fixed: int | None, checked: bool) -> Tensor:
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != self.image_shape:
            raise TargetError(
                f"{self.name} takes uint8 images (B, {', '.join(map(str, self.image_shape))}), "
                f"got {images.dtype} {tuple(images.shape)}"
            )
        if len(images) == 0:
            return torch.empty((0, len(self.classes)), device=self.device)
        while True:
            try:
                if fixed:
                    fixed = min(fixed, self._room or fixed)
                    parts = [self._forward(module, part) for part in torch.split(_padded(images, fixed), fixed)]
                else:
                    passes = -(-len(images) // self.micro_batch)
                    batches = images.tensor_split(passes) if passes > 1 else (images,)
                    parts = [self._forward(module, part) for part in batches]
                break
            except (torch.OutOfMemoryError, MemoryError):
                pass
            except RuntimeError as error:  # the CPU allocator has no exception of its own
                if "view size is not compatible" in str(error) and self.memory_format == "channels_last":
                    self._use_format("contiguous")  # the network looks at its activations' layout
                    continue
                if not re.search("out of memory|can.?t allocate|not enough memory", str(error)):
                    raise self._failed(error) from error
            except EvofoolError:
                raise
            except Exception as error:  # whatever a module of the user's raises
                raise self._failed(error) from error
            self._halve(fixed or self.micro_batch)
        scores = (parts[0] if len(parts) == 1 else torch.cat(parts))[: len(images)]
        if self.outputs == "probabilities":  # nobody could tell once they are clamped
            if not bool(self._sound(scores)):
                raise TargetError(self._fault(scores))
            return scores.clamp(0, 1)
        if checked:
            self.check(scores)
        return scores

    def _forward(self, module: nn.Module, images: Tensor) -> Tensor:
        low = self.precision == "bfloat16" and module is self._fast
        pixels = self._normalised(images.to(self.device), torch.bfloat16 if low else torch.float32)
        output = module(pixels)
        if not isinstance(output, Tensor) or output.shape != (len(images), len(self.classes)):
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise TargetError(
                f"target {self.name} must return ({len(images)}, {len(self.classes)}) for {len(images)} images "
                f"and {len(self.classes)} classes, got {found}"
            )
        if output.is_complex() or output.layout is not torch.strided:
            raise TargetError(f"target {self.name} must return real numbers in a plain tensor, got {output.dtype}")
        if output.device != pixels.device:
            raise TargetError(
                f"target {self.name} was given images on {pixels.device} and returned scores on {output.device}; "
                "leave them where they are"
            )
        output = output.float()
        if self.outputs == "probabilities":
            return output
        if not self._looked_at:
            self._look_at(output)
        return output.softmax(1)

    def _normalised(self, images: Tensor, dtype: torch.dtype) -> Tensor:
        """What the network takes: (value / 255 − mean) / std, computed in float32."""
        memory_format = FORMATS[self.memory_format]
        if self.device.type == "cpu":
            return look_up(images, self._table.to(dtype), memory_format)
        return images.float().mul_(self._scale).add_(self._offset).to(dtype, memory_format=memory_format)

    def _sound(self, scores: Tensor) -> Tensor:
        """Whether these are probabilities, as one value on the device."""
        return torch.isfinite(scores).all() & (scores >= -_LOOSE).all() & ((scores.sum(1) - 1).abs() <= _LOOSE).all()

    def _fault(self, scores: Tensor) -> str:
        if not bool(torch.isfinite(scores).all()):
            return (
                f"target {self.name} returned NaN or infinite scores; check its weights and precision "
                "(--precision float32)"
            )
        sums = scores.sum(1)
        return (
            f'target {self.name} has outputs="probabilities", but its rows sum to {float(sums.min()):.3g} … '
            f"{float(sums.max()):.3g} and its lowest value is {float(scores.min()):.3g}; "
            'if these are logits, say outputs="logits"'
        )

    def _look_at(self, logits: Tensor) -> None:
        """Refuse logits that are probabilities already: a second softmax would flatten them."""
        self._looked_at = True
        varied = len(self.classes) > 1 and float((logits - logits.round()).abs().max()) > 0
        loose = _LOOSE if self.precision == "bfloat16" else 1e-5
        if varied and float(logits.min()) >= 0 and float((logits.sum(1) - 1).abs().max()) < loose:
            raise TargetError(
                f"target {self.name} returns probabilities where logits were announced; "
                'say outputs="probabilities", or take its softmax out'
            )

    @cached_property
    def _folded(self) -> nn.Module | None:
        """The module with its batch normalisations folded; None where they can't be."""
        noise = torch.rand((2, *self.image_shape), generator=torch.Generator().manual_seed(0))
        return fold_in(self._exact, noise.mul_(2).sub_(1).to(self.device, memory_format=FORMATS[self.memory_format]))

    def _use_format(self, memory_format: str) -> None:
        self.memory_format = memory_format
        for module in (self._exact, self._fast):
            module.to(memory_format=FORMATS[memory_format])

    def _failed(self, error: Exception) -> TargetError:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return TargetError(f"target {self.name} failed on {self.image_shape} images: {line}")

    def _halve(self, rows: int) -> None:
        if rows == 1:
            raise TargetError(f"{self.device} is out of memory for a single image of {self.name}; try --device cpu")
        self._room = rows // 2
        self.micro_batch = min(self.micro_batch, self._room)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _default_micro_batch(self) -> int:
        kind = self.device.type if self.device.type in _ROWS_A_PASS else "cpu"
        channels, height, width = self.image_shape
        least, most = _ROWS_A_PASS[kind]
        return max(least, min(most, _VALUES_A_PASS[kind] // (channels * height * width)))

    def _per_channel(self, what: str, values: float | Sequence[float]) -> Tensor:
        listed = [float(values)] if isinstance(values, int | float) else [float(v) for v in values]
        if len(listed) not in (1, self.image_shape[0]):
            raise TargetError(f"{self.name}: {what} needs 1 or {self.image_shape[0]} values, got {len(listed)}")
        return torch.tensor(listed, device=self.device)[:, None, None]


def _padded(images: Tensor, rows: int) -> Tensor:
    """The images and, where they are no multiple of ``rows``, black ones after them."""
    missing = -len(images) % rows
    return torch.cat([images, images.new_zeros((missing, *images.shape[1:]))]) if missing else images


def compare_scores(name: str, before: Tensor, now: Tensor) -> None:
    """Compare the scores of the same images, scored twice.

    Raises:
        TargetError: they differ by more than ``SCORE_TOLERANCE``.
    """
    apart = float((before - now).abs().max()) if len(before) else 0.0
    if not apart <= SCORE_TOLERANCE:
        raise TargetError(
            f"target {name} gives the same image other scores each time (by up to {apart:.2g}), so nothing it says can "
            "be recorded; look for dropout or noise that evaluation mode does not stop, or for other weights"
        )
