"""Which view describes which kind of job."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..store.folder import kind_of
from ..store.run import RunFolder
from .campaign_view import CampaignView
from .live import StepView, View
from .run_view import RunView

VIEWS: dict[str, Callable[[Iterable[float]], View]] = {
    "run": RunView,
    "campaign": lambda _: CampaignView(),
}
"""By the kind that ``config.json`` names, what makes its view from the medians of former sessions."""


def view_of(kind: str, medians: Iterable[float] = ()) -> View:
    """Return a view of a kind of job; a kind that has none is described by the text of its steps.

    Args:
        kind: The kind that ``config.json`` names.
        medians: The median confidence after each generation of former sessions, where the job is a run.
    """
    make = VIEWS.get(kind)
    return make(medians) if make else StepView(kind)


def view_of_job(path: Path) -> View:
    """Return a view of the job in a folder, which goes on.

    Raises:
        RunError: No job is there, or it is damaged.
    """
    kind = kind_of(path)
    return view_of(kind, [line["median"] for line in RunFolder.open(path).metrics()] if kind == "run" else ())
