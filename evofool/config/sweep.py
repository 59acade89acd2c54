"""What the ``config.json`` of a sweep holds: its runs, each with the options that were given for it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from ..errors import ConfigError
from .attack import AttackOptions
from .engine import ENGINE_OPTIONS
from .evolve import BUDGET, EvolveOptions
from .model import ASKING
from .records import JobConfig, Record

JobOptions = EvolveOptions | AttackOptions
"""The options of a job that a sweep can have."""

COMMANDS: dict[str, type[EvolveOptions] | type[AttackOptions]] = {"evolve": EvolveOptions, "attack": AttackOptions}
"""The options of a sweep's runs, by the command that each run is one of."""

MAX_RUNS = 10_000
"""Largest number of runs of a sweep."""

SCORING = frozenset({*ENGINE_OPTIONS, *ASKING})
"""Options of where images are scored and how targets are asked. A run that is done stays so when they change."""

CHANGEABLE = SCORING | frozenset(
    {*BUDGET, "device", "micro_batch", "memory_format", "fold", "parallel", "weights_sha256", "export"}
)
"""Options that may be others when a sweep goes on: its runs are the same ones, longer or made elsewhere."""

RunName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class PlannedRun(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of a sweep.

    Attributes:
        name: The name of its folder.
        configuration: What runs have in common that differ in nothing but their seeds; empty where all of them do.
        given: The options that are not at their defaults, as plain JSON values.
    """

    name: RunName
    configuration: Annotated[str, msgspec.Meta(max_length=200)]
    given: dict[str, Any]

    @classmethod
    def of(cls, name: str, configuration: str, options: JobOptions) -> PlannedRun:
        """Return a run with these options."""
        defaults, values = _plain(type(options)()), _plain(options)
        given = {name: value for name, value in values.items() if value != defaults[name]}
        return cls(name=name, configuration=configuration, given=given)

    def same(self, command: str) -> dict[str, Any]:
        """Return the options that the runs of its configuration share, and that never change, as plain JSON values."""
        values = _plain(COMMANDS[command].of(self.given)).items()
        return {name: value for name, value in values if name != "seed" and name not in CHANGEABLE}


def _plain(options: JobOptions) -> dict[str, Any]:
    """Return options as JSON has them: with lists and no tuples."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(options))
    return values


class SweepConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of a sweep.

    Attributes:
        command: What each run is: ``evolve`` or ``attack``.
        runs: The runs, in the order in which they are made.
        own: Whether the target is the user's own object, which has to be given again.
        swapped: Whether operators were swapped, by a function that has to be given again.
    """

    kind: ClassVar[str] = "sweep"

    command: str
    runs: Annotated[tuple[PlannedRun, ...], msgspec.Meta(min_length=1, max_length=MAX_RUNS)]
    own: bool = False
    swapped: bool = False

    def __post_init__(self) -> None:
        if self.command not in COMMANDS:
            raise ValueError(f"command must be {' or '.join(COMMANDS)}")
        if len({run.name for run in self.runs}) < len(self.runs):
            raise ValueError("two runs have one name")
        for run in self.runs:
            try:
                COMMANDS[self.command].of(run.given)
            except ConfigError as error:
                raise ValueError(f"{run.name}: {error}") from error

    @property
    def configurations(self) -> dict[str, list[PlannedRun]]:
        """The runs of each configuration."""
        found: dict[str, list[PlannedRun]] = {}
        for run in self.runs:
            found.setdefault(run.configuration, []).append(run)
        return found

    def options_of(self, run: PlannedRun) -> JobOptions:
        """Return the options of one of the runs."""
        return COMMANDS[self.command].of(run.given)

    def identity(self) -> dict[str, Any]:
        """Return what stays the same while runs are added."""
        return {"command": self.command, "own": self.own, "swapped": self.swapped}
