"""What a campaign found, as arrays and as pictures."""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np

from ..attacks.outcome import Outcome, recorded_edits
from ..encodings.pixels import edited
from ..io.files import write_atomically, writing
from ..io.png import png
from ..io.slug import slug
from .campaign import CampaignFolder

COLUMNS = ("images", "labels", "criteria", "predictions", "source", "pixels")


def export_adversarial(folder: CampaignFolder) -> int:
    """Write ``adversarial.npz`` and ``adversarial/``, a folder a true class with a PNG for each success.

    The archive holds ``images`` (N, H, W, C) uint8, ``labels`` (N,) the true classes, ``criteria`` (N,) the target classes
    or −1, ``predictions`` (N,) what the target now says, ``source`` (N,) the image's place in ``images.npy``,
    ``pixels`` (N,) the number of pixels, ``classes`` (K,) the names. ``evofool attack --data`` reads it again.

    Returns:
        how many images there are.
    """
    classes, subjects = folder.config.classes, folder.subjects
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    place = folder.path / "adversarial"
    with writing(folder.path):
        shutil.rmtree(place, ignore_errors=True)
        for outcome in folder.outcomes():
            if not outcome["success"] or outcome["strategy"] != folder.config.plan.strategy:
                continue
            subject = subjects[outcome["image"]]
            image = edited(subject.image, recorded_edits(outcome, len(subject.image))[: outcome["pixels"]])
            columns["images"].append(image.transpose(1, 2, 0))
            columns["labels"].append(subject.label)
            columns["criteria"].append(-1 if outcome["criterion_index"] is None else outcome["criterion_index"])
            columns["predictions"].append(outcome["final_index"])
            columns["source"].append(subject.index)
            columns["pixels"].append(outcome["pixels"])
            file = place / f"{subject.label:03d}_{slug(classes[subject.label])}" / _name(outcome)
            os.makedirs(file.parent, exist_ok=True)
            write_atomically(file, png(image), durable=False)
        count = len(columns["labels"])
        shape = subjects[0].image.shape
        found = columns.pop("images")
        images = np.stack(found) if count else np.zeros((0, *shape[1:], shape[0]), np.uint8)
        arrays: dict[str, Any] = {name: np.array(values, np.int64) for name, values in columns.items()}
        write_atomically(
            folder.path / "adversarial.npz",
            lambda file: np.savez_compressed(file, images=images, classes=np.array(classes), **arrays),
        )
    return count


def _name(outcome: Outcome) -> str:
    """``00012_to_003_cat_k1.png``: the image, what it is taken for, the number of pixels."""
    taken_for = f"{outcome['final_index']:03d}_{slug(outcome['final'])}"
    return f"{outcome['image']:05d}_to_{taken_for}_k{outcome['pixels']}.png"
