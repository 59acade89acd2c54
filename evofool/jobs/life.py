"""The one life of a job: claim a folder, lock it, build, work, go on after whatever ended it, inspect, repair.

A new kind of job writes a :class:`~evofool.jobs.session.Job` and a :class:`Kind`, and registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..errors import RunError
from ..io.files import remove_leftovers
from ..io.lock import locked
from ..store.folder import claim_folder, discard_folder, kind_of
from .session import Job, Session

Observer = Callable[[Any], object]


class Kind(Protocol):
    """What a kind of job does with folders that exist."""

    def open(self, path: Path) -> object:
        """Read the folder's config, and nothing more. Raises RunError where it is no job of this kind."""
        ...

    def restore(self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool) -> Job[Any]:
        """Return the job as it was left, its folder ready to go on.

        Args:
            path: The folder, which is locked.
            target: The user's own target, where the job was made with one.
            toolbox: The user's function that swaps operators, where the job was made with one.
            changes: Options that change from now on.
            gallery: Whether its page is kept up to date.
        """
        ...

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the job is and how far it got."""
        ...

    def repair(self, path: Path) -> list[str]:
        """Make a damaged folder one that can go on. It is locked. Return what was done, in words."""
        ...


KINDS: dict[str, str | Kind] = {"run": "evofool.jobs.run", "campaign": "evofool.jobs.campaign"}
"""The kinds of jobs by the name that ``config.json`` has. A string names a module to import; its ``KIND`` is used."""


def kind_at(path: Path) -> Kind:
    """Return the kind of the job in a folder.

    Raises:
        RunError: No job is there, or none that this version of evofool knows.
    """
    name = kind_of(path)
    kind = KINDS.get(name)
    if kind is None:
        known, name = " or a ".join(KINDS), " ".join(name.split())[:40]
        raise RunError(f"{path} is a {name}, which this version of evofool doesn't know; expected a {known}")
    if isinstance(kind, str):
        imported: Kind = import_module(kind).KIND
        return imported
    return kind


def start(path: Path, create: Callable[[], Job[Any]], observer: Observer | None = None) -> Any:
    """Begin a job in a new folder and work on it.

    Args:
        path: The folder, which must be free.
        create: Makes the folder's content and the job.
        observer: Called after every step.

    Returns:
        The job's result.

    Raises:
        RunError: Something is there already, or the folder can't be written.
    """
    claim_folder(path)
    with locked(path):
        job: Job[Any] | None = None
        try:
            job = create()
            state = job.state()
            if state is not None and job.checkpoints:
                job.checkpoints.save(state)
            return Session(job, observer).run()
        except BaseException:
            if job is None or not job.begun:
                discard_folder(path)
            raise


def resume(
    path: str | Path,
    *,
    target: Any = None,
    toolbox: Any = None,
    gallery: bool = True,
    observer: Observer | None = None,
    **limits: Any,
) -> Any:
    """Go on with a run or a campaign: the same bytes as if it had never stopped.

    Args:
        path: The job's folder.
        target: The same target of your own that the job was made with, where it was.
        toolbox: The same function that swaps operators, where the job was made with one.
        gallery: Whether the page is kept up to date.
        observer: Called after every step.
        limits: A new budget for a run: ``generations``, ``evaluations``, ``minutes``, ``until``. It counts in all and
            not in addition. Without one, the run's own budget stays.

    Returns:
        A :class:`~evofool.jobs.result.Result` or a :class:`~evofool.jobs.result.CampaignResult`.

    Raises:
        RunError: No job is there, it is damaged or of another version, its weights changed, it was made with other
            operators, or another process works on it.
        ConfigError: The new budget is spent already, or the job has none.
    """
    changes = {name: limit for name, limit in limits.items() if limit is not None}
    folder = Path(path)
    kind = kind_at(folder)
    kind.open(folder)  # before anything is written
    with locked(folder):
        remove_leftovers(folder)
        job = kind.restore(folder, target=target, toolbox=toolbox, changes=changes, gallery=gallery)
        return Session(job, observer).run()


def inspect(path: str | Path) -> dict[str, Any]:
    """Return what a job is and how far it got, as plain JSON values.

    Raises:
        RunError: No job is there, or it is damaged.
    """
    return kind_at(Path(path)).inspect(Path(path))


def repair(path: str | Path) -> list[str]:
    """Make a damaged folder one that can go on: what is good stays, what isn't is set aside or made again.

    Returns:
        What was done, in words; empty where nothing was wrong.

    Raises:
        RunError: No job is there, another process works on it, or it can't be repaired.
    """
    folder = Path(path)
    kind = kind_at(folder)
    kind.open(folder)
    with locked(folder):
        remove_leftovers(folder)
        return kind.repair(folder)
