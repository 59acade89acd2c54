"""The one life of a job: claim a folder, lock it, build, work, go on after whatever ended it, inspect, repair.

A new kind of job writes a :class:`~evofool.jobs.session.Job` and a :class:`Kind`, and registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..errors import OperatorError, RunError, TargetError
from ..io.files import remove_leftovers
from ..io.interrupts import kept
from ..io.lock import locked
from ..store.folder import claim_folder, discard_folder, go_on, kind_of, whole_of, with_article
from .hardware import hardware_facts
from .session import Job, Session

Observer = Callable[[Any], object]
Watch = Callable[[], AbstractContextManager[Observer | None]]


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

    def opened(self, path: Path) -> Any:
        """Return what the job has come to, as a session of it would have ended with."""
        ...

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the job is and how far it got."""
        ...

    def repair(self, path: Path) -> list[str]:
        """Make a damaged folder one that can go on. It is locked. Return what was done, in words."""
        ...


KINDS: dict[str, str | Kind] = {
    "run": "evofool.jobs.run",
    "campaign": "evofool.jobs.campaign",
    "sweep": "evofool.sweeps.job",
    "experiment": "evofool.lab.job",
    "audit": "evofool.audits.job",
}
"""The kinds of jobs by the name that ``config.json`` has. A string names a module to import; its ``KIND`` is used."""


def kind_at(path: Path) -> Kind:
    """Return the kind of the job in a folder.

    Raises:
        RunError: No job is there, or none that this version of evofool knows.
    """
    name = kind_of(path)
    kind = KINDS.get(name)
    if kind is None:
        known = " or ".join(map(with_article, KINDS))
        raise RunError(f"{path} is {with_article(name)}, which this version of evofool doesn't know; expected {known}")
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
            with kept(lambda: _kept(path) if job and job.begun else ""), _way_back(path, job):
                return Session(job, observer).run()
        except BaseException:
            if job is None or not job.begun:
                discard_folder(path)
            raise


def resume(
    path: Path,
    *,
    target: Any = None,
    toolbox: Any = None,
    limits: Mapping[str, Any],
    gallery: bool,
    watch: Watch,
    part: bool = False,
) -> Any:
    """Go on with a job. See :func:`evofool.resume`.

    Args:
        part: Whether the job that this one is a part of asks for it.
        watch: Gives the observer that is called after every step. It is entered when the folder is locked: what it
            reads there is what the job goes on from.
    """
    kind_of(path)  # before anything is written
    if not part and (whole := whole_of(path)) != path:
        raise RunError(
            f"{path} is a part of the audit {whole}, whose queries it would not be counted among; {go_on(path)}"
        )
    with kept(lambda: _kept(path)), locked(path), watch() as observer:
        kind = kind_at(path)
        kind.open(path)
        remove_leftovers(path)
        job = kind.restore(path, target=target, toolbox=toolbox, changes=limits, gallery=gallery)
        with closing(job), _way_back(path, job):
            return Session(job, observer, resumed=True).run()


@contextmanager
def _way_back(path: Path, job: Job[Any]) -> Iterator[None]:
    """Have errors of a target or an operator in the middle of a job say how to go on when they are mended."""
    try:
        yield
    except (OperatorError, TargetError) as error:
        hint = go_on(path)
        if not job.begun or str(error).endswith(hint):  # A job in this one has said it.
            raise
        raise type(error)(f"{error}; {path} is kept: {hint}") from error


def _kept(path: Path) -> str:
    """Return what is said where a job is stopped at once, and not after its step."""
    return f"what was saved last is kept; {go_on(path)}"


def opened(path: Path) -> Any:
    """Return what a job has come to. See :func:`evofool.open`."""
    return kind_at(path).opened(path)


def inspect(path: Path) -> dict[str, Any]:
    """Return what a job is and how far it got. See :func:`evofool.inspect`."""
    return {**kind_at(path).inspect(path), **hardware_facts(path)}


def repair(path: Path) -> list[str]:
    """Make a damaged folder one that can go on. See :func:`evofool.repair`."""
    kind = kind_at(path)
    kind.open(path)
    with locked(path):
        remove_leftovers(path)
        return kind.repair(path)
