"""What a job's config says of a loaded target, and the target as the job asks it."""

from __future__ import annotations

import hashlib

import msgspec

from ..config.model import ModelOptions
from ..config.records import TargetRecord
from ..io.files import sha256
from .doors.base import Loaded
from .ensemble import Ensemble
from .execution.requests import execution_of
from .fingerprint import own_fingerprint, tensors_digest
from .protocols import Target, device_of
from .queries.asked import asked_with_care
from .queries.metered import MemoryLedger
from .robust.robust_target import RobustTarget
from .torch_target import TorchTarget


def asked(loaded: Loaded, record: TargetRecord, options: ModelOptions) -> Target:
    """Return a target as a job asks it: under transformations, and with care for every query, where that is wanted."""
    if record.robust is not None:
        return RobustTarget(asked(loaded, msgspec.structs.replace(record, robust=None), options), record.robust)
    if not loaded.members:
        return asked_with_care(loaded.target, record, options, remote=loaded.remote, shown=loaded.shown)
    ledger = MemoryLedger()
    members = [
        asked_with_care(member.target, part, options, remote=member.remote, shown=member.shown, ledger=ledger)
        for member, part in zip(loaded.members, record.members, strict=True)
    ]
    return Ensemble(members, combine=str(record.combine))


def record_of(loaded: Loaded) -> TargetRecord:
    """Return what a job's config says of a target."""
    target, execution, own = loaded.target, execution_of(loaded.target), loaded.card is None
    torch_target = target if isinstance(target, TorchTarget) else None
    members = tuple(map(record_of, loaded.members))
    return TargetRecord(
        name=target.name,
        spec=loaded.spec or target.name,
        model=(loaded.model or ModelOptions()).understood,
        own=own,
        weights=_user_weights(loaded),
        weights_sha256=_weights_sha256(loaded),
        fingerprint=own_fingerprint(torch_target.network if torch_target else target) if own else None,
        spare_tensors=(*loaded.spare_tensors, *(name for member in members for name in member.spare_tensors)),
        device=device_of(target),
        **vars(execution),
        image_shape=target.image_shape,
        classes=len(target.classes),
        class_names=tuple(target.classes) if own or loaded.model is not None else None,
        mean=torch_target.mean if torch_target else None,
        std=torch_target.std if torch_target else None,
        outputs=torch_target.outputs if torch_target else None,
        members=members,
        robust=None,
        combine=target.combine if isinstance(target, Ensemble) else None,
    )


def _user_weights(loaded: Loaded) -> str | tuple[str, ...] | None:
    """Return the user's weights file as an option has it; of several targets, those that were given."""
    if loaded.members:
        files = tuple(f"{m.spec}={found}" for m in loaded.members if (found := _user_weights(m)) is not None)
        return files[0] if len(files) == 1 else files or None
    return str(loaded.weights.absolute()) if loaded.weights is not None and loaded.user_weights else None


def _weights_sha256(loaded: Loaded) -> str | None:
    """Return the digest of a target's file of weights, or of its tensors where it is the user's own.

    Of several targets it is that of what identifies each, None where one isn't identified.
    """
    if loaded.members:
        records = list(map(record_of, loaded.members))
        known = [mark for record in records if (mark := record.weights_sha256 or record.fingerprint)]
        return hashlib.sha256("\n".join(known).encode()).hexdigest() if len(known) == len(records) else None
    if loaded.weights is not None:
        return sha256(loaded.weights)
    return tensors_digest(loaded.target.network) if isinstance(loaded.target, TorchTarget) else None
