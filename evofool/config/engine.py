"""The options that say where a job's images are scored. What comes out doesn't depend on them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ..errors import ConfigError, suggestion
from .model import ModelOptions
from .options import Positive, declarations, option

ENGINES = ("local", "ray")
"""Where a job can work: in this process, or on the workers of a Ray cluster."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1_024)]


class EngineOptions(ModelOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the images of a job are scored. No byte of its result depends on these options; they are recorded."""

    engine: Annotated[
        str, option("Where images are scored: local, or ray, which spreads them over a cluster (extra: ray).")
    ] = "local"
    address: Annotated[
        str | None,
        option(
            "The Ray cluster: auto for the one that this machine belongs to, or HOST:PORT.",
            default="that one if there is one, else this machine alone",
            reset_by=("engine",),
        ),
    ] = None
    workers: Annotated[
        Positive | None,
        option("Workers on the cluster, at most.", default="as many as it has room for", reset_by=("engine",)),
    ] = None
    gpus_per_worker: Annotated[
        Share | None,
        option(
            "GPUs of a worker; of 0.5, two workers share one.",
            default="1 where the job runs on CUDA, else 0",
            reset_by=("engine",),
        ),
    ] = None
    cpus_per_worker: Annotated[Share | None, option("CPU cores of a worker.", default="1", reset_by=("engine",))] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.engine not in ENGINES:
            raise ConfigError(
                f'`engine` must be {" or ".join(ENGINES)}, got "{self.engine:.40}"{suggestion(self.engine, ENGINES)}'
            )
        given = [name for name in ENGINE_OPTIONS[1:] if getattr(self, name) is not None]
        if self.engine != "ray" and given:
            raise ConfigError(f"`{given[0]}` belongs to the workers of a cluster; say `engine=ray` as well")


ENGINE_OPTIONS = tuple(name for name in declarations(EngineOptions) if name not in declarations(ModelOptions))
"""The names of these options."""
