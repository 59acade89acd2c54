"""torchvision's classification models as targets."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from torch import nn

from ...errors import TargetError, suggestion
from ..cards import Card

PREFIX = "torchvision:"


def names() -> list[str]:
    """Every classification model torchvision lists, sorted."""
    from torchvision import models

    return sorted(models.list_models(module=models))


def card(name: str) -> Card:
    """The card of ``torchvision:NAME``, from what torchvision itself tells of its default weights.

    Raises:
        TargetError: torchvision lists no such model.
    """
    weights = _default_weights(name)
    transforms, meta = weights.transforms(), weights.meta
    crop, resize = transforms.crop_size[0], transforms.resize_size[0]
    measured: dict[str, float] = next(iter(meta.get("_metrics", {}).values()), {})
    return Card(
        name=PREFIX + name,
        architecture=f"torchvision's {name}, {meta['num_params'] / 1e6:.1f} million parameters",
        classes=tuple(meta["categories"]),
        image_shape=(3, crop, crop),
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        data="ImageNet (torchvision's weights, or the user's own)",
        accuracy=f"{measured['acc@1']:.2f} % top-1 on ImageNet, as torchvision states" if measured else "not stated",
        licence="torchvision's: BSD-3-Clause code; weights under their authors' terms",
        weights="torchvision",
        resize=resize,
        interpolation=str(transforms.interpolation.value),
    )


def network(name: str, *, own_weights: bool) -> nn.Module:
    """The network, with torchvision's default weights from the torch hub cache (downloaded when missing).

    Args:
        name: as torchvision lists it.
        own_weights: leave it without weights, for a file of the user's.

    Raises:
        TargetError: no such model, or its weights are not cached and can't be downloaded.
    """
    from torchvision import models

    weights = _default_weights(name)
    if own_weights:
        built: nn.Module = models.get_model(name, weights=None, **_plain_options(name))
        return built
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch hub tells of its download on standard output
            loaded: nn.Module = models.get_model(name, weights=weights)
    except (OSError, RuntimeError) as error:
        raise TargetError(
            f"torchvision's weights for {name} are not in the cache and could not be downloaded ({error}); "
            f"go online, or give --weights FILE. Cache: {cache_folder()}"
        ) from error
    return loaded


def cached_file(name: str) -> Path:
    """Where the torch hub cache keeps the default weights of ``name``."""
    return cache_folder() / Path(_default_weights(name).url).name


def cache_folder() -> Path:
    """The torch hub cache for weights."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"


def _default_weights(name: str) -> Any:
    from torchvision import models

    if name not in names():
        raise TargetError(
            f'torchvision has no classification model "{name}"{suggestion(name, names())}; '
            "list them with: evofool targets torchvision"
        )
    return models.get_model_weights(name).DEFAULT


def _plain_options(name: str) -> dict[str, Any]:
    """Networks whose checkpoints come without auxiliary classifiers, or with other input handling."""
    if name == "inception_v3":
        return {"transform_input": True, "init_weights": False}
    if name == "googlenet":
        return {"transform_input": True, "aux_logits": False, "init_weights": False}
    return {}
