"""Tables of what results hold, for pandas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, suggestion
from ..gallery.pages.experiment_page import PLOTS
from ..gallery.prints.figure import Figure
from ..targets.doors.needs import need_package

Rows = Iterable[Mapping[str, Any]]
Columns = Mapping[str, Any]
Table = Callable[[], Rows | Columns]


def data_frame(tables: Mapping[str, Table], name: str | None) -> Any:
    """Return one of a result's tables as a ``pandas.DataFrame``; its columns are called as in the folder's files.

    Args:
        tables: What gives the rows of each table, or its columns, by the table's name.
        name: The table's name; None is the first.

    Raises:
        ConfigError: There is no such table, or pandas is missing.
    """
    chosen = next(iter(tables)) if name is None else name
    if chosen not in tables:
        raise ConfigError(f'no table "{chosen:.40}"{suggestion(chosen, tables)}; there are {", ".join(tables)}')
    need_package("pandas", "tables", "pandas", ConfigError)
    import pandas

    content = tables[chosen]()
    return pandas.DataFrame(content if isinstance(content, Mapping) else list(content))


def written_figure(job: Path, name: str | None) -> Figure:
    """Return one of the figures that a job wrote beside its page.

    Args:
        job: The job's folder.
        name: The figure's name; None is the first by name.

    Raises:
        ConfigError: There is no such figure, or none at all.
    """
    names = sorted(file.stem for file in (job / PLOTS).glob("*.svg"))
    if not names:
        raise ConfigError(f"{job} has no figures; they are written when a job ends")
    chosen = chosen_figure(job, names, name)
    return Figure(chosen, (job / PLOTS / f"{chosen}.svg").read_text(encoding="utf-8"))


def chosen_figure(job: object, names: Sequence[str], name: str | None) -> str:
    """Return which of its figures is asked of a job.

    Args:
        job: The job, for messages.
        names: Its figures.
        name: What was asked for; None is the first.

    Raises:
        ConfigError: There is no such figure.
    """
    chosen = names[0] if name is None else name
    if chosen not in names:
        raise ConfigError(f'{job} has no figure "{chosen:.40}"{suggestion(chosen, names)}; it has {", ".join(names)}')
    return chosen
