"""The requested settings of forward passes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Protocol

from ...config.evolve import EvolveOptions
from ...config.model import ModelOptions
from ...config.records import RobustOptions
from ...errors import ConfigError

PRECISIONS = ("auto", "float32", "bfloat16")
"""The precisions that a search can be asked to score in."""


def check_device(name: str) -> None:
    """Check that a device can have this name; the machine may still have none.

    Raises:
        ConfigError: It can't.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ConfigError(f'unknown device "{name}"; `device` must be auto, cpu, cuda, cuda:0 … or mps')


def check_precision(name: str) -> None:
    """Check the name of a precision.

    Raises:
        ConfigError: There is none.
    """
    if name not in PRECISIONS:
        raise ConfigError(f'unknown precision "{name}"; `precision` must be auto, float32 or bfloat16')


class TargetOptions(Protocol):
    """A job's options, as far as they are about its target. Fields of :class:`ExecutionOptions` may be missing."""

    @property
    def weights(self) -> str | tuple[str, ...] | None: ...
    @property
    def model(self) -> ModelOptions: ...


class JobOptions(TargetOptions, RobustOptions, Protocol):
    """A job's options, as far as they say what its score is."""

    @property
    def combine(self) -> str: ...


@dataclass(frozen=True)
class ExecutionOptions:
    """How forward passes shall be run. ``auto`` and None leave it to the target, and to what is found fastest.

    Attributes:
        device: ``auto`` (CUDA, then MPS, then CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto`` (bfloat16 where the hardware has it), ``float32`` or ``bfloat16``.
        micro_batch: Rows of one forward pass, at most.
        memory_format: ``auto``, ``channels_last`` or ``contiguous``.
        fold: Whether layers are joined, as :mod:`.joining` does.
        parallel: Whether passes on a CPU run side by side, each on one thread.
    """

    device: str = "auto"
    precision: str = "auto"
    micro_batch: int | None = None
    memory_format: str = "auto"
    fold: bool | None = None
    parallel: bool | None = None

    @classmethod
    def of(cls, options: TargetOptions) -> ExecutionOptions:
        """Return those among a job's options; what these leave open is left to the target."""
        given = {field.name: getattr(options, field.name, None) for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if value is not None})

    @classmethod
    def given(cls, **values: Any) -> ExecutionOptions:
        """Return what a user gave as arguments, by the names of the fields.

        Raises:
            ConfigError: A value is of another kind than the option of that name.
        """
        return cls.of(EvolveOptions.of(values))

    def left_open(self, *, foldable: bool, parallel: bool) -> frozenset[str]:
        """Return the names of those fields of :class:`~.execution.Execution` that tuning may choose.

        Args:
            foldable: Whether the network has layers that may be joined.
            parallel: Whether its passes may run side by side.
        """
        choices = {
            "precision": self.precision == "auto",
            "memory_format": self.memory_format == "auto",
            "micro_batch": self.micro_batch is None,
            "fold": self.fold is None and foldable,
            "parallel": self.parallel is None and parallel,
        }
        return frozenset(name for name, left in choices.items() if left)
