"""Targets by name. Each name belongs to a door, which builds the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config.documented import documented
from ..config.evolve import EvolveOptions
from ..config.model import ModelOptions
from ..errors import ConfigError, TargetError, suggestion
from .cards import Card
from .checks import check_resize
from .doors import checkpoint, embedded, exported, http, huggingface, keras, litert, onnx, python, timm, torchvision
from .doors.base import Catalogue, Door, Loaded, Request
from .execution.options import ExecutionOptions
from .members import check_names, joined, weights_by_name
from .protocols import Target

DOORS: tuple[Door, ...] = (
    embedded, torchvision, timm, huggingface, http, onnx, litert, keras, exported, checkpoint, python,
)  # fmt: skip
"""All doors. A name belongs to the first that claims it."""


def prefixed_doors() -> list[Catalogue]:
    """Return the doors whose targets' names have a prefix."""
    return [door for door in DOORS if door.PREFIX and isinstance(door, Catalogue)]


def plain_cards() -> dict[str, Card]:
    """Return the model cards of all targets without a prefix, by name. Aliases are left out."""
    cards = [embedded.card(name) for name in embedded.names()]
    return {card.name: card for card in cards}


def plain_names() -> list[str]:
    """Return the names of all targets without a prefix, aliases included."""
    return embedded.names()


def check_name(name: str) -> None:
    """Check that a target of this name can be, as far as that needs no torch.

    Raises:
        TargetError: No door has it, its file is missing, or a package that it needs.
    """
    door, short = _find(name)
    door.check(short)


def card(name: str, model: ModelOptions | None = None) -> Card:
    """Return the model card of a target.

    Args:
        name: Its name.
        model: How it is to be understood, where the user brings it.

    Raises:
        TargetError: No target has that name.
    """
    door, short = _find(name)
    if isinstance(door, Catalogue):
        if model is not None and model.resize is not None:
            raise ConfigError(f"target {name} says itself how it is understood; leave `resize` out")
        return door.card(short)
    loaded = door.load(short, Request(model=model or ModelOptions()))
    assert loaded.card is not None
    if model is None or model.resize is None:
        return loaded.card
    return replace(loaded.card, resize=check_resize(model.resize, loaded.card.image_shape))


def load(
    name: str | Sequence[str],
    *,
    weights: str | Path | Sequence[str] | None = None,
    device: str = "auto",
    precision: str = "auto",
    micro_batch: int | None = None,
    memory_format: str = "auto",
    fold: bool | None = None,
    parallel: bool | None = None,
    model: ModelOptions | None = None,
    combine: str = "min",
    classes: tuple[str, ...] | None = None,
    usual_precision: str = "auto",
) -> Loaded:
    """Build a target by name, or several as one, with cards and where weights came from; see :func:`load_target`.

    Args:
        name, weights, device, precision, micro_batch, memory_format, fold, parallel, model, combine: As there.
        classes: The class names that were recorded of a target which the user brings.
        usual_precision: What is scored in where neither ``precision`` nor the target says so.

    Raises:
        ConfigError: The target can't be run so, or takes no weights file.
    """
    asked = ExecutionOptions(device, precision, micro_batch, memory_format, fold, parallel)
    options = replace(asked, precision=usual_precision) if precision == "auto" else asked
    if not isinstance(name, str):
        check_alone(name, model)
        return _together(name, weights, options, asked, combine, model or ModelOptions())
    if weights is not None and not isinstance(weights, str | Path):
        raise ConfigError(f"`weights` of a single target is one file, got {len(weights)}")
    from .execution.requests import check_requests

    loaded = _load_one(name, weights, options, model, classes)
    check_requests(loaded.target, asked)
    return loaded


SIZE = ("image_size", "colours")
"""Options that may hold for several targets together, since all of them are shown the same images."""


def check_alone(names: Sequence[str], model: ModelOptions | None) -> None:
    """Check that no option but the images' size says how a classifier is understood, where there are several.

    Raises:
        ConfigError: One does.
        TargetError: A target is there twice.
    """
    check_names(names)
    if model is not None and (said := [option for option in model.understood.said if option not in SIZE]):
        raise ConfigError(
            f"`{said[0]}` would hold for every one of {joined(names)}; load each by its own options in "
            "Python: evofool.evolve(evofool.Ensemble([evofool.load_target(…), …]))"
        )


