"""Which hardware scored the images of a job, where it was not all of one kind: ``hardware.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from ..config.options import fault_in_words
from ..errors import RunError
from ..io.files import open_regular, write_atomically, writing

HARDWARE = "hardware.json"
"""The file's name in a job's folder."""

MAX_BYTES = 2**20
"""Largest size of the file."""


class Hardware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kinds of hardware that scored the images of a job. The last digits of scores depend on them.

    Attributes:
        recorded_by: Those that gave the scores on record, in the order in which they began to.
        searched_by: Those that gave scores for the search alone.
    """

    recorded_by: tuple[str, ...] = ()
    searched_by: tuple[str, ...] = ()

    def joined(self, other: Hardware) -> Self:
        """Return the kinds of two sessions of a job, this one's first."""
        return type(self)(
            _each_once((*self.recorded_by, *other.recorded_by)), _each_once((*self.searched_by, *other.searched_by))
        )

    @property
    def mixed(self) -> bool:
        """Whether there are several kinds."""
        return len({*self.recorded_by, *self.searched_by}) > 1

    @property
    def words(self) -> str:
        """What is said of it: ``scores on record by Xeon, then EPYC; searched also by H200``."""
        others = [kind for kind in self.searched_by if kind not in self.recorded_by]
        also = f"; searched also by {', '.join(others)}" if others else ""
        return f"scores on record by {', then '.join(self.recorded_by)}{also}"


def _each_once(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kinds))


def read_hardware(path: Path) -> Hardware | None:
    """Return which hardware a job's folder says it had, or None where that was all of one kind.

    Raises:
        RunError: The file can't be read, or is damaged.
    """
    file = path / HARDWARE
    try:
        with open_regular(file) as opened:
            return msgspec.json.decode(opened.read(MAX_BYTES), type=Hardware)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{file} is damaged ({fault_in_words(error)}); no result depends on it: take it out") from error


def write_hardware(path: Path, hardware: Hardware) -> None:
    """Write which hardware a job had into its folder.

    Raises:
        RunError: It can't be written.
    """
    with writing(path):
        write_atomically(path / HARDWARE, json.dumps(msgspec.to_builtins(hardware), indent=2) + "\n")
