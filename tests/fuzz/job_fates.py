"""What has to become of a job's folder when one of its files is another."""

from __future__ import annotations

import io
import json
import zlib
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import possible_jobs as possible
from hostile import Fate
from runs import json_lines


def outcomes_fate(content: bytes, campaign: Path, what: str) -> Fate:
    """Return what has to become of a campaign with these lines as outcomes, each sealed if it has an end."""
    config = json.loads((campaign / "config.json").read_text())
    images, before = json_lines(campaign / "images.jsonl"), json_lines(campaign / "outcomes.jsonl")
    lines = list(possible.lines_of(content))
    whole = [line for line in lines if line is not possible.DAMAGED and "image" in line]
    if what == "repair":
        return Fate.LOADS  # It takes out what is wrong.
    if whole != lines[: len(whole)] or len(lines) - len(whole) > 1:  # A killed process tears the last line only.
        return Fate.REFUSED
    if not all(possible.outcome_can_be(line, images, config) for line in whole):
        return Fate.REFUSED
    if what == "gallery" and not any(line["success"] for line in whole):
        return Fate.REFUSED  # There is nothing to show.
    return Fate.LOADS if all(line in before for line in whole) else Fate.MAY_LOAD


def image_lines_fate(content: bytes, campaign: Path, what: str) -> Fate:
    """Return what has to become of a campaign with these lines of images, each sealed if it has an end."""
    before, lines = json_lines(campaign / "images.jsonl"), list(possible.lines_of(content))
    classes = len(json.loads((campaign / "config.json").read_text())["classes"])
    good = all(
        line is not possible.DAMAGED and possible.IMAGE(line) and max(line["label"], line["prediction"]) < classes
        for line in lines[: len(before)]
    )
    if len(lines) < len(before) or not good:
        return Fate.REFUSED
    if len(lines) > len(before) and lines[len(before)] is not possible.DAMAGED and "image" in lines[len(before)]:
        return Fate.REFUSED
    same_images = all(
        line["sha256"] == image["sha256"] and line["label"] == image["label"]
        for line, image in zip(lines, before, strict=False)
    )
    if not same_images and what != "repair":  # The outcomes tell both, too.
        return Fate.REFUSED
    return Fate.LOADS if lines == before else Fate.MAY_LOAD


def images_fate(content: bytes, before: bytes) -> Fate:
    """Return what has to become of a campaign with another ``images.npy``."""
    try:
        images = np.load(io.BytesIO(content))
    except Exception:  # numpy raises almost anything on headers that lie
        return Fate.REFUSED
    same = isinstance(images, np.ndarray) and images.dtype == np.uint8
    original = np.load(io.BytesIO(before))
    if not same or images.shape != original.shape:
        return Fate.REFUSED
    return Fate.LOADS if content == before else Fate.MAY_LOAD


def metrics_fate(content: bytes, what: str) -> Fate:
    """Return what has to become of a run with other metrics.

    Damaged lines are left out where the run is shown, and have to be repaired before it goes on.
    """
    ended = content[: content.rfind(b"\n") + 1]
    if what == "go on" and not all(map(possible.METRICS, possible.lines_of(ended))):
        return Fate.REFUSED
    return Fate.LOADS


def elites_fate(content: bytes, run: Path, what: str) -> Fate:
    """Return what has to become of a run with other elites."""
    config, before = json.loads((run / "config.json").read_text()), json_lines(run / "elites.jsonl")
    lines = list(takewhile(lambda line: line is not possible.DAMAGED, possible.lines_of(content)))
    if not all(map(possible.ELITE, lines)):
        return Fate.REFUSED
    bins = config["options"]["bins"]
    if (len({line["index"] for line in lines}) if bins else len(lines)) != len(config["class_indices"]):
        return Fate.REFUSED
    if what == "show" and not (all(_files_fit(line, run) for line in lines) and (not bins or _cells_fit(lines, bins))):
        return Fate.REFUSED
    return Fate.LOADS if lines == before else Fate.MAY_LOAD


def _files_fit(line: Any, run: Path) -> bool:
    """Return whether a line's picture and genome are in the run, and not those of another line."""
    try:
        picture = (run / line["file"]).read_bytes()
        genome = json.loads((run / line["genome"]).read_bytes()) if "genome" in line else {**line, "encoding": "cppn"}
    except (OSError, ValueError):
        return False
    crc32 = f"{zlib.crc32(picture):08x}"
    repeated = {"encoding": "cppn", **{key: line[key] for key in ("index", "score", "generation")}}
    return bool(line["picture_crc32"] == crc32 and all(genome.get(key) == repeated[key] for key in repeated))


def _cells_fit(lines: Any, bins: int) -> bool:
    """Return whether every picture has a cell of its own, in the grid of two descriptors."""
    cells = [(line["index"], line["class"], *line.get("cell", [])) for line in lines]
    in_grid = all(len(cell) == 4 and max(cell[2:]) < bins for cell in cells)
    return in_grid and len(set(cells)) == len(cells)
