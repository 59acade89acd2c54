"""The job that is under way in a job that consists of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from ..audits.job import AuditStep
    from ..sweeps.job import SweepStep


class Noting(Protocol):
    """Whatever takes the steps of a job, in order."""

    def note(self, step: Any) -> None:
        """Take the next step."""


N = TypeVar("N", bound=Noting)


class UnderWay(Generic[N]):
    """Gives the steps of the jobs in an audit or a sweep to what takes them, another one for every job.

    Args:
        make: Makes one for the job that a step is of.

    Attributes:
        inner: The one for the job that is under way; None where none is.
    """

    def __init__(self, make: Callable[[Any], N]) -> None:
        self._make, self._title = make, ""
        self.inner: N | None = None

    def note(self, step: AuditStep | SweepStep) -> None:
        """Take the next step of the audit or the sweep."""
        if step.title != self._title or step.step is None:
            self._title, self.inner = step.title, None
        if step.step is not None:
            self.inner = self.inner or self._make(step.step)
            self.inner.note(step.step)
