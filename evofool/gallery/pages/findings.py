"""What a campaign found: everything that its report shows, collected from its folder in one reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...attacks.outcome import Outcome
from ...attacks.searches.registry import BASELINE
from ...attacks.statistics import Statistics
from ...config.records import CampaignConfig
from ...store.campaign import CampaignFolder


@dataclass
class Findings:
    """What one campaign found.

    All but ``baseline`` is about attempts of the campaign's own strategy.

    Attributes:
        folder: The campaign's folder.
        statistics: Counts over the attempts.
        baseline: Counts over those of random search, where the campaign has it beside its strategy.
        class_changes: How often (true class, new class) occurred.
        reached: Target classes reached, by image.
        settled: Images with an attempt that ended and counts.
        edits: Edits of successes that change a pixel.
        confidences: For each success the confidence of the first guess before, and of the new one after.
        successes: Outcomes of successful attempts.
        success_of: Whether (SHA-256 of the image, criterion) succeeded, for comparisons.
    """

    folder: CampaignFolder
    statistics: Statistics
    baseline: Statistics | None
    class_changes: Counter[tuple[int, int]] = field(default_factory=Counter)
    reached: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    settled: set[int] = field(default_factory=set)
    edits: list[dict[str, Any]] = field(default_factory=list)
    confidences: list[tuple[float, float]] = field(default_factory=list)
    successes: list[Outcome] = field(default_factory=list)
    success_of: dict[tuple[str, int | None], bool] = field(default_factory=dict)

    @property
    def config(self) -> CampaignConfig:
        """The campaign's config."""
        return self.folder.config

    @property
    def name(self) -> str:
        """The name of the folder, by which a comparison calls the campaign."""
        return self.folder.path.absolute().name


def read_findings(path: Path) -> Findings:
    """Read a campaign's outcomes.

    Raises:
        RunError: No campaign is there, or it is damaged.
    """
    folder = CampaignFolder.open(path)
    plan = folder.config.plan
    last_k = plan.pixels[-1]
    findings = Findings(folder, Statistics(last_k), Statistics(last_k) if plan.baseline else None)
    for outcome in folder.outcomes():
        if outcome["strategy"] == plan.strategy:
            _add(findings, outcome, last_k)
        elif outcome["strategy"] == BASELINE and findings.baseline is not None:
            findings.baseline.add(outcome)
    return findings


def _add(findings: Findings, outcome: Outcome, last_k: int) -> None:
    findings.statistics.add(outcome)
    if outcome["already"]:
        return
    pair = outcome["sha256"], outcome["criterion_index"]
    if not outcome["success"]:
        findings.success_of.setdefault(pair, False)
        if outcome["pixels"] == last_k:
            findings.settled.add(outcome["image"])
        return
    findings.success_of[pair] = True
    findings.settled.add(outcome["image"])
    findings.class_changes[outcome["label"], outcome["final_index"]] += 1
    if outcome["criterion_index"] is not None:
        findings.reached[outcome["image"]].add(outcome["criterion_index"])
    findings.edits += _changing_edits(findings.folder, outcome)
    findings.confidences.append((outcome["confidence"], outcome["top5"][0][1]))
    findings.successes.append(outcome)


def _changing_edits(folder: CampaignFolder, outcome: Outcome) -> list[dict[str, Any]]:
    """Return an outcome's edits without those that leave their pixel as it is."""
    edits: list[dict[str, Any]] = outcome["edits"]
    if outcome.get("l0") == len(edits):
        return edits
    image = folder.subjects[outcome["image"]].image
    return [edit for edit in edits if image[:, edit["y"], edit["x"]].tolist() != edit["colour"]]
