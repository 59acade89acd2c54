"""An experiment's folder.

``config.json``      every option, the target, the data, the versions
``images.npy`` ``images.jsonl``   the images that it works on, where it has any, as in a campaign's folder
``results.jsonl``    a sealed line per part of the work, in order: what it found, image by image
``pictures/``        for each part, what its pictures became: 00000.npy, (N, C, H, W) uint8
``networks/``        weights of the networks that it trains, where it trains any
``report.html`` ``plots/``        made from the results, again and again
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.subject import Subject
from ..config.experiments import ExperimentConfig
from ..encodings.genome_file import GenomeFile, parse
from ..errors import GenomeError, RunError
from ..io.arrays import DamagedArrays, map_array
from ..io.files import write_atomically, writing
from ..io.lines import MAX_LINE, append_lines, good_lines, numbered_lines, sealed_line, trim_lines
from .folder import make_folder, read_config, write_config
from .records import Kind, fault
from .subjects import Subjects, write_subjects

RESULTS, PICTURES, NETWORKS = "results.jsonl", "pictures", "networks"

REQUIRED = ("part", "results", "sha256")
"""What every line of ``results.jsonl`` has."""

Result = dict[str, Any]
"""What a part found of one image, as plain JSON values."""


class ExperimentFolder:
    """The folder of one experiment."""

    def __init__(self, path: Path, config: ExperimentConfig) -> None:
        self.path, self.config, self._seal = path, config, config.digest()

    @classmethod
    def create(cls, path: Path, config: ExperimentConfig, subjects: Sequence[Subject]) -> ExperimentFolder:
        """Make the folder, with its config and its images, if it has any.

        Raises:
            RunError: Something is there already, or the folder can't be written.
        """
        make_folder(path, config, (PICTURES,))
        if subjects:
            write_subjects(path, config, subjects)
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> ExperimentFolder:
        """Open an experiment's folder that exists.

        Raises:
            RunError: No experiment is there, its config is damaged, or it is of another version.
        """
        return cls(path, read_config(path, ExperimentConfig))

    @classmethod
    def carried(cls, path: str, config: ExperimentConfig, subjects: Sequence[Subject]) -> ExperimentFolder:
        """Return a folder that is on another machine, with its images; it has no parts here.

        Args:
            path: Where it is there.
            config: Its config.
            subjects: Its images.
        """
        folder = cls(Path(path), config)
        folder.__dict__["subjects"] = subjects
        return folder

    def write_config(self) -> None:
        """Write the config anew."""
        with writing(self.path):
            write_config(self.path, self.config)

    @cached_property
    def subjects(self) -> Subjects:
        """The images.

        Raises:
            RunError: They are missing or damaged.
        """
        return Subjects(self.path, self.config, RESULTS)

    def genome(self, subject: Subject) -> GenomeFile | None:
        """Return the genome that an image is the picture of, or None where it is that of none.

        Raises:
            RunError: It is damaged.
        """
        if subject.genome is None:
            return None
        try:
            return parse(subject.genome)
        except GenomeError as error:
            raise RunError(
                f"image {subject.index} of {self.path / 'images.jsonl'} is damaged ({error}); start the job anew"
            ) from error

    def check_images(self) -> None:
        """Check every image against its hash.

        Raises:
            RunError: An image is missing, damaged, or another than was chosen.
        """
        if self.config.data:
            self.subjects.check()

    def append(self, results: Sequence[Result], pictures: NDArray[np.uint8]) -> None:
        """Add the next part: its pictures, then its line, which makes it count.

        Raises:
            RunError: The folder can't be written, or the line is longer than readers take.
        """
        part, digest = self.parts, _digest(pictures)
        line = sealed_line({"part": part, "sha256": digest, "results": list(results)}, self._seal)
        if len(line) > MAX_LINE:
            raise RunError(
                f"part {part} of {self.path} has results of {len(line):,} bytes, and at most {MAX_LINE:,} can be read "
                "again; start a new experiment with fewer images"
            )
        with writing(self.path):
            write_atomically(self._pictures(part), lambda file: np.save(file, pictures))
        append_lines(self._results, [line])
        self._digests.append(digest)

    @property
    def parts(self) -> int:
        """How many parts are done."""
        return len(self._digests)

    @cached_property
    def _digests(self) -> list[str]:
        """The digests of the pictures of the parts that are done."""
        return [line["sha256"] for _, line in numbered_lines(self._results, REQUIRED, self._seal)]

    def results(self, kind: Kind) -> Iterator[tuple[int, list[Result]]]:
        """Yield the number and the results of every part that is done.

        Args:
            kind: What a result must be: a structure, or a union of some.

        Raises:
            RunError: A line is damaged, or says what can't be.
        """
        for number, line in numbered_lines(self._results, REQUIRED, self._seal):
            if wrong := _fault(line, number - 1, kind, self._images):
                raise RunError(
                    f"line {number} of {self._results} is damaged ({wrong}); take it and those after it out, so that "
                    f"they are made again, with: evofool inspect --repair {self.path}"
                )
            yield number - 1, line["results"]

    def other_images(self, part: int) -> RunError:
        """Return the error of a part that tells of other images than it must."""
        return RunError(
            f"line {part + 1} of {self._results} tells of other images than it must; take it and those after it out "
            "with an editor, and resume"
        )

    def pictures(self, part: int) -> NDArray[np.uint8]:
        """Return the pictures (N, C, H, W) of a part that is done.

        Raises:
            RunError: They are missing, or not those that the line tells of.
        """
        return self._checked(self._pictures(part), self._digests[part])

    def trim(self) -> None:
        """Cut off a torn last line, so that lines can be added."""
        trim_lines(self._results, REQUIRED, self._seal)

    def drop_damaged(self, kind: Kind) -> int:
        """Keep the parts before the first damaged one, and return how many lines were taken out.

        Raises:
            RunError: The images are damaged, or the folder can't be written.
        """
        good: list[dict[str, Any]] = []
        for line in good_lines(self._results, REQUIRED, self._seal):
            if _fault(line, len(good), kind, self._images) or not self._has_pictures(line):
                break
            good.append(line)
        with writing(self.path):
            lines = self._results.read_bytes().count(b"\n") if self._results.exists() else 0
            if lines > len(good):
                write_atomically(self._results, "".join(sealed_line(line, self._seal) for line in good))
        return lines - len(good)

    def _checked(self, file: Path, digest: str) -> NDArray[np.uint8]:
        """Return the pictures of a file, which must have a digest."""
        try:
            pictures = np.array(map_array(file))
        except (OSError, DamagedArrays) as error:
            raise RunError(
                f"{file} is missing or damaged ({error}); make it again: evofool inspect --repair, then resume"
            ) from error
        if _digest(pictures) != digest:
            raise RunError(f"{file} is not what was found; make it again: evofool inspect --repair, then resume")
        return pictures

    def _has_pictures(self, line: Mapping[str, Any]) -> bool:
        """Return whether a line's pictures are there as it tells."""
        try:
            digest = _digest(np.array(map_array(self._pictures(line["part"]))))
            return bool(digest == line["sha256"])
        except (OSError, DamagedArrays):
            return False

    @property
    def _images(self) -> int:
        """How many images it works on."""
        return len(self.subjects) if self.config.data else 0

    @property
    def _results(self) -> Path:
        return self.path / RESULTS

    def _pictures(self, part: int) -> Path:
        return self.path / PICTURES / f"{part:05d}.npy"


def _digest(pictures: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of pictures' bytes."""
    return hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()


def _fault(line: Mapping[str, Any], part: int, kind: Kind, images: int) -> str | None:
    """Return the first thing that is wrong with a line of ``results.jsonl``, or None."""
    if line["part"] != part:
        return f"part is {line['part']!r:.40}, and {part} is due"
    if not isinstance(line["results"], list) or not isinstance(line["sha256"], str):
        return "results or sha256 are of another kind"
    for result in line["results"]:
        if not isinstance(result, dict):
            return "a result is no object"
        if wrong := fault(result, kind):
            return wrong
        if "image" in result and result["image"] >= images:
            return f"image is {result['image']}"
    return None
