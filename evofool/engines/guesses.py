"""What a target says of image files and genomes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.arguments import kind_of_data, path_of, plain
from ..config.evolve import EvolveOptions
from ..config.records import RobustRecord
from ..encodings.drawing import drawn_at
from ..encodings.genome_file import OWN_TARGET, GenomeFile, evolved_for
from ..encodings.genome_lines import single_genome
from ..errors import ConfigError
from ..io.images import centre_box, check_image, fit, open_image
from ..targets import registry
from ..targets.doors.base import Loaded
from ..targets.members import joined
from ..targets.outline import check_named
from ..targets.protocols import Target

if TYPE_CHECKING:
    import torch
    from PIL import Image

DEFAULT_TARGET = "cifar10"
"""Scores what names no target itself."""


def paths_of(files: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the paths that a user gave, one or several.

    Raises:
        ConfigError: One is no path.
    """
    if hasattr(files, "shape"):
        raise ConfigError(
            f"`files` must be paths, got {kind_of_data(files)}; save it with PIL.Image.fromarray(…).save("
            '"my.png"), or ask the target itself: target.scores(images)'
        )
    return [path_of(file, "files") for file in ([files] if isinstance(files, str | os.PathLike) else files)]


def score(
    paths: Sequence[Path],
    target: str | Sequence[str] | Target | None,
    *,
    weights: str | Path | Sequence[str] | None,
    device: str,
    top: int,
    options: dict[str, Any],
    robust: RobustRecord | None = None,
) -> dict[str, Any]:
    """Score files as :func:`evofool.score` does. Without a target it is that which the genomes were evolved for.

    With ``robust`` they are scored under transformations.
    """
    top = plain(top)
    if type(top) is not int or top < 1:
        raise ConfigError(f"`top` must be a whole number of at least 1, got {top!r:.60}")
    genomes = {path: single_genome(path) for path in paths}
    target = target or common_target(genomes)
    chosen = _options(target, weights, device, options)
    for path in paths:
        if genomes[path] is None:
            check_image(path)
    loaded = _load(target, chosen)
    import torch

    from ..targets.prepare import fitting_of
    from ..targets.recording import record_of
    from ..targets.robust.robust_target import RobustTarget
    from .local import LocalEngine

    record, fitting = record_of(loaded), fitting_of(loaded)
    engine = LocalEngine(loaded.target if robust is None else RobustTarget(loaded.target, robust))
    height, width = fitting.image_shape[1:]
    images = []
    for path in paths:
        if genome := genomes[path]:
            size, pixels = genome.image_shape[:0:-1], drawn_at(genome.encoding, genome.genomes, fitting.image_shape)[0]
            cropped = size[0] * height != size[1] * width
            coloured = genome.image_shape[0] > 1
        else:
            picture = open_image(path)
            size, pixels = picture.size, fit(picture, fitting.image_shape, fitting.resize, fitting.interpolation)
            cropped = centre_box(size, (width, height), fitting.resize) != (0, 0, *size)
            coloured = picture.mode != "L" and _has_colours(picture)
        scores = engine.confirm(torch.from_numpy(pixels[None].copy()))
        engine.check(scores)
        entry = {"image": str(path), "genome": genome is not None, "size": list(size), "scored_at": [width, height]}
        entry |= {"cropped": cropped, "made_grey": coloured and len(pixels) == 1}
        entry["top5"] = _guesses(scores[0], loaded.target.classes, top)
        if genome and genome.score is not None:
            entry["recorded"] = _recorded(genome, record.name, record.weights_sha256)
        images.append(entry)
    return {"target": record.name, "weights_sha256": record.weights_sha256, "images": images}


def common_target(genomes: Mapping[Path, GenomeFile | None]) -> str | tuple[str, ...]:
    """Return the name of the target that genomes were evolved for, or those of several that were fooled together.

    Raises:
        ConfigError: They were evolved for several, or for a user's own object.
    """
    named: dict[str | tuple[str, ...], Path] = {}
    for path, genome in genomes.items():
        provenance = genome.provenance if genome else {}
        name = evolved_for(provenance)
        if provenance.get(OWN_TARGET) is True:
            raise ConfigError(
                f"{path} was evolved for your own Target {joined(name or ())}; score it in Python, evofool.score("
                f"{str(path)!r}, target), or name a `target`"
            )
        if name is not None:
            named.setdefault(name, path)
    if len(named) > 1:
        (one, first), (other, second), *_ = named.items()
        raise ConfigError(f"{first} was evolved for {joined(one)}, and {second} for {joined(other)}; name a `target`")
    return next(iter(named), DEFAULT_TARGET)


def _options(
    target: str | Sequence[str] | Target,
    weights: str | Path | Sequence[str] | None,
    device: str,
    model: dict[str, Any],
) -> EvolveOptions | None:
    """Return the options of a named target, checked as far as that needs no torch; None for a user's own."""
    if not isinstance(target, str | list | tuple):
        if weights is not None or device != "auto" or model:
            raise ConfigError("`weights`, `device` and the like belong to a named target; set them in your Target")
        return None
    options = EvolveOptions.of({"target": target, "weights": weights, "device": device, **model})
    check_named(options.target, weights=options.weights, device=options.device, model=options.model)
    return options


def _load(target: str | Sequence[str] | Target, options: EvolveOptions | None) -> Loaded:
    """Return a target, built as its options say where it is named."""
    if options is not None:
        return registry.load(
            options.target,
            weights=options.weights,
            device=options.device,
            precision="float32",
            model=options.model,
            combine=options.combine,
        )
    from ..targets.own_target import check_target
    from ..targets.prepare import as_loaded

    check_target(target)
    assert isinstance(target, Target)
    return as_loaded(target)


def _has_colours(picture: Image.Image) -> bool:
    """Return whether a picture has a pixel that is not grey."""
    red, green, blue = picture.convert("RGB").split()
    return red.tobytes() != green.tobytes() or red.tobytes() != blue.tobytes()


def _guesses(scores: torch.Tensor, classes: Sequence[str], top: int) -> list[dict[str, Any]]:
    values, columns = scores.topk(min(top, len(classes)))
    return [
        {"class": classes[column], "index": column, "confidence": value}
        for value, column in zip(values.tolist(), columns.tolist(), strict=True)
    ]


def _recorded(genome: GenomeFile, target: str, weights_sha256: str | None) -> dict[str, Any]:
    """Return the score that a genome's file has, and whether it is of the same network."""
    provenance = genome.provenance
    same = joined(evolved_for(provenance) or ()) == target and provenance.get("weights_sha256") == weights_sha256
    return {"class": provenance.get("class"), "confidence": genome.score, "same_network": same}
