"""The function that makes many runs as one job; it is ``evofool sweep`` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.arguments import path_of
from ..errors import ConfigError
from .jobs import STOPPED_SWEEP, own_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..engines.toolbox import Hook
    from ..observers.registry import Observing
    from ..sweeps.result import SweepResult
    from ..targets.protocols import Target


def sweep(
    plan: str | Path | Mapping[str, Any],
    *,
    target: Target | None = None,
    out: str | Path | None = None,
    gallery: bool = True,
    progress: bool | None = None,
    observer: Observing | None = None,
    toolbox: Hook | None = None,
) -> SweepResult:
    """Make many runs that differ in their options, as one job with one table and one page.

    The same call goes on where an earlier one was stopped: runs that are done stay, one that was killed ends with the
    same bytes as if it had never stopped, and those that failed are tried again. Further runs, and larger budgets, go
    on in the same folder.

    Args:
        plan: A TOML file, or what it would hold: shared options, ``seeds``, ``grid`` and ``runs``.
        target: A target of your own, instead of the one that the options name.
        out: The folder, in which each run has its own. None: the first one in ``outputs/`` that is free, or has a
            sweep that this one goes on with.
        gallery: Whether the runs get pages and contact sheets, and all of them a page of pictures.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every run, and after every step of the runs; or a :class:`~evofool.JobObserver`, a
            tracker such as ``tensorboard``, or a list of these.
        toolbox: A function that swaps operators of every run, as in :func:`evofool.evolve`.

    Returns:
        What it has come to; ``failed`` says which runs failed, and why.

    Raises:
        EvofoolError: One of its family, where the plan or the folder can't be. A run that fails raises nothing.

    Example:
        >>> import evofool
        >>> plan = {"target": "digits", "generations": 2, "seeds": "0-1", "grid": {"encoding": ["cppn", "direct"]}}
        >>> evofool.sweep(plan, out="runs/both")  # doctest: +SKIP
    """
    from collections.abc import Mapping

    from ..console.progress import watched
    from ..console.sweep_view import SweepView
    from ..sweeps import start

    own = own_target(target)
    if target is not None and own is None:
        raise ConfigError("`target` is a target of your own here; a name stands in the plan")
    source = plan if isinstance(plan, Mapping) else path_of(plan, "plan")
    folder = path_of(out, "out") if out is not None else None
    given = start.planned(source, own)
    with watched(SweepView, progress, observer, STOPPED_SWEEP) as noting:
        return start.run(given, own, out=folder, gallery=bool(gallery), observer=noting, toolbox=toolbox)
