"""Notes in a job's folder which hardware scores its images, where that is not all of one kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store.hardware import Hardware, read_hardware, write_hardware

if TYPE_CHECKING:
    from ..engines.base import Cluster, Engine


class HardwareNotes:
    """What a session notes of the hardware of its workers.

    Args:
        path: The job's folder.
        cluster: The engine whose workers score its images.

    Raises:
        RunError: What earlier sessions noted is damaged.
    """

    def __init__(self, path: Path, cluster: Cluster) -> None:
        self._path, self._cluster = path, cluster
        self._before = self._noted = read_hardware(path) or Hardware()

    def note(self) -> None:
        """Write which hardware there was, where it is of several kinds and no longer what is written."""
        facts = self._cluster.facts()
        hardware = self._before.joined(Hardware(facts.recorded_by, facts.searched_by))
        if hardware.mixed and hardware != self._noted:
            write_hardware(self._path, hardware)
            self._noted = hardware


def notes_of(path: Path | None, engine: Engine | None) -> HardwareNotes | None:
    """Return what notes the hardware of a job; None where it has no folder, or no workers."""
    from ..engines.base import Cluster  # It imports torch, as a session does anyway.

    return HardwareNotes(path, engine) if path and isinstance(engine, Cluster) else None


def hardware_facts(path: Path) -> dict[str, Any]:
    """Return what inspecting a job tells of its hardware: nothing where that was of one kind.

    Raises:
        RunError: What is noted is damaged.
    """
    hardware = read_hardware(path)
    return {"hardware": hardware.words} if hardware else {}
