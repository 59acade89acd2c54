"""Jobs in TensorBoard: each is a run in a folder of logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from ..io.slug import slug
from .events import FINISHED, JobEnded, JobStarted
from .plain_options import plain_options
from .tracking import Tracker

LOGS = "tensorboard"
"""The folder of logs, where none is named."""

FLUSH_SECONDS = 5
"""Seconds until figures can be seen."""

MARK = "evofool-job.json"
"""File in a run's folder of logs that says whose job it is."""

COMPARED = {
    "run": ("median", "mean", "at_99", "evaluations", "images_per_second"),
    "campaign": ("success_rate", "successes", "queries", "queries_per_second"),
}
"""The figures that the page of hyperparameters compares, by kind of job."""


class TensorBoard(Tracker):
    """Writes event files into ``FOLDER/NAME``, where the name is that of the job's folder.

    A job that goes on gets another file in the same folder, and what a killed session wrote beyond its last checkpoint
    is hidden. A new job of an old name gets ``NAME-2``.

    Args:
        where: The folder of logs.
    """

    def __init__(self, where: str) -> None:
        self._logs = Path(where or LOGS)
        self._writer: Any = None
        self._end: Any = None

    def open(self, job: JobStarted) -> int:
        """Find or make the run's folder, and write the options as hyperparameters."""
        folder = self._folder(job)
        goes_on = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(json.dumps({"job": _place(job)}) + "\n", encoding="utf-8")
        purge = job.step + 1 if goes_on else None
        self._writer = SummaryWriter(str(folder), purge_step=purge, flush_secs=FLUSH_SECONDS)
        options = {"target": job.target, **plain_options(job.options)}
        begun, values, self._end = hparams(options, dict.fromkeys(COMPARED.get(job.kind, ()), 0))
        for summary in (begun, values):
            self._writer.file_writer.add_summary(summary)
        self._writer.add_text("config", _as_text({**options, **job.versions}), job.step)
        return job.step

    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures as scalars."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def send_picture(self, step: int, picture: Image.Image) -> None:
        """Write a picture."""
        self._writer.add_image("pictures", np.asarray(picture), step, dataformats="HWC")

    def close(self, ended: JobEnded) -> None:
        """Write the summary as text, and close the file."""
        if ended.status == FINISHED:
            self._writer.file_writer.add_summary(self._end)
        text = {name: value for name, value in ended.summary.items() if not isinstance(value, list)}
        self._writer.add_text("summary", _as_text({"status": ended.status, **text}), 0)
        self._writer.close()

    def _folder(self, job: JobStarted) -> Path:
        """Return the folder of an earlier session of the job, or else one that is free."""
        name = Path(*(slug(part) for part in job.name.split("/")))
        numbers = [name, *(name.with_name(f"{name.name}-{number}") for number in range(2, 10_000))]
        last: Path | None = None
        for each in numbers:
            folder = self._logs / each
            if not folder.exists():
                return last if last and job.resumed else folder
            if job.path and _whose(folder) == _place(job):
                last = folder
        raise FileExistsError(f"{self._logs / name} is there 9,999 times; choose another folder")


def _place(job: JobStarted) -> str:
    """Return where a job is, for the mark."""
    return str(job.path.absolute()) if job.path else ""


def _whose(folder: Path) -> str | None:
    """Return where the job is whose logs a folder has."""
    try:
        place = json.loads((folder / MARK).read_text(encoding="utf-8"))["job"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return place if isinstance(place, str) else None


def _as_text(values: Mapping[str, Any]) -> str:
    """Return names and values as a table in Markdown."""
    rows = (f"| {name} | {value} |" for name, value in values.items() if value is not None)
    return "\n".join(["| | |", "|---|---|", *rows])
