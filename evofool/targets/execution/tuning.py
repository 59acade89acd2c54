"""Which way to run a target's forward passes is fastest here: tried once, and kept for this machine.

The choice changes speed, and the last digits of scores. It is therefore written into a job's config and taken from
there when the job goes on, and a way that is not faithful to float32 is never chosen.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ...errors import TargetError
from ..protocols import Target
from ..torch_target import TorchTarget
from . import tuning_cache
from .process import SWITCH
from .trials import Trial, best, holds, noise_for, repeat_trials, run_trials


def tune(target: Target) -> None:
    """Let a torch target run at its fastest here, in whatever was left open when it was made.

    A choice that was made on this machine before is taken from the cache, if it still holds; a new one is written
    there. A target that can't score noise stays as it is, as does one that isn't torch's.
    """
    if not isinstance(target, TorchTarget) or not target.tunable or os.environ.get(SWITCH) == "off":
        return
    with suppress(TargetError):  # if the job meets that too, it says so
        kept = tuning_cache.read(target)
        if kept is None or not holds(target, kept):
            retune(target)


def retune(target: TorchTarget) -> list[Trial]:
    """Try all ways anew, use the best, and keep it for this machine.

    Returns:
        What was measured; for those that were tried again, the last.

    Raises:
        TargetError: The network fails on noise.
    """
    original, key = target.execution, tuning_cache.key_of(target)
    try:
        images = noise_for(target)
        trials = run_trials(target, images)
        finalists = repeat_trials(target, images, trials)
    finally:
        target.apply(original)
    if finalists:
        execution = best(finalists)
        tuning_cache.write(key, execution)
        target.apply(execution)
    repeated = {trial.execution: trial for trial in finalists}
    return [repeated.get(trial.execution, trial) for trial in trials]
