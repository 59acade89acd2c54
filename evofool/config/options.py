"""How options are declared: once, as the fields of a typed and frozen structure.

The command line's option, the keyword argument, what ``config.json`` records, ``--config``, the check of a file from a
stranger and the table in docs/OPTIONS.md all come from that declaration.

msgspec does the conversions: beside typer it takes 6 ms to import where pydantic takes 140, and ``evofool --help`` has
300 ms in all.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

import msgspec

from ..errors import ConfigError, suggestion
from ..text import cut
from .arguments import expanded, plain

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
    alias: str | None = None,
    default: str | None = None,
    identity: bool = False,
    shown: bool = True,
    path: bool = False,
    repeated: bool = False,
    reset_by: Iterable[str] = (),
) -> msgspec.Meta:
    """Declare an option: ``batch: Annotated[Positive | None, option("Children per generation.")] = None``.

    Args:
        help: What the option does, as a sentence.
        short: Its short form on the command line, such as ``-t``.
        alias: Another name that the command line takes for it, such as ``--class``.
        default: What the help says of the default, where that is not a plain value.
        identity: Whether another value makes another job, whose files are not this one's.
        shown: Whether the command line has it.
        path: Whether its value is a file or a folder.
        repeated: Whether it may stand on the command line several times; a single value stays one.
        reset_by: Options that, given beside ``--config``, put this one back to its default.
    """
    extra = {"short": short, "alias": alias, "default": default, "identity": identity, "shown": shown, "path": path}
    return msgspec.Meta(description=help, extra={**extra, "repeated": repeated, "reset_by": tuple(reset_by)})


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
        """Whether its value is a list. Text gives one with commas, unless a value may be text as well."""
        return any(get_origin(kind) is tuple for kind in self.kinds)

    def extra(self, name: str) -> Any:
        """One of the facts that :func:`option` was given."""
        return (self.meta.extra or {})[name]

    def taken(self, value: Any) -> Any:
        """Return a user's value as the option has it.

        Raises:
            ConfigError: It can't be that option's.
        """
        given = plain(value)
        if isinstance(given, list) and self.extra("repeated") and len(given) == 1:
            given = given[0]
        if isinstance(given, str) and self.extra("path"):
            given = expanded(given, self.name)
        elif isinstance(given, str) and self.several and str not in self.kinds:
            words = [word.strip() for word in given.split(",")]
            given = [word for word in words if word] if any(words) else [""]
        elif type(given) in (int, float) and self.several:
            given = [given]
        if isinstance(given, list) and self._numbers:
            given = [_number(item) for item in given]
        try:
            return msgspec.convert(given, self.type)
        except msgspec.ValidationError as error:
            got = f'"{given}"' if isinstance(given, str) else repr(given)
            raise ConfigError(f"`{self.name}` must be {self.expected()}, got {cut(got, 60)}") from error

    def expected(self) -> str:
        """What a value has to be, in words."""
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", dict: "settings by name"}
        words = []
        for kind, bounds in self._members():
            if get_origin(kind) is tuple:
                named = "names" + (" or indices" if int in get_args(get_args(kind)[0]) else "")
                words.append(f"one or more {'numbers' if self._numbers else named}")
            elif kind is not types.NoneType and not (kind is str and self.several):
                words.append(names[get_origin(kind) or kind] + _within(bounds))
        return " or ".join(words)

    @property
    def _numbers(self) -> bool:
        """Whether its value is a list of numbers."""
        return any(get_args(kind)[:1] == (float,) for kind in self.kinds)

    def _members(self) -> list[tuple[Any, msgspec.Meta | None]]:
        """Every type that a value may have, with its bounds."""
        union = get_origin(self.type) in (Union, types.UnionType)
        members = get_args(self.type) if union else (self.type,)
        return [
            (get_args(member)[0], get_args(member)[1]) if get_origin(member) is Annotated else (member, None)
            for member in members
        ]


def _number(item: Any) -> Any:
    """Return text that is a number, or a fraction such as ``8/255``, as a number."""
    if not isinstance(item, str):
        return item
    above, slash, below = item.partition("/")
    try:
        return float(above) / float(below) if slash else float(item)
    except (ValueError, ZeroDivisionError):
        return item


def _within(bounds: msgspec.Meta | None) -> str:
    """Bounds in words."""
    if bounds is None:
        return ""
    if bounds.gt is not None:
        return f" above {bounds.gt:,}" + (f" and at most {bounds.le:,}" if bounds.le is not None else "")
    if bounds.le is None or bounds.le == LARGEST - 1:
        return f" of at least {bounds.ge:,}"
    return f" from {bounds.ge:,} to {bounds.le:,}"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all declared options. A structure is valid once it exists.

    Values are taken as users have them: lists also as text with commas, numbers and arrays also as numpy's or torch's,
    paths also as ``Path``, with ``~`` for the home folder.

    Raises:
        ConfigError: A value can't be.
    """

    def __post_init__(self) -> None:
        for name, declaration in declarations(type(self)).items():
            given = getattr(self, name)
            taken = declaration.taken(given)
            if taken is not given:
                msgspec.structs.force_setattr(self, name, taken)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return options from what a user gave, by Python names.

        Raises:
            ConfigError: An option is unknown, or its value can't be.
        """
        declared = declarations(cls)
        for name in values:
            if name not in declared:
                raise ConfigError(f"there is no option `{str(name)[:40]}`{suggestion(str(name), declared)}")
        return cls(**values)

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
    """Return the declared options of a structure by name: its own in order, then those of its bases."""
    hints = get_type_hints(options, include_extras=True)
    declared_options = {}
    for field in sorted(msgspec.structs.fields(options), key=lambda field: field.name not in options.__annotations__):
        hint = hints[field.name]
        kind, *bounds, meta = get_args(hint)  # bounds of a plain type are folded into the declaration's own Annotated
        declared_options[field.name] = Declaration(
            field.name, Annotated[kind, *bounds] if bounds else kind, field.default, meta
        )
    return declared_options


def fault_in_words(error: object) -> str:
    """Return what a validation error says: where first, and without msgspec's backticks."""
    what, _, path = str(error).replace("`", "").partition(" - at $")
    return f"{path.lstrip('.')}: {what[:1].lower()}{what[1:]}" if path else what