def _together(
    names: Sequence[str],
    weights: str | Path | Sequence[str] | None,
    options: ExecutionOptions,
    asked: ExecutionOptions,
    combine: str,
    model: ModelOptions,
) -> Loaded:
    """Build several targets as one. All of them are shown no more pictures than ``model.max_queries``.

    The size of the images is for those of them that don't say it themselves. What was ``asked`` for is checked.
    """
    from .ensemble import Ensemble
    from .execution.requests import check_requests
    from .torch_target import TorchTarget

    files = weights_by_name(names, weights)
    members: list[Loaded] = []
    for name in names:
        shown = sum(member.shown for member in members)
        left = None if model.max_queries is None else max(1, model.max_queries - shown)
        understood = ModelOptions(max_queries=left, image_size=model.image_size, colours=model.colours)
        members.append(_load_one(name, files.get(name), options, understood, together=True))
    for member in members:  # what says how torch runs its passes is for those members that it runs
        runs = isinstance(member.target, TorchTarget)
        check_requests(member.target, asked if runs else ExecutionOptions(asked.device, asked.precision))
    ensemble = Ensemble([member.target for member in members], combine=combine)
    assert members[0].card is not None
    return Loaded(
        ensemble,
        replace(members[0].card, name=ensemble.name),
        spec=tuple(str(member.spec) for member in members),
        remote=any(member.remote for member in members),
        members=tuple(members),
    )


def _load_one(
    name: str,
    weights: str | Path | None,
    options: ExecutionOptions,
    model: ModelOptions | None,
    classes: tuple[str, ...] | None = None,
    *,
    together: bool = False,
) -> Loaded:
    """Build a target by name, alone or together with others. The caller checks whether it runs as it was asked to."""
    import torch

    door, short = _find(name)
    with torch.random.fork_rng(devices=[]):  # networks draw their first weights from the global generator
        request = Request(Path(weights) if weights else None, options, model or ModelOptions(), classes)
        loaded = door.load(short, request)
    if weights is not None and not loaded.user_weights:
        instead = ", and name a function that returns the network with its weights" if door is python else ""
        raise ConfigError(f"target {name} takes no weights file; leave `weights` out{instead}")
    return replace(_as_said(name, loaded, model, together=together), spec=absolute(name))


def load_object(thing: Any, options: ExecutionOptions, model: ModelOptions) -> Loaded:
    """Build a target from an object that is there already, as ``path/to/file.py:attribute`` would import it.

    Raises:
        TargetError: It can't be a target.
        ConfigError: It can't be run so.
    """
    from .execution.requests import check_requests

    name = called(thing)
    loaded = _as_said(name, python.load_object(name, thing, Request(None, options, model)), model)
    check_requests(loaded.target, options)
    return loaded


def _as_said(name: str, loaded: Loaded, model: ModelOptions | None, *, together: bool = False) -> Loaded:
    """Return a target as the user says that it is understood, as far as its door left that open.

    Raises:
        ConfigError: It says itself how it is understood.
    """
    if loaded.model is None and not together and model is not None and (said := model.understood.said):
        raise ConfigError(f"target {name} says itself how it is understood; leave `{next(iter(said))}` out")
    if model is not None and model.resize is not None and loaded.card is not None:
        loaded = _resized(loaded, loaded.card, check_resize(model.resize, loaded.card.image_shape))
    return loaded


def _resized(loaded: Loaded, card: Card, resize: int) -> Loaded:
    """Return a target for which the shorter side of pictures becomes ``resize``."""
    from .arrays.array_target import ArrayTarget
    from .torch_target import TorchTarget

    if isinstance(loaded.target, ArrayTarget | TorchTarget):
        loaded.target.resize = resize  # for whoever goes on with the object alone
    return replace(loaded, card=replace(card, resize=resize))


def door_of(name: str) -> str:
    """Return the name of the door that a target belongs to, such as ``onnx``.

    Raises:
        TargetError: No target has that name.
    """
    return str(getattr(_find(name)[0], "__name__", "")).rpartition(".")[2]


