"""Builds or takes a target, tunes and records it, and rebuilds it from its record."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import deap
import msgspec
import numpy as np
import PIL
import torch

from ..config.model import ModelOptions
from ..config.records import RobustRecord, TargetRecord
from ..datasets import Fitting
from ..errors import ConfigError, RunError
from ..io.files import sha256
from ..text import cut
from ..version import __version__
from . import registry
from .doors.base import Loaded
from .ensemble import Ensemble, run_alike, torch_targets
from .execution.devices import choose_device
from .execution.options import ExecutionOptions, JobOptions, TargetOptions
from .execution.tuning import tune
from .members import joined
from .own_target import check_target
from .protocols import Target
from .queries.asked import is_asked_with_care
from .recording import asked, record_of
from .robust.robust_target import RobustTarget
from .torch_target import TorchTarget

_SAME = (
    ("weights_sha256", "weights have the SHA-256"),
    ("fingerprint", "fingerprint is"),
    ("class_names", "classes have the name"),
    ("mean", "mean is"),
    ("std", "std is"),
    ("outputs", "outputs are"),
    ("combine", "scores are combined by"),
)
"""Fields of a record in which a user's own target has to be the same in a resumed job, and what messages call them."""

SHOWN = 64
"""Most letters of a value in a message; a SHA-256 has as many."""


@dataclass(frozen=True)
class PreparedTarget:
    """A target that is ready for a job.

    Attributes:
        target: The target.
        fitting: How pictures become its images.
        record: What a job's config says of it.
    """

    target: Target
    fitting: Fitting
    record: TargetRecord


def prepare_target(
    target: str | Sequence[str] | Target | PreparedTarget,
    options: JobOptions,
    *,
    fold: bool | None = None,
    precision: str = "auto",
    way: Mapping[str, Any] | None = None,
) -> PreparedTarget:
    """Build a target by name or take the user's own, tune it, and record what is needed to rebuild it.

    Args:
        target: A name, or an object that satisfies :class:`~.protocols.Target`; several names for an ensemble. One
            that is prepared is taken as it is.
        options: The job's options. Those of a named target must be left out for an object.
        fold: Whether layers are joined, where the options say nothing of it.
        precision: What the search scores in, where neither the options nor the user's own target say so.
        way: How forward passes are run where neither says so, instead of the way that is found fastest; fields of
            :class:`~.execution.execution.Execution`.

    Raises:
        ConfigError: Options of a named target were given with the user's own.
        TargetError: No target has that name, its weights can't be had, or the object is no target.
    """
    if isinstance(target, PreparedTarget):
        return target
    execution = ExecutionOptions.of(options)
    if execution.fold is None:
        execution = replace(execution, fold=fold)
    open_precision = getattr(options, "precision", None) is None
    if isinstance(target, str | list | tuple):
        loaded = registry.load(
            target,
            weights=options.weights,
            **vars(execution),
            model=options.model,
            combine=options.combine,
            usual_precision=precision if open_precision else "auto",
        )
    else:
        loaded = take_own(target, options)  # type: ignore[arg-type]
    for part in torch_targets(loaded.target):
        if way is None:
            tune(part)
        else:
            part.apply(replace(part.execution, **{name: way[name] for name in way.keys() & set(part.tunable)}))
        if open_precision and precision != "auto" and "precision" in part.tunable:
            part.apply(replace(part.execution, precision=precision))
        if "parallel" in part.tunable and is_asked_with_care(options.model, remote=False):
            part.apply(replace(part.execution, parallel=False))  # where queries are counted, passes come one by one
    run_alike(loaded.target)
    record = msgspec.structs.replace(record_of(loaded), robust=RobustRecord.of(options))
    return PreparedTarget(asked(loaded, record, options.model), fitting_of(loaded), record)


def take_own(target: Target, options: TargetOptions) -> Loaded:
    """Take a user's own object as it is.

    Raises:
        ConfigError: There are options that say how to build or run it.
        TargetError: It is no target.
    """
    check_target(target)
    if said := options.model.understood.said:
        raise ConfigError(
            f"`{next(iter(said))}` belongs to a target that is loaded by its name or file; set it in your Target"
        )
    if options.weights is not None or ExecutionOptions.of(options) != ExecutionOptions():
        raise ConfigError(
            "`weights`, `device`, `precision`, `micro_batch`, `memory_format`, `fold` and `parallel` belong to a named "
            "target; set them in your Target"
        )
    return as_loaded(target)


def as_loaded(target: Target) -> Loaded:
    """Return a user's own object, or each of those that an ensemble is made of, as what a door gives."""
    members = target.members if isinstance(target, Ensemble) else ()
    return Loaded(target, members=tuple(map(Loaded, members)))


def fitting_of(loaded: Loaded) -> Fitting:
    """Return how pictures become images of a target: as its card says, else to its size."""
    target, card = loaded.target, loaded.card
    if card is None:
        least = min(target.image_shape[1:])
        return Fitting(target.classes, target.image_shape, getattr(target, "resize", least))
    return Fitting(target.classes, target.image_shape, card.resize, card.interpolation)


