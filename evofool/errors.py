"""The errors that evofool raises on purpose: one family, which the command line catches.

The command line prints the message in one line and exits with code 2.

EvofoolError
├── ConfigError       an option is missing, malformed or contradicts another
├── TargetError       a target is unknown, cannot be built, or returns what it must not
│   └── WeightsError  a weights file is missing, damaged, unsafe or of another network
├── OperatorError     an operator that a user swapped fails, or returns what it must not
├── GenomeError       a genome file or batch is not what its encoding expects
├── ImageError        an image file cannot be read or used
├── OutOfQueries     a job's budget of queries is spent; it goes on with a larger one
└── RunError          a run folder is missing, taken, unwritable, damaged or of another version

Every message says what was expected, what was found and what to do. A parameter stands in backticks by its Python
name, with a value where one is recommended: `pixels`, `pixels=1`. The command line turns these into its own options.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class EvofoolError(Exception):
    """Base of all errors that evofool raises on purpose.

    Args:
        message: What is wrong. It becomes one line, whatever it quotes of files and names.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(" ".join(line.strip() for line in message.splitlines()))


class ConfigError(EvofoolError):
    """An option is missing, malformed or contradicts another."""


class TargetError(EvofoolError):
    """A target is unknown, cannot be built, or returns what it must not."""


class WeightsError(TargetError):
    """A weights file is missing, damaged, unsafe or belongs to another network."""


class OperatorError(EvofoolError):
    """An operator that a user swapped fails, or returns what it must not."""


class GenomeError(EvofoolError):
    """A genome file or batch is not what its encoding expects."""


class ImageError(EvofoolError):
    """An image file cannot be read or used."""


class OutOfQueries(EvofoolError):
    """A job's budget of queries is spent. The job goes on with a larger one."""


class RunError(EvofoolError):
    """A run folder is missing, taken, unwritable, damaged or of another version."""


def parse_names(names: object, parameter: str, choices: Iterable[str]) -> tuple[str, ...]:
    """Return the names in ``"one,another"`` or in a list of names.

    Raises:
        ConfigError: It is neither of these, or there is no name.
    """
    listed = names.split(",") if isinstance(names, str) else names
    if not isinstance(listed, list | tuple) or not listed or not all(isinstance(name, str) for name in listed):
        raise ConfigError(f"`{parameter}` takes one or more of {', '.join(choices)}, got {names!r:.60}")
    return tuple(name.strip() for name in listed)


def in_words(error: BaseException) -> str:
    """Return the first line of an exception's text, after its type's name where the text alone may say too little.

    >>> in_words(KeyError("conv1")), in_words(ValueError("no such layer"))
    ("KeyError: 'conv1'", 'no such layer')
    """
    line, kind = next((line.strip() for line in str(error).splitlines() if line.strip()), ""), type(error)
    if not line:
        return kind.__name__
    own = kind.__module__.partition(".")[0] == __name__.partition(".")[0]
    tells_enough = own or kind in (ValueError, RuntimeError) or isinstance(error, OSError)
    return line if tells_enough else f"{kind.__name__}: {line}"


def suggestion(word: str, choices: Iterable[str], shown: Mapping[str, str] | None = None) -> str:
    """Return ``' (did you mean "cat"?)'`` for the closest of ``choices``, or an empty string.

    Args:
        word: What was given.
        choices: What could have been.
        shown: What a choice is called in the answer, where that isn't itself.
    """
    options = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), options, n=3, cutoff=0.6)
    if not close:
        return ""
    return (
        " (did you mean " + " or ".join(f'"{(shown or {}).get(options[name], options[name])}"' for name in close) + "?)"
    )
