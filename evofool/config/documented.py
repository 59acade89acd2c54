"""Functions whose keyword arguments are declared options."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from .options import Declaration, Options, declarations

F = TypeVar("F", bound=Callable[..., Any])


def documented(options: type[Options]) -> Callable[[F], F]:
    """Give a function that takes ``**options`` the signature and the documentation of the declared options.

    ``help(function)`` and completion then show every option. Those that the function names itself stay as they are.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        named = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        names = {parameter.name for parameter in named}
        added = [declaration for name, declaration in declarations(options).items() if name not in names]
        keywords = [
            inspect.Parameter(
                declaration.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=declaration.default,
                annotation=declaration.type,
            )
            for declaration in added
        ]
        function.__signature__ = signature.replace(parameters=[*named, *keywords])  # type: ignore[attr-defined]
        described = "\n".join(f"        {declaration.name}: {_described(declaration)}" for declaration in added)
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nOptions:\n{inspect.cleandoc(described)}\n"
        return function

    return decorate


def markdown(options: type[Options]) -> str:
    """Return the declared options as Markdown: one paragraph each."""
    paragraphs = []
    for declaration in declarations(options).values():
        flags = [
            f"`{flag}`"
            for flag in (declaration.flag, declaration.extra("alias"), declaration.extra("short"))
            if flag and declaration.extra("shown")
        ]
        names = ", ".join([*flags, f"Python: `{declaration.name}`"])
        paragraphs.append(f"**{names}**\n" + textwrap.fill(_described(declaration), 118))
    return "\n\n".join(paragraphs) + "\n"


def _described(declaration: Declaration) -> str:
    default = _default(declaration)
    return declaration.help + (f" Default: {default}." if default else "")


def _default(declaration: Declaration) -> str:
    """The default in words; empty where there is none."""
    words: str | None = declaration.extra("default")
    if words is not None:
        return words
    default = declaration.default
    if default is None or default is False:
        return ""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
