"""A torch module's forward passes: in the chosen precision and memory format, as large as memory has room for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ...errors import ConfigError, EvofoolError, TargetError
from ..checks import failure_of, first_line, refused
from ..preprocessing import Normalisation
from .devices import choose_precision
from .execution import FORMATS, Execution, choose_format
from .joining import Joined, join
from .modules import ends_in_sigmoid, evaluating, in_bfloat16, is_mixed, made_ready
from .outputs import Head
from .side_by_side import has_hooks, run_side_by_side, times_written

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_OUT_OF_MEMORY = re.compile("out of memory|can.?t allocate|not enough memory")
"""Words in the RuntimeError of an allocator that has no exception of its own for this, such as the CPU's."""

_FORMAT = re.compile("view size is not compatible|channels_last|memory.?format|contiguous")
"""Words in the error of a network that looks at its activations' layout."""

_ONE_SIZE = re.compile("invalid for input of size|batch|guard failed|expected input|invalid dimension", re.IGNORECASE)
"""Words in the error of a network that takes batches of one size only."""

_SHAPES = re.compile("shape|size", re.IGNORECASE)
"""Words in the error of a network that may."""

_TYPE = re.compile("dtype|scalar ?type|data type|float16|should be the same|half|double", re.IGNORECASE)
"""Words in the error of a network that can't have these numbers."""


