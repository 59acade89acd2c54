"""What a report tells of one campaign, gathered from its folder in one reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..campaign.folder import CampaignFolder
from ..campaign.summary import Tally
from ..duels.plan import RANDOM
from ..duels.verdict import Verdict


@dataclass
class Findings:
    """One campaign: its folder, its counts and what its figures are drawn from; all but ``baseline`` of successes of
    its own strategy."""

    folder: CampaignFolder
    tally: Tally
    baseline: Tally | None
    became: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(true class, new class) → how often"""
    reached: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """image → target classes reached, where there are target classes"""
    fought: set[int] = field(default_factory=set)
    """images with a duel that was fought to the end"""
    edits: list[dict[str, Any]] = field(default_factory=list)
    """those that change a pixel"""
    confidence: list[tuple[float, float]] = field(default_factory=list)
    """in the first guess before, in the new one after"""
    wins: list[Verdict] = field(default_factory=list)
    outcomes: dict[tuple[str, int | None], bool] = field(default_factory=dict)
    """(image's SHA-256, goal) → success, for comparisons"""

    @property
    def config(self) -> dict[str, Any]:
        return self.folder.config

    @property
    def name(self) -> str:
        """what a comparison calls this campaign: its folder"""
        return self.folder.path.absolute().name


def gather(path: Path) -> Findings:
    """Read a campaign's verdicts.

    Raises:
        RunError: no campaign is there, or it is damaged.
    """
    folder = CampaignFolder.open(path)
    config = folder.config
    last_k, own = config["pixels"][-1], config["strategy"]
    found = Findings(folder, Tally(last_k), Tally(last_k) if config["baseline"] else None)
    for verdict in folder.verdicts():
        if verdict["strategy"] == own:
            _add(found, verdict, last_k)
        elif verdict["strategy"] == RANDOM and found.baseline is not None:
            found.baseline.add(verdict)
    return found


def _add(found: Findings, verdict: Verdict, last_k: int) -> None:
    found.tally.add(verdict)
    if verdict["already"]:
        return
    pair = verdict["sha256"], verdict["goal_index"]
    if not verdict["success"]:
        found.outcomes.setdefault(pair, False)
        if verdict["pixels"] == last_k:
            found.fought.add(verdict["image"])
        return
    found.outcomes[pair] = True
    found.fought.add(verdict["image"])
    found.became[verdict["label"], verdict["final_index"]] += 1
    if verdict["goal_index"] is not None:
        found.reached[verdict["image"]].add(verdict["goal_index"])
    found.edits += _changes(found.folder, verdict)
    found.confidence.append((verdict["confidence"], verdict["top5"][0][1]))
    found.wins.append(verdict)


def _changes(folder: CampaignFolder, verdict: Verdict) -> list[dict[str, Any]]:
    """A verdict's edits, without those that leave their pixel as it is."""
    edits: list[dict[str, Any]] = verdict["edits"]
    if verdict.get("l0") == len(edits):
        return edits
    image = folder.subjects[verdict["image"]].image
    return [edit for edit in edits if image[:, edit["y"], edit["x"]].tolist() != edit["colour"]]
