"""Image classifiers of transformers: ``hf:REPOSITORY`` on the hub, or ``hf:FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import TargetError, in_words
from ...text import cut
from ..cards import Card
from .base import Loaded, Request
from .hub import quiet_hub
from .needs import need_package

if TYPE_CHECKING:
    from torch import nn

PREFIX = "hf:"
EXAMPLE = "hf:microsoft/resnet-18"
SUFFIXES: tuple[str, ...] = ()
WHAT = "transformers' image classifiers, on the hub or in a folder (extra: hf)"

_FILTERS = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""Interpolations by Pillow's numbers, which processors keep."""

_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of files with weights."""


def card(name: str) -> Card:
    """Return the model card of a classifier, from its config and its image processor.

    Raises:
        TargetError: transformers is missing, or there is no such classifier.
    """
    check(name)
    import transformers

    config, processor = _read(name, transformers.AutoConfig), _read(name, transformers.AutoImageProcessor)
    label_of, channels = config.id2label, getattr(config, "num_channels", 3)
    (height, width), resized = _sizes(processor.to_dict())
    mean, std = _normalisation(processor.to_dict(), channels)
    return Card(
        name=PREFIX + name,
        architecture=f"transformers' {type(config).__name__.removesuffix('Config')}",
        classes=tuple(str(label_of[index]) for index in sorted(label_of)),
        image_shape=(channels, height, width),
        mean=mean,
        std=std,
        data="as the repository states",
        accuracy="not stated",
        licence="as the repository states",
        weights="hf",
        resize=resized,
        interpolation=_FILTERS.get(int(getattr(processor, "resample", 2)), "bilinear"),
    )


def claims(name: str) -> bool:
    """Return whether a name has the prefix."""
    return name.startswith(PREFIX)


def check(name: str) -> None:
    """Check that transformers is installed."""
    need_package("transformers", "targets of hf:", "hf")


def names() -> list[str]:
    """Return nothing: the hub knows all names."""
    return []


def load(name: str, request: Request) -> Loaded:
    """Return a classifier as a target; see :class:`~.base.Door`."""
    from .brought import module_loaded

    known = card(name)
    return module_loaded(network(name), known, request, names=known.classes, weights=weights_file(name))


def network(name: str) -> nn.Module:
    """Return a classifier with its weights.

    Raises:
        TargetError: transformers is missing, or there is no such classifier.
    """
    check(name)
    import transformers

    module: nn.Module = _read(name, transformers.AutoModelForImageClassification)
    return module


def weights_file(name: str) -> Path | None:
    """Return the file that a classifier's weights are read from, where it is one file."""
    from transformers.utils import cached_file

    for file in _FILES:
        try:
            found = cached_file(name, file, local_files_only=True, _raise_exceptions_for_missing_entries=False)
        except Exception:  # the hub's errors have no common base
            continue
        if found:
            return Path(found)
    return None


def _read(name: str, kind: Any) -> Any:
    """Return what transformers reads of a repository or folder. No code of theirs is run."""
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with quiet_hub():
            return kind.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # transformers, the hub and the files' readers have no common error
        raise TargetError(
            f"{PREFIX}{name} could not be read ({cut(in_words(error), 200)}); expected a folder or a repository of an "
            "image classifier that transformers knows"
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()


def _sizes(processor: dict[str, Any]) -> tuple[tuple[int, int], int]:
    """Return (height, width) of the images, and what the shorter side is before the centre is cropped."""
    size, crop = _size(processor.get("size")), None
    if processor.get("do_center_crop"):
        crop = _size(processor.get("crop_size"))
    size = size or crop or (224, 224)
    return crop or size, round(min(size) / (processor.get("crop_pct") or 1))


def _size(value: Any) -> tuple[int, int] | None:
    """Return a processor's size as (height, width)."""
    if isinstance(value, int):
        return value, value
    if not isinstance(value, dict):
        return None
    if "height" in value and "width" in value:
        return int(value["height"]), int(value["width"])
    edge = value.get("shortest_edge") or value.get("longest_edge")
    return (int(edge), int(edge)) if edge else None


def _normalisation(processor: dict[str, Any], channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and std of pixels in [0, 1] that amount to what a processor does with pixels from 0 to 255."""
    factor = float(processor.get("rescale_factor", 1 / 255)) * 255 if processor.get("do_rescale", True) else 255.0
    offset = 1.0 if processor.get("rescale_offset") else 0.0
    normalises = processor.get("do_normalize", False)
    mean = list(processor["image_mean"]) if normalises and processor.get("image_mean") else [0.0] * channels
    std = list(processor["image_std"]) if normalises and processor.get("image_std") else [1.0] * channels
    return tuple((one + offset) / factor for one in mean), tuple(one / factor for one in std)
