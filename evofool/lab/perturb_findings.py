"""What the results of ``perturb`` come to: figures by method and size, and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import wilson
from ..attacks.subject import Subject
from ..gallery.pages.commands import experiment_command
from ..gallery.pages.experiment_page import Card, ExperimentPage, Plot, Table
from ..gallery.pages.sources import Figure
from ..gallery.prints.curves import Curve, histogram, share_curves
from ..store.experiment import ExperimentFolder, Result
from ..text import between, counted, percent, rate, size_text
from .experiment import Findings
from .perturb_arms import Arm

CARDS = 12
"""Largest number of images that a page shows."""

SMALLEST = "smallest"
"""The size of a method that looks for the smallest distance, as figures call it."""

METHOD = (
    "FGSM takes one step along the sign of the gradient (Goodfellow et al. 2015, §4); the iterated form takes "
    "several (Kurakin et al. 2017, §2.2); PGD begins at FGSM's image and at random places of the ball, and keeps "
    "the best (Madry et al. 2018, §2.1); L-BFGS minimises distance and loss in the box of all images and searches "
    "for the weight with the smallest distance (Szegedy et al. 2014, §4.1). Gradients are in float32, of the log-odds "
    "that cross-entropy is a function of. The result is rounded to 8 bits, kept within ε where that bounds "
    "every value, and scored again: only that counts. Rounded away: what worked before rounding and does not "
    "after it. Distortion: √(Σ(x′ − x)²/n) of the successes, pixels in [0, 1]. Images that the network gets wrong "
    "as they are count in the accuracy and in nothing else."
)


@dataclass(frozen=True)
class ArmFigures:
    """Counts of one method at one size.

    Attributes:
        method: The method; ``size`` how far it may go, as text.
        images: Images that were perturbed; ``correct`` how many of them keep their class.
        right: Those that the network gets right as they are. Of these, ``found`` reach the goal in real numbers,
            ``kept`` also in 8 bits, and ``successes`` in 8 bits at all.
        distortions: (successes,) distortions of the 8-bit images.
        unrounded: (found,) distortions before rounding.
        confidence: Mean probability of the new class over the successes; None where there are none.
    """

    method: str
    size: str
    images: int
    correct: int
    right: int
    found: int
    kept: int
    successes: int
    distortions: list[float]
    unrounded: list[float]
    confidence: float | None

    @classmethod
    def of(cls, arm: Arm, results: Sequence[tuple[Subject, Result]]) -> ArmFigures:
        """Count the results of an arm."""
        right = [result for subject, result in results if subject.prediction == subject.label]
        won = [result for result in right if result["success"]]
        return cls(
            method=arm.method,
            size=SMALLEST if arm.epsilon is None else size_text(arm.epsilon),
            images=len(results),
            correct=sum(result["final_index"] == subject.label for subject, result in results),
            right=len(right),
            found=sum(result["found"] for result in right),
            kept=sum(result["found"] and result["success"] for result in right),
            successes=len(won),
            distortions=[result["distortion"] for result in won],
            unrounded=[result["unrounded"] for result in right if result["found"]],
            confidence=float(np.mean([result["confidence"] for result in won])) if won else None,
        )

    @property
    def accuracy(self) -> float:
        """Share of all images that keep their class."""
        return self.correct / self.images

    @property
    def rounded_away(self) -> float | None:
        """Share of the perturbations that work in real numbers which rounding undoes; None where none works."""
        return 1 - self.kept / self.found if self.found else None

    @property
    def distortion(self) -> float | None:
        """Mean distortion of the successes; None where there are none."""
        return float(np.mean(self.distortions)) if self.distortions else None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "method": self.method,
            "epsilon": self.size,
            "images": self.images,
            "accuracy": self.accuracy,
            "accuracy_interval95": wilson(self.correct, self.images),
            "success": self.successes / self.right if self.right else None,
            "success_interval95": wilson(self.successes, self.right),
            "rounded_away": self.rounded_away,
            "distortion": self.distortion,
            "distortion_unrounded": float(np.mean(self.unrounded)) if self.unrounded else None,
            "confidence": self.confidence,
        }

    @property
    def row(self) -> tuple[str, list[str]]:
        """The figures as a row of a table."""
        none = "–"
        return f"{self.method} {self.size}", [
            f"{rate(self.accuracy)} ({between(*wilson(self.correct, self.images))})",
            rate(self.successes / self.right) if self.right else none,
            none if self.rounded_away is None else rate(self.rounded_away),
            none if self.distortion is None else f"{self.distortion:.4f}",
            none if self.confidence is None else percent(self.confidence),
        ]


COLUMNS = ("accuracy (95 % interval)", "goal reached", "rounded away", "distortion", "confidence")
"""What the columns of :attr:`ArmFigures.row` are."""


def findings_of(
    folder: ExperimentFolder,
    results: Mapping[Arm, Sequence[tuple[Subject, Result]]],
    picture: Callable[[Arm, int], NDArray[np.uint8]],
) -> Findings:
    """Return what results come to.

    Args:
        folder: The experiment's folder.
        results: The results of each arm, with their images.
        picture: Returns what an image became.
    """
    arms = {arm: ArmFigures.of(arm, found) for arm, found in results.items()}
    subjects = list(folder.subjects)
    right = sum(subject.prediction == subject.label for subject in subjects)
    clean = right / len(subjects)
    by: dict[str, dict[str, dict[str, float | None]]] = {"accuracy": {}, "rounded_away": {}, "distortion": {}}
    for each in arms.values():
        for name, sizes in by.items():
            sizes.setdefault(each.method, {})[each.size] = getattr(each, name)
    nearest = _nearest(results)
    flat = len({subject.index for found in results.values() for subject, result in found if result["flat"]})
    figures = {
        "criterion": str(folder.config.options.criterion),
        "clean": clean,
        "clean_interval95": wilson(right, len(subjects)),
        **by,
        "nearest": nearest,
        "flat_gradients": flat,
        "table": [each.to_json() for each in arms.values()],
    }
    rows = [("clean", f"{rate(clean)} of {counted(len(subjects), 'image')} right as they are")]
    rows += [(name, _in_words(values)) for name, values in (each.row for each in arms.values())]
    if nearest:
        rows.append(("nearest", _compared(nearest)))
    warnings = [f"{counted(flat, 'image')} with a gradient of zero, which no method can move"] if flat else []
    rows += [("warning", warning) for warning in warnings]
    return Findings(figures, rows, _page(folder, arms, results, picture, (right, nearest), warnings))


def _in_words(values: Sequence[str]) -> str:
    accuracy, success, away, distortion, _ = values
    return f"accuracy {accuracy}   reached {success}   rounded away {away}   distortion {distortion}"


def _nearest(results: Mapping[Arm, Sequence[tuple[Subject, Result]]]) -> dict[str, Any] | None:
    """Return the mean distortions of L-BFGS and of FGSM's smallest ε that works, over the images that both win.

    They are those before rounding, which would decide which images are compared. None where either has no success,
    or was left out.
    """
    best: dict[str, dict[int, float]] = {"fgsm": {}, "lbfgs": {}}
    for arm, found in results.items():
        for subject, result in found if arm.method in best else ():
            if result["found"] and subject.prediction == subject.label:
                known = best[arm.method]
                known[subject.index] = min(result["unrounded"], known.get(subject.index, np.inf))
    both = sorted(best["fgsm"].keys() & best["lbfgs"].keys())
    if not both:
        return None
    means = {method: float(np.mean([known[index] for index in both])) for method, known in best.items()}
    smaller = sum(best["lbfgs"][index] < best["fgsm"][index] for index in both)
    return {"images": len(both), **means, "lbfgs_smaller": smaller}


def _compared(nearest: Mapping[str, Any]) -> str:
    return (
        f"mean distortion before rounding: L-BFGS {nearest['lbfgs']:.4f}, FGSM's smallest ε that works "
        f"{nearest['fgsm']:.4f}; "
        f"smaller for {nearest['lbfgs_smaller']} of {counted(nearest['images'], 'image')} that both win"
    )


def _page(
    folder: ExperimentFolder,
    arms: Mapping[Arm, ArmFigures],
    results: Mapping[Arm, Sequence[tuple[Subject, Result]]],
    picture: Callable[[Arm, int], NDArray[np.uint8]],
    known: tuple[int, Mapping[str, Any] | None],
    warnings: Sequence[str],
) -> ExperimentPage:
    """Return what the page shows."""
    config, (right, nearest) = folder.config, known
    images = len(folder.subjects)
    lowest = min(arms.values(), key=lambda each: each.accuracy, default=None)
    title = f"{config.target.name} is right about {rate(right / images)} of {counted(images, 'image')}"
    facts = [Figure("Accuracy", rate(right / images), f"95 % interval {between(*wilson(right, images))}")]
    if lowest:
        title += f", and about {rate(lowest.accuracy)} after {lowest.method} at {lowest.size}"
        interval = between(*wilson(lowest.correct, lowest.images))
        facts.append(Figure(f"{lowest.method} at {lowest.size}", rate(lowest.accuracy), f"95 % interval {interval}"))
    if nearest:
        facts.append(Figure("Distortion of L-BFGS", f"{nearest['lbfgs']:.4f}", f"FGSM: {nearest['fgsm']:.4f}"))
    chosen = _shown(arms)
    return ExperimentPage(
        title=title,
        question="How small a change of all pixels makes the network take an image for something else?",
        method=METHOD,
        lead=f"{config.facts()['data']}, criterion {config.options.criterion}, seed {config.options.seed}.",
        facts=facts,
        table=Table(COLUMNS, [each.row for each in arms.values()]),
        plots=_plots(arms, (right, images)),
        cards_title=f"Left the image, in the middle what {chosen.method} changed, magnified, right the result."
        if chosen
        else "",
        cards=_cards(folder, results[chosen], lambda image: picture(chosen, image)) if chosen else [],
        command=experiment_command(config),
        versions=config.versions,
        warnings=warnings,
    )


def _shown(arms: Mapping[Arm, ArmFigures]) -> Arm | None:
    """Return the arm whose pictures are shown: L-BFGS, else the last one with a success."""
    won = [arm for arm, each in arms.items() if each.successes]
    return next((arm for arm in won if arm.epsilon is None), won[-1] if won else None)


def _plots(arms: Mapping[Arm, ArmFigures], clean: tuple[int, int]) -> list[Plot]:
    """Return accuracy against the size, for each of the two norms, and how small the smallest distortions are."""
    plots = []
    norms = {"linf": ("ε, the largest change of a value", False), "l2": ("ε, the largest Euclidean norm", True)}
    for norm, (axis, euclidean) in norms.items():
        points: dict[str, list[tuple[float, float, float, float]]] = {}
        for arm, each in arms.items():
            if arm.epsilon is not None and (arm.method == "pgd-l2") == euclidean:
                start = [(0.0, clean[0] / clean[1], *wilson(*clean))]
                interval = wilson(each.correct, each.images)
                points.setdefault(arm.method, start).append((arm.epsilon, each.accuracy, *interval))
        if points:
            svg = share_curves([Curve(*item) for item in points.items()], axis, "Accuracy against ε", _tick)
            caption = "Share of images that keep their class; shaded: Wilson 95 % interval."
            plots.append(Plot(f"accuracy-{norm}", "Accuracy against ε", caption, svg))
    for arm, each in arms.items():
        if arm.epsilon is None and each.unrounded:
            svg = histogram(each.unrounded, "distortion √(Σ(x′ − x)²/n)", "Smallest distortions")
            found, mean = counted(each.found, "perturbation"), float(np.mean(each.unrounded))
            caption = f"Of {found} of {arm.method}, before rounding; the mean is {mean:.4f}."
            plots.append(Plot("distortions", "Smallest distortions", caption, svg))
    return plots


def _tick(size: float) -> str:
    return size_text(size) if size else "0"


def _cards(
    folder: ExperimentFolder, results: Sequence[tuple[Subject, Result]], picture: Callable[[int], NDArray[np.uint8]]
) -> list[Card]:
    """Return the first successes with their pictures."""
    won = [
        (subject, result) for subject, result in results if result["success"] and subject.prediction == subject.label
    ]
    cards = []
    for subject, result in won[:CARDS]:
        after, classes = picture(subject.index), folder.config.classes
        difference, factor = _magnified(subject.image, after)
        shots = [
            (subject.image, f"{classes[subject.label]}, as it is"),
            (difference, f"the difference, {factor} times as large"),
            (after, f"taken for {result['final']}"),
        ]
        note = (
            f"{percent(subject.confidence)} before, {percent(result['confidence'])} after · at most {result['linf']} "
            f"of 255 a value · distortion {result['distortion']:.4f} · difference × {factor}"
        )
        cards.append(Card(shots, f"{classes[subject.label]} → {result['final']}", note))
    return cards


def _magnified(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return the difference around mid-grey, and the whole factor that just fits the largest one into 8 bits."""
    change = after.astype(np.int64) - before
    factor = max(1, 127 // max(1, int(np.abs(change).max())))
    return np.clip(128 + factor * change, 0, 255).astype(np.uint8), factor