@documented(ModelOptions)
def load_target(
    name: str | Sequence[str] | Any = "cifar10",
    *,
    weights: str | Path | Sequence[str] | None = None,
    device: str = "auto",
    precision: str = "auto",
    micro_batch: int | None = None,
    **options: Any,
) -> Target:
    """Build a target by name, or from an object.

    Args:
        name: What ``evofool targets`` lists: a name such as ``cifar10`` or ``torchvision:resnet50``, a file such as
            ``network.onnx``, a URL, or an object to import such as ``path/to/file.py:attribute``. A list of names
            gives an :class:`evofool.Ensemble` of them. One that is behind a server, or has ``count_queries`` or
            ``max_queries``, counts its queries and keeps the answers on disk; the budget is that of each job. Or an
            object: a torch module, a function from images to scores, or a classifier of scikit-learn, Keras, ART,
            foolbox or MAITE, as ``path/to/file.py:attribute`` would import it.
        weights: A ``.safetensors`` file or torch checkpoint instead of the embedded or downloaded weights. With several
            names, ``"NAME=FILE"`` or a list of such.
        device, precision, micro_batch: As in :class:`evofool.Target`.
        options: How a classifier of your own is understood; see below.

    Raises:
        ConfigError: There is no such device or precision, or the target can't be run so.
        TargetError: No target has that name, or its weights can't be had.
        WeightsError: The weights file is damaged, unsafe, or of another network.

    Example:
        >>> import evofool
        >>> target = evofool.load_target("digits", device="cpu")
        >>> target.image_shape
        (1, 8, 8)
    """
    given: dict[str, Any] = {"weights": weights, "device": device, "precision": precision, "micro_batch": micro_batch}
    named = isinstance(name, str) or (isinstance(name, list | tuple) and all(isinstance(one, str) for one in name))
    chosen = EvolveOptions.of({"target": name if named else called(name), **given, **options})
    execution = {option: getattr(chosen, option) for option in given if option != "weights"}
    if named:
        loaded = load(chosen.target, weights=chosen.weights, **execution, model=chosen.model, combine=chosen.combine)
    elif weights is not None:
        raise ConfigError("an object has its weights already; leave `weights` out")
    else:
        loaded = load_object(name, ExecutionOptions(**execution), chosen.model)
    from .recording import asked, record_of  # It imports torch.

    return asked(loaded, record_of(loaded), chosen.model)


def called(thing: Any) -> str:
    """Return what an object is called: its own name, else that of its type."""
    return str(getattr(thing, "__name__", None) or type(thing).__name__)


def absolute(name: str) -> str:
    """Return a target's name with a path that can be found from elsewhere. Names that are no files stay."""
    arch, weights = checkpoint.split(name)
    if arch is not None:
        return f"{arch}={absolute(weights)}"
    file, colon, attribute = name.rpartition(":")
    if colon and file.endswith(".py"):
        return f"{Path(file).expanduser().absolute()}:{attribute}"
    if not any(door.PREFIX and name.startswith(door.PREFIX) for door in DOORS) and Path(name).expanduser().is_file():
        return str(Path(name).expanduser().absolute())
    return name


def _find(name: str) -> tuple[Door, str]:
    """Return the door of a name, and the name without its prefix.

    Raises:
        TargetError: No target has that name.
    """
    if checkpoint.split(name)[0] is not None:
        return checkpoint, name
    families = {known.partition(":")[0] for known in embedded.names()}
    for door in DOORS if name.partition(":")[0] not in families else (embedded,):
        if door.claims(name):
            return door, name.removeprefix(door.PREFIX)
    ending, endings = Path(name).suffix.lower(), [suffix for door in DOORS for suffix in door.SUFFIXES]
    if ending == ".py":
        raise TargetError(f"{name} names no object in the file; say which, as in `target={name}:ATTRIBUTE`")
    if ending and (Path(name).exists() or suggestion(ending, endings)):
        raise TargetError(
            f"no target can be read from a {ending} file{suggestion(ending, endings)}; "
            f"expected {', '.join(endings)}, or path/to/file.py:attribute"
        )
    hint = suggestion(name, plain_names())
    for door in prefixed_doors():
        if not hint and door is not timm and name in door.names():  # importing timm takes seconds
            hint = f' (did you mean "{door.PREFIX}{name}"?)'
    others = ", ".join(f"{door.PREFIX}NAME" for door in prefixed_doors())
    raise TargetError(
        f'unknown target "{name}"{hint}; choose {", ".join(plain_cards())}, {others}, a file such as network.onnx, '
        "a URL, or path/to/file.py:attribute (see: evofool targets)"
    )
