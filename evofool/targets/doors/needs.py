"""Checks of what a door needs before it can load a target, without importing it."""

from __future__ import annotations

import os
from importlib.util import find_spec

from ...errors import EvofoolError, TargetError


def need_file(name: str) -> None:
    """Check that a target's file is there.

    Raises:
        TargetError: It isn't.
    """
    path = os.path.expanduser(name)
    if not os.path.isfile(path):
        found = f"{path} is a folder" if os.path.isdir(path) else f"no file at {path}"
        raise TargetError(f"{found}; `target` must be a file, or a name that evofool targets lists")


def need_package(package: str, what: str, extra: str, error: type[EvofoolError] = TargetError) -> None:
    """Check that a package is installed.

    Args:
        package: The name that it is imported by.
        what: What needs it, in plural.
        extra: The extra of evofool that installs it.
        error: What is raised.

    Raises:
        TargetError: It isn't; or ``error``.
    """
    if find_spec(package) is None:
        raise error(f"{what} need {package}; install it with: pip install 'evofool[{extra}]'")
