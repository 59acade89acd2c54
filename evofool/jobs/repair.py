"""Making a damaged folder one that can go on: what is good stays, what isn't is set aside or made again."""

from __future__ import annotations

import os
from pathlib import Path

from ..io.files import remove_leftovers, writing
from ..io.lock import locked
from ..store.campaign import CampaignFolder
from ..store.run import RunFolder
from ..text import counted


def repair_run(path: Path) -> list[str]:
    """Go back to the checkpoint before a damaged one; set damaged parts of the history aside; take damaged lines of
    ``metrics.jsonl`` out.

    Returns:
        what was done, in words; empty where nothing was wrong.

    Raises:
        RunError: no run is there, another process works on it, or neither checkpoint can be used.
    """
    RunFolder.open(path)
    with locked(path):
        remove_leftovers(path)
        run, done = RunFolder.open(path), []
        if fault := run.checkpoints.go_back():
            generation = int(run.checkpoints.load()["strategy.counts"][0])
            done.append(f"{fault}: went back to the checkpoint before it, of generation {generation}")
        for file, fault in run.history.damaged():
            with writing(path):
                os.replace(file, file.with_name(f"{file.name}.damaged"))
            done.append(f"{fault}: set aside; the ancestors in it are not shown")
        if dropped := run.drop_damaged_metrics():
            done.append(f"{counted(dropped, 'damaged line')} of {path / 'metrics.jsonl'}: taken out")
        return done


def repair_campaign(path: Path) -> list[str]:
    """Take damaged outcomes out; their attempts are fought again.

    Returns:
        what was done, in words; empty where nothing was wrong.

    Raises:
        RunError: no campaign is there, another process works on it, or its images are damaged.
    """
    CampaignFolder.open(path)
    with locked(path):
        remove_leftovers(path)
        dropped = CampaignFolder.open(path).drop_damaged()
        return [f"{counted(dropped, 'damaged line')} of {path / 'outcomes.jsonl'}: taken out"] if dropped else []
