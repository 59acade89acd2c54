"""The function that audits a classifier; it is ``evofool audit`` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.arguments import path_of
from ..config.audit import AuditOptions
from ..config.documented import documented
from .jobs import data_argument, own_target

if TYPE_CHECKING:
    from pathlib import Path

    from ..audits.result import AuditResult
    from ..observers.registry import Observing
    from ..targets.protocols import Target


@documented(AuditOptions)
def audit(
    target: str | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> AuditResult:
    """Say how easily a classifier is fooled: one report, in a fixed budget.

    Args:
        target: A name (see ``evofool targets``) or a target of your own; None: the data's own.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the target's own, if it has some.
        out: A new folder for the audit.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every task, and after every step of the jobs that tasks consist of; or a
            :class:`~evofool.JobObserver`, a tracker such as ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    from ..audits import start
    from ..console.audit_view import AuditView
    from ..console.progress import going_on, watched

    own = own_target(target)
    given = AuditOptions.of({"target": own.name if own else target, "data": data_argument(data), **options})
    folder = path_of(out, "out")
    with watched(AuditView, progress, observer, going_on(folder)) as noting:
        return start.run(given, own, out=folder, observer=noting)