def reload_target(
    record: TargetRecord,
    path: Path,
    own: Target | PreparedTarget | None,
    resume: str = "evofool.resume",
    *,
    asking: ModelOptions | None = None,
) -> Target:
    """Return the target that a config's record describes, run as it was recorded.

    Args:
        record: What the config says.
        path: The folder of the config, for messages.
        own: The user's own target, where the record says that there was one; or the target, prepared by the job that
            this one is a part of.
        resume: The function that takes it, for messages.
        asking: How it is asked.

    Raises:
        ConfigError: The record's device is none that there is.
        RunError: The target is another one, its weights changed, or this machine hasn't the recorded device.
        TargetError: No target has the recorded name, or its weights can't be had; or the user's own is no target.
    """
    if isinstance(own, PreparedTarget):
        if own.record != record:
            raise RunError(f"{path} was made with another target than {own.record.name} is now; start the job anew")
        return own.target
    if own is not None:
        check_target(own)
    if record.own != (own is not None):
        raise RunError(
            f"{path} was made with your own Target {record.name}; give it: {resume}(…, target=…)"
            if record.own
            else f"{path} was made with the named target {record.name}; leave `target` out"
        )
    loaded = _named_again(record, path) if own is None else _own_again(record, path, own)
    return asked(loaded, record, asking or ModelOptions())


def _own_again(record: TargetRecord, path: Path, target: Target) -> Loaded:
    """Check that a user's object may be the recorded one, and run it as recorded."""
    if len(target.classes) != record.classes or tuple(target.image_shape) != record.image_shape:
        raise RunError(
            f"{path} was made with {record.classes} classes and images {list(record.image_shape)}, "
            f"the target has {len(target.classes)} and {list(target.image_shape)}; give the same one"
        )
    loaded = as_loaded(target)
    now = record_of(loaded)
    for name, words in _SAME:
        before, given = getattr(record, name), getattr(now, name)
        if before != given:
            before, given = _difference(before, given)
            raise RunError(
                f"{path} was made with another target than this {target.name}: its {words} {before}, not {given}; "
                "give the same one, or start a new job"
            )
    names, given_names = ([part.name for part in parts] for parts in (record.members, now.members))
    if names != given_names:
        raise RunError(f"{path} was made with {joined(names)}, not {joined(given_names)}; give the same targets")
    parts = (
        [(target, record)] if not record.members else zip(getattr(target, "members", ()), record.members, strict=True)
    )
    for part, recorded in parts:
        if isinstance(part, TorchTarget):
            part.apply(replace(part.execution, **{name: getattr(recorded, name) for name in part.tunable}))
    return loaded


def rebuilt(record: TargetRecord) -> Target:
    """Return a named target as it was recorded, in another process; nobody counts what it is asked.

    Raises:
        EvofoolError: One of its family, where it can't be had there or its weights are others.
    """
    loaded = _named_again(record, Path(f"the job on {record.name}"))
    return loaded.target if record.robust is None else RobustTarget(loaded.target, record.robust)


def _difference(before: object, now: object) -> tuple[str, str]:
    """Return two values as a message shows them: of names those that differ first. A SHA-256 is shown whole."""
    if isinstance(before, tuple) and isinstance(now, tuple) and isinstance(before[0], str):
        before, now = next((one, other) for one, other in zip(before, now, strict=True) if one != other)
    one, other = ("unknown" if value is None else cut(str(value), SHOWN) for value in (before, now))
    return one, other


def _named_again(record: TargetRecord, path: Path) -> Loaded:
    """Build a named target, or several, as recorded."""
    if record.members:
        members = tuple(_named_again(member, path) for member in record.members)
        ensemble = Ensemble([member.target for member in members], combine=str(record.combine))
        return Loaded(ensemble, members[0].card, remote=any(member.remote for member in members), members=members)
    try:
        choose_device(record.device)
    except ConfigError as error:
        if record.device.startswith(("cuda", "mps")):
            raise RunError(
                f"{path} was made on {record.device}, and this machine has none that torch can use; go on where there "
                "is one"
            ) from error
        raise
    execution = vars(ExecutionOptions.of(record))
    loaded = registry.load(
        record.spec, weights=record.weights, **execution, model=record.model, classes=record.class_names
    )
    if loaded.weights is not None and sha256(loaded.weights) != record.weights_sha256:
        raise RunError(
            f"the weights of {record.name} are not those {path} was made with "
            f"(SHA-256 {str(record.weights_sha256)[:12]}…); bring those back, or start a new run"
        )
    return loaded


def versions() -> dict[str, str]:
    """Return the versions that a job's results depend on besides its options."""
    return {
        "evofool": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": version("torchvision"),
        "numpy": np.__version__,
        "deap": deap.__version__,
        "numba": version("numba"),
        "pillow": PIL.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
