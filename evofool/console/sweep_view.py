"""How far a sweep is: its runs, and the one that is under way."""

from __future__ import annotations

from .audit_view import AuditView


class SweepView(AuditView):
    """Describes the steps of a sweep, and those of the run that is under way."""

    kind, noun = "sweep", "runs"
