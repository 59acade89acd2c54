"""``evofool audit``: one classifier, one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.audit import AuditOptions
from .common import Json, Out, Quiet, end_as_stopped, folder_of_job, resume_command
from .declared import with_options

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(AuditOptions)
def audit(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Say how easily a classifier is fooled, in one report.

    It evolves images for every class, changes pixels of real ones, and looks whether the classifier's own confidence
    tells them apart. It goes on with: evofool resume.
    """
    from ..console.audit_view import AuditView
    from ..console.console import Console

    console = Console(quiet=quiet, to_stderr=as_json)
    options = AuditOptions.of(given)
    stem = f"audit-{options.target or Path(options.data or 'digits').stem}"
    with folder_of_job(out, stem) as folder, console.watch(AuditView()) as observer:
        from ..audits import start

        result = start.run(options, out=folder, observer=observer)
    show_audit(console, result, as_json)


def show_audit(console: Console, result: Any, as_json: bool) -> None:
    """Print what an audit ended with, and end the command as stopped if it was."""
    if as_json:
        console.json(result.summary())
    else:
        console.finished_audit(result, resume_command(result.path))
    end_as_stopped(result.interrupted)
