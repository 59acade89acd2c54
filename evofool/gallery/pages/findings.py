"""What a campaign found: everything that its report shows, collected from its folder in one reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...attacks.figures import campaign_figures
from ...attacks.outcome import Outcome
from ...attacks.searches.registry import BASELINE
from ...attacks.statistics import Statistics
from ...config.records import CampaignConfig
from ...store.campaign import CampaignFolder

Pair = tuple[str, int | None, str]
"""What two campaigns call the same attempt: SHA-256 of the image, index and name of the criterion's class
(None and empty where any other class will do)."""


@dataclass
class Findings:
    """What one campaign found.

    All but ``baseline`` is about attempts of the campaign's own strategy.

    Attributes:
        folder: The campaign's folder.
        name: The name of the folder, by which a comparison calls the campaign.
        statistics: Counts over the attempts.
        baseline: Counts over those of random search, where the campaign has it beside its strategy.
        class_changes: How often (true class, new class) occurred.
        reached: Target classes reached, by image.
        settled: Images with an attempt that ended and counts.
        edits: Edits of successes that change a pixel.
        confidences: For each success the confidence of the first guess before, and of the new one after.
        successes: Outcomes of successful attempts.
        ended: The outcome that settled each pair of image and criterion which counts, for comparisons.
    """

    folder: CampaignFolder
    name: str
    statistics: Statistics
    baseline: Statistics | None
    class_changes: Counter[tuple[int, int]] = field(default_factory=Counter)
    reached: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    settled: set[int] = field(default_factory=set)
    edits: list[dict[str, Any]] = field(default_factory=list)
    confidences: list[tuple[float, float]] = field(default_factory=list)
    successes: list[Outcome] = field(default_factory=list)
    ended: dict[Pair, Outcome] = field(default_factory=dict)

    @property
    def config(self) -> CampaignConfig:
        """The campaign's config."""
        return self.folder.config

    def figures(self) -> dict[str, Any]:
        """Return the campaign's figures as plain JSON values."""
        return campaign_figures(self.config, self.statistics, self.baseline, self.folder.pairs())


def read_findings(path: Path) -> Findings:
    """Read a campaign's outcomes.

    Raises:
        RunError: No campaign is there, or it is damaged.
    """
    folder = CampaignFolder.open(path)
    plan = folder.config.plan
    last_k = plan.pixels[-1]
    findings = Findings(folder, path.absolute().name, Statistics(last_k), Statistics(last_k) if plan.baseline else None)
    for outcome in folder.outcomes():
        if outcome["strategy"] == plan.strategy:
            _add(findings, outcome, last_k)
        elif outcome["strategy"] == BASELINE and findings.baseline is not None:
            findings.baseline.add(outcome)
    return findings


def _add(findings: Findings, outcome: Outcome, last_k: int) -> None:
    findings.statistics.add(outcome)
    if outcome["already"] or (not outcome["success"] and outcome["pixels"] != last_k):
        return
    if outcome.get("prediction") == outcome["label"]:
        index = outcome["criterion_index"]
        pair = outcome["sha256"], index, "" if index is None else findings.config.classes[index]
        if outcome["image"] <= findings.ended.get(pair, outcome)["image"]:  # An image that is there twice counts once.
            findings.ended[pair] = outcome
    findings.settled.add(outcome["image"])
    if not outcome["success"]:
        return
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
