"""A torch module as a target. Users know the class as ``evofool.Target``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor, nn

from ..errors import TargetError
from .cards import Card
from .checks import check_resize, described
from .execution.devices import choose_device
from .execution.execution import Execution, default_execution
from .execution.features import last_inputs
from .execution.joining import joinable
from .execution.modules import fixed_rows
from .execution.options import ExecutionOptions
from .execution.runner import TorchExecution
from .execution.side_by_side import may_run_side_by_side
from .preprocessing import Normalisation


class TorchTarget:
    """A torch module under test: 8-bit images in, class probabilities out. ``evofool.Target`` is this class.

    Normalisation, batching, device, memory format and precision are settled here; nobody else sees anything but uint8
    images and float32 probabilities. It is :class:`~.protocols.Differentiable`.

    Args:
        module: A network from normalised images (B, C, H, W) float to (B, K) logits (or probabilities, see
            ``outputs``). It is put into evaluation mode and moved to the device; where its numbers are not float32, a
            copy is used whose are. It may return its outputs in a tuple, dict or object, by the name ``logits`` or as
            the only tensor that fits. One output, (B, 1) or (B,), for two classes is that of the second.
        classes: The K class names, at least two, in the order of the module's outputs.
        image_shape: (C, H, W) of the images; C is 1 (grey) or 3 (RGB).
        mean: Subtracted from pixels in [0, 1]; per channel, or one for all. An array of shape (C, 1, 1) or
            (1, C, 1, 1) will do.
        std: What the difference is divided by; per channel, or one for all.
        name: What records and messages call this target.
        outputs: ``logits`` (a softmax is applied) or ``probabilities`` (taken as they are); where several classes can
            be true of one image, ``multilabel-logits`` (a sigmoid is applied) or ``multilabel``.
        device: ``auto`` (CUDA, then MPS, then CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: Precision that a search scores in: ``float32``, ``bfloat16``, or ``auto``, which is bfloat16 where
            the hardware and the module have it. :meth:`confirm` is float32 always.
        micro_batch: Rows of one forward pass, at most. It is halved for good when the device runs out of memory. Where
            a network fails on fewer rows, every pass is filled up to so many.
        memory_format: Memory format of images and weights: ``channels_last``, ``contiguous`` or ``auto``.
        fold: Whether layers are joined in a search's passes, where the network can be traced: batch normalisations are
            folded into the layers before them, and on a CPU convolutions apply the activation function and the sum
            behind them. None leaves it to what is found faster.
        parallel: Whether passes on a CPU run side by side, each on one thread, as many at a time as torch has threads.
            None leaves it to what is found faster.
        resize: What the shorter side of pictures of other sizes becomes before the centre is cropped, in pixels: 256
            for many networks that take 224. None: the images' shorter side.

    Attributes:
        device: The ``torch.device`` that it runs on.
        resize: What the shorter side of pictures becomes.
        mean, std: A value for each channel.
        outputs: What the module returns.
        tunable: Names of the fields of :class:`~.execution.execution.Execution` that were left open, so that tuning may
            choose them.

    Raises:
        ConfigError: There is no such device, precision, memory format, number of rows or kind of outputs.
        TargetError: ``name``, ``image_shape``, ``mean``, ``std`` or ``classes`` don't fit each other.

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
        outputs: str = "logits",
        device: str = "auto",
        precision: str = "auto",
        micro_batch: int | None = None,
        memory_format: str = "auto",
        fold: bool | None = None,
        parallel: bool | None = None,
        resize: int | None = None,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise TargetError(
                f"{name}: expected a torch.nn.Module, got {type(module).__name__}; "
                "put a function into a module's forward()"
            )
        self.name, self.classes, self.image_shape = described(name, classes, image_shape)
        self.resize = min(self.image_shape[1:]) if resize is None else check_resize(resize, self.image_shape)
        options = ExecutionOptions.given(
            device=device,
            precision=precision,
            micro_batch=fixed_rows(module) if micro_batch is None else micro_batch,
            memory_format=memory_format,
            fold=fold,
            parallel=parallel,
        )
        self.device = choose_device(options.device)
        self.tunable = options.left_open(
            foldable=joinable(module, self.device), parallel=may_run_side_by_side(module, self.device)
        )
        normalisation = Normalisation(self.name, mean, std, self.image_shape[0], self.device)
        self.mean, self.std, self.outputs = normalisation.mean, normalisation.std, outputs
        self._runner = TorchExecution(
            module,
            normalisation,
            name=self.name,
            classes=len(self.classes),
            image_shape=self.image_shape,
            outputs=outputs,
            device=self.device,
            execution=default_execution(options, self.device, self.image_shape),
            precision_open="precision" in self.tunable,
        )

    @classmethod
    def from_card(cls, module: nn.Module, card: Card, options: ExecutionOptions) -> TorchTarget:
        """Return a module as the target that a model card describes."""
        return cls(
            module,
            classes=card.classes,
            image_shape=card.image_shape,
            mean=card.mean,
            std=card.std,
            name=card.name,
            outputs=card.outputs,
            resize=max(card.resize, min(card.image_shape[1:])),
            **asdict(options),
        )

    def __repr__(self) -> str:
        facts = (f"{len(self.classes)} classes", self.image_shape, self.device, self.precision)
        return f"TorchTarget({self.name}, {', '.join(map(str, facts))})"

    @property
    def network(self) -> nn.Module:
        """The module in float32 and evaluation mode: normalised images to outputs."""
        return self._runner.network

    @property
    def execution(self) -> Execution:
        """How its forward passes are run."""
        return self._runner.execution

    @property
    def multilabel(self) -> bool:
        """Whether several classes can be true of one image, so that scores don't sum to 1."""
        return self._runner.head.multilabel

    @property
    def precision(self) -> str:
        """The precision of :meth:`scores`."""
        return self._runner.execution.precision

    @property
    def micro_batch(self) -> int:
        """Rows of one forward pass, at most."""
        return self._runner.execution.micro_batch

    def apply(self, execution: Execution) -> None:
        """Run forward passes in another way from now on. A network whose layers can't be joined stays as it is.

        Raises:
            ConfigError: Forward passes can't be run so.
        """
        self._runner.apply(execution)

    def scores(self, images: Tensor, *, checked: bool = True) -> Tensor:
        """Return the probabilities of every class, in the precision of a search.

        Args:
            images: (B, C, H, W) uint8, on any device.
            checked: Whether to look at the scores at once, which waits for a GPU; otherwise the caller does it.

        Returns:
            (B, K) float32 on the target's device; rows sum to one.

        Raises:
            TargetError: The images have another shape or type; or the network returned what are no probabilities:
                another shape than (B, K), NaN, infinity, rows that don't sum to one, or a tensor of another device.
        """
        return self._runner.scores(images, exact=False, checked=checked)

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Tensor:
        """Return what :meth:`scores` does in float32, whatever a search's precision: what goes on record.

        Args:
            images: (B, C, H, W) uint8, on any device.
            rows: Rows of every pass, the last one filled up, so that no score depends on how many others are confirmed
                beside it, or on ``micro_batch``. It is halved as well when the device runs out of memory. None runs
                passes as in a search.
            checked: As in :meth:`scores`.
        """
        return self._runner.scores(images, exact=True, rows=rows, checked=checked)

    @property
    def has_logits(self) -> bool:
        """Whether the module returns logits of one class among several."""
        return self._runner.head.gives_logits

    def confirm_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of (B, C, H, W) uint8 images, whose softmax :meth:`confirm` returns.

        Raises:
            TargetError: As :meth:`scores`, or the module returns others.
        """
        return self._runner.confirmed_logits(images)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits of float32 images, with gradients, by the network as it is.

        A network that returns probabilities gives their logarithms. ``torch.autograd.grad`` leaves the gradients of the
        weights alone; ``backward`` adds to them.

        Args:
            pixels: (B, C, H, W) float in [0, 1], on any device.

        Returns:
            (B, K) float32 on the target's device.

        Raises:
            TargetError: The pixels have another shape or type, or the network returned something else.
        """
        return self._runner.logits(pixels)

    def features(self, images: Tensor) -> Tensor:
        """Return what the last layer with weights is given, averaged over space.

        Args:
            images: (B, C, H, W) uint8, or float in [0, 1] with gradients as in :meth:`logits`; on any device.

        Returns:
            (B, F) float32 on the target's device.

        Raises:
            TargetError: The network has no such layer, or its input can't be taken.
        """
        run = self.logits if images.is_floating_point() else self.confirm
        inputs = last_inputs(self.network, lambda: run(images))
        features = torch.empty(0) if inputs is None else inputs[-len(images) :]  # failed passes come first
        if len(features) != len(images) or not bool(features.isfinite().all()):
            raise TargetError(
                f"target {self.name} has no last layer whose input can be taken; take a network of torch layers, or "
                "search for diverse images with `novelty=pixels`"
            )
        return features
