"""A torch module's forward passes: in the chosen precision and memory format, as large as memory has room for."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import ConfigError, EvofoolError, TargetError
from ..checks import check_finite, check_probabilities, failure_of
from ..preprocessing import Normalisation
from .devices import choose_precision
from .execution import FORMATS, Execution, choose_format
from .folding import fold
from .outputs import check_logits, output_error

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_OUT_OF_MEMORY = re.compile("out of memory|can.?t allocate|not enough memory")
"""Words in the RuntimeError of an allocator that has no exception of its own for this, such as the CPU's."""


class TorchExecution:
    """Runs a module as a classifier. Devices, copies, memory and checks of its outputs are settled here.

    Attributes:
        network: The module itself, in float32 and evaluation mode.
        device: Where it runs.
        execution: How its forward passes are run. The micro-batch shrinks for good where memory runs out, and the
            memory format becomes contiguous where the network insists on it.

    Args:
        module: A network from normalised images (B, C, H, W) float to (B, K) outputs.
        normalisation: What makes these images.
        name: The target's name, for messages.
        classes: The number K of outputs.
        image_shape: (C, H, W) of an image.
        outputs: What the module returns, one of :data:`~.outputs.KINDS`.
        device: The device that the module is moved to.
        execution: The settings of its forward passes.

    Raises:
        ConfigError: Forward passes can't be run so.
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
    ) -> None:
        self.device = device
        self._name, self._classes, self._image_shape, self._outputs = name, classes, image_shape, outputs
        self._normalisation = normalisation
        self.network = self._fast = module.eval().to(device)
        self._largest_pass: int | None = None  # rows that the device's memory turned out to have room for
        self._logits_checked = False
        self.apply(execution)

    def apply(self, execution: Execution) -> None:
        """Run forward passes in another way from now on. A network that can't be folded stays as it is.

        Raises:
            ConfigError: Forward passes can't be run so.
        """
        if type(execution.micro_batch) is not int or execution.micro_batch < 1:
            raise ConfigError(f"`micro_batch` must be a whole number of at least 1, got {execution.micro_batch}")
        precision = choose_precision(execution.precision, self.device)
        memory_format = choose_format(execution.memory_format)
        folded = self._folded if execution.fold else None
        self._fast = self.network if folded is None else folded
        if precision == "bfloat16":
            self._fast = copy.deepcopy(self._fast).to(torch.bfloat16)
        self.execution = Execution(precision, memory_format, execution.micro_batch, folded is not None)
        self._use_format(memory_format)

    @torch.inference_mode()
    def scores(self, images: Tensor, *, exact: bool, checked: bool, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) float32 of images, on the device.

        Args:
            images: (B, C, H, W) uint8, on any device.
            exact: Whether to run the network itself in float32, instead of what the execution makes of it.
            checked: Whether to look at the scores at once, which waits for a GPU.
            rows: Rows of every pass, the last one filled up; None for up to the micro-batch.

        Raises:
            TargetError: The images have another shape or type; or the network fails, or returns no probabilities.
        """
        if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.shape[1:] != self._image_shape:
            raise self._refused(images, "uint8 torch tensors")
        module, precision = (self.network, "float32") if exact else (self._fast, self.execution.precision)
        scores = self._in_passes(partial(self._score, module, precision), images, rows)
        if self._outputs == "probabilities":  # clamped ones would always look right
            check_probabilities(self._name, scores, "if these are logits, say `outputs=logits`")
            return scores.clamp(0, 1)
        if checked:
            check_finite(self._name, scores)
        return scores

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of pixels, on the device, with gradients.

        Those of a network that returns probabilities are their logarithms.

        Args:
            pixels: (B, C, H, W) float in [0, 1], on any device.

        Raises:
            TargetError: The pixels have another shape or type; or the network fails, or returns other outputs.
        """
        if not isinstance(pixels, Tensor) or not pixels.is_floating_point() or pixels.shape[1:] != self._image_shape:
            raise self._refused(pixels, "float torch tensors")
        return self._in_passes(self._logits, pixels)

    def _score(self, module: nn.Module, precision: str, images: Tensor) -> Tensor:
        """Run one forward pass on 8-bit images."""
        memory_format = FORMATS[self.execution.memory_format]
        pixels = self._normalisation.bytes(images.to(self.device), _TYPES[precision], memory_format)
        output = self._outputs_of(module, pixels)
        if self._outputs == "probabilities":
            return output
        if not self._logits_checked:
            self._logits_checked = True
            check_logits(self._name, output, precision)
        return output.softmax(1)

    def _logits(self, pixels: Tensor) -> Tensor:
        """Run one forward pass on pixels in [0, 1], with gradients."""
        memory_format = FORMATS[self.execution.memory_format]
        normalised = self._normalisation.pixels(pixels.to(self.device, torch.float32), memory_format)
        output = self._outputs_of(self.network, normalised)
        return output.clamp_min(torch.finfo(output.dtype).tiny).log() if self._outputs == "probabilities" else output

    def _outputs_of(self, module: nn.Module, pixels: Tensor) -> Tensor:
        """Return what a module makes of normalised pixels, as (B, K) float32."""
        output = module(pixels)
        if (
            not isinstance(output, Tensor)
            or output.shape != (len(pixels), self._classes)
            or output.device != pixels.device
            or output.is_complex()
            or output.layout is not torch.strided
        ):
            raise output_error(self._name, output, len(pixels), self._classes, pixels.device)
        return output.float()

    def _in_passes(self, forward: Callable[[Tensor], Tensor], images: Tensor, rows: int | None = None) -> Tensor:
        """Call ``forward`` on parts of some images, smaller ones where memory runs out; return all that it returns."""
        if len(images) == 0:
            return torch.empty((0, self._classes), device=self.device)
        while True:
            limit = self.execution.micro_batch
            try:
                if rows:
                    limit = min(rows, self._largest_pass or rows)
                    parts = [forward(part) for part in torch.split(_filled_up(images, limit), limit)]
                else:
                    passes = -(-len(images) // limit)
                    batches = images.tensor_split(passes) if passes > 1 else (images,)
                    parts = [forward(part) for part in batches]
                return (parts[0] if len(parts) == 1 else torch.cat(parts))[: len(images)]
            except (torch.OutOfMemoryError, MemoryError):
                pass
            except RuntimeError as error:
                if "view size is not compatible" in str(error) and self.execution.memory_format == "channels_last":
                    self._use_format("contiguous")  # the network looks at its activations' layout
                    continue
                if not _OUT_OF_MEMORY.search(str(error)):
                    raise failure_of(self._name, self._image_shape, error) from error
            except EvofoolError:
                raise
            except Exception as error:  # a user's module may raise anything
                raise failure_of(self._name, self._image_shape, error) from error
            self._halve(limit)  # outside the handler, whose exception would keep the failed pass's tensors alive

    @cached_property
    def _folded(self) -> nn.Module | None:
        """The network with its batch normalisations folded; None where they can't be."""
        noise = torch.rand((2, *self._image_shape), generator=torch.Generator().manual_seed(0))
        return fold(self.network, noise.mul_(2).sub_(1).to(self.device))

    def _use_format(self, memory_format: str) -> None:
        """Have weights and images in a memory format from now on."""
        self.execution = replace(self.execution, memory_format=memory_format)
        with torch.inference_mode(False):  # weights that gradients can go through
            for module in (self.network, self._fast):
                module.to(memory_format=FORMATS[memory_format])

    def _halve(self, rows: int) -> None:
        """Run passes of half as many rows at most from now on."""
        if rows == 1:
            raise TargetError(f"{self.device} is out of memory for a single image of {self._name}; try `device=cpu`")
        self._largest_pass = rows // 2
        self.execution = replace(self.execution, micro_batch=min(self.execution.micro_batch, rows // 2))
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _refused(self, images: Any, expected: str) -> TargetError:
        shape = ", ".join(map(str, self._image_shape))
        given = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        return TargetError(f"{self._name} takes {expected} (B, {shape}), got {given}")


def _filled_up(images: Tensor, rows: int) -> Tensor:
    """Return the images with black ones after them, up to a multiple of ``rows``."""
    missing = -len(images) % rows
    return torch.cat([images, images.new_zeros((missing, *images.shape[1:]))]) if missing else images
