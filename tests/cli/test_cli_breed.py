"""``evofool breed``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runs import Capture, run_cli

import evofool

PROGRAM = """
import json, sys
import evofool
evofool.breed("digits", "page.html", init="mnist-cppn#7", seed=3)
print(json.dumps([name for name in ("torch", "torchvision", "numba", "sklearn") if name in sys.modules]))
"""


def test_the_command_writes_the_page_that_the_function_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_cli(capsys, "breed", "--target", "digits", "--init", "mnist-cppn#7", "--seed", 3)
    assert (done.code, done.out + done.err) == (0, "breed: breed.html\n")
    page = evofool.breed("digits", tmp_path / "other.html", init="mnist-cppn#7", seed=3)
    assert page.read_bytes() == (tmp_path / "breed.html").read_bytes()


def test_the_page_is_opened_where_one_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    run_cli(capsys, "breed", "--target", "digits", "--out", tmp_path / "page.html", "--open", "--quiet")
    assert opened == [(tmp_path / "page.html").as_uri()]


def test_the_page_is_written_without_torch(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert json.loads(done.stdout) == []
    assert (tmp_path / "page.html").stat().st_size > 200_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "torchvision:vgg16"), "bred for --target cifar10, mnist, mnist:logistic, digits"),
        (("--seed", "x"), "expected a whole number"),
        (("--out", "page.txt"), "--out must name an .html file"),
    ],
)
def test_wrong_words_are_one_line_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_cli(capsys, "breed", *words)
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