class TorchExecution:
    """Runs a module as a classifier. Devices, copies, memory and checks of its outputs are settled here.

    Attributes:
        network: The module in float32 and evaluation mode: itself, or a copy where its numbers are of another type.
        device: Where it runs.
        head: What becomes of its outputs.
        execution: How its forward passes are run. The micro-batch shrinks for good where memory runs out, the memory
            format becomes contiguous where the network insists on it, and a precision that was left open float32 where
            the network can't have another.

    Args:
        module: A network from normalised images (B, C, H, W) float to (B, K) outputs.
        normalisation: What makes these images.
        name: The target's name, for messages.
        classes: The number K of classes.
        image_shape: (C, H, W) of an image.
        outputs: What the module returns, one of :data:`~.outputs.KINDS`.
        device: The device that the module is moved to.
        execution: The settings of its forward passes.
        precision_open: Whether the precision was left open.

    Raises:
        ConfigError: Forward passes can't be run so.
        TargetError: The module can't be made ready.
    """

    def __init__(
        self,
        module: nn.Module,
        normalisation: Normalisation,
        *,
        name: str,
        classes: int,
        image_shape: tuple[int, int, int],
        outputs: str,
        device: torch.device,
        execution: Execution,
        precision_open: bool,
    ) -> None:
        self.device = device
        self._name, self._classes, self._image_shape = name, classes, image_shape
        self._normalisation = normalisation
        self._precision_open = precision_open
        try:
            self.head = Head(name, outputs, classes, sigmoid=ends_in_sigmoid(module))
            self.network = self._fast = self._exact = made_ready(module, device)
            self._layers = list(self.network.modules())
            self._largest_pass: int | None = None  # rows that the device's memory turned out to have room for
            self._one_size: bool | None = None  # whether passes have to have all rows of the micro-batch, once known
            self.apply(execution)
        except EvofoolError:
            raise
        except Exception as error:  # a user's module may raise anything
            raise TargetError(
                f"{name}: the module can't be made ready on {device} ({first_line(error)}); give one in float32 "
                "whose weights are loaded"
            ) from error

    def apply(self, execution: Execution) -> None:
        """Run forward passes in another way from now on. A network whose layers can't be joined stays as it is.

        Raises:
            ConfigError: Forward passes can't be run so.
            TargetError: They can't be run in this precision, which was asked for.
        """
        if type(execution.micro_batch) is not int or execution.micro_batch < 1:
            raise ConfigError(f"`micro_batch` must be a whole number of at least 1, got {execution.micro_batch}")
        precision = choose_precision(execution.precision, self.device)
        memory_format = choose_format(execution.memory_format)
        with evaluating(self.network, self._layers):
            joined = self._joined if execution.fold else None
            self._exact = joined.exact if joined else self.network
            if precision == "float32":
                self._fast = self._exact
            elif joined is not None:
                self._fast = joined.in_bfloat16()
            else:
                try:
                    self._fast = in_bfloat16(self.network)
                except Exception as error:  # a user's module may hold what can't be copied
                    if not self._precision_open:
                        raise TargetError(
                            f"target {self._name} can't be copied ({first_line(error)}), which bfloat16 needs; "
                            "use `precision=float32`"
                        ) from error
                    precision, self._fast = "float32", self._exact
        self._precision_tried = False
        parallel = execution.parallel and self.device.type == "cpu"
        self.execution = Execution(precision, memory_format, execution.micro_batch, joined is not None, parallel)
        self._use_format(memory_format)

    @torch.inference_mode()
    def scores(self, images: Tensor, *, exact: bool, checked: bool, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) float32 of images, on the device.

        Args:
            images: (B, C, H, W) uint8, on any device.
            exact: Whether to run the network in float32, whatever the execution's precision.
            checked: Whether to look at the scores at once, which waits for a GPU.
            rows: Rows of every pass, the last one filled up; None for up to the micro-batch.

        Raises:
            TargetError: The images have another shape or type; or the network fails, or returns no probabilities.
        """
        self._check_bytes(images)
        self._keep_up()
        scores = self._in_passes(partial(self._score, exact), images, rows)
        self._precision_tried |= not exact
        return self.head.checked(scores, at_once=checked)

    @torch.inference_mode()
    def confirmed_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of images, whose softmax :meth:`scores` returns where it is exact.

        Args:
            images: (B, C, H, W) uint8, on any device.

        Raises:
            TargetError: As :meth:`scores`, or the network returns others.
        """
        self._check_bytes(images)
        if not self.head.gives_logits:
            raise self.head.refuse_logits()
        self._keep_up()
        values = self._in_passes(lambda part: self._of_bytes(self._exact, "float32", part), images)
        self.head.checked(self.head.probabilities(values, "float32"), at_once=True)
        return values

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of pixels, on the device, with gradients.

        Those of a network that returns probabilities are their logarithms.

        Args:
            pixels: (B, C, H, W) float in [0, 1], on any device.

        Raises:
            TargetError: The pixels have another shape or type; or the network fails, or returns other outputs.
        """
        if not isinstance(pixels, Tensor) or not pixels.is_floating_point() or pixels.shape[1:] != self._image_shape:
            raise refused(self._name, self._image_shape, pixels, "float torch tensors")
        return self._in_passes(self._logits, pixels)

    def _keep_up(self) -> None:
        """Join the layers anew where somebody has written to the network's weights since they were."""
        if self.execution.fold and self._written != times_written(self.network):
            del self._joined
            with torch.inference_mode(False):
                self.apply(self.execution)

    def _score(self, exact: bool, images: Tensor) -> Tensor:
        """Run one forward pass on 8-bit images."""
        module, precision = (self._exact, "float32") if exact else (self._fast, self.execution.precision)
        return self.head.probabilities(self._of_bytes(module, precision, images), precision)

    def _of_bytes(self, module: nn.Module, precision: str, images: Tensor) -> Tensor:
        """Return what a module makes of 8-bit images, as (B, K) float32."""
        memory_format = FORMATS[self.execution.memory_format]
        pixels = self._normalisation.bytes(images.to(self.device), _TYPES[precision], memory_format)
        return self._values(module, pixels)

    def _check_bytes(self, images: Tensor) -> None:
        """Refuse what are no 8-bit images of the target's shape."""
        if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.shape[1:] != self._image_shape:
            raise refused(self._name, self._image_shape, images, "uint8 torch tensors")

    def _logits(self, pixels: Tensor) -> Tensor:
        """Run one forward pass on pixels in [0, 1], with gradients."""
        memory_format = FORMATS[self.execution.memory_format]
        normalised = self._normalisation.pixels(pixels.to(self.device, torch.float32), memory_format)
        return self.head.logits(self._values(self.network, normalised))

    def _values(self, module: nn.Module, pixels: Tensor) -> Tensor:
        """Return what a module makes of normalised pixels, as (B, K) float32."""
        return self.head.values(module(pixels), len(pixels), pixels.device)

    def _in_passes(self, forward: Callable[[Tensor], Tensor], images: Tensor, rows: int | None = None) -> Tensor:
        """Call ``forward`` on parts of some images, and return all that it returns.

        Where that fails, it is tried in other ways: with fewer rows where memory runs out, with all rows of the
        micro-batch, in another memory format, in float32.
        """
        if len(images) == 0:
            return torch.empty((0, self._classes), device=self.device)
        first: Exception | None = None
        one_size = bool(self._one_size)
        while True:
            limit = min(rows, self._largest_pass or rows) if rows and not one_size else self.execution.micro_batch
            parts = _split(images, limit, filled=bool(rows) or one_size)
            smaller = any(len(part) != self.execution.micro_batch for part in parts)
            try:
                with evaluating(self.network, self._layers):
                    results = self._run(forward, parts)
                if one_size or smaller:
                    self._one_size = one_size
                return (results[0] if len(results) == 1 else torch.cat(results))[: len(images)]
            except (torch.OutOfMemoryError, MemoryError):
                pass
            except EvofoolError:
                raise
            except Exception as error:  # a user's module may raise anything
                if not isinstance(error, RuntimeError) or not _tells_of(error, _OUT_OF_MEMORY):
                    first = first or error
                    if _tells_of(error, _FORMAT) and self.execution.memory_format != "contiguous":
                        self._use_format("contiguous")
                    elif self._one_size is None and not one_size and smaller and _tells_of(error, _ONE_SIZE, _SHAPES):
                        one_size = True
                    elif self._can_fall_back() and _tells_of(first, _TYPE):
                        one_size = bool(self._one_size)
                        self.apply(replace(self.execution, precision="float32"))
                    else:
                        raise self._failure(first) from first
                    continue
            self._halve(limit, one_size)  # outside the handler, whose exception would keep the failed pass's tensors

    def _run(self, forward: Callable[[Tensor], Tensor], parts: Sequence[Tensor]) -> list[Tensor]:
        """Call ``forward`` on each part: side by side where that was chosen, and nobody wants gradients."""
        if self.execution.parallel and torch.is_inference_mode_enabled():
            return run_side_by_side(forward, parts, in_turn=has_hooks(self._layers))
        return [forward(part) for part in parts]

    def _can_fall_back(self) -> bool:
        """Return whether float32 may be tried instead: nobody has asked for bfloat16, and it never worked."""
        return self.execution.precision == "bfloat16" and self._precision_open and not self._precision_tried

    def _failure(self, error: Exception) -> TargetError:
        """Return the error for a network that failed, with what may help."""
        advice = ""
        if _tells_of(error, _TYPE) and is_mixed(self.network):
            advice = "; its numbers are of several types: give module.float()"
        elif _tells_of(error, _TYPE) and self.execution.precision == "bfloat16":
            advice = "; use `precision=float32`"
        elif _tells_of(error, _ONE_SIZE):
            advice = "; where it takes batches of one size only, make that its `micro_batch`"
        return failure_of(self._name, self._image_shape, error, advice)

    @cached_property
    def _joined(self) -> Joined | None:
        """The network with its layers joined; None where they can't be."""
        noise = torch.rand((2, *self._image_shape), generator=torch.Generator().manual_seed(0))
        return join(self.network, noise.mul_(6).sub_(3).to(self.device))

    def _use_format(self, memory_format: str) -> None:
        """Have weights and images in a memory format from now on."""
        self.execution = replace(self.execution, memory_format=memory_format)
        with torch.inference_mode(False):  # weights that gradients can go through
            for module in (self.network, self._exact, self._fast):
                module.to(memory_format=FORMATS[memory_format])
        self._written = times_written(self.network)

    def _halve(self, rows: int, one_size: bool) -> None:
        """Run passes of half as many rows at most from now on."""
        if one_size:
            raise TargetError(f"{self.device} is out of memory for {rows} images of {self._name}; try `device=cpu`")
        if rows == 1:
            raise TargetError(f"{self.device} is out of memory for a single image of {self._name}; try `device=cpu`")
        self._largest_pass = rows // 2
        self.execution = replace(self.execution, micro_batch=min(self.execution.micro_batch, rows // 2))
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _tells_of(error: Exception, *words: re.Pattern[str]) -> bool:
    """Return whether an error has some of these words."""
    return any(pattern.search(str(error)) for pattern in words)


def _split(images: Tensor, rows: int, *, filled: bool) -> tuple[Tensor, ...]:
    """Return images in parts of so many rows at most; ``filled`` has all of them as long, with black images after."""
    if not filled:
        passes = -(-len(images) // rows)
        return images.tensor_split(passes) if passes > 1 else (images,)
    missing = -len(images) % rows
    black = images.new_zeros((missing, *images.shape[1:]))
    return torch.split(torch.cat([images, black]) if missing else images, rows)
