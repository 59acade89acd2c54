"""A checkup of a classifier: it is loaded, asked about pictures and images, and what it says is looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from msgspec import structs
from torch import Tensor

from ..attacks.image_selection import select_images
from ..attacks.statistics import wilson
from ..config.check import CheckOptions
from ..datasets import LabelledImages, open_data
from ..engines.local import LocalEngine
from ..errors import ConfigError, EvofoolError, OutOfQueries, TargetError
from ..targets import registry
from ..targets.doors.base import Loaded
from ..targets.execution.requests import execution_of
from ..targets.execution.tuning import tune
from ..targets.prepare import fitting_of, take_own
from ..targets.protocols import Target, device_of, rows_of
from ..targets.torch_target import TorchTarget
from ..targets.understanding import pictures
from .asking import Asking
from .labelled import Comparison
from .outputs import constant, shape_of_scores, unsteady
from .result import Checkup, Finding, Guess, Images
from .variants import reading_of_loaded

PICTURES = 14
"""How many pictures a classifier is shown. Noise becomes finer with each, down to single pixels."""

LEAST_QUERIES = 8 + 3 * PICTURES
"""Queries of a check without images: the pictures that show what is returned, and its own ones three times."""

SHOWN = {"noise": PICTURES - 1, "coarse noise": 4, "grey": 0, "black": 1, "white": 2}
"""The pictures whose best guesses are told, and their numbers."""

SPEED_SECONDS = 0.5
"""How long the speed is measured, once the classifier is warm."""

CLASSES_SHOWN = 8
"""How many class names are told."""


@dataclass(frozen=True)
class _RealImages:
    """Real images (N, C, H, W) uint8, what is said of them, their labels (N,) and scores (N, K)."""

    told: Images
    images: Tensor
    labels: np.ndarray
    scores: Tensor


def check(target: str | Target, options: CheckOptions) -> Checkup:
    """Check a classifier as :func:`evofool.check_target` does, from options that are checked already.

    Args:
        target: The classifier's name, or the user's own.
        options: How it is understood, and the images.
    """
    loaded, before = _load(target, options) if isinstance(target, str) else (take_own(target, options), ())
    try:
        return _checked(loaded, options, Asking(loaded, options.model), before)
    except OutOfQueries as error:
        raise ConfigError(
            f"`max_queries={options.model.max_queries}` ends before the check does, which keeps no answers; allow "
            f"about {LEAST_QUERIES} without images, and five more for each image"
        ) from error


def _checked(loaded: Loaded, options: CheckOptions, asking: Asking, before: tuple[Finding, ...]) -> Checkup:
    target, facts = loaded.target, _facts(loaded)
    shown = pictures(target.image_shape, PICTURES)
    try:
        scores = asking.engine().confirm(shown).cpu()
    except TargetError as error:
        why, _, what_to_do = str(error).partition("; ")
        finding = Finding("its scores can't be used", why, what_to_do or "look at what it returns")
        return Checkup(target.name, facts, (*before, finding), queries=asking.queries)
    findings = [*before, *unsteady(asking, shown, scores)]
    real = _real_images(loaded, asking.engine(), options) if options.data is not None else None
    every = scores if real is None else torch.cat([scores, real.scores])
    comparison = None
    if real is not None and real.told.labelled and not constant(every):
        comparison = Comparison(loaded, asking, real.images, real.labels, real.scores)
        findings += comparison.findings
    explained = comparison is not None and comparison.better
    findings += shape_of_scores(every, SHOWN["black"], _outputs(loaded), explained=explained)
    if not asking.counted:
        facts["speed"] = _speed(target)
    return Checkup(
        target.name,
        facts,
        tuple(findings),
        comparison.notes if comparison else (),
        _guesses(target, scores),
        real.told if real else None,
        comparison.accuracies if comparison else (),
        comparison.order if comparison else (),
        asking.queries,
    )


def _load(name: str, options: CheckOptions) -> tuple[Loaded, tuple[Finding, ...]]:
    """Return a target; with its axes in another order where it fails on those that it is understood to take."""
    try:
        loaded, findings = _loaded(name, options), tuple[Finding, ...]()
    except TargetError as error:
        found = _load_with_other_axes(name, options, error)
        if found is None:
            raise
        loaded, findings = found
    tune(loaded.target)
    return loaded, findings


def _load_with_other_axes(
    name: str, options: CheckOptions, error: TargetError
) -> tuple[Loaded, tuple[Finding, ...]] | None:
    for layout in ("NHWC", "NCHW"):
        if layout == options.layout or registry.door_of(name) == "http":
            continue
        try:
            loaded = _loaded(name, structs.replace(options, layout=layout))
        except EvofoolError:
            continue
        what = f"its axes are taken for {'NCHW' if layout == 'NHWC' else 'NHWC'}"
        why = f"it fails so ({error}), and gives scores with {layout}"
        return loaded, (Finding(what, why, f"say `layout={layout}`"),)
    return None


def _loaded(name: str, options: CheckOptions) -> Loaded:
    return registry.load(name, weights=options.weights, device=options.device, model=options.model)


def _outputs(loaded: Loaded) -> str:
    """Return what a target is taken to return; empty where only its own code knows."""
    if isinstance(loaded.target, TorchTarget):
        return loaded.target.outputs
    return loaded.card.outputs if loaded.card and loaded.model else ""


def _facts(loaded: Loaded) -> dict[str, str]:
    """Return what was understood of a target, by name."""
    target, reading = loaded.target, reading_of_loaded(loaded)
    channels, height, width = target.image_shape
    few = ", ".join(target.classes[:CLASSES_SHOWN]) + (", …" if len(target.classes) > CLASSES_SHOWN else "")
    facts = {"door": registry.door_of(loaded.spec) if isinstance(loaded.spec, str) else "your own Target"}
    if loaded.card is not None:
        facts["kind"] = loaded.card.architecture
    facts["images"] = f"{width} × {height}, {'grey' if channels == 1 else 'RGB'}"
    if reading is not None:
        order = f", {reading.channels}" if channels == 3 else ""
        facts["input"] = f"{reading.layout}, {reading.dtype}, {reading.range}{order}"
        facts["mean / std"] = " / ".join(" ".join(f"{x:.4g}" for x in values) for values in (reading.mean, reading.std))
    if outputs := _outputs(loaded):
        facts["outputs"] = outputs
    facts["classes"] = f"{len(target.classes):,}: {few}"
    facts["device"] = device_of(target)
    if loaded.spare_tensors:
        facts["left over"] = f"{len(loaded.spare_tensors)} tensors of the file that the network has no place for"
    return facts


def _guesses(target: Target, scores: Tensor) -> tuple[Guess, ...]:
    best = scores.max(1)
    return tuple(
        Guess(name, target.classes[int(best.indices[row])], float(best.values[row])) for name, row in SHOWN.items()
    )


def _real_images(loaded: Loaded, engine: LocalEngine, options: CheckOptions) -> _RealImages:
    """Return real images and what the target says of them."""
    fitting = fitting_of(loaded)
    data: LabelledImages = open_data(str(options.data), Path(options.data_dir), fitting)
    chosen = select_images(data, engine, count=options.count, seed=options.seed, include_misclassified=True)
    images = torch.from_numpy(np.stack([subject.image for subject in chosen.subjects]))
    labels = np.array([subject.label for subject in chosen.subjects], np.int64)
    scores = engine.confirm(images).cpu()
    right = int((scores.argmax(1).numpy() == labels).sum())
    told = Images(
        name=data.name,
        count=len(images),
        labelled=chosen.labelled,
        confidence=float(scores.amax(1).mean()),
        interval=wilson(right, len(images)) if chosen.labelled else None,
        matching=data.matching.reason if data.matching else "",
        one_class=len(np.unique(labels)) == 1,
        skipped=len(chosen.skipped),
        left=len(data) - len(images) - len(chosen.skipped),
    )
    return _RealImages(told, images, labels, scores)


def _speed(target: Target) -> str:
    """Return how fast a target scores, run as a job would, in words."""
    execution, rows = execution_of(target), rows_of(target)
    images = pictures(target.image_shape)[torch.arange(rows) % 8].contiguous().to(device_of(target))
    engine = LocalEngine(target)
    engine.scores(images)
    began, fastest = time.perf_counter(), float("inf")
    while time.perf_counter() - began < SPEED_SECONDS or fastest == float("inf"):
        started = time.perf_counter()
        engine.scores(images).cpu()
        fastest = min(fastest, time.perf_counter() - started)
    return f"{rows / fastest:,.0f} images/s ({execution.precision}, {rows} at once)"
