"""Campaigns as jobs: attempts with their folder, and what is asked of such a folder later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..attacks.campaign import Campaign
from ..attacks.data_warnings import data_facts, data_notes
from ..attacks.operators import Operators, operators_of
from ..attacks.outcome import Outcome, recorded_edits
from ..attacks.searches.registry import BASELINE
from ..attacks.statistics import Statistics, statistics_by_strategy
from ..encodings.pixels import edited
from ..engines.base import Engine
from ..engines.opening import opened
from ..engines.toolbox import Hook
from ..errors import ConfigError, RunError
from ..gallery.pages.campaign_page import write_report
from ..gallery.pages.experiment_page import REPORT
from ..io.lock import is_held
from ..store.campaign import CampaignFolder
from ..store.export import export_adversarial
from ..targets.prepare import reload_target
from ..targets.protocols import runs_in_torch
from ..text import counted
from .queries import keep_ledger, query_facts, with_changes
from .result import CampaignResult
from .schedule import Later
from .session import Job
from .swapped import check_hook, check_same
from .verification import verify_scores

VERIFIED_IMAGES = 16
"""Images, and successes, that are scored again at both ends of a session."""


@dataclass
class CampaignStep:
    """Where a campaign stands after a batch; what an observer is given.

    Attributes:
        campaign: The campaign, to look at.
        statistics: Counts over its own attempts; ``baseline`` over those of random search, or None.
        total: Pairs of image and criterion.
        new: Outcomes since the last step.
        notes: What looks wrong with the labels, and which classes were not taken by their names.
    """

    campaign: Campaign
    statistics: Statistics
    baseline: Statistics | None
    total: int
    new: Sequence[Outcome]
    notes: Sequence[str] = ()

    @property
    def done(self) -> int:
        """How many pairs are finished, the baseline's included."""
        return self.statistics.done + (self.baseline.done if self.baseline else 0)

    @property
    def expected(self) -> int:
        """What :attr:`done` will be at the end."""
        return self.total + (self.total - self.statistics.already if self.baseline else 0)


