"""The images that a job works on, in its folder.

``images.npy``       (N, C, H, W) uint8: the images, exactly as the target sees them
``images.jsonl``     a sealed line per image: ID, SHA-256, true class, the target's first guess; of an evolved
                     one its genome
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, overload

import numpy as np

from ..attacks.subject import Subject
from ..config.records import TargetRecord
from ..errors import RunError
from ..io.arrays import DamagedArrays, map_array
from ..io.files import write_atomically, writing
from ..io.lines import read_lines, sealed_line
from .folder import discard_folder
from .records import ImageLine, fault


class ImagesConfig(Protocol):
    """What is needed of a job's config."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def target(self) -> TargetRecord: ...
    def digest(self) -> bytes: ...


def write_subjects(path: Path, config: ImagesConfig, subjects: Sequence[Subject]) -> None:
    """Write a job's images into its new folder, which is removed where that fails.

    Raises:
        RunError: The folder can't be written.
    """
    images, seal = np.stack([subject.image for subject in subjects]), config.digest()
    lines = [subject.record(config.classes) for subject in subjects]
    try:
        with writing(path):
            write_atomically(path / "images.npy", lambda file: np.save(file, images))
            write_atomically(path / "images.jsonl", "".join(sealed_line(line, seal) for line in lines))
    except BaseException:
        discard_folder(path)
        raise


class Subjects(Sequence[Subject]):
    """The images of a job's folder, read when they are asked for and checked against their hashes.

    Args:
        path: The folder.
        config: The job's config.
        records: The file of the job's records. Without it and without images, the job had not begun.
    """

    def __init__(self, path: Path, config: ImagesConfig, records: str) -> None:
        self._file = path / "images.npy"
        if not (path / "images.jsonl").exists() and not (path / records).exists():
            raise RunError(f"{path} was stopped before it began: start it again, with `out={path}`")
        try:
            self._images = map_array(self._file)
        except (OSError, DamagedArrays) as error:
            raise RunError(f"{self._file} is missing or damaged ({error}); start the job anew") from error
        self.lines = list(read_lines(path / "images.jsonl", ("image",), config.digest()))
        for number, line in enumerate(self.lines, 1):
            if wrong := _image_fault(line, len(config.classes)):
                file = path / "images.jsonl"
                raise RunError(f"line {number} of {file} is damaged ({wrong}); start the job anew")
        if (
            self._images.shape[1:] != config.target.image_shape
            or self._images.dtype != np.uint8
            or len(self.lines) != len(self._images)
        ):
            raise RunError(f"{self._file} and images.jsonl don't fit each other; start the job anew")

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
            raise RunError(f"image {index} in {self._file} is not the one that was chosen; start the job anew")
        return Subject(
            index=index,
            id=str(line["id"]),
            sha256=line["sha256"],
            image=image,
            label=int(line["label"]),
            prediction=int(line["prediction"]),
            confidence=float(line["confidence"]),
            genome=line.get("genome"),
        )

    def check(self) -> None:
        """Check every image against its hash.

        Raises:
            RunError: An image is another than was chosen.
        """
        for _ in self:
            pass

    def label(self, index: int) -> int:
        """Return an image's true class, without reading the image."""
        return int(self.lines[index]["label"])


def _image_fault(line: dict[str, Any], classes: int) -> str | None:
    """Return the first thing that is wrong with a line of ``images.jsonl``, or None."""
    if wrong := fault(line, ImageLine):
        return wrong
    return next((f"{name} is {line[name]}" for name in ("label", "prediction") if line[name] >= classes), None)
