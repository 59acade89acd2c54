"""Which view describes which kind of job."""

from __future__ import annotations

from pathlib import Path

from ..store.folder import kind_of
from ..store.ledger import LEDGER
from ..store.run import RunFolder
from ..text import counted
from ..version import __version__
from .audit_view import AuditView
from .campaign_view import CampaignView
from .experiment_view import ExperimentView
from .live import StepView, View
from .run_view import RunView
from .sweep_view import SweepView


def view_of_job(path: Path) -> View:
    """Return a view of the job in a folder, which goes on; a kind that has none is described by the text of its steps.

    Raises:
        RunError: No job is there, or it is damaged.
    """
    kind = kind_of(path)
    if kind == "run":
        return _view_of_run(RunFolder.open(path))
    if kind == "experiment":
        return ExperimentView()
    if kind == "audit":
        return AuditView()
    if kind == "sweep":
        return SweepView()
    return CampaignView() if kind == "campaign" else StepView(kind)


def _view_of_run(run: RunFolder) -> RunView:
    """Return a view that shows the generations so far, and says what of them was lost and what has changed since."""
    lines, notes = run.metrics(), list[str]()
    made_by, saved = run.config.versions.get("evofool"), run.saved()
    if made_by not in (None, __version__):
        notes.append(f"evofool {made_by} began this run, and {__version__} may vary its elites in another way")
    if saved and lines and lines[-1]["generation"] > saved[0]:
        generation, evaluations = saved
        kept = ", without new queries where their answers are still kept" if (run.path / LEDGER).exists() else ""
        lost = counted(lines[-1]["evaluations"] - evaluations, "evaluation")
        notes.append(
            f"it goes back to generation {generation:,} with {counted(evaluations, 'evaluation')}, the last saved; "
            f"{lost} after it are made again{kept}"
        )
        lines = [line for line in lines if line["generation"] <= generation]
    return RunView([line["median"] for line in lines], notes)