class CampaignJob(Job[CampaignStep]):
    """A campaign as a job. Its records are all it needs to go on: attempts that have an outcome don't run again.

    Args:
        folder: The campaign's folder.
        engine: Scores images for what is attacked.
        operators: The operators of its searches, where some are swapped.
        resumed: Whether the images were scored in another session.

    Raises:
        TargetError: The target scores recorded images otherwise than it did.
    """

    def __init__(
        self,
        folder: CampaignFolder,
        engine: Engine,
        operators: Operators | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        self.folder, self.path, self.in_torch = folder, folder.path, runs_in_torch(engine.target)
        self.engine = engine
        self.config, plan = folder.config, folder.config.plan
        self.campaign = Campaign(engine, folder.subjects, plan, operators)
        verify_determinism(self.campaign.engine, folder, resumed=resumed)
        self.statistics, baseline = _counts(folder)
        self.baseline = baseline or (Statistics(plan.pixels[-1]) if plan.baseline else None)
        self.total = folder.pairs()
        self._report: Path | None = None

    @property
    def begun(self) -> bool:
        """Always: choosing the images took queries."""
        return True

    @property
    def reached(self) -> int:
        """The pairs of image and criterion that are finished, the baseline's included."""
        return self.statistics.done + (self.baseline.done if self.baseline else 0)

    def steps(self) -> Iterator[CampaignStep]:
        """Run attempts batch by batch, until all have ended."""
        notes = data_notes(self.folder.config)
        for new in self.campaign.run(self.folder.outcomes()):
            yield CampaignStep(self.campaign, self.statistics, self.baseline, self.total, new, notes)

    def record(self, step: CampaignStep, later: Later) -> None:
        """Append the outcomes to the folder's, and count them."""
        self.folder.append(step.new)
        for outcome in step.new:
            counts_here = outcome["strategy"] == self.campaign.plan.strategy or self.baseline is None
            (self.statistics if counts_here else self.baseline or self.statistics).add(outcome)

    def close(self) -> None:
        """End the workers, if there are any."""
        self.campaign.engine.close()

    def finish(self) -> None:
        """Check the target once more, then write the report and what was asked for."""
        verify_determinism(self.campaign.engine, self.folder)
        self._report = write_report([self.folder.path]).file
        if self.folder.config.options.export:
            export_adversarial(self.folder)

    def result(self, interrupted: bool) -> CampaignResult:
        """Return what the session ended with."""
        assert self._report
        return CampaignResult(
            path=self.folder.path,
            report=self._report,
            statistics=self.statistics,
            baseline=self.baseline,
            total=self.total,
            interrupted=interrupted,
            scored=self.campaign.scored,
            config=self.folder.config,
            note=self.note,
        )


def verify_determinism(engine: Engine, folder: CampaignFolder, *, resumed: bool = False) -> None:
    """Score some images again, as they were chosen and, where attempts succeeded, as they were changed.

    Raises:
        TargetError: The target scores them otherwise than it did.
    """
    subjects = folder.subjects[:VERIFIED_IMAGES]
    images = [subject.image for subject in subjects]
    expected = [(subject.prediction, subject.confidence) for subject in subjects]
    successes = (outcome for outcome in folder.outcomes() if outcome["success"] and outcome["top5"])
    for outcome in deque(successes, VERIFIED_IMAGES):
        image = folder.subjects[outcome["image"]].image
        images.append(edited(image, recorded_edits(outcome, len(image))[: outcome["pixels"]]))
        expected.append((outcome["final_index"], outcome["top5"][0][1]))
    verify_scores(engine, folder.path, images, expected, resumed=resumed)


def _counts(folder: CampaignFolder) -> tuple[Statistics, Statistics | None]:
    """Return counts over a campaign's own attempts, and over those of random search where there are any."""
    plan = folder.config.plan
    counts = statistics_by_strategy(folder.outcomes(), plan.pixels[-1])
    return counts.get(plan.strategy, Statistics(plan.pixels[-1])), counts.get(BASELINE) if plan.baseline else None


class CampaignKind:
    """What can be done with the folder of a campaign."""

    def open(self, path: Path) -> CampaignFolder:
        """Read the folder's config."""
        return CampaignFolder.open(path)

    def restore(
        self, path: Path, *, target: Any, toolbox: Hook | None, changes: Mapping[str, Any], gallery: bool
    ) -> CampaignJob:
        """Return the campaign with the attempts that have no outcome yet."""
        folder = CampaignFolder.open(path)
        options, limits = with_changes(folder.config.options, changes)
        if limits:
            raise ConfigError(f"{path} is a campaign: it ends when all attempts have; leave the limits out")
        config = folder.config = msgspec.structs.replace(folder.config, options=options)
        check_hook(path, config.swapped, toolbox)
        network = reload_target(config.target, path, target, asking=options.model)
        keep_ledger(network, path)
        if tuple(network.classes) != config.classes:
            raise RunError(f"{path} was made with other classes than {network.name} has; give the same target")
        operators = operators_of(config.plan, network.image_shape, toolbox)
        check_same(path, config.swapped, operators.swapped)
        with ExitStack() as stack:
            engine = stack.enter_context(closing(opened([(network, config.target)], options, target)))
            job = CampaignJob(folder, engine, operators, resumed=True)
            folder.trim()  # When all is checked: a refusal changes nothing.
            if changes:
                folder.write_config()
            stack.pop_all()  # From here on the job closes its engine.
        return job

    def opened(self, path: Path) -> CampaignResult:
        """Return what the campaign has come to."""
        folder, running = CampaignFolder.open(path), is_held(path)
        (statistics, baseline), total = _counts(folder), folder.pairs()
        return CampaignResult(
            path=path,
            report=path / REPORT,
            statistics=statistics,
            baseline=baseline,
            total=total,
            interrupted=statistics.done < total,
            scored=0,
            config=folder.config,
            running=running,
        )

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the campaign is and how far it got."""
        folder = CampaignFolder.open(path)
        folder.subjects.check()
        config = folder.config
        plan, data, target = config.plan, config.data, config.target
        (statistics, baseline), total = _counts(folder), folder.pairs()
        return {
            "campaign": str(path),
            **target.facts(),
            "data": data.name,
            "images": data.chosen,
            **data_facts(config),
            "criterion": plan.criterion,
            "pixels": list(plan.pixels),
            "strategy": plan.strategy,
            "queries_per_attempt": plan.queries,
            "seed": plan.seed,
            **({"swapped": config.swapped} if config.swapped else {}),
            "attempts": total,
            **statistics.figures(),
            "baseline": baseline.figures() if baseline else None,
            "pending": total - statistics.done,
            "finished": statistics.done == total,
            **query_facts(path, config.options),
            "device": target.device,
            "precision": target.precision,
            "versions": config.versions,
        }

    def repair(self, path: Path) -> list[str]:
        """Take damaged outcomes out; their attempts run again."""
        dropped = CampaignFolder.open(path).drop_damaged()
        return [f"{counted(dropped, 'damaged line')} of {path / 'outcomes.jsonl'}: taken out"] if dropped else []


KIND = CampaignKind()
