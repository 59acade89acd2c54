"""From options to a run and its result, in memory or in a folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..config.evolve import EvolveOptions, settings_of
from ..config.records import FOUND_FOR_TARGET, RunConfig
from ..encodings import registry as encodings
from ..encodings.banks import FOUNDERS, RANDOM, genome_path_exists
from ..errors import ConfigError
from ..search.defaults import PRECISION, default_init
from ..store.run import RunFolder
from ..targets.protocols import Target
from .checks import check_evolve
from .life import start
from .queries import keep_ledger
from .result import Result

if TYPE_CHECKING:
    from ..engines.base import Engine
    from ..engines.toolbox import Hook
    from ..search.evolution import Evolution
    from ..search.profiler import Profiler
    from ..targets.prepare import PreparedTarget
    from .run import RunJob, RunStep

Observer: TypeAlias = "Callable[[RunStep], object]"


def run(
    options: EvolveOptions,
    user_target: Target | PreparedTarget | None = None,
    *,
    out: Path | None = None,
    gallery: bool = True,
    observer: Observer | None = None,
    profiler: Profiler | None = None,
    toolbox: Hook | None = None,
) -> Result:
    """Evolve as :func:`evofool.evolve` does, from options that are checked already, and without showing anything.

    Args:
        options: The run's options.
        user_target: The user's own target, or one that is prepared, instead of the one that the options name.
        out, gallery, observer, profiler, toolbox: See :func:`evofool.evolve`.
    """
    options = check_evolve(options, named=user_target is None, out=out)
    from ..engines.opening import opened  # This and the next import torch.
    from ..targets.prepare import prepare_target
    from .run import RunJob
    from .session import Session

    options = msgspec.structs.replace(options, **asdict(options.budget.or_default()))
    precision = PRECISION.get(options.preset, PRECISION["default"])
    prepared = prepare_target(user_target if user_target is not None else options.target, options, precision=precision)
    if options.weights_sha256 not in (None, prepared.record.weights_sha256):
        raise ConfigError(
            f"the weights of {prepared.record.name} have another SHA-256 than {options.weights_sha256}; "
            "give the same file with `weights`"
        )
    with closing(opened([(prepared.target, prepared.record)], options, user_target)) as engine:
        config, evolution = _new(options, prepared, engine, toolbox)

        def create() -> RunJob:
            folder = RunFolder.create(out or Path(), config)
            keep_ledger(prepared.target, folder.path)
            return RunJob(evolution, config, folder, gallery=gallery, profiler=profiler)

        if out is None:
            result: Result = Session(RunJob(evolution, config, profiler=profiler), observer).run()
            return result
        finished: Result = start(out, create, observer)
        return finished


def _new(
    options: EvolveOptions, prepared: PreparedTarget, engine: Engine, hook: Hook | None
) -> tuple[RunConfig, Evolution]:
    """Return a new run's config and evolution."""
    from ..search.beginning import beginning
    from ..search.evolution import Evolution
    from ..targets.prepare import versions

    target = prepared.target
    encoding = encodings.build(options.encoding, settings_of(options), target.image_shape, prepared.record.device)
    options = msgspec.structs.replace(options, init=default_init(options, target.image_shape[0]))
    initial, digest = beginning(options, encoding)
    if options.init_sha256 not in (None, digest):
        raise ConfigError(
            f"the genomes of `init={options.init}` are not those that the run began with; give those, or leave it"
        )
    evolution = Evolution(target, encoding, options, initial=initial, engine=engine, toolbox=hook)
    indices = tuple(evolution.archive.class_indices.tolist())
    recorded = msgspec.structs.replace(
        evolution.options,
        target=prepared.record.spec,
        classes=indices,
        init=_absolute(options.init) if options.init is not None else None,
        init_sha256=digest,
        **{name: getattr(prepared.record, name) for name in FOUND_FOR_TARGET},
    )
    config = RunConfig(
        options=recorded,
        target=prepared.record,
        class_indices=indices,
        swapped=evolution.swapped,
        versions=versions(),
    )
    return config, evolution


def _absolute(init: str) -> str:
    """Return a path that can be found from elsewhere. A bank's name stays, and so does what stands for no genomes."""
    return str(Path(init).absolute()) if init not in (FOUNDERS, RANDOM) and genome_path_exists(init) else init
