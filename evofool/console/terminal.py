"""Where somebody watches, and where a live view can be drawn: on a terminal that is one itself."""

from __future__ import annotations

import os

from rich.console import Console

NOTEBOOK = "JPY_PARENT_PID"
"""Environment variable that Jupyter's kernels have. Their ``!`` commands inherit it, with a pseudo-terminal."""

NOTEBOOK_PLOTS = "module://"
"""How ``MPLBACKEND`` begins inside a kernel, which other ways to start one set as well."""


def can_draw(console: Console) -> bool:
    """Return whether what a console prints can be redrawn in place.

    Its stream has to be a terminal: ``FORCE_COLOR`` gives files and pipes colours, but no cursor. ``TERM=dumb`` has no
    cursor either, and a notebook keeps every frame that a ``!`` command draws.
    """
    return _is_terminal(console) and console.is_interactive and not console.is_dumb_terminal and not in_notebook()


def somebody_watches() -> bool:
    """Return whether what goes to standard error is seen at once: in a terminal, or in a notebook's cell."""
    console = Console(stderr=True)
    return console.is_jupyter or _is_terminal(console)


def in_notebook() -> bool:
    """Return whether this process is a notebook's kernel, or was started by one."""
    return NOTEBOOK in os.environ or os.environ.get("MPLBACKEND", "").startswith(NOTEBOOK_PLOTS)


def _is_terminal(console: Console) -> bool:
    """Return whether a console's stream is a terminal."""
    try:
        return console.file.isatty()
    except ValueError:  # The stream is closed.
        return False
