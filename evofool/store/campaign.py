"""A campaign's folder.

``config.json``      every option, the target, the plan, the versions
``images.npy``       (N, C, H, W) uint8: the images under attack, exactly as the target sees them
``images.jsonl``     a sealed line per image: ID, SHA-256, true class, the target's first guess
``outcomes.jsonl``   a line per attempt, appended as it ends
``outcomes.csv`` ``report.html`` ``plots/``   made from the outcomes, again and again
``adversarial.npz`` ``adversarial/``          where they were asked for
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ..attacks.outcome import Outcome
from ..attacks.plan import count_pairs
from ..attacks.searches.registry import BASELINE, STRATEGIES
from ..attacks.subject import Subject
from ..attacks.tasks import attempt_key
from ..config.records import CampaignConfig
from ..errors import RunError
from ..io.files import write_atomically, writing
from ..io.lines import append_lines, good_lines, numbered_lines, sealed_line, trim_lines
from .folder import CONFIG, damaged, make_folder, read_config, write_config
from .records import OutcomeLine, fault
from .subjects import Subjects, write_subjects


class CampaignFolder:
    """The folder of one campaign."""

    def __init__(self, path: Path, config: CampaignConfig) -> None:
        self.path, self.config, self._seal = path, config, config.digest()

    @classmethod
    def create(cls, path: Path, config: CampaignConfig, subjects: Sequence[Subject]) -> CampaignFolder:
        """Make the folder, with its config and its images.

        Raises:
            RunError: Something is there already, or the folder can't be written.
        """
        make_folder(path, config)
        write_subjects(path, config, subjects)
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> CampaignFolder:
        """Open a campaign's folder that exists.

        Raises:
            RunError: No campaign is there, its config is damaged, or it is of another version.
        """
        config = read_config(path, CampaignConfig)
        if config.plan.strategy not in STRATEGIES:
            raise damaged(path / CONFIG, f"there is no strategy {config.plan.strategy}")
        return cls(path, config)

    @cached_property
    def subjects(self) -> Subjects:
        """The images under attack.

        Raises:
            RunError: They are missing or damaged.
        """
        return Subjects(self.path, self.config, "outcomes.jsonl")

    def pairs(self) -> int:
        """Return how many pairs of image and criterion the campaign has."""
        labels = [self.subjects.label(index) for index in range(len(self.subjects))]
        return count_pairs(self.config.plan, labels, len(self.config.classes))

    def write_config(self) -> None:
        """Write the config anew."""
        with writing(self.path):
            write_config(self.path, self.config)

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Add lines for attempts that ended."""
        append_lines(self._outcomes, self._sealed(outcomes))

    def outcomes(self) -> Iterator[Outcome]:
        """Yield all outcomes in the order the attempts ended, without a torn last line. A repeated attempt counts once.

        Raises:
            RunError: A line is damaged, or says what can't be.
        """
        seen: set[tuple[Any, ...]] = set()
        for number, outcome in numbered_lines(self._outcomes, ("image",), self._seal):
            if wrong := _outcome_fault(outcome, self.subjects.lines, self.config):
                raise RunError(
                    f"line {number} of {self._outcomes} is damaged ({wrong}); take it out, so that its attempt runs "
                    f"again, with: evofool inspect --repair {self.path}"
                )
            if (attempt := attempt_key(outcome)) not in seen:
                seen.add(attempt)
                yield outcome

    def drop_damaged(self) -> int:
        """Take out outcomes that are torn or say what can't be, and return how many lines those were.

        Raises:
            RunError: The images are damaged, or the folder can't be written.
        """
        images = self.subjects.lines
        outcomes = good_lines(self._outcomes, ("image",), self._seal)
        sound = (outcome for outcome in outcomes if not _outcome_fault(outcome, images, self.config))
        good = list({attempt_key(outcome): outcome for outcome in sound}.values())
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


def _outcome_fault(outcome: Outcome, images: Sequence[dict[str, Any]], config: CampaignConfig) -> str | None:
    """Return the first thing that is wrong with an outcome, or None.

    Args:
        outcome: A line of ``outcomes.jsonl``.
        images: The lines of ``images.jsonl``.
        config: The campaign's.
    """
    if wrong := fault(outcome, OutcomeLine):
        return wrong
    if outcome["image"] >= len(images):
        return f"image is {outcome['image']}"
    image, plan, classes = images[outcome["image"]], config.plan, len(config.classes)
    channels, height, width = config.target.image_shape
    ran = not outcome["already"]
    strategies = {plan.strategy, *([BASELINE] if plan.baseline else [])}
    sound = {
        "sha256": outcome["sha256"] == image["sha256"],
        "label": outcome["label"] == image["label"],
        "criterion_index": outcome["criterion_index"] is None or outcome["criterion_index"] < classes,
        "pixels": outcome["pixels"] in plan.pixels,
        "strategy": outcome["strategy"] in strategies,
        "queries_to_success": not outcome["success"] or (outcome["queries_to_success"] or 0) > 0,
        "edits": bool(outcome["edits"]) == ran
        and all(
            edit["x"] < width and edit["y"] < height and len(edit["colour"]) == channels for edit in outcome["edits"]
        ),
        "top5": bool(outcome["top5"]) == ran,
        "final": (outcome["final"] is not None) == ran,
        "final_index": outcome["final_index"] < classes if ran and outcome["final_index"] is not None else not ran,
    }
    return next((f"{name} is {outcome[name]!r}"[:80] for name, holds in sound.items() if not holds), None)
