"""Operators that a user swapped, when a job goes on or is made again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..engines.toolbox import Hook
from ..errors import RunError
from ..text import operators_text


def check_hook(path: Path, recorded: Mapping[str, str], hook: Hook | None) -> None:
    """Check that a job is given a hook where it was made with one.

    Args:
        path: The job's folder.
        recorded: What its config says of swapped operators.
        hook: What was given.

    Raises:
        RunError: It is missing, or there should be none.
    """
    if recorded and hook is None:
        raise RunError(
            f"{path} was made with operators of your own, {operators_text(recorded)}; give the function that swaps "
            "them, in Python: evofool.resume(…, toolbox=…)"
        )
    if hook is not None and not recorded:
        raise RunError(f"{path} was made without operators of your own; leave `toolbox` out")


def check_same(path: Path, recorded: Mapping[str, str], swapped: Mapping[str, str]) -> None:
    """Check that a hook swaps what a job's config says.

    Raises:
        RunError: It swaps other operators.
    """
    if recorded != swapped:
        raise RunError(
            f"{path} was made with operators of your own, {operators_text(recorded)}, and `toolbox` swaps "
            f"{operators_text(swapped)}; give the same"
        )
