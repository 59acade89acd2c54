"""Archives and evolutions that emitters are tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
from support import assert_same_arrays, build, frozen, tiny_target

from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.evolution import Evolution
from evofool.search.selectors import NINES

SURE = np.float32(NINES[0])


def archive(confidence: list[float]) -> Archive:
    """CPPN elites with these confidences, one class each."""
    made = Archive(np.arange(len(confidence)), len(confidence))
    made.genomes = build("cppn", "default").random(len(confidence), Rng(7))
    made.confidence[:] = confidence
    made.evaluation_id[:] = 100 + np.arange(len(confidence))
    return made


def evolution(seed: int = 0, **options: Any) -> Evolution:
    precision = options.pop("precision", "float32")
    settings: dict[str, Any] = {"batch": 16, "niches": np.arange(4), "emitters": ("vary", "refine"), **options}
    return Evolution(tiny_target(precision=precision), build("cppn", "default"), seed=seed, **settings)


def resumed_beside(before: int, after: int, **options: Any) -> Evolution:
    """A run of ``before`` generations and ``after`` more; another that takes it up in between ends as it does."""
    run, resumed = evolution(**options), evolution(7, **options)
    for _ in range(before):
        run.step()
    resumed.restore(frozen(run.state()))
    for _ in range(after):
        run.step()
        resumed.step()
    timeless = {"seconds": np.zeros(1)}
    assert_same_arrays(run.state() | timeless, resumed.state() | timeless)
    return run
