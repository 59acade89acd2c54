"""Forward passes until classes are fooled, with the emitter ``gradient`` and without it, both encodings.

The networks are the embedded ``cifar10``, all ten classes, and SqueezeNet, fifty of ImageNet's 1,000 classes. A pass is
an evaluation or a confirmation; the backward pass of a gradient counts as two. A run that isn't there at its end
counts as more. Nothing depends on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import evofool
from evofool import Target, encodings
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution

from .common import Row, imagenet_weights, recorded_rows, table

EMITTERS = {
    "direct": (("vary",), ("vary", "gradient")),
    "cppn": (
        ("vary", "tweak@500", "restart@1000"),
        ("vary", "tweak@500", "restart@1000", "gradient@1000"),
        ("vary", "gradient"),
    ),
}
"""The emitters that runs of an encoding have."""


@dataclass(frozen=True)
class Case:
    """A network, the classes, and the evaluations after which a run is given up."""

    network: str
    classes: tuple[int, ...] | None
    end: int
    seeds: int

    def target(self) -> Target:
        """Load the network."""
        weights = None if self.network == "cifar10" else imagenet_weights("squeezenet1_1")
        return evofool.load_target(self.network, weights=weights)


CASES = (
    Case("torchvision:squeezenet1_1", tuple(range(0, 1000, 20)), 8_000, 1),
    Case("cifar10", None, 15_000, 5),
)


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure each network, encoding and set of emitters; go on after the rows that an earlier session wrote."""
    rows = recorded_rows("gradients")
    for case in CASES:
        target = case.target()
        for encoding, choices in EMITTERS.items():
            built = encodings.build(encoding, encodings.preset(encoding, "default"), target.image_shape, target.device)
            for emitters in choices:
                label = ",".join(emitters)
                for seed in range(seeds or case.seeds):
                    run = {"network": case.network, "encoding": encoding, "emitters": label, "seed": seed}
                    if any(run.items() <= row.items() for row in rows):
                        continue
                    options = EvolveOptions(seed=seed, emitters=emitters, classes=case.classes)
                    rows.append(run | _passes(Evolution(target, built, options), case.end))
                    table(rows)
                    yield rows
    yield rows


def _passes(evolution: Evolution, end: int) -> Row:
    """Return the passes until the median is at 99 % and until all classes have 99.9 %, None where they are not."""
    sure = all_sure = None
    for progress in evolution.run(Budget(evaluations=end)):
        passes = progress.evaluations + progress.confirmations
        if sure is None and progress.median >= 0.99:
            sure = passes
        if progress.min >= 0.999:
            all_sure = passes
            break
    return {
        "passes to a median of 99 %": sure,
        "passes until all have 99.9 %": all_sure,
        "passes in all": passes,
        "median at the end": progress.median,
        "lowest at the end": progress.min,
        "classes at 99 %": progress.at_99,
    }
