"""What the results of ``probe`` come to in numbers, for the images of one source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import wilson
from ..attacks.subject import Subject
from ..config.experiments import ExperimentConfig
from ..store.experiment import Result
from ..store.probe_records import Around, ProbeResult
from .probe_grid import colours, places
from .probe_levels import GAUSSIAN, NOISES, STARTS, factors

ADVERSARIAL, ORIGINAL = STARTS

Shares = NDArray[np.float64]
"""(N, L): of each of N images, a share of its samples at each of L levels."""


@dataclass(frozen=True)
class Probed:
    """One image and what was found around it.

    Attributes:
        result: What was found.
        picture: (C, H, W) uint8, what the image became, rounded.
        subject: The image that it comes from; None for a fooling image.
    """

    result: ProbeResult
    picture: NDArray[np.uint8]
    subject: Subject | None

    @property
    def original(self) -> NDArray[np.uint8]:
        """The image (C, H, W) that it comes from: of a fooling image, the flat one of its mean colour."""
        if self.subject:
            return self.subject.image
        flat = np.broadcast_to(self.picture.mean((1, 2), keepdims=True).round(), self.picture.shape)
        return flat.astype(np.uint8)


def lengths_fit(config: ExperimentConfig, results: Sequence[Result]) -> bool:
    """Return whether results have as many numbers as an experiment's options and images ask for, and possible ones."""
    return all(_fits(config, msgspec.convert(result, ProbeResult)) for result in results)


def _fits(config: ExperimentConfig, result: ProbeResult) -> bool:
    options, (channels, height, width), around = config.options, config.target.image_shape, result.around
    labels = [result.before, result.after]
    if around:
        told = [(each.noise, each.start) for each in around.counts], len(around.random)
        if told != ([(noise, start) for noise in NOISES for start in STARTS], options.directions):
            return False
        for each in around.counts:
            levels = len(factors(each.noise, as_published=options.as_published_code))
            sums = [sum(both) for both in zip(each.kept, each.reverted, strict=False)]
            if not levels == len(each.kept) == len(each.reverted) or max(sums) > options.samples:
                return False
        if edits := around.edits:
            x, y, *colour = edits.edit
            columns, rows = places(width, height, x, y)
            lengths = (len(colour), len(edits.places), len(edits.colours))
            if x >= width or y >= height or lengths != (channels, len(columns) * len(rows), len(colours(channels))):
                return False
            labels += edits.places + edits.colours
    return max(labels) < len(config.classes)


