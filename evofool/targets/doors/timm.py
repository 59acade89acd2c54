"""timm's classification models: ``timm:NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import TargetError, in_words, suggestion
from ...text import cut
from ..cards import Card
from .base import Loaded, Request
from .hub import quiet_hub
from .needs import need_package

if TYPE_CHECKING:
    from torch import nn

PREFIX = "timm:"
EXAMPLE = "timm:resnet18"
SUFFIXES: tuple[str, ...] = ()
WHAT = "timm's models (extra: timm)"


def claims(name: str) -> bool:
    """Return whether a name has the prefix."""
    return name.startswith(PREFIX)


def names() -> list[str]:
    """Return the names of all models that timm knows, sorted; nothing where timm is missing."""
    try:
        import timm
    except ImportError:
        return []
    return sorted(timm.list_models())


def check(name: str) -> None:
    """Check that timm is installed."""
    need_package("timm", "targets of timm", "timm")


def card(name: str) -> Card:
    """Return the model card of a model, from what timm says of its weights.

    Raises:
        TargetError: timm is missing, or knows no such model.
    """
    config = _config(name)
    channels, height, width = config.input_size
    classes = _class_names(config)
    resized = round(min(height, width) / (config.crop_pct or 1))
    return Card(
        name=PREFIX + name,
        architecture=f"timm's {name}",
        classes=classes,
        image_shape=(channels, height, width),
        mean=tuple(config.mean),
        std=tuple(config.std),
        data=config.tag or "as timm's hub states",
        accuracy="not stated",
        licence=config.license or "as timm's hub states",
        weights="timm",
        resize=resized,
        interpolation=config.interpolation if config.interpolation in ("bilinear", "bicubic") else "bilinear",
    )


def load(name: str, request: Request) -> Loaded:
    """Return a model as a target; see :class:`~.base.Door`."""
    from ..weights import load_weights
    from .brought import module_loaded

    known, weights = card(name), request.weights
    module, spare = network(name, pretrained=weights is None), tuple[str, ...]()
    if weights is not None:
        spare = load_weights(module, weights, known.name)
    return module_loaded(module, known, request, names=known.classes, weights=weights, spare_tensors=spare)


def network(name: str, *, pretrained: bool, classes: int | None = None) -> nn.Module:
    """Return a model, with timm's weights or without.

    Args:
        name: Its name.
        pretrained: Whether it has timm's weights.
        classes: How many classes it has; None for those of its weights.

    Raises:
        TargetError: timm is missing, knows no such model, or its weights can't be had.
    """
    import timm

    _config(name)
    try:
        with quiet_hub():
            module: nn.Module = timm.create_model(name, pretrained=pretrained, num_classes=classes)
    except Exception as error:  # the hub's, the network's and timm's own errors have no common base
        raise TargetError(
            f"timm's weights for {name} could not be had ({cut(in_words(error), 200)}); go online, or give "
            "`weights=FILE`"
        ) from error
    return module


def _config(name: str) -> Any:
    """Return timm's settings of a model's default weights."""
    check(name)
    import timm

    if not timm.is_model(name):
        raise TargetError(
            f'timm has no model "{name}"{suggestion(name, names())}; list them with: evofool targets timm'
        )
    return timm.get_pretrained_cfg(name)


def _class_names(config: Any) -> tuple[str, ...]:
    """Return the class names of a model: its own, ImageNet's, or indices."""
    if config.label_names:
        return tuple(config.label_names)
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset(config.to_dict())
    if subset:
        info = ImageNetInfo(subset)
        if info.num_classes() == config.num_classes:
            return tuple(info.index_to_description(index) for index in range(config.num_classes))
    return tuple(map(str, range(config.num_classes)))
