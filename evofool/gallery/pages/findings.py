"""What a report tells of one campaign, gathered from its folder in one reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...attacks.outcome import Outcome
from ...attacks.plan import RANDOM
from ...attacks.statistics import Statistics
from ...store.campaign import CampaignFolder


@dataclass
class Findings:
    """One campaign: its folder, its counts and what its figures are drawn from; all but ``baseline`` of successes of
    its own strategy."""

    folder: CampaignFolder
    statistics: Statistics
    baseline: Statistics | None
    became: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(true class, new class) → how often"""
    reached: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """image → target classes reached, where there are target classes"""
    fought: set[int] = field(default_factory=set)
    """images with an attempt that was fought to the end"""
    edits: list[dict[str, Any]] = field(default_factory=list)
    """those that change a pixel"""
    confidence: list[tuple[float, float]] = field(default_factory=list)
    """in the first guess before, in the new one after"""
    wins: list[Outcome] = field(default_factory=list)
    outcomes: dict[tuple[str, int | None], bool] = field(default_factory=dict)
    """(image's SHA-256, criterion) → success, for comparisons"""

    @property
    def config(self) -> dict[str, Any]:
        return self.folder.config

    @property
    def name(self) -> str:
        """what a comparison calls this campaign: its folder"""
        return self.folder.path.absolute().name


def gather(path: Path) -> Findings:
    """Read a campaign's outcomes.

    Raises:
        RunError: no campaign is there, or it is damaged.
    """
    folder = CampaignFolder.open(path)
    config = folder.config
    last_k, own = config["pixels"][-1], config["strategy"]
    found = Findings(folder, Statistics(last_k), Statistics(last_k) if config["baseline"] else None)
    for outcome in folder.outcomes():
        if outcome["strategy"] == own:
            _add(found, outcome, last_k)
        elif outcome["strategy"] == RANDOM and found.baseline is not None:
            found.baseline.add(outcome)
    return found


def _add(found: Findings, outcome: Outcome, last_k: int) -> None:
    found.statistics.add(outcome)
    if outcome["already"]:
        return
    pair = outcome["sha256"], outcome["criterion_index"]
    if not outcome["success"]:
        found.outcomes.setdefault(pair, False)
        if outcome["pixels"] == last_k:
            found.fought.add(outcome["image"])
        return
    found.outcomes[pair] = True
    found.fought.add(outcome["image"])
    found.became[outcome["label"], outcome["final_index"]] += 1
    if outcome["criterion_index"] is not None:
        found.reached[outcome["image"]].add(outcome["criterion_index"])
    found.edits += _changes(found.folder, outcome)
    found.confidence.append((outcome["confidence"], outcome["top5"][0][1]))
    found.wins.append(outcome)


def _changes(folder: CampaignFolder, outcome: Outcome) -> list[dict[str, Any]]:
    """An outcome's edits, without those that leave their pixel as it is."""
    edits: list[dict[str, Any]] = outcome["edits"]
    if outcome.get("l0") == len(edits):
        return edits
    image = folder.subjects[outcome["image"]].image
    return [edit for edit in edits if image[:, edit["y"], edit["x"]].tolist() != edit["colour"]]
