"""Commands to copy from a page."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...config.attack import AttackOptions
from ...config.model import ModelOptions
from ...config.records import CampaignConfig
from ...io.slug import slug


def render_command(genome: Path, stem: str) -> str:
    """Return the command that renders a genome at a large size."""
    return shlex.join(["evofool", "render", str(genome), "--size", "2048", "--out", f"{stem}-2048.png"])


def score_command(
    file: Path, target: str | None, *, weights: str | None = None, model: ModelOptions | None = None, own: bool = False
) -> str:
    """Return what scores a genome or a picture again: a command, or a call where the target is the user's own object.

    Args:
        file: The genome or picture.
        target: The target's name, None where it isn't known.
        weights: The file of weights that the target was given.
        model: How a classifier that the user brought was understood.
        own: Whether the target is the user's own object.
    """
    if own:
        return f"evofool.score({str(file)!r}, target)"
    options = {"target": target, "weights": weights, **(model.said if model else {})}
    return shlex.join(["evofool", "score", str(file), *_flags(options)])


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
    weights = {"weights": config.target.weights, **config.target.model.said}
    if config.target.own or config.swapped:
        target = "target" if config.target.own else repr(config.target.spec)
        arguments = "".join(f", {name}={value!r}" for name, value in {**weights, **given}.items() if value is not None)
        hook = ", toolbox=…" if config.swapped else ""
        return f"evofool.attack({target}, {data.path or data.name!r}{arguments}{hook}, out=…)"
    options_given = {"target": config.target.spec, **weights, "data": data.path or data.name, **given}
    return shlex.join(["evofool", "attack", *_flags(options_given)])


def _flags(options: Mapping[str, Any]) -> list[str]:
    """Return options as they stand on a command line. Those that are None are left out."""
    words = []
    for name, value in options.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        flag = f"--{name.replace('_', '-')}"
        words += [] if value is None else [flag] if value is True else [flag, text]
    return words
