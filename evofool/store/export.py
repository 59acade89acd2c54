"""The adversarial images of a campaign, as arrays and as pictures."""

from __future__ import annotations

import re
import shutil
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..attacks.outcome import Outcome, recorded_edits
from ..encodings.pixels import edited
from ..io.files import write_atomically, writing
from ..io.png import png
from ..io.slug import file_stem, slug
from .campaign import CampaignFolder

COLUMNS = ("images", "labels", "criteria", "predictions", "source", "pixels")
"""The arrays of ``adversarial.npz`` that have a row per image."""


def export_adversarial(folder: CampaignFolder) -> int:
    """Write ``adversarial.npz`` and ``adversarial/``, a folder per true class with a PNG for each success.

    The archive holds N images and what is known of each. ``evofool attack --data`` reads it again.

    ``images``       (N, H, W, C) uint8
    ``labels``       (N,) the true classes
    ``criteria``     (N,) the target classes, −1 for untargeted
    ``predictions``  (N,) what the target takes the images for
    ``source``       (N,) rows of ``images.npy``
    ``pixels``       (N,) numbers of pixels
    ``names``        (N,) what the data calls the images: their files, as ``cat/IMG_12.jpg``, or as ``digits:17``
    ``classes``      (K,) the names of all classes

    Returns:
        The number of images.

    Raises:
        RunError: The campaign's files are damaged, or the folder can't be written.
    """
    classes, subjects = folder.config.classes, folder.subjects
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    files: list[str] = []
    ids: list[str] = []
    for outcome in folder.outcomes():  # All are read before anything is written: a damaged one changes nothing.
        if not outcome["success"] or outcome["strategy"] != folder.config.plan.strategy:
            continue
        subject = subjects[outcome["image"]]
        image = edited(subject.image, recorded_edits(outcome, len(subject.image))[: outcome["pixels"]])
        columns["images"].append(image)
        columns["labels"].append(subject.label)
        columns["criteria"].append(-1 if outcome["criterion_index"] is None else outcome["criterion_index"])
        columns["predictions"].append(outcome["final_index"])
        columns["source"].append(subject.index)
        columns["pixels"].append(outcome["pixels"])
        ids.append(subject.id)
        files.append(f"{subject.label:03d}_{slug(classes[subject.label])}/{_picture_name(outcome, subject.id)}")
    images = np.array(columns.pop("images"), np.uint8).reshape(-1, *folder.config.target.image_shape)
    arrays: dict[str, Any] = {name: np.array(values, np.int64) for name, values in columns.items()}
    arrays |= {"images": images.transpose(0, 2, 3, 1), "names": np.array(ids, np.str_), "classes": np.array(classes)}
    with writing(folder.path):
        shutil.rmtree(folder.path / "adversarial", ignore_errors=True)
        for name, image in zip(files, images, strict=True):
            file = folder.path / "adversarial" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, png(image), durable=False)
        write_atomically(folder.path / "adversarial.npz", lambda file: np.savez_compressed(file, **arrays))
    return len(files)


def _picture_name(outcome: Outcome, source: str) -> str:
    """Return ``00012_IMG-12_to_003_cat_k1.png``: number and name of the image, what it is taken for, k pixels.

    Args:
        outcome: The success.
        source: What the data calls the image: a path, or a number in the data set.
    """
    prediction = f"{outcome['final_index']:03d}_{slug(outcome['final'])}"
    stem = file_stem(re.sub(r"\.[A-Za-z0-9]{1,5}$", "", PurePosixPath(source).name))
    return f"{outcome['image']:05d}_{stem}_to_{prediction}_k{outcome['pixels']}.png"
