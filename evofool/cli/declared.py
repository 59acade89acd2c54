"""Options of the command line, made from their declarations in ``evofool.config``."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from ..config.arguments import path_of
from ..config.options import LARGEST, Declaration, Options, declarations
from ..text import cut


def with_options(
    options: type[Options], only: Iterable[str] | None = None, *, defaults: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the declared options.

    The command is called with ``given``, a dictionary of the options that stand on the command line, then with its own
    parameters.

    Args:
        options: The structure that declares them.
        only: Names of some of them.
        defaults: Whether the help says what the defaults are.
    """
    declared = {name: declaration for name, declaration in declarations(options).items() if declaration.extra("shown")}
    chosen = [declared[name] for name in (declared if only is None else only)]
    switches = [declaration for declaration in chosen if declaration.kinds == (bool,)]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        _, *own = inspect.signature(command).parameters.values()

        def called(ctx: typer.Context, **values: Any) -> None:
            given = {
                declaration.name: values[declaration.name]
                for declaration in chosen
                if _was_given(ctx, declaration.name)
            }
            given |= {switch.name: False for switch in switches if _was_given(ctx, f"no_{switch.name}")}
            command(given, **{parameter.name: values[parameter.name] for parameter in own})

        first = [parameter for parameter in own if parameter.default is inspect.Parameter.empty]
        rest = [parameter for parameter in own if parameter not in first]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
        parameters += [parameter.replace(kind=keyword, annotation=hints[parameter.name]) for parameter in first]
        parameters += [_parameter(declaration, defaults) for declaration in chosen]
        parameters += [_switched_off(switch) for switch in switches]
        parameters += [parameter.replace(kind=keyword, annotation=hints[parameter.name]) for parameter in rest]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        return called

    return decorate


def whole_number(text: str) -> int:
    """Return a whole number that stands on the command line, as ``1000`` or ``1e3``.

    Raises:
        BadParameter: It is none.
    """
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError, OverflowError):
        if (number := float(text)).is_integer() and abs(number) < LARGEST:
            return int(number)
    raise typer.BadParameter(f'expected a whole number, got "{cut(text, 40)}"')


def real_number(text: str) -> float:
    """Return a number that stands on the command line, as ``0.03`` or ``8/255``.

    Raises:
        BadParameter: It is none.
    """
    above, slash, below = str(text).partition("/")  # typer gives it defaults, too
    with suppress(ValueError, ZeroDivisionError):
        return float(above) / float(below) if slash else float(text)
    raise typer.BadParameter(f'expected a number, got "{cut(text, 40)}"')


def with_home(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its paths with the home folder in place of ``~``, which shells leave in ``--out=~/a``."""

    @functools.wraps(command)
    def called(**values: Any) -> None:
        command(**{name: _at_home(value, name) for name, value in values.items()})

    return called


def as_options(message: str, known: Mapping[str, str]) -> str:
    """Return a library's message with the command line's names: `` `max_pixels` `` becomes ``--max-pixels``.

    Args:
        message: Parameters stand in backticks, with a value as `` `pixels=1` ``.
        known: The command line's options by Python name.
    """

    def replaced(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        flag = known.get(name)
        if flag is None or value == "True":
            return flag or match[0].strip("`")
        return flag if value is None else f"{flag} {value}"

    return re.sub(r"`([a-z][a-z0-9_]*)(?:=([^`]*))?`", replaced, message)


def _at_home(value: Any, name: str) -> Any:
    """Return a path or a list of paths with the home folder in place of ``~``; any other value as it is."""
    if isinstance(value, list):
        return [_at_home(item, name) for item in value]
    return path_of(value, name) if isinstance(value, Path) else value


def _was_given(ctx: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _parameter(declaration: Declaration, defaults: bool) -> inspect.Parameter:
    """A declared option as typer's parameter."""
    words, default = declaration.extra("default"), declaration.default
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    if declaration.extra("repeated"):
        words, default = words or default, None
    names = [name for name in (declaration.flag, declaration.extra("alias"), declaration.extra("short")) if name]
    plain = default is not None and default is not False
    text = declaration.help + (f" [default: {words}]" if words and defaults else "")
    kind = _type(declaration)
    shown = plain and defaults and not words
    parser = {int: whole_number, float: real_number}.get(kind)
    metavar = f"<{kind.__name__}>" if parser else "<str>" if declaration.extra("repeated") else None
    option = typer.Option(*names, help=text, show_default=shown, parser=parser, metavar=metavar)
    return inspect.Parameter(
        declaration.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind if plain or kind is bool else kind | None, option],
    )


def _switched_off(switch: Declaration) -> inspect.Parameter:
    """The option that takes back a switch of a ``--config`` file; the help doesn't show it."""
    option = typer.Option(f"--no-{switch.flag.removeprefix('--')}", hidden=True)
    return inspect.Parameter(
        f"no_{switch.name}", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option]
    )


def _type(declaration: Declaration) -> Any:
    """The type of an option's text on the command line."""
    if declaration.extra("repeated"):
        return list[str]
    if declaration.extra("path"):
        return Path
    kinds = declaration.kinds
    if declaration.several or str in kinds:
        return str
    return kinds[0]
