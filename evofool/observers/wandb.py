"""Jobs in Weights & Biases: each is a run of a project."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
from PIL import Image

from ..io.cache import cache_folder
from ..io.files import write_atomically
from .events import FAILED, JobEnded, JobStarted
from .plain_options import plain_options, summary_figures
from .tracking import Tracker

PROJECT = "evofool"
"""The project, where none is named."""


class WandB(Tracker):
    """Logs to Weights & Biases, or to files where ``WANDB_MODE=offline`` says so.

    A run's ID is kept in the user's cache, so that a job that goes on finds its run.

    Args:
        where: The project.
    """

    seconds = 2.0

    def __init__(self, where: str) -> None:
        self._project = where or os.environ.get("WANDB_PROJECT") or PROJECT
        self._run: Any = None

    def open(self, job: JobStarted) -> int:
        """Begin a run with the options as its config, or go on with one."""
        kept = self._kept(job)
        known = kept.read_text(encoding="utf-8").strip() if job.resumed and kept and kept.exists() else None
        self._run = wandb.init(
            project=self._project,
            name=job.name,
            id=known,
            resume="allow" if known else None,
            job_type=job.kind,
            config={"target": job.target, **plain_options(job.options)},
            settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
        )
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, f"{self._run.id}\n")
        return max(job.step, int(self._run.step or 0) - 1)

    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Log figures."""
        self._run.log(dict(figures), step=step)

    def send_picture(self, step: int, picture: Image.Image) -> None:
        """Log a picture, beside the figures of its step."""
        self._run.log({"pictures": wandb.Image(picture)}, step=step)

    def close(self, ended: JobEnded) -> None:
        """Set the summary, and end the run."""
        self._run.summary.update({f"final/{name}": value for name, value in summary_figures(ended.summary).items()})
        self._run.summary.update({"status": ended.status, "error": ended.error})
        self._run.finish(exit_code=1 if ended.status == FAILED else 0)

    def _kept(self, job: JobStarted) -> Path | None:
        """Return the file of the cache that has the run's ID; None where nothing can be kept."""
        cache = cache_folder()
        if cache is None or job.path is None:
            return None
        name = hashlib.sha256(f"{self._project}\n{job.path.absolute()}".encode("utf-8", "surrogateescape")).hexdigest()
        return cache / "wandb" / name
