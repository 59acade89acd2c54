"""A campaign's folder.

``config.json``      every option, versions, the target's name and its weights' SHA-256, the class names
``images.npy``       (N, C, H, W) uint8: the images under attack, exactly as the target sees them
``images.jsonl``     a line an image: id, SHA-256, true class, the target's first guess
``verdicts.jsonl``   a line a duel, appended as it ends
``verdicts.csv`` ``report.html`` ``plots/``   made from the verdicts, again and again
``adversarial.npz`` ``adversarial/``          where they were asked for
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..choice import Chosen
from ..duels.verdict import Subject, Verdict
from ..errors import RunError
from ..files import write_atomically
from ..folder import append_lines, discard_folder, make_folder, read_config, read_lines, writing

NEEDED = ("image", "goal_index", "pixels", "strategy", "success", "already", "queries", "edits", "shared", "top5")
"""what a verdict must have to count"""


class CampaignFolder:
    """One campaign's folder."""

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path, self.config = path, config

    @classmethod
    def create(cls, path: Path, config: dict[str, Any], chosen: Chosen, classes: Sequence[str]) -> CampaignFolder:
        """Make the folder, with its config and its images.

        Raises:
            RunError: something is there already, or the folder can't be written.
        """
        folder = cls(path, make_folder(path, config))
        try:
            with writing(path):
                write_atomically(path / "images.npy", lambda file: np.save(file, chosen.images))
                lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in _image_lines(chosen, classes)]
                write_atomically(path / "images.jsonl", "".join(lines))
        except RunError:
            discard_folder(path)
            raise
        return folder

    @classmethod
    def open(cls, path: Path) -> CampaignFolder:
        """A campaign's folder that exists.

        Raises:
            RunError: no campaign is there, its config is damaged, or it is of another version.
        """
        return cls(path, read_config(path, "attack"))

    @cached_property
    def subjects(self) -> Subjects:
        """The images under attack.

        Raises:
            RunError: they are missing or damaged.
        """
        return Subjects(self.path)

    def pairs(self) -> int:
        """How many pairs of image and goal the campaign has."""
        goals, classes = self.config["goals"], len(self.config["classes"])
        labels = [self.subjects.label(index) for index in range(len(self.subjects))]
        if isinstance(goals, str):
            return len(labels) * (classes - 1)
        return sum(goal != label for label in labels for goal in goals)

    def append(self, verdicts: Iterable[Verdict]) -> None:
        """Add lines for duels that ended."""
        append_lines(self.path / "verdicts.jsonl", verdicts)

    def verdicts(self) -> Iterator[Verdict]:
        """All verdicts, in the order the duels ended; a torn last line is left out."""
        return read_lines(self.path / "verdicts.jsonl", NEEDED)

    def trim(self) -> None:
        """Cut off a torn last line, so that lines can be added."""
        file = self.path / "verdicts.jsonl"
        whole = sum(len(json.dumps(one, ensure_ascii=False).encode()) + 1 for one in self.verdicts())
        if file.exists() and file.stat().st_size > whole:
            with writing(self.path), open(file, "r+b") as stream:
                stream.truncate(whole)


class Subjects(Sequence[Subject]):
    """The images of a campaign's folder, read when they are asked for and checked against their hashes."""

    def __init__(self, path: Path) -> None:
        self._file = path / "images.npy"
        try:
            self._images: np.ndarray = np.load(self._file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise RunError(f"{self._file} is missing or damaged ({error}); start the campaign anew") from error
        keys = ("image", "id", "sha256", "label", "prediction", "confidence")
        self._lines = list(read_lines(path / "images.jsonl", keys))
        if self._images.ndim != 4 or self._images.dtype != np.uint8 or len(self._lines) != len(self._images):
            raise RunError(f"{self._file} and images.jsonl don't fit each other; start the campaign anew")

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> Subject: ...
    @overload
    def __getitem__(self, index: slice) -> list[Subject]: ...
    def __getitem__(self, index: int | slice) -> Subject | list[Subject]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        line, image = self._lines[index], np.array(self._images[index])
        if hashlib.sha256(image.tobytes()).hexdigest() != line["sha256"]:
            raise RunError(f"image {index} in {self._file} is not the one that was chosen; start the campaign anew")
        return Subject(
            index=index,
            id=str(line["id"]),
            sha256=line["sha256"],
            image=image,
            label=int(line["label"]),
            prediction=int(line["prediction"]),
            confidence=float(line["confidence"]),
        )

    def label(self, index: int) -> int:
        """An image's true class, without reading the image."""
        return int(self._lines[index]["label"])


def _image_lines(chosen: Chosen, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    for index, name in enumerate(chosen.ids):
        label, prediction = int(chosen.labels[index]), int(chosen.predictions[index])
        yield {
            "image": index,
            "id": name,
            "sha256": chosen.hashes[index],
            "label": label,
            "class": classes[label],
            "prediction": prediction,
            "predicted": classes[prediction],
            "confidence": float(str(chosen.confidence[index])),
        }
