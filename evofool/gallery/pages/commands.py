"""Commands to copy from a page."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...config.attack import AttackOptions
from ...config.audit import AuditConfig
from ...config.engine import ENGINE_OPTIONS
from ...config.experiment_options import ExperimentOptions
from ...config.experiments import ExperimentConfig
from ...config.options import declarations
from ...config.records import CampaignConfig, TargetRecord
from ...io.slug import slug
from ...store.folder import given_again
from ...text import size_text

_UNTOLD = ("target", *ENGINE_OPTIONS)
"""Options that commands don't repeat as they are: the target, which stands first, and where images are scored."""


def render_command(genome: Path, stem: str) -> str:
    """Return the command that renders a genome at a large size."""
    return shlex.join(["evofool", "render", str(genome), "--size", "2048", "--out", f"{stem}-2048.png"])


def score_command(file: Path, target: Mapping[str, Any], *, own: bool = False) -> str:
    """Return what scores a genome or a picture again: a command, or a call where the target is the user's own object.

    Args:
        file: The genome or picture.
        target: The options that name the target.
        own: Whether the target is the user's own object.
    """
    if own:
        return f"evofool.score({str(file)!r}, target)"
    return shlex.join(["evofool", "score", str(file), *_flags(target)])


def resume_call(path: Path) -> str:
    """Return the Python that goes on with a job."""
    arguments = [f'"{path.as_posix()}"', *given_again(path)]
    return f"evofool.resume({', '.join(arguments)})"


def sweep_command(path: Path) -> str:
    """Return what goes on with a sweep: a command, or Python where objects of the user's own are given again."""
    return resume_call(path) if given_again(path) else shlex.join(["evofool", "resume", str(path)])


def target_options(target: TargetRecord) -> dict[str, Any]:
    """Return the options that a recorded target is named by.

    Where images are scored under transformations there are none: only the job's folder says what those are, and a file
    in it is scored as the job says.
    """
    if target.robust:
        return {}
    return {"target": target.spec, "weights": target.weights, "combine": target.combine, **target.model.said}


def changed_genome(name: str, score: Callable[[Path], str]) -> tuple[str, list[str]]:
    """Return the file that a class's genome is downloaded as once its weights are changed, and its commands.

    Args:
        name: The name of the class; no score stands in the file's name.
        score: Returns the command that scores a file.

    Returns:
        The file's name, and the commands that render and score it.
    """
    file = Path(f"{slug(name)}-changed.json")
    return file.name, [render_command(file, file.stem), score(file)]


def attack_command(config: CampaignConfig) -> str:
    """Return what repeats a campaign: a command, or a call in Python where the target or operators are a user's."""
    plan, data, options = config.plan, config.data, config.options
    several, elsewhere = len(plan.pixels) > 1, options.data_dir != AttackOptions().data_dir
    values = {
        "data_dir": data.dir if data.path is None and elsewhere else None,
        "count": data.asked,
        "pixels": "auto" if several else plan.pixels[0],
        "max_pixels": plan.pixels[-1] if several else None,
        "criterion": plan.criterion,
        "strategy": plan.strategy,
        "queries": options.queries,
        "seed": plan.seed,
        "first": options.first,
        "include_misclassified": options.include_misclassified,
        "baseline": plan.baseline,
    }
    given = {name: value for name, value in values.items() if value is not None and value is not False}
    named = target_options(config.target)
    if config.target.own or config.swapped:
        target = "target" if config.target.own else repr(named.pop("target"))
        stated = given if config.target.own else {**named, **given}
        arguments = "".join(f", {name}={value!r}" for name, value in stated.items() if value is not None)
        hook = ", toolbox=…" if config.swapped else ""
        return f"evofool.attack({target}, {data.path or data.name!r}{arguments}{hook}, out=…)"
    options_given = {**named, "data": data.path or data.name, **given}
    return shlex.join(["evofool", "attack", *_flags(options_given)])


def experiment_command(config: ExperimentConfig) -> str:
    """Return what makes an experiment again: a command, or Python where the target is the user's own."""
    options: ExperimentOptions = config.options
    given: dict[str, Any] = {}
    for name, declaration in declarations(type(options)).items():
        value, told = getattr(options, name), name not in _UNTOLD and declaration.extra("shown")
        if (told and value != declaration.default) or name == "genomes":
            numbers = isinstance(value, tuple) and all(isinstance(each, float) for each in value)
            given[name] = ",".join(map(size_text, value)) if numbers else value
    genomes: tuple[str, ...] = given.pop("genomes", ())
    if any(target.own for target in config.targets):
        arguments = "".join(f", {name}={value!r}" for name, value in given.items())
        named = ["target" if target.own else repr(target.spec) for target in config.targets]
        target = f"[{', '.join(named)}]" if len(named) > 1 else named[0]
        target = f"{list(genomes)!r}, {target}" if genomes else target
        return f"evofool.{config.experiment}({target}{arguments}, out=…)"
    flags = _flags({"target": tuple(str(target.spec) for target in config.targets), **given})
    return shlex.join(["evofool", "lab", config.experiment, *genomes, *flags])


def audit_command(config: AuditConfig) -> str:
    """Return what makes an audit again: a command, or Python where the target is the user's own."""
    options, given = config.options, {}
    for name, declaration in declarations(type(options)).items():
        value = getattr(options, name)
        if name not in (*_UNTOLD, "data") and declaration.extra("shown") and value != declaration.default:
            given[name] = value
    data = options.data if config.data else None
    if config.target.own:
        arguments = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"evofool.audit(target{f', {data!r}' if data else ''}{arguments}, out=…)"
    return shlex.join(["evofool", "audit", *_flags({"target": config.target.spec, "data": data, **given})])


def _flags(options: Mapping[str, Any]) -> list[str]:
    """Return options as they stand on a command line. Those that are None are left out."""
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, tuple):
            texts = list(value) if name in ("target", "weights", "images") else [",".join(map(str, value))]
        else:
            texts = [str(value)]
        words += [] if value is None else [flag] if value is True else [word for text in texts for word in (flag, text)]
    return words
