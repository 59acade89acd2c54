"""A campaign's folder.

``config.json``      every option, versions, the target's name and its weights' SHA-256, the class names
``images.npy``       (N, C, H, W) uint8: the images under attack, exactly as the target sees them
``images.jsonl``     a sealed line an image: id, SHA-256, true class, the target's first guess
``outcomes.jsonl``   a line an attempt, appended as it ends
``outcomes.csv`` ``report.html`` ``plots/``   made from the outcomes, again and again
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

from ..attacks.image_selection import SelectedImages
from ..attacks.outcome import Outcome, Subject
from ..attacks.plan import key
from ..errors import RunError
from ..io.arrays import DamagedArrays, map_array
from ..io.files import write_atomically, writing
from ..io.lines import append_lines, good_lines, numbered_lines, read_lines, sealed_line, trim_lines
from .campaign_checks import config_fault, image_fault, outcome_fault
from .folder import discard_folder, make_folder, read_config


class CampaignFolder:
    """One campaign's folder."""

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path, self.config, self._seal = path, config, seal(config)

    @classmethod
    def create(
        cls, path: Path, config: dict[str, Any], chosen: SelectedImages, classes: Sequence[str]
    ) -> CampaignFolder:
        """Make the folder, with its config and its images.

        Raises:
            RunError: something is there already, or the folder can't be written.
        """
        folder = cls(path, make_folder(path, config))
        try:
            with writing(path):
                write_atomically(path / "images.npy", lambda file: np.save(file, chosen.images))
                write_atomically(path / "images.jsonl", "".join(folder._sealed(_image_lines(chosen, classes))))
        except BaseException:
            discard_folder(path)
            raise
        return folder

    @classmethod
    def open(cls, path: Path) -> CampaignFolder:
        """A campaign's folder that exists.

        Raises:
            RunError: no campaign is there, its config is damaged, or it is of another version.
        """
        config = read_config(path, "attack")
        if fault := config_fault(config):
            raise RunError(f"{path / 'config.json'} is damaged ({fault}); start the campaign anew")
        return cls(path, config)

    @cached_property
    def subjects(self) -> Subjects:
        """The images under attack.

        Raises:
            RunError: they are missing or damaged.
        """
        return Subjects(self.path, self.config)

    def pairs(self) -> int:
        """How many pairs of image and criterion the campaign has."""
        criteria, classes = self.config["criteria"], len(self.config["classes"])
        labels = [self.subjects.label(index) for index in range(len(self.subjects))]
        if isinstance(criteria, str):
            return len(labels) * (classes - 1)
        return sum(criterion != label for label in labels for criterion in criteria)

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Add lines for attempts that ended."""
        append_lines(self._outcomes, self._sealed(outcomes))

    def outcomes(self) -> Iterator[Outcome]:
        """All outcomes, in the order the attempts ended; without a torn last line; an attempt that stands twice counts once.

        Raises:
            RunError: a line is damaged, or says what can't be.
        """
        told: set[tuple[Any, ...]] = set()
        for number, outcome in numbered_lines(self._outcomes, ("image",), self._seal):
            if fault := outcome_fault(outcome, self.subjects.lines, self.config):
                raise RunError(
                    f"line {number} of {self._outcomes} is damaged ({fault}); take it out, so that its attempt is fought "
                    f"again, with: evofool inspect --repair {self.path}"
                )
            if (attempt := key(outcome)) not in told:
                told.add(attempt)
                yield outcome

    def drop_damaged(self) -> int:
        """Take out outcomes that are torn or say what can't be; returns how many lines that were.

        Raises:
            RunError: the images are damaged, or the folder can't be written.
        """
        images = self.subjects.lines
        outcomes = good_lines(self._outcomes, ("image",), self._seal)
        sound = (outcome for outcome in outcomes if not outcome_fault(outcome, images, self.config))
        good = list({key(outcome): outcome for outcome in sound}.values())
        with writing(self.path):
            lines = self._outcomes.read_bytes().count(b"\n") if self._outcomes.exists() else 0
            if lines > len(good):
                write_atomically(self._outcomes, "".join(self._sealed(good)))
        return lines - len(good)

    def trim(self) -> None:
        """Cut off a torn last line, so that lines can be added."""
        trim_lines(self._outcomes, ("image",), self._seal)

    def _sealed(self, lines: Iterable[dict[str, Any]]) -> Iterator[str]:
        return (sealed_line(line, self._seal) for line in lines)

    @property
    def _outcomes(self) -> Path:
        return self.path / "outcomes.jsonl"


class Subjects(Sequence[Subject]):
    """The images of a campaign's folder, read when they are asked for and checked against their hashes."""

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self._file = path / "images.npy"
        if not (path / "images.jsonl").exists() and not (path / "outcomes.jsonl").exists():
            raise RunError(f"{path} was stopped before it began: start it again, with --out {path}")
        try:
            self._images = map_array(self._file)
        except (OSError, DamagedArrays) as error:
            raise RunError(f"{self._file} is missing or damaged ({error}); start the campaign anew") from error
        self.lines = list(read_lines(path / "images.jsonl", ("image",), seal(config)))
        for number, line in enumerate(self.lines, 1):
            if fault := image_fault(line, len(config["classes"])):
                where = path / "images.jsonl"
                raise RunError(f"line {number} of {where} is damaged ({fault}); start the campaign anew")
        if (
            list(self._images.shape[1:]) != config["target"]["image_shape"]
            or self._images.dtype != np.uint8
            or len(self.lines) != len(self._images)
        ):
            raise RunError(f"{self._file} and images.jsonl don't fit each other; start the campaign anew")

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, index: int) -> Subject: ...
    @overload
    def __getitem__(self, index: slice) -> list[Subject]: ...
    def __getitem__(self, index: int | slice) -> Subject | list[Subject]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        line, image = self.lines[index], np.array(self._images[index])
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
        return int(self.lines[index]["label"])


_CAMPAIGN = ("classes", "criteria", "pixels", "strategy", "queries", "seed", "baseline")
_TARGET = ("name", "weights_sha256", "image_shape")
"""what an outcome depends on besides its image, which it names by its hash"""


def seal(config: dict[str, Any]) -> bytes:
    """What the lines of a campaign are sealed with, so that those of another one are noticed."""
    target = config.get("target")
    known = {name: target.get(name) for name in _TARGET} if isinstance(target, dict) else {}
    return json.dumps(known | {name: config.get(name) for name in _CAMPAIGN}, sort_keys=True).encode()


def _image_lines(chosen: SelectedImages, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
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
