"""Execute the notebooks in ``tutorials/`` and store what their cells show: ``python docs/make_tutorials.py [NAME …]``.

It needs nbclient, ipykernel and pandas (``pip install '.[test]'``). On one machine it writes the same bytes again: the
kernel works on one thread of the CPU, and times are taken out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

TUTORIALS = Path(__file__).parent / "tutorials"

PATIENCE = 600
"""Seconds that a cell may take; a lesson takes well under a minute where nothing else runs."""

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "EVOFOOL_TUNING": "off", "CUDA_VISIBLE_DEVICES": ""}
"""What makes the kernel compute the same again."""

CHANGING = (
    (re.compile(r" in \d+:\d\d(:\d\d)?"), ""),  # how long a job took
    (re.compile(r", \d+:\d\d(?=<| *$)", re.MULTILINE), ""),  # how long an audit took
    (re.compile(r"^ +speed .*\n", re.MULTILINE), ""),  # how many images a second a checkup saw
    (re.compile(r'<a href="[^"#:]*">([^<]*)</a>'), r"\1"),  # pages that only whoever ran the cell has
)
"""What is taken out of outputs, and what takes its place."""


def execute(notebook: Any, folder: Path) -> None:
    """Run the cells of a notebook in a kernel that works in a folder.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    client = NotebookClient(
        notebook, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=os.environ | ENVIRONMENT)


def settle(notebook: Any) -> None:
    """Take out of a notebook's outputs what changes with every run, and outputs that are empty."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if "".join(output.get("data", {"": "x"}).values())]
            for output in cell.outputs:
                for kind, content in output.get("data", {}).items():
                    output["data"][kind] = steady(content)


def steady(text: str) -> str:
    """Return an output's text without what changes with every run."""
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return text


def make(path: Path) -> None:
    """Execute a notebook in place."""
    notebook = nbformat.read(path, 4)
    with tempfile.TemporaryDirectory() as folder:
        execute(notebook, Path(folder))
    settle(notebook)
    notebook.metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for tutorial in sorted(TUTORIALS.glob("*.ipynb")):
        if not sys.argv[1:] or tutorial.name.startswith(tuple(sys.argv[1:])):
            make(tutorial)
            print(f"{tutorial.name}: {tutorial.stat().st_size / 1000:.0f} kB")
