"""What doors share that let in classifiers somebody brings: their cards, and the targets that they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor, nn

from ...config.model import ModelOptions
from ..arrays.adapters import Adapter
from ..arrays.array_target import ArrayTarget, Call
from ..arrays.reading import Reading
from ..cards import OWN, Card
from ..class_names import choose_class_names
from ..execution.devices import choose_device
from ..execution.modules import made_ready
from ..execution.outputs import Head
from ..preprocessing import Normalisation
from ..torch_target import TorchTarget
from ..understanding import PICTURES, check_affordable, choose_image_shape, recognise_outputs, show
from .base import Loaded, Request

ROWS = 64
"""Images that a function of arrays is given at once, where nobody says how many."""

NOT_STATED = "not stated"


class Reversed(nn.Module):
    """A network that takes blue, green, red, given red, green, blue.

    Args:
        network: The network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's outputs for (B, 3, H, W) images."""
        outputs: Tensor = self.network(images.flip(1))
        return outputs


class ChannelsLast(nn.Module):
    """A network that takes (B, H, W, C), given (B, C, H, W).

    Args:
        network: The network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's outputs for (B, C, H, W) images."""
        outputs: Tensor = self.network(images.permute(0, 2, 3, 1).contiguous())
        return outputs


def as_read(
    module: nn.Module, reading: Reading, channels: int
) -> tuple[nn.Module, tuple[float, ...], tuple[float, ...]]:
    """Return a network that takes its images as a reading says, given (B, C, H, W) in the order red, green, blue.

    Args:
        module: The network.
        reading: How it takes them.
        channels: Channels of its images.

    Returns:
        The network, and the mean and std of pixels in [0, 1] that it expects.
    """
    if reading.layout == "NHWC":
        module = ChannelsLast(module)
    if reading.channels == "bgr" and channels == 3:
        module = Reversed(module)
    return module, *reading.stretched()


def reading_of(
    options: ModelOptions,
    *,
    layout: str = "NCHW",
    dtype: str = "float32",
    value_range: str = "0-1",
    known: Card | None = None,
) -> Reading:
    """Return how a classifier takes its images: as the user says, else as its file does.

    Args:
        options: What the user says.
        layout, dtype, value_range: What the file says.
        known: A card with mean and std, where there is one.

    Raises:
        ConfigError: They don't go together.
    """
    mean, std = (known.mean, known.std) if known else ((0.0,), (1.0,))
    return Reading(
        layout=options.layout or layout,
        dtype=dtype,
        range=options.range or ("0-255" if dtype == "uint8" else value_range),
        channels=options.channels or "rgb",
        mean=options.mean or mean,
        std=options.std or std,
    )


def array_loaded(
    call: Call,
    card: Card,
    request: Request,
    *,
    reading: Reading,
    names: Sequence[str] | None = None,
    rows: int | None = None,
    fixed: bool = False,
    weights: Path | None = None,
    fingerprint: str | None = None,
    in_torch: bool = True,
) -> Loaded:
    """Return a function of arrays as a target, after showing it a few pictures.

    Args:
        call: The function.
        card: What is known of it; its classes, mean and std are filled in.
        request: How it is to be understood.
        reading: How it takes its images.
        names: The class names that come with it.
        rows: Images that it takes at once.
        fixed: Whether it takes exactly so many.
        weights: Its file.
        fingerprint: Digest of what its scores depend on, where it has no file.
        in_torch: Whether it may compute in torch.
    """
    shape = card.image_shape
    Normalisation(card.name, reading.mean, reading.std, shape[0], torch.device("cpu"))  # checks both
    classes, outputs, shown = _understood(
        request, card, names, lambda images: call(reading.arrays(images)), rows if fixed else None
    )
    card = card.with_outputs(classes, outputs, reading.mean, reading.std)
    target = ArrayTarget(
        call,
        Head(card.name, outputs, len(classes)),
        name=card.name,
        classes=classes,
        image_shape=shape,
        reading=reading,
        rows=rows if fixed and rows else request.execution.micro_batch or rows or ROWS,
        fixed=fixed,
        fingerprint=fingerprint,
        in_torch=in_torch,
    )
    return Loaded(target, card, weights, shown=shown, model=replace(request.model, outputs=outputs))


