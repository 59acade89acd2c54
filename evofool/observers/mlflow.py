"""Jobs in MLflow: each is a run of an experiment, on a server or in a local store."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from PIL import Image

from .events import FINISHED, STOPPED, JobEnded, JobStarted
from .plain_options import plain_options, summary_figures
from .tracking import Tracker

EXPERIMENT = "evofool"
"""The experiment, where ``MLFLOW_EXPERIMENT_NAME`` names no other."""

JOB = "evofool.job"
"""The tag by which a job that goes on finds its run: the SHA-256 of the path of its folder."""

STATUS = {FINISHED: "FINISHED", STOPPED: "KILLED"}
"""What MLflow calls the ends of a session; any other is ``FAILED``."""

AT_ONCE = 100
"""Most parameters in one request."""


class MLflow(Tracker):
    """Logs to a tracking server or store.

    Args:
        where: Its URI; empty for ``MLFLOW_TRACKING_URI`` or MLflow's own default.
    """

    seconds = 5.0

    def __init__(self, where: str) -> None:
        self._where = where
        self._client: Any = None
        self._run = ""

    def open(self, job: JobStarted) -> int:
        """Find or make the run, and log the options as parameters."""
        self._client = MlflowClient(self._where or None)
        place = hashlib.sha256(os.fsencode(job.path.absolute())).hexdigest() if job.path else ""
        experiment, found = self._experiment(), None
        if job.resumed and place:
            known = f"tags.`{JOB}` = '{place}'"
            found = next(iter(self._client.search_runs([experiment], known, max_results=1)), None)
        if found is None:
            tags = {JOB: place, "evofool.kind": job.kind, "evofool.target": job.target}
            tags |= {f"version.{name}": version for name, version in job.versions.items()}
            found = self._client.create_run(experiment, run_name=job.name, tags=tags)
            params = [Param(name, str(value)) for name, value in plain_options(job.options).items()]
            for first in range(0, len(params), AT_ONCE):
                self._client.log_batch(found.info.run_id, params=params[first : first + AT_ONCE])
        else:
            self._client.update_run(found.info.run_id, status="RUNNING")
        self._run = found.info.run_id
        return max(job.step, self._last_step(found.data.metrics))

    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Log figures as metrics."""
        now = round(1000 * time.time())
        self._client.log_batch(self._run, metrics=[Metric(name, value, now, step) for name, value in figures.items()])

    def send_picture(self, step: int, picture: Image.Image) -> None:
        """Log a picture."""
        self._client.log_image(self._run, picture, key="pictures", step=step)

    def close(self, ended: JobEnded) -> None:
        """Log the summary and set the run's status."""
        now = round(1000 * time.time())
        numbers = [Metric(f"summary.{name}", value, now, 0) for name, value in summary_figures(ended.summary).items()]
        self._client.log_batch(self._run, metrics=numbers, tags=[RunTag("evofool.error", ended.error)])
        self._client.log_dict(self._run, dict(ended.summary), "summary.json")
        self._client.set_terminated(self._run, STATUS.get(ended.status, "FAILED"))

    def _experiment(self) -> str:
        """Return the experiment's ID; it is made where it isn't there."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        known = self._client.get_experiment_by_name(name)
        return str(known.experiment_id if known else self._client.create_experiment(name))

    def _last_step(self, metrics: Mapping[str, float]) -> int:
        """Return the last step of which there are figures."""
        name = next((name for name in metrics if not name.startswith("summary.")), None)
        history = self._client.get_metric_history(self._run, name) if name else []
        return max((metric.step for metric in history), default=0)
