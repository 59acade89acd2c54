"""Cells that run in a real kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from scripts import REASON

pytest.importorskip("ipykernel", reason=REASON)
nbclient = pytest.importorskip("nbclient", reason=REASON)
nbformat = pytest.importorskip("nbformat", reason=REASON)

PATIENCE = 300
"""Seconds that a cell may take where the machine is busy."""


def run_cells(sources: Sequence[str], folder: Path, interrupted: Mapping[int, str]) -> list[Any]:
    """Return cells that ran one after the other, in a kernel of the Python that the tests run in.

    Args:
        sources: Their source.
        folder: Where the kernel works.
        interrupted: At which cells the kernel is interrupted, with what such a cell has shown before.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    found = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3", resources=found)

    async def run() -> None:
        async with client.async_setup_kernel():
            for number, cell in enumerate(notebook.cells):
                task = asyncio.ensure_future(client.async_execute_cell(cell, number))
                while number in interrupted and not task.done():
                    await asyncio.sleep(0.05)
                    if interrupted[number] in str(cell.outputs):
                        await client.km.interrupt_kernel()
                        break
                await task

    with ThreadPoolExecutor(1) as apart:  # a browser that other tests opened leaves a running loop in this thread
        apart.submit(lambda: asyncio.run(run())).result()
    return list(notebook.cells)