def adapter_loaded(
    name: str,
    adapter: Adapter,
    request: Request,
    *,
    weights: Path | None = None,
    fingerprint: str | None = None,
) -> Loaded:
    """Return a classifier of another library as a target, after showing it a few pictures.

    Args:
        name: What it is named by.
        adapter: The classifier.
        request: How it is to be understood.
        weights: Its file.
        fingerprint: Digest of what its scores depend on, where it has no file.
    """
    shape = choose_image_shape(name, request.model, adapter.channels, adapter.size)
    return array_loaded(
        adapter.call,
        file_card(name, adapter.kind, shape),
        request,
        reading=reading_of(request.model, layout=adapter.layout, dtype=adapter.dtype, value_range=adapter.range),
        names=adapter.names,
        weights=weights,
        fingerprint=fingerprint,
    )


def module_loaded(
    module: nn.Module,
    card: Card,
    request: Request,
    *,
    names: Sequence[str] | None = None,
    rows: int | None = None,
    weights: Path | None = None,
    spare_tensors: tuple[str, ...] = (),
) -> Loaded:
    """Return a torch module as a target, after showing it a few pictures.

    Args:
        module: The module.
        card: What is known of it; its classes are filled in.
        request: How it is to be understood.
        names: The class names that come with it.
        rows: Images that it takes at once, where it takes only so many.
        weights: The file that its weights were loaded from. Where it isn't the user's, theirs is refused.
        spare_tensors: Tensors of that file that it has no place for.
    """
    options, device = request.model, choose_device(request.execution.device)
    reading = reading_of(options, known=card)
    module, mean, std = as_read(module, reading, card.image_shape[0])
    module = made_ready(module, device)
    normalisation = Normalisation(card.name, mean, std, card.image_shape[0], device)

    @torch.inference_mode()
    def call(images: Tensor) -> object:
        return module(normalisation.bytes(images.to(device), torch.float32, torch.contiguous_format))

    classes, outputs, shown = _understood(request, card, names, call, rows)
    card = card.with_outputs(classes, outputs, mean, std)
    target = TorchTarget.from_card(module, card, request.execution)
    understood = replace(request.model, outputs=outputs)
    given = weights is not None and weights == request.weights
    return Loaded(target, card, weights, given, spare_tensors, shown=shown, model=understood)


def file_card(spec: str, kind: str, image_shape: tuple[int, int, int]) -> Card:
    """Return the card of a classifier of which no more is known than its file."""
    return Card(
        name=Path(spec).name,
        architecture=kind,
        classes=(),
        image_shape=image_shape,
        mean=(0.0,),
        std=(1.0,),
        data=NOT_STATED,
        accuracy=NOT_STATED,
        licence=OWN,
        weights=OWN,
        resize=min(image_shape[1:]),
    )


def _understood(
    request: Request, card: Card, names: Sequence[str] | None, call: Callable[[Tensor], Any], rows: int | None
) -> tuple[list[str], str, int]:
    """Return the classes and the kind of outputs of a classifier, and how many pictures it was shown for that.

    One that was recorded isn't asked again.

    Args:
        request: How it is to be understood.
        card: What is known of it.
        names: The class names that come with it.
        call: The classifier, as a function of (B, C, H, W) uint8 images.
        rows: How many images it takes at once, where it takes only so many.

    Raises:
        ConfigError: The budget of queries has no room for the pictures.
    """
    options = request.model
    if request.classes is not None and options.outputs != "auto":
        return list(request.classes), options.outputs, 0
    shown = rows or PICTURES
    check_affordable(options, shown)
    values = show(card.name, card.image_shape, call, shown)
    classes = choose_class_names(names, options.classes_file, values.shape[1])
    return classes, recognise_outputs(values) if options.outputs == "auto" else options.outputs, shown
