"""What the commands that work on jobs have in common: how they tell how far they are, and to whom."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ..config.observers import check_observers
from ..errors import ConfigError, suggestion
from .common import Json, Quiet

if TYPE_CHECKING:
    from ..console.console import Console
    from ..console.live import View


AUTO, JSON_LINES = "auto", "json"
"""How a command tells how far it is: in words for people, or in JSON lines for programs."""

Progress = Annotated[
    str,
    typer.Option(
        "--progress",
        metavar=f"<{AUTO}|{JSON_LINES}>",
        help="How far it is: auto, for people; or json, an object a line on standard output.",
    ),
]
Observe = Annotated[
    list[str] | None,
    typer.Option(
        "--observe",
        metavar="NAME[:PLACE]",
        help="Send figures to tensorboard[:FOLDER], mlflow[:URI] or wandb[:PROJECT]. May be repeated.",
        show_default=False,
    ),
]

OPTIONS: dict[str, tuple[Any, Any]] = {
    "observe": (Observe, None),
    "progress": (Progress, AUTO),
    "quiet": (Quiet, False),
    "as_json": (Json, False),
}
"""The options that every such command has, with their defaults."""


class Output:
    """Where a command's words go.

    Args:
        observe: Names of trackers.
        progress: How it tells how far it is, ``auto`` or ``json``.
        quiet: Whether it tells nothing but results and errors.
        as_json: Whether the result is a JSON object.

    Attributes:
        console: What prints.
        as_json: Whether a program reads standard output.

    Raises:
        ConfigError: A tracker is none, or there is no such way to tell.
    """

    def __init__(self, *, observe: list[str] | None, progress: str, quiet: bool, as_json: bool) -> None:
        from ..console.console import Console

        check_observers(observe or ())
        if progress not in (AUTO, JSON_LINES):
            hint = suggestion(progress, (AUTO, JSON_LINES))
            raise ConfigError(f'`progress` must be {AUTO} or {JSON_LINES}, got "{progress:.40}"{hint}')
        lines = progress == JSON_LINES
        self.console: Console = Console(quiet=quiet, to_stderr=as_json, events=lines)
        self.as_json, self._observe = as_json or lines, observe

    def without_job(self) -> None:
        """Take note that this command works on no job.

        Raises:
            ConfigError: Trackers are to follow one.
        """
        if self._observe:
            raise ConfigError("`observe` follows a job while it works, and nothing works here; leave it out")

    def watch(self, view: View) -> AbstractContextManager[Callable[[Any], object] | None]:
        """Show how far a job is while it works, and give what is called after every step."""
        return self.console.watch(view, self._observe)


def with_output(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options in place of its parameter ``output``, which becomes an :class:`Output`."""
    hints = get_type_hints(command, include_extras=True)
    parameters = list(inspect.signature(command).parameters.values())
    place = next(index for index, parameter in enumerate(parameters) if parameter.name == "output")
    own = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
        for name, (annotation, default) in OPTIONS.items()
    ]
    known = [parameter.replace(annotation=hints[parameter.name]) for parameter in parameters]

    @functools.wraps(command)
    def called(given: dict[str, Any], **values: Any) -> None:
        output = Output(**{name: values.pop(name) for name in OPTIONS})
        command(given, output=output, **values)

    called.__signature__ = inspect.Signature([*known[:place], *known[place + 1 :], *own])  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in [*known, *own]}
    return called
