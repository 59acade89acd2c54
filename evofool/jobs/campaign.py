"""One attack campaign from options to result: chosen images, attempts, outcomes, in a folder that can be resumed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..attacks.campaign import Campaign, batch_rows
from ..attacks.image_selection import select_images
from ..attacks.outcome import UNTARGETED, Outcome, recorded_edits
from ..attacks.plan import ALL, RANDOM, Plan
from ..attacks.searches import DEFAULT, PRESETS, strategy
from ..attacks.statistics import Statistics, statistics_by_strategy
from ..config.checks import LARGEST
from ..config.classes import choose_classes
from ..datasets import NAMED_DATASETS, check_data, open_data
from ..encodings.pixels import Pixels, edited
from ..errors import ConfigError, GenomeError, RunError
from ..gallery.pages.campaign_page import write_report
from ..io.files import remove_leftovers
from ..io.interrupts import interruptible
from ..io.lock import locked
from ..store.campaign import CampaignFolder
from ..store.export import export_adversarial
from ..store.folder import claim_folder
from ..targets import registry as zoo
from ..targets.execution.devices import choose_device, choose_precision
from ..targets.prepare import prepare_target, reload_target, versions
from ..targets.torch_target import Precision, Target, compare_scores

COUNT = 100
"""images of a campaign where no number was given"""

CHECKED = 16
"""images, and successes, that are scored again at both ends of a sitting"""

MOST_AUTO = 5
"""pixels that ``--pixels auto`` tries at most"""


@dataclass
class Standing:
    """Where a campaign stands; handed to the observer after every batch."""

    campaign: Campaign
    statistics: Statistics
    baseline: Statistics | None
    total: int
    """pairs of image and criterion"""
    begun: int
    """what :attr:`done` was when this sitting began"""
    new: Sequence[Outcome]
    """outcomes since the last call"""

    @property
    def done(self) -> int:
        """pairs that nothing more will come of; those of the baseline too"""
        return self.statistics.done + (self.baseline.done if self.baseline else 0)

    @property
    def all(self) -> int:
        """what :attr:`done` will be at the end"""
        return self.total + (self.total - self.statistics.already if self.baseline else 0)


Observer = Callable[[Standing], None]


@dataclass(frozen=True)
class CampaignResult:
    """What a sitting of a campaign ended with.

    Attributes:
        path: the campaign's folder; ``report`` its page.
        statistics: counts over the campaign's own attempts; ``baseline`` over those of random search, or None.
        interrupted: whether it was stopped before all attempts had ended.
        scored: rows scored in this sitting.
    """

    path: Path
    report: Path
    statistics: Statistics
    baseline: Statistics | None
    total: int
    interrupted: bool
    scored: int
    config: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        config = self.config
        return {
            "campaign": str(self.path),
            "report": str(self.report),
            "target": config["target"]["name"],
            "data": config["data"]["name"],
            "images": config["data"]["chosen"],
            "asked": config["data"]["asked"],
            "looked": config["data"]["looked"],
            "correct": config["data"]["correct"],
            "labelled": config["data"]["labelled"],
            "criterion": config["criterion"],
            "pixels": config["pixels"],
            "strategy": config["strategy"],
            "seed": config["seed"],
            "attempts": self.total,
            "pending": self.total - self.statistics.done,
            **self.statistics.figures(),
            "baseline": self.baseline.figures() if self.baseline else None,
            "interrupted": self.interrupted,
        }


def attack(
    target: str | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    data_dir: str | Path = "data",
    count: int = COUNT,
    first: bool = False,
    include_misclassified: bool = False,
    pixels: int | str = 1,
    max_pixels: int | None = None,
    criterion: str | int | Sequence[str | int] = UNTARGETED,
    strategy: str | None = None,
    preset: str | None = None,
    queries: int | None = None,
    baseline: bool = False,
    export: bool = False,
    seed: int = 0,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    micro_batch: int | None = None,
    observer: Observer | None = None,
) -> CampaignResult:
    """Attack labelled images by changing one or a few pixels of each.

    Args:
        target: a name (see ``evofool targets``) or a :class:`Target` of your own; None: the data's own.
        data: ``digits``, ``mnist``, ``cifar10`` …, a folder of pictures, or an ``.npz``; None: the target's own.
        out: a new folder for the campaign.
        data_dir: where named data sets are, or are downloaded to.
        count: images, chosen by ``seed`` and balanced over the classes; with ``first`` the first ones instead.
        include_misclassified: also images that the target gets wrong.
        pixels: k, how many pixels an attempt may change; ``auto`` tries 1, 2, … ``max_pixels`` (5) until one succeeds.
        criterion: ``untargeted``, ``all`` (every other class in turn), or names or indices of classes.
        strategy: see ``evofool attack --help``; ``preset``: a publication's settings instead.
        queries: budget of an attempt; None for the strategy's own.
        baseline: after each attempt, random search with as many queries as it took.
        export: write ``adversarial.npz`` and a folder of PNGs.
        seed: of the choice of images and of all attempts.
        weights, device, precision, micro_batch: as in :func:`evofool.evolve`; not with a Target of your own.
        observer: called after every batch.

    Raises:
        EvofoolError: one of its family, for bad options, targets, data and folders.
    """
    named, source = _pair(target, data)
    chosen_strategy = _strategy(strategy, preset)
    if not (isinstance(seed, int) and 0 <= seed < LARGEST):
        raise ConfigError(f"--seed is a whole number from 0 to 2^62, got {seed}")
    if queries is not None and not (isinstance(queries, int) and 1 <= queries < LARGEST):
        raise ConfigError(f"--queries is the budget of an attempt, a whole number of at least 1; got {queries}")
    if not isinstance(count, int):
        raise ConfigError(f"--count is a whole number of images, got {count}")
    exact = isinstance(named, str) and choose_precision(precision, choose_device(device)) == "float32"
    fold = False if exact else None  # in float32 every candidate is scored by the network as it is
    loaded = prepare_target(named, weights, device, precision, micro_batch, fold=fold)
    network = loaded.target
    numbers = _pixels(pixels, max_pixels, chosen_strategy, network)
    if baseline and len(numbers) > 1:
        raise ConfigError("--baseline compares attempts of one size; give --pixels a number")
    if baseline and chosen_strategy == RANDOM:
        raise ConfigError("--strategy random is the baseline itself; leave --baseline out")
    criteria, told = _criteria(criterion, network)
    plan = Plan(criteria, numbers, chosen_strategy, queries, seed, baseline)
    chosen = select_images(
        open_data(source, Path(data_dir), loaded.fitting),
        network,
        count=count,
        seed=seed,
        first=first,
        include_misclassified=include_misclassified,
        without=criteria if len(criteria) == 1 and criteria != (None,) and criteria != ALL else (),  # type: ignore[arg-type]
    )
    config = {
        "evofool": "attack",
        "target": loaded.record,
        "data": {
            "name": str(source),
            "dir": str(Path(data_dir).absolute()),
            "asked": count,
            "chosen": len(chosen),
            "looked": chosen.looked,
            "correct": chosen.correct,
            "labelled": chosen.labelled,
            "skipped": chosen.skipped,
            "first": first,
            "include_misclassified": include_misclassified,
        },
        "criterion": told,
        "criteria": criteria if isinstance(criteria, str) else list(criteria),
        "pixels": list(numbers),
        "strategy": chosen_strategy,
        "queries": queries,
        "baseline": baseline,
        "seed": seed,
        "rows": batch_rows(network, plan),
        "export": export,
        "classes": network.classes,
        "versions": versions(),
    }
    path = Path(out)
    claim_folder(path)
    with locked(path):
        folder = CampaignFolder.create(path, config, chosen, network.classes)
        return _fight(folder, network, plan, observer)


def resume_campaign(
    path: str | Path, *, target: Target | None = None, observer: Observer | None = None
) -> CampaignResult:
    """Go on with a campaign: attempts that have an outcome are skipped, the others end as if nothing had happened.

    Raises:
        RunError: no campaign is there, it is damaged or of another version, its weights file changed, or another
            process works on it.
    """
    CampaignFolder.open(Path(path))  # before anything is written: is it one?
    with locked(Path(path)):
        remove_leftovers(Path(path))
        return _go_on(CampaignFolder.open(Path(path)), target, observer)


def _go_on(folder: CampaignFolder, target: Target | None, observer: Observer | None) -> CampaignResult:
    config = folder.config
    try:
        network = reload_target(config["target"], folder.path, target, "evofool.resume_campaign")
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
        raise RunError(f"{folder.path / 'config.json'} is damaged ({error}); start the campaign anew") from error
    if network.classes != config["classes"]:
        raise RunError(f"{folder.path} was made with other classes than {network.name} has; give the same target")
    plan = Plan(
        config["criteria"] if config["criteria"] == ALL else tuple(config["criteria"]),
        tuple(config["pixels"]),
        config["strategy"],
        config["queries"],
        config["seed"],
        config["baseline"],
    )
    folder.trim()
    return _fight(folder, network, plan, observer)


def _fight(folder: CampaignFolder, network: Target, plan: Plan, observer: Observer | None) -> CampaignResult:
    _verify_determinism(network, folder)
    try:
        campaign = Campaign(network, folder.subjects, plan, folder.config["rows"])
    except GenomeError as error:
        raise RunError(f"{folder.path / 'config.json'} is damaged ({error}); start the campaign anew") from error
    return _sitting(folder, campaign, observer)


def _verify_determinism(network: Target, folder: CampaignFolder) -> None:
    """Score some images again, as they were chosen and, where attempts have ended, as they were changed.

    Raises:
        TargetError: the target scores them otherwise than it did.
    """
    subjects = folder.subjects[:CHECKED]
    images = [subject.image for subject in subjects]
    expected = [(subject.prediction, subject.confidence) for subject in subjects]
    won = (outcome for outcome in folder.outcomes() if outcome["success"] and outcome["top5"])
    for outcome in deque(won, CHECKED):
        image = folder.subjects[outcome["image"]].image
        images.append(edited(image, recorded_edits(outcome, len(image))[: outcome["pixels"]]))
        expected.append((outcome["final_index"], outcome["top5"][0][1]))
    scores = network.confirm(torch.from_numpy(np.stack(images))).cpu()
    before = torch.tensor([confidence for _, confidence in expected])
    compare_scores(network.name, before, scores[range(len(expected)), [index for index, _ in expected]])


def _sitting(folder: CampaignFolder, campaign: Campaign, observer: Observer | None) -> CampaignResult:
    """Fight until all attempts have ended, or Ctrl-C or SIGTERM comes; then the report."""
    plan, last_k = campaign.plan, campaign.plan.pixels[-1]
    counted = statistics_by_strategy(folder.outcomes(), last_k)
    statistics = counted.get(plan.strategy, Statistics(last_k))
    baseline = counted.get(RANDOM, Statistics(last_k)) if plan.baseline else None
    total, interrupted = folder.pairs(), False
    begun = statistics.done + (baseline.done if baseline else 0)
    with interruptible() as stopped:
        for new in campaign.run(folder.outcomes()):
            folder.append(new)
            for outcome in new:
                (statistics if outcome["strategy"] == plan.strategy else baseline or statistics).add(outcome)
            if observer:
                observer(Standing(campaign, statistics, baseline, total, begun, new))
            if stopped():
                interrupted = True
                break
    _verify_determinism(campaign.target, folder)
    report = write_report([folder.path])
    if folder.config["export"]:
        export_adversarial(folder)
    return CampaignResult(folder.path, report, statistics, baseline, total, interrupted, campaign.scored, folder.config)


def _pair(target: str | Target | None, data: str | Path | None) -> tuple[str | Target, str | Path]:
    """The target and the data, where one or both were left to us: those that belong together."""
    if data is not None and not isinstance(data, str | Path):
        raise ConfigError(f"data is a name, a folder or an .npz archive, got {type(data).__name__}")
    own = {"digits": "digits", "mnist": "mnist", "cifar10": "cifar10"}
    if target is None and data is None:
        return "digits", "digits"
    if target is None:
        check_data(str(data))
        if str(data).lower() not in own:
            raise ConfigError(f"--data {data} needs a --target to attack; see: evofool targets")
        return own[str(data).lower()], str(data)
    if data is not None:
        return target, data
    if isinstance(target, str):
        zoo.card(target)  # an unknown target is told before missing data
    stem = target.split(":")[0] if isinstance(target, str) else ""
    if stem not in own:
        name = target if isinstance(target, str) else target.name
        raise ConfigError(
            f"target {name} needs --data: {', '.join(NAMED_DATASETS)}, a folder of pictures or an .npz archive"
        )
    return target, own[stem]


def _strategy(name: str | None, preset: str | None) -> str:
    if preset is not None:
        if preset not in PRESETS:
            raise ConfigError(f'unknown preset "{preset}"; choose {" or ".join(PRESETS)}, or leave it out')
        if name is not None:
            raise ConfigError(f"--preset {preset} is a strategy of its own; leave --strategy {name} out")
        return preset
    return strategy(DEFAULT if name is None else name).name


def _pixels(pixels: int | str, most: int | None, name: str, target: Target) -> tuple[int, ...]:
    """The numbers of pixels that are tried."""
    auto = str(pixels).strip().lower() == "auto"
    if not auto and most is not None:
        raise ConfigError("--max-pixels is the end of --pixels auto; leave it out")
    if not auto and not re.fullmatch(r"-?[0-9]{1,9}", str(pixels).strip()):
        raise ConfigError(f'--pixels is a number or auto, got "{pixels}"')
    last = (MOST_AUTO if most is None else most) if auto else int(pixels)
    try:
        Pixels(target.image_shape, last)
    except GenomeError as error:
        raise ConfigError(
            str(error).replace("--pixels", "--max-pixels") if auto and most is not None else str(error)
        ) from error
    if name == "corners" and last > 1:
        raise ConfigError("--strategy corners sweeps single pixels; use --pixels 1")
    return tuple(range(1, last + 1)) if auto else (last,)


def _criteria(criterion: str | int | Sequence[str | int], target: Target) -> tuple[tuple[int | None, ...] | str, str]:
    """The criteria, and how a config tells them."""
    word = str(criterion).strip() if isinstance(criterion, str | int) else ",".join(map(str, criterion))
    if word.lower() == UNTARGETED:
        return (None,), UNTARGETED
    if word.lower() == ALL and ALL not in [name.lower() for name in target.classes]:
        return ALL, ALL
    if not word:
        raise ConfigError("--criterion is untargeted, all, or names or indices of classes; got nothing")
    found = tuple(int(index) for index in choose_classes(word, target.classes, option="--criterion"))
    return found, ", ".join(target.classes[index] for index in found)
