"""What jobs share whose targets count their queries: the ledger in the folder, the budget, and how many are left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..config.engine import ENGINE_OPTIONS
from ..config.model import ModelOptions
from ..config.options import declarations
from ..store.ledger import LEDGER, FolderLedger
from ..targets.protocols import Target

LIMIT = "max_queries"

O = TypeVar("O", bound=ModelOptions)  # noqa: E741


def keep_ledger(target: Target, folder: Path) -> None:
    """Write down in a job's folder what its target is asked, where the target counts that.

    A job in the folder of another, which it is a part of, counts in the ledger of that one.
    """
    from ..targets.queries.metered import metered

    def of_the_whole(ledger: object) -> bool:
        return isinstance(ledger, FolderLedger) and ledger.folder == folder.parent

    if parts := [part for part in metered(target) if not of_the_whole(part.ledger)]:
        ledger = FolderLedger(folder)
        for part in parts:
            part.keep_in(ledger)


def spent_by(target: Target) -> int:
    """Return how many queries a target was paid for; 0 where it doesn't count them."""
    from ..targets.queries.metered import metered

    return max((part.spent for part in metered(target)), default=0)


def with_changes(options: O, changes: Mapping[str, Any]) -> tuple[O, dict[str, Any]]:
    """Return a job's options with a new budget of queries or another engine, and the changes that are left.

    Raises:
        ConfigError: An option can't be.
    """
    known = {LIMIT, *ENGINE_OPTIONS} & declarations(type(options)).keys()
    own = {name: value for name, value in changes.items() if name in known}
    rest = {name: value for name, value in changes.items() if name not in own}
    return type(options).given_beside(options, own) if own else options, rest


def query_facts(folder: Path, options: ModelOptions) -> dict[str, Any]:
    """Return how many queries a job paid and may pay; nothing where they aren't counted."""
    if not (folder / LEDGER).exists():
        return {}
    return {"queries_paid": FolderLedger(folder).spent, LIMIT: options.max_queries}
