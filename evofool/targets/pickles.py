"""A look into a torch checkpoint before torch reads it: what is small on disk may be endless in memory.

torch's restricted unpickler runs no code, but a few bytes can make it allocate gigabytes, or walk a tuple of two tuples
of two tuples … for years. This module reads the opcodes and carries none of them out.
"""

from __future__ import annotations

import os
import pickletools
import zipfile
from pathlib import Path
from typing import BinaryIO

MAX_OBJECTS = 100_000
"""Largest number of objects in a value of a pickle without opcodes. An object counts each time that it is referred
to."""

MAX_OBJECTS_PER_OPCODE = 10
"""Number of objects that every opcode before adds to ``MAX_OBJECTS``."""

PICKLES = 5
"""Number of pickles in a checkpoint that a torch before 1.6 wrote; they stand one after the other."""

_SWELLING = {"bytearray", "encode"}
"""Last words of names that torch lets a pickle call, and that state dicts don't need."""


def fault(path: Path) -> str | None:
    """Return why a checkpoint should not be read, or None.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: It is damaged.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            file.seek(0)
            return next(filter(None, (_swells(file) for _ in range(PICKLES))), None)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            infos, size = archive.infolist(), os.fstat(file.fileno()).st_size
            if (unpacked := sum(info.file_size for info in infos)) > size:
                return f"its {size:,} bytes would unpack to {unpacked:,}; torch itself packs nothing"
            for info in infos:
                if info.filename.lower().endswith("data.pkl"):
                    with archive.open(info) as stream:
                        if reason := _swells(stream):  # type: ignore[arg-type]
                            return reason
    return None


def _swells(stream: BinaryIO) -> str | None:
    """Return what a pickle does that would cost more than it looks, or None."""
    stack: list[int | None] = []  # objects in each value, counted each time they are referred to; None is a mark
    memo: dict[int, int] = {}
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        name = opcode.name
        if name in ("GLOBAL", "INST") and str(argument).split()[-1] in _SWELLING:
            return f"it calls {argument}"
        if name.endswith("PUT") or name == "MEMOIZE":
            memo[len(memo) if argument is None else int(argument)] = (stack[-1] if stack else None) or 1
            continue
        objects = memo.get(int(argument or 0), 1) if name.endswith("GET") else 1
        for kind in reversed(opcode.stack_before):
            if kind is pickletools.stackslice:
                while stack and (inner := stack.pop()) is not None:
                    objects += inner
            elif kind is not pickletools.markobject and stack:
                objects += stack.pop() or 0
        if objects > MAX_OBJECTS + MAX_OBJECTS_PER_OPCODE * number:
            return "it refers to the same objects again and again"
        stack += [None if kind is pickletools.markobject else objects for kind in opcode.stack_after]
    return None
