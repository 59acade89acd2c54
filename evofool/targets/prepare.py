"""What a config says of its target, and building that target again."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import deap
import numpy as np
import PIL
import torch

from ..datasets import Fitting
from ..errors import ConfigError, RunError
from ..io.files import sha256
from ..version import __version__
from . import registry as zoo
from .execution.devices import choose_device
from .execution.tuning import tune
from .torch_target import Format, Precision, Target


@dataclass(frozen=True)
class PreparedTarget:
    """A target with what a config says of it and how pictures are fitted to it."""

    target: Target
    fitting: Fitting
    record: dict[str, Any]
    """what a run's config says of it"""


def prepare_target(
    target: str | Target,
    weights: str | Path | None,
    device: str,
    precision: Precision,
    micro_batch: int | None,
    memory_format: Format = "auto",
    fold: bool | None = None,
) -> PreparedTarget:
    """Build a target by name, or take the user's own, tune it, and write down what is needed to have it again.

    Raises:
        ConfigError: options of a named target were given with the user's own.
        TargetError: no target has that name, or its weights can't be had.
    """
    if isinstance(target, Target):
        given = (weights, device, precision, micro_batch, memory_format, fold)
        if given != (None, "auto", "auto", None, "auto", None):
            raise ConfigError(
                "weights, device, precision, micro_batch, memory_format and fold belong to a named target; "
                "set them in your Target"
            )
        record = {
            "name": target.name,
            "own": True,
            "weights": None,
            "weights_sha256": None,
            "spare_tensors": [],
        }
        tune(target)
        fitting = Fitting(target.classes, target.image_shape, min(target.image_shape[1:]))
        return PreparedTarget(target, fitting, record | _numbers(target))
    loaded = zoo.load(
        target,
        weights=weights,
        device=device,
        precision=precision,
        micro_batch=micro_batch,
        memory_format=memory_format,
        fold=fold,
    )
    tune(loaded.target)
    record = {
        "name": loaded.card.name,
        "own": False,
        "weights": str(Path(weights).absolute()) if weights is not None else None,
        "weights_sha256": sha256(loaded.weights),
        "spare_tensors": loaded.spare,
    }
    card = loaded.card
    fitting = Fitting(loaded.target.classes, card.image_shape, card.resize, card.interpolation)
    return PreparedTarget(loaded.target, fitting, record | _numbers(loaded.target))


def _numbers(target: Target) -> dict[str, Any]:
    return {
        "device": str(target.device),
        "precision": target.precision,
        "micro_batch": target.micro_batch,
        "memory_format": target.memory_format,
        "fold": target.fold,
        "image_shape": list(target.image_shape),
        "classes": len(target.classes),
    }


def reload_target(record: dict[str, Any], path: Path, own: Target | None, resume: str = "evofool.resume") -> Target:
    """The target that a config's record tells of.

    Args:
        path: the folder of the config, for messages.
        own: the user's own target, where the record says so.
        resume: the function that takes it, for messages.

    Raises:
        RunError: it is another target, or its weights changed.
    """
    if record["own"] != (own is not None):
        raise RunError(
            f"{path} was made with your own Target {record['name']}; give it: {resume}(…, target=…)"
            if record["own"]
            else f"{path} was made with the named target {record['name']}; leave target= out"
        )
    if own is not None:
        if _numbers(own)["classes"] != record["classes"] or list(own.image_shape) != record["image_shape"]:
            raise RunError(
                f"{path} was made with {record['classes']} classes and images {record['image_shape']}, "
                f"the target has {len(own.classes)} and {list(own.image_shape)}; give the same one"
            )
        told = {"fold": False, **record}  # versions before 0.5.0 didn't
        own.use(replace(own.setting, **{name: told[name] for name in own.free if name in told}))
        return own
    device = record["device"]
    try:
        choose_device(device)
    except ConfigError as error:
        if device.startswith(("cuda", "mps")):
            raise RunError(
                f"{path} was made on {device}, and this machine has none that torch can use; go on where there is one"
            ) from error
        raise
    loaded = prepare_target(
        record["name"], record["weights"], record["device"], record["precision"], record["micro_batch"],
        record.get("memory_format", "channels_last"), record.get("fold", False),
    )  # fmt: skip
    if loaded.record["weights_sha256"] != record["weights_sha256"]:
        raise RunError(
            f"the weights of {record['name']} are not those {path} was made with "
            f"(SHA-256 {record['weights_sha256'][:12]}…); bring those back, or start a new run"
        )
    return loaded.target


def versions() -> dict[str, str]:
    """What a run's results depend on besides its options."""
    return {
        "evofool": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "numpy": np.__version__,
        "deap": deap.__version__,
        "numba": version("numba"),
        "pillow": PIL.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
