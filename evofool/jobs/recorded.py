"""A recorded run's options, to make the same run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..config.evolve import EvolveOptions
from ..config.records import RunConfig
from ..errors import RunError
from ..store.folder import CONFIG, read_config

EXECUTION = ("weights", "weights_sha256", "device", "precision", "micro_batch", "memory_format", "fold")
"""Options whose recorded value is in the target's record: what was found for them is what is wanted again."""


def recorded_options(path: Path, changes: Mapping[str, Any]) -> EvolveOptions:
    """Return the options that make a recorded run again, with some changed.

    Args:
        path: A run's folder, or its ``config.json``.
        changes: Options that were given besides; they win, and what was recorded for others of their kind goes back to
            its default (see ``reset_by`` in :func:`~evofool.config.options.option`).

    Raises:
        RunError: No run's config is there, it is damaged, or it was made with a target of one's own.
        ConfigError: A changed option can't be.
    """
    folder = path.parent if path.name == CONFIG and not path.is_dir() else path
    config = read_config(folder, RunConfig)
    target = config.target
    if target.own:
        raise RunError(
            f"{folder} was made with your own Target {target.name}; give it in Python: evofool.evolve(target, …)"
        )
    found = {name: getattr(target, name) for name in EXECUTION}
    recorded = msgspec.structs.replace(config.options, target=target.name, classes=config.class_indices, **found)
    return EvolveOptions.given_beside(recorded, changes)