@dataclass(frozen=True)
class SourceFigures:
    """The figures of one source.

    Attributes:
        config: The experiment.
        tried: How many images were to be found.
        found: Those that are adversarial.
    """

    config: ExperimentConfig
    tried: int
    found: Sequence[Probed]

    @classmethod
    def of(cls, config: ExperimentConfig, probed: Sequence[Probed]) -> SourceFigures:
        """Count the images of a source."""
        return cls(config, len(probed), [each for each in probed if each.result.around])

    @cached_property
    def arounds(self) -> list[Around]:
        """What lies around each image."""
        return [each.result.around for each in self.found if each.result.around]

    def levels(self, noise: str) -> tuple[float, ...]:
        """Return the levels of a kind of noise, in standard deviations of the perturbation."""
        return factors(noise, as_published=self.config.options.as_published_code)

    def shares(self, noise: str, start: str, what: str) -> Shares:
        """Return the shares of samples that are ``kept`` or ``reverted``, by image and level."""
        counts = [
            getattr(each, what)
            for around in self.arounds
            for each in around.counts
            if (each.noise, each.start) == (noise, start)
        ]
        samples: int = self.config.options.samples
        return np.array(counts, np.float64).reshape(len(counts), len(self.levels(noise))) / samples

    def mean(self, noise: str, start: str, what: str) -> list[float]:
        """Return the mean share over the images, by level. There must be some."""
        mean: list[float] = self.shares(noise, start, what).mean(0).tolist()
        return mean

    def intervals(self, noise: str, start: str, what: str) -> list[tuple[float, float]]:
        """Return the 95 % interval of each mean share; the images are what is independent."""
        return [wilson(value, len(self.found)) for value in self.shares(noise, start, what).sum(0)]

    @property
    def own(self) -> int:
        """The level of Gaussian noise that is nearest to the perturbation's own size."""
        return int(np.abs(np.log(self.levels(GAUSSIAN))).argmin())

    @property
    def majority(self) -> int:
        """How many images keep the label in most samples of noise of the perturbation's own size."""
        return int((self.shares(GAUSSIAN, ADVERSARIAL, "kept")[:, self.own] > 0.5).sum())

    @property
    def half(self) -> float | None:
        """The level at which the mean share that keeps the label falls below half; None where it never does."""
        means, levels = self.mean(GAUSSIAN, ADVERSARIAL, "kept"), np.log2(self.levels(GAUSSIAN))
        below = [index for index, value in enumerate(means) if value < 0.5]
        if not below:
            return None
        last = below[0]
        if not last:
            return float(2 ** levels[0])
        part = (means[last - 1] - 0.5) / (means[last - 1] - means[last])
        return float(2 ** (levels[last - 1] + part * (levels[last] - levels[last - 1])))

    def moments(self) -> dict[str, float]:
        """Return the perturbations' moments, each the mean over the images."""
        means = np.array([around.moments for around in self.arounds]).mean(0).tolist()
        return dict(zip(("mean", "std", "skewness", "kurtosis"), means, strict=True))

    def radii(self) -> dict[str, dict[str, float | None]]:
        """Return, by direction, the median radius as a distance and in norms of the perturbation; None where the label
        mostly holds to the end of the way."""
        ways = {
            "random": [[np.inf if value is None else value for value in around.random] for around in self.arounds],
            "descent": [[np.inf if around.descent is None else around.descent] for around in self.arounds],
            "ascent": [[np.inf if around.ascent is None else around.ascent] for around in self.arounds],
        }
        norms = np.array([around.norm for around in self.arounds])
        found = {}
        for name, distances in ways.items():
            each = np.sort(np.array(distances), 1)[:, (len(distances[0]) - 1) // 2]
            found[name] = {"distance": _median(each), "norms": _median(each / norms)}
        return found

    def edits(self) -> dict[str, float] | None:
        """Return which share of places and colours works as well as an edit, with any wrong class; None without edits.

        ``near`` are the up to eight places around the edit's own.
        """
        all_places, near, all_colours = [], [], []
        for each in self.found:
            if (around := each.result.around) and around.edits:
                works, own = self.works(each)
                nearby = works[max(0, own[0] - 1) : own[0] + 2, max(0, own[1] - 1) : own[1] + 2]
                all_places.append((works.sum() - works[own]) / (works.size - 1))
                near.append((nearby.sum() - works[own]) / (nearby.size - 1))
                all_colours.append(np.mean(np.array(around.edits.colours) != each.result.before))
        if not all_places:
            return None
        means = (float(np.mean(values)) for values in (all_places, near, all_colours))
        return dict(zip(("places", "near", "colours"), means, strict=True))

    def works(self, probed: Probed) -> tuple[NDArray[np.bool_], tuple[int, int]]:
        """Return where on the map an edit changes the class (rows, columns), and the cell of its own place."""
        assert probed.result.around
        assert probed.result.around.edits
        edits, (_, height, width) = probed.result.around.edits, self.config.target.image_shape
        x, y = edits.edit[:2]
        columns, rows = places(width, height, x, y)
        grid = np.array(edits.places).reshape(len(rows), len(columns)) != probed.result.before
        return grid, (int(rows.searchsorted(y)), int(columns.searchsorted(x)))

    def summary(self) -> dict[str, Any]:
        """Return what one line of a table says, as plain JSON values; None where no image was found."""
        common: dict[str, Any] = {"tried": self.tried, "found": len(self.found)}
        if not self.found:
            return common
        own, moments = self.own, self.moments()
        kept, reverted = (self.shares(GAUSSIAN, ADVERSARIAL, what)[:, own] for what in ("kept", "reverted"))
        n = len(self.found)
        return common | {
            "rounded": sum(around.rounded for around in self.arounds) / n,
            "confidence": float(np.mean([around.confidence for around in self.arounds])),
            "kept_own_size": float(kept.mean()),
            "kept_own_size_interval95": wilson(kept.sum(), n),
            "reverted_own_size": float(reverted.mean()),
            "reverted_own_size_interval95": wilson(reverted.sum(), n),
            "majority": self.majority / n,
            "half": self.half,
            "half_std": None if self.half is None else self.half * moments["std"],
            "norm": float(np.mean([around.norm for around in self.arounds])),
            "moments": moments,
            "radii": self.radii(),
            "edits": self.edits(),
        }

    def lines(self) -> list[dict[str, Any]]:
        """Return each image's shares with their intervals, from the adversarial image, under Gaussian noise."""
        samples, told = self.config.options.samples, []
        for row, each in enumerate(self.found):
            line: dict[str, Any] = {"image": each.subject.id if each.subject else None}
            line |= {name: self.config.classes[getattr(each.result, name)] for name in ("before", "after")}
            for what in ("kept", "reverted"):
                shares = self.shares(GAUSSIAN, ADVERSARIAL, what)[row]
                line[what] = shares.tolist()
                line[f"{what}_interval95"] = [wilson(share * samples, samples) for share in shares]
            told.append(line)
        return told


def _median(values: NDArray[np.float64]) -> float | None:
    """Return the lower median, None where it is infinite."""
    value = float(np.sort(values)[(len(values) - 1) // 2])
    return value if np.isfinite(value) else None
