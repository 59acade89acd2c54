"""How options are declared: once, as the fields of a typed and frozen structure.

The command line's option, the keyword argument, what ``config.json`` records, ``--config``, the check of a file from a
stranger and the table in docs/OPTIONS.md all come from that declaration.

msgspec does the conversions: beside typer it takes 6 ms to import where pydantic takes 140, and ``evofool --help`` has
300 ms in all.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

import msgspec

from ..errors import ConfigError, suggestion

LARGEST = 2**62
"""Whole numbers of a job are smaller than this."""

Natural = Annotated[int, msgspec.Meta(ge=0, le=LARGEST - 1)]
"""A whole number from 0."""

Positive = Annotated[int, msgspec.Meta(ge=1, le=LARGEST - 1)]
"""A whole number from 1."""


def option(
    help: str,  # noqa: A002
    *,
    short: str | None = None,
    default: str | None = None,
    identity: bool = False,
    shown: bool = True,
    path: bool = False,
    reset_by: Iterable[str] = (),
) -> msgspec.Meta:
    """Declare an option: ``batch: Annotated[Positive | None, option("Children per generation.")] = None``.

    Args:
        help: What the option does, as a sentence.
        short: Its short form on the command line, such as ``-t``.
        default: What the help says of the default, where that is not a plain value.
        identity: Whether another value makes another job, whose files are not this one's.
        shown: Whether the command line has it.
        path: Whether its value is a file or a folder.
        reset_by: Options that, given beside ``--config``, put this one back to its default.
    """
    extra = {"short": short, "default": default, "identity": identity, "shown": shown, "path": path}
    return msgspec.Meta(description=help, extra={**extra, "reset_by": tuple(reset_by)})


@dataclass(frozen=True)
class Declaration:
    """One declared option.

    Attributes:
        name: Its Python name.
        type: Its Python type, without the declaration.
        default: Its default value.
        meta: What :func:`option` made.
    """

    name: str
    type: Any
    default: Any
    meta: msgspec.Meta

    @property
    def help(self) -> str:
        """What the option does."""
        return self.meta.description or ""

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that a value may have, bounds and None aside."""
        return tuple(kind for kind, _ in self._members() if kind is not types.NoneType)

    @property
    def several(self) -> bool:
        """Whether its value is a list, which text may give with commas."""
        return any(get_origin(kind) is tuple for kind in self.kinds)

    def extra(self, name: str) -> Any:
        """One of the facts that :func:`option` was given."""
        return (self.meta.extra or {})[name]

    def expected(self) -> str:
        """What a value has to be, in words."""
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", dict: "settings by name"}
        words = []
        for kind, bounds in self._members():
            if kind is not types.NoneType:
                words.append(names.get(get_origin(kind) or kind, "one or more names") + _within(bounds))
        return " or ".join(dict.fromkeys(words))

    def _members(self) -> list[tuple[Any, msgspec.Meta | None]]:
        """Every type that a value may have, with its bounds."""
        union = get_origin(self.type) in (Union, types.UnionType)
        members = get_args(self.type) if union else (self.type,)
        return [
            (get_args(member)[0], get_args(member)[1]) if get_origin(member) is Annotated else (member, None)
            for member in members
        ]


def _within(bounds: msgspec.Meta | None) -> str:
    """Bounds in words."""
    if bounds is None:
        return ""
    if bounds.gt is not None:
        return f" above {bounds.gt:,}" + (f" and at most {bounds.le:,}" if bounds.le is not None else "")
    if bounds.le == LARGEST - 1:
        return f" of at least {bounds.ge:,}"
    return f" from {bounds.ge:,} to {bounds.le:,}"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all declared options. A structure is valid once it exists."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Check what a user gave, by Python names.

        Lists may be given as text with commas, paths as ``Path``, numbers as numpy's.

        Raises:
            ConfigError: An option is unknown, or its value can't be.
        """
        declared = declarations(cls)
        for name in values:
            if name not in declared:
                raise ConfigError(f"there is no option `{str(name)[:40]}`{suggestion(str(name), declared)}")
        plain = {name: _plain(value, declared[name]) for name, value in values.items()}
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            name = fault_of(error)
            if name not in declared:
                raise ConfigError(str(error)) from error
            got = repr(values[name]) if not isinstance(values[name], str) else f'"{values[name]}"'
            raise ConfigError(f"`{name}` must be {declared[name].expected()}, got {got[:60]}") from error

    @classmethod
    def given_beside(cls, recorded: Self, changes: Mapping[str, Any]) -> Self:
        """Return recorded options with some changed: what belongs to a changed option goes back to its default.

        Raises:
            ConfigError: As :meth:`of`.
        """
        kept = {
            name: getattr(recorded, name)
            for name, declaration in declarations(cls).items()
            if not changes.keys() & set(declaration.extra("reset_by"))
        }
        return cls.of({**kept, **changes})

    def identity(self) -> dict[str, Any]:
        """Return the options that make a job another one, as plain JSON values."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return {name: values[name] for name, one in declarations(type(self)).items() if one.extra("identity")}


@cache
def declarations(options: type[Options]) -> dict[str, Declaration]:
    """Return the declared options of a structure, in order, by name."""
    hints = get_type_hints(options, include_extras=True)
    declared_options = {}
    for field in msgspec.structs.fields(options):
        hint = hints[field.name]
        kind, *bounds, meta = get_args(hint)  # bounds of a plain type are folded into the declaration's own Annotated
        declared_options[field.name] = Declaration(
            field.name, Annotated[kind, *bounds] if bounds else kind, field.default, meta
        )
    return declared_options


def fault_of(error: msgspec.ValidationError) -> str:
    """Return the name of the field that a validation error is about, or an empty string."""
    path = re.search(r"at `\$\.([a-z0-9_]+)", str(error))
    return path[1] if path else ""


def fault_in_words(error: object) -> str:
    """Return what a validation error says: where first, and without msgspec's backticks."""
    what, _, path = str(error).replace("`", "").partition(" - at $")
    return f"{path.lstrip('.')}: {what[:1].lower()}{what[1:]}" if path else what


def _plain(value: Any, declaration: Declaration) -> Any:
    """A user's value as plain Python."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        value = value.tolist()
    if declaration.several:
        if isinstance(value, str):
            words = [word.strip() for word in value.split(",")]
            return [word for word in words if word] if any(words) else [""]
        if isinstance(value, int) and not isinstance(value, bool):
            return [value]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return [item.item() if hasattr(item, "item") else item for item in value]
    return value
