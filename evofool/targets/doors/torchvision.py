"""torchvision's classification models: ``torchvision:NAME``."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import TargetError, WeightsError, in_words, suggestion
from ..cards import Card
from .base import Loaded, Request
from .torchvision_names import model_names

if TYPE_CHECKING:
    from torch import nn

PREFIX = "torchvision:"
EXAMPLE = "torchvision:resnet18"
SUFFIXES: tuple[str, ...] = ()
WHAT = "torchvision's classification networks, with its weights or --weights"


def claims(name: str) -> bool:
    """Return whether a name has the prefix."""
    return name.startswith(PREFIX)


def names() -> list[str]:
    """Return the names of all classification models that torchvision lists, sorted."""
    return list(model_names())


def check(name: str) -> None:
    """Check that torchvision lists a model.

    Raises:
        TargetError: It doesn't.
    """
    if name not in model_names():
        raise TargetError(
            f'torchvision has no classification model "{name}"{suggestion(name, model_names())}; '
            "list them with: evofool targets torchvision"
        )


def card(name: str) -> Card:
    """Return the model card of a model, from what torchvision says of its default weights.

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


def load(name: str, request: Request) -> Loaded:
    """Build a target; see :class:`~.base.Door`. Default weights are downloaded into torch hub's cache."""
    from ..torch_target import TorchTarget
    from ..weights import load_weights

    model_card, weights, options = card(name), request.weights, request.execution
    if weights is None:
        module = _pretrained(name)
        return Loaded(TorchTarget.from_card(module, model_card, options), model_card, cached_file(name))
    module = network(name)
    spare = load_weights(module, weights, model_card.name, relatives(name))
    return Loaded(TorchTarget.from_card(module, model_card, options), model_card, weights, True, spare)


def network(name: str, classes: int | None = None) -> nn.Module:
    """Return a model without its weights.

    Args:
        name: Its name.
        classes: How many classes it has; None for those of ImageNet.

    Raises:
        TargetError: torchvision lists no such model.
    """
    from torchvision import models

    _default_weights(name)  # refuses names that torchvision does not list
    counted = {} if classes is None else {"num_classes": classes}
    module: nn.Module = models.get_model(name, weights=None, **_plain_options(name), **counted)
    return module


def cached_file(name: str) -> Path:
    """Return where torch hub's cache keeps the default weights of a model."""
    return _cache_folder() / Path(_default_weights(name).url).name


def _pretrained(name: str) -> nn.Module:
    """Return a model with its default weights, from torch hub's cache or downloaded."""
    from torchvision import models

    weights = _default_weights(name)
    if str(_cache_folder()).startswith("~"):  # torch hub would make a folder of that name here
        raise TargetError(
            f"there is no home folder to keep torchvision's weights for {name} in; set TORCH_HOME to a folder, or give "
            "`weights=FILE`"
        )
    file = cached_file(name)
    kept = file.exists()
    if kept:
        _check_cached(file, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch hub tells of its download on standard output
            module: nn.Module = models.get_model(name, weights=weights)
    except Exception as error:  # torch raises almost anything on a file of something else
        if kept and not isinstance(error, MemoryError):
            raise _damaged(file, name, error) from error
        if not isinstance(error, OSError | RuntimeError):
            raise
        raise TargetError(
            f"torchvision's weights for {name} are not in the cache and could not be downloaded ({in_words(error)}); "
            f"go online, or give `weights=FILE`. Cache: {_cache_folder()}"
        ) from error
    return module


def _check_cached(file: Path, name: str) -> None:
    """Read what torch hub's cache keeps as a model's weights, before torch does, which would run code in it.

    Raises:
        TargetError: It is damaged, or no file of weights.
    """
    from ..weights_file import read_weights

    try:
        read_weights(file)
    except WeightsError as error:
        raise _damaged(file, name, error) from error


def _damaged(file: Path, name: str, error: Exception) -> TargetError:
    from ..checks import first_line

    why = first_line(error).removeprefix(f"{file} is ").partition(";")[0][:200]
    return TargetError(
        f"{file} is damaged ({why}); delete it, and torchvision's weights for {name} are downloaded again"
    )


def relatives(name: str) -> list[tuple[str, Callable[[], nn.Module]]]:
    """Return the models of the same family, such as the other ResNets."""
    family = re.split("[^a-z]", name)[0]
    return [
        (PREFIX + other, partial(network, other)) for other in names() if other != name and other.startswith(family)
    ]


def _cache_folder() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"


def _default_weights(name: str) -> Any:
    check(name)
    from torchvision import models

    return models.get_model_weights(name).DEFAULT


def _plain_options(name: str) -> dict[str, Any]:
    """Return the options of networks whose checkpoints lack auxiliary classifiers or expect another normalisation."""
    if name == "inception_v3":
        return {"transform_input": True, "init_weights": False}
    if name == "googlenet":
        return {"transform_input": True, "aux_logits": False, "init_weights": False}
    return {}
