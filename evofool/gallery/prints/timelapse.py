"""Time-lapses: how a run's elites came about, as an animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigError, RunError
from ...io.files import write_atomically
from ...store.run import RunFolder
from ..elite_lines import lines_of_classes, surest_per_class
from .animation import animation_writer
from .film import Film

MAX_CLASSES = 20
"""Largest number of classes that are shown where none is named."""

MAX_PIXELS = 400_000_000
"""Largest number of pixels of all frames together."""

LAST_FRAME_SECONDS = 2.0
"""Seconds for which the last frame stays."""

MIN_FRAME_SECONDS = 0.02
"""Shortest duration of a frame, in seconds; viewers show shorter ones as a tenth."""

SIZES, FRAMES, SECONDS = (16, 1024), (2, 600), (0.1, 600)
"""Smallest and largest longer side of a picture in pixels, number of frames, and duration."""


@dataclass(frozen=True)
class Timelapse:
    """An animation that was written.

    Attributes:
        frames: Number of its frames.
        missing: Letters of its title and names that no font has, so that something else stands there.
    """

    frames: int
    missing: str


def write_timelapse(
    run: Path, out: Path, *, classes: str | None = None, size: int = 256, frames: int = 60, seconds: float = 8.0
) -> Timelapse:
    """Write an animation of a run: the surest elite of each class, from the first generation to the last.

    Its moments are geometrically spaced, since early progress is fast. CPPNs are rendered anew at ``size``, direct
    genomes are scaled with hard edges. Where the history no longer has a genome, the nearest earlier picture of its
    class is shown; confidences are always those of the moment.

    Args:
        run: The run's folder.
        out: The GIF or WebP file.
        classes: Names or indices, as ``"cat,dog,8"``. None shows all classes or, of more than 20, the 20 that are
            surest at the run's end, which the picture's second line says.
        size: Longer side of a picture in pixels, 16 to 1024.
        frames: Number of frames, 2 to 600; fewer where the run has fewer generations.
        seconds: Duration from the first frame to the last, 0.1 to 600; the last one stays for 2 s more. No frame is
            shorter than 0.02 s.

    Returns:
        The number of frames, and the letters that no font has.

    Raises:
        ConfigError: An option won't do, or a class is none of the run's.
        RunError: No run is there, it has no history, is damaged, or the file can't be written.
    """
    write = animation_writer(out)
    _check("size", size, SIZES)
    _check("frames", frames, FRAMES)
    _check("seconds", seconds, SECONDS)
    folder = RunFolder.open(run)
    elites, changes = surest_per_class(folder.elites()), folder.history.changes()
    if not len(changes) or not elites:
        raise RunError(f"{run} has no history, which a time-lapse shows; evolve anew for one")
    film = Film(folder, changes, shown_elites(elites, classes), total=len(elites), size=size, frames=frames)
    count, pixels = film.n_frames, film.width * film.height
    if count * pixels > MAX_PIXELS:
        raise ConfigError(
            f"{count} frames of {film.width}x{film.height} are {count * pixels:,} pixels, at most {MAX_PIXELS:,} "
            "are written; lower `size` or `frames`, or name fewer `classes`"
        )
    frame_seconds = max(MIN_FRAME_SECONDS, seconds / count)
    durations = [round(1000 * frame_seconds)] * (count - 1) + [round(1000 * LAST_FRAME_SECONDS)]
    try:
        write_atomically(out, lambda file: write(film, file, durations))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another `out`") from error
    return Timelapse(count, film.missing)


def shown_elites(elites: Sequence[dict[str, Any]], classes: str | None) -> list[dict[str, Any]]:
    """Return the lines of the classes that are asked for, or else of the surest ones, by class index."""
    ordered = sorted(elites, key=lambda elite: int(elite["index"]))
    if classes is None:
        surest = sorted(ordered, key=lambda elite: -float(elite["score"]))[:MAX_CLASSES]
        return [elite for elite in ordered if elite in surest]
    return lines_of_classes(ordered, classes)


def _check(name: str, value: float, bounds: tuple[float, float]) -> None:
    """Raise ConfigError where an option's value is out of its bounds."""
    if not bounds[0] <= value <= bounds[1]:
        raise ConfigError(f"`{name}` must be {bounds[0]:g} to {bounds[1]:g}, got {value:g}")
