"""Which targets are asked with care for every query, and how."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ...config.model import ModelOptions
from ...config.records import TargetRecord
from ...io.cache import cache_folder
from ..protocols import Target, gives_logits, rows_of
from .cache import ScoreCache
from .metered import Ledger, MemoryLedger, MeteredTarget
from .policy import Policy

REQUESTS = 8
"""Requests to a server at the same time, where the user doesn't say."""


def asked_with_care(
    target: Target,
    record: TargetRecord,
    options: ModelOptions,
    *,
    remote: bool,
    shown: int = 0,
    ledger: Ledger | None = None,
) -> Target:
    """Return a target that counts its queries, where it is behind a server or the user wants that; else the target.

    Args:
        target: The target.
        record: What tells it from others; answers are kept for all jobs on the same one.
        options: The user's options.
        remote: Whether it is behind a server.
        shown: How many images it was asked about already.
        ledger: Where it is counted what is paid, until a job's folder has it; None for one of its own.
    """
    if not is_asked_with_care(options, remote=remote):
        return target
    if isinstance(target, MeteredTarget):  # one that evofool.load_target returned
        target = target.target
    cache = ScoreCache(_file(record, logits=gives_logits(target)), len(target.classes))
    ledger = ledger or MemoryLedger()
    if shown:
        ledger.reserve(shown)
    policy, mark = policy_of(target, options, remote=remote), record.fingerprint or record.weights_sha256
    return MeteredTarget(target, cache, policy, options.max_queries, ledger, mark)


def is_asked_with_care(options: ModelOptions, *, remote: bool) -> bool:
    """Return whether queries are counted: behind a server, or where the user wants that."""
    return remote or options.count_queries or options.max_queries is not None


def policy_of(target: Target, options: ModelOptions, *, remote: bool) -> Policy:
    """Return how a target is asked, where queries are counted."""
    return Policy(
        rows=rows_of(target),
        concurrency=options.concurrency or (REQUESTS if remote else 1),
        rate=options.rate,
        timeout=None if remote else options.timeout,
        retries=options.retries,
    )


def _file(record: TargetRecord, *, logits: bool) -> Path | None:
    """Return where the answers of a target are kept, as logits or as probabilities; None where nothing can be."""
    folder = cache_folder()
    if folder is None:
        return None
    identity = {**record.identity(), "spec": record.spec, **({"kept": "logits"} if logits else {})}
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return folder / "queries" / f"{digest[:32]}.sqlite"
