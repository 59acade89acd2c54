"""What a job paid in queries: ``queries.log``, a line for every change."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import RunError
from ..io.files import open_regular, writing

LEDGER = "queries.log"
"""The file's name in a job's folder."""

_LINE = re.compile(rb"[+-]\d{1,18}")


class FolderLedger:
    """The ledger of a job's folder.

    A line is written before its queries are asked, so whatever ends the process, nothing that was paid is missing.

    Args:
        folder: The job's folder.

    Raises:
        RunError: The file can't be read, or holds what is no change.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._path, self.spent = folder, folder / LEDGER, 0
        try:
            with open_regular(self._path) as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f"cannot read {self._path}: {error.strerror or error}") from error
        for number, line in enumerate(lines, 1):
            if line and not _LINE.fullmatch(line):
                raise RunError(f"line {number} of {self._path} is damaged; take it out to go on")
            self.spent += int(line or 0)

    def reserve(self, queries: int) -> None:
        """Write down that queries are being paid."""
        self._append(queries)

    def release(self, queries: int) -> None:
        """Write down that queries which were reserved were not paid."""
        self._append(-queries)

    def _append(self, change: int) -> None:
        with writing(self._path.parent):
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, b"%+d\n" % change)
            finally:
                os.close(file)
        self.spent += change
