"""Archives and evolutions that emitters are tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
from support import assert_same_arrays, build, frozen, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.encodings.cppn.batch import CPPNBatch
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.evolution import Evolution
from evofool.search.selectors import SURE_LEVELS

SURE = np.float32(SURE_LEVELS[0])


def archive(confidence: list[float]) -> Archive:
    """CPPN elites with these confidences, one class each."""
    made = Archive(np.arange(len(confidence)), len(confidence))
    made.genomes = build("cppn", "default").random(len(confidence), Rng(7))
    made.confidence[:] = confidence
    made.evaluation_id[:] = 100 + np.arange(len(confidence))
    return made


def weights_of(batch: CPPNBatch) -> np.ndarray:
    """The weights of a batch whose genomes have one graph, as (n, connections)."""
    return batch.weight[:, batch.source[0] != EMPTY].astype(np.float64)


def evolution(seed: int = 0, **options: Any) -> Evolution:
    """CPPNs for four classes, with sixteen children per generation unless told otherwise."""
    target = tiny_target(precision=options.pop("precision", "float32"))
    defaults: dict[str, Any] = {"batch": 16, "selector": "uniform", "emitters": ("vary", "refine")}
    return Evolution(target, build("cppn", "default"), EvolveOptions(seed=seed, **{**defaults, **options}))


def turns(run: Evolution, generations: int = 200) -> dict[str, int]:
    """How often each emitter proposes, as looked up in the toolbox. The archive stays as it is."""
    asked = dict.fromkeys(run.search.schedule.emitters, 0)
    for name in asked:

        def ask(archive: Archive, n: int, name: str = name) -> Any:
            asked[name] += 1
            return archive.genomes.take(np.zeros(n, np.int64)), np.zeros(n, np.int64)

        run.toolbox.register(name, ask)
    for _ in range(generations):
        run.toolbox.generate()
    return asked


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
