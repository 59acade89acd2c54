"""A recorded run's options, to make the same run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..config.evolve import EvolveOptions
from ..config.records import CampaignConfig, RunConfig
from ..encodings.banks import RANDOM
from ..errors import RunError
from ..search.defaults import default_emitters, default_init, niches_of
from ..store.folder import CONFIG, kind_of, read_config
from ..text import operators_text


def recorded_options(path: Path, changes: Mapping[str, Any]) -> EvolveOptions:
    """Return the options that make a recorded run again, with some changed.

    Args:
        path: A run's folder, or its ``config.json``.
        changes: Options that were given besides; they win, and what was recorded for others of their kind goes back to
            its default (see ``reset_by`` in :func:`~evofool.config.options.option`).

    Raises:
        RunError: No run's config is there, it is damaged, of another job, or it was made with a target or operators
            of one's own.
        ConfigError: A changed option is invalid.
    """
    folder = path.parent if path.name == CONFIG and not path.is_dir() else path
    if (folder / CONFIG).is_file() and kind_of(folder) == CampaignConfig.kind:
        raise RunError(
            f"{folder} is a campaign; expected a run, which `config` makes again; "
            "the command that makes a campaign again is on its page, report.html"
        )
    config = read_config(folder, RunConfig)
    if config.swapped:
        raise RunError(
            f"{folder} was made with operators of your own, {operators_text(config.swapped)}; give the function that "
            "swaps them, in Python: evofool.evolve(…, toolbox=…)"
        )
    if config.target.own:
        raise RunError(
            f"{folder} was made with your own Target {config.target.name}; give it in Python: evofool.evolve(target, …)"
        )
    return EvolveOptions.given_beside(_with_defaults_open(config, changes), changes)


def _with_defaults_open(config: RunConfig, changes: Mapping[str, Any]) -> EvolveOptions:
    """Return recorded options, with those left open again that are the defaults of this run and may not be those of
    the changed one: what it begins with depends on the target, and its emitters depend on that."""
    options, channels = config.options, config.target.image_shape[0]
    if options.init is None:  # Earlier versions began with random genomes by default.
        options = msgspec.structs.replace(options, init=RANDOM)
    opened = dict[str, None]()
    if "target" in changes and options.init == default_init(msgspec.structs.replace(options, init=None), channels):
        opened["init"] = None
    if opened or "init" in changes:
        niches = niches_of(options, len(config.class_indices), channels)
        if options.emitters == default_emitters(options, niches):
            opened["emitters"] = None
    return msgspec.structs.replace(options, **opened)
