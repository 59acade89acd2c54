"""Commands of the README and the docs are run, with budgets that are cut to seconds, one after the other in one folder.

Left out is what needs something that a test has not: see ``LEFT_OUT``. ``tests/targets/test_documented_doors.py`` runs
those of classifiers in files, and ``tests/sweeps/test_documented_sweeps.py`` a documented sweep to its end.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from test_cli_documented import COMMANDS
from typer.testing import CliRunner

from evofool.cli.app import app

LEFT_OUT = {
    r"torchvision:|timm:|hf:|https?:|imagenet|model\.pt2": "needs weights that are downloaded",
    r"--engine ray|--address|--workers": "needs a cluster; tests/engines/on_ray has one",
    r"--observe (mlflow|wandb)": "needs a tracker that is no part of the tests",
    r"\b[A-Z][A-Z_]{2,}\b|…|\bmine\b|\bmy[-_]|photo|pets|network\.|screenshots|BEFORE": "needs the reader's own files",
    r"seed1|caffe|resnet20-|resnet32|resume run |resume audit|hardened": "needs what takes an earlier command minutes",
    r"lab (harden|features)|zoo train": "trains networks; their own tests train tiny ones",
    r"--tune|--profile": "measures this machine for half a minute",
    r"--target mnist.*lab|lab.* mnist|--data mnist": "needs MNIST's images; the lab's tests have those of digits",
}
"""Patterns of commands that are not run, and why."""

SMALL = {
    "evolve": "--evaluations 60 --batch 20",
    "attack": "--count 2 --queries 20",
    "audit": "--budget 400",
    "breed": "",
    "sweep": "--dry-run",
    "resume": "--evaluations 80",
    "lab ascend": "--steps 2",
    "lab perturb": "--count 2 --steps 2 --searches 1 --iterations 2",
    "lab probe": "--count 5 --samples 2 --searches 1 --iterations 2 --queries 10 --evaluations 40 --directions 1",
    "lab transfer": "--count 2 --runs 1 --evaluations 40 --queries 10",
    "lab occlude": "--count 1",
    "lab ablate": "--count 1",
    "lab detect": "--count 20 --runs 1 --evaluations 40 --queries 10",
}
"""What is added to a command, by its first words."""

EARLIER = (
    "evolve --target cifar10 --out outputs/cifar10-cppn-001",
    "evolve --target mnist --out outputs/mnist-cppn-001",
    "evolve --target digits --out outputs/squeezenet",
    "attack --out outputs/attack-digits-001",
    "attack --seed 1 --out outputs/attack-digits-002",
    "evolve --target cifar10 --seeds 0-1 --out outputs/cifar10-cppn-sweep-001",
    "audit --target digits --out outputs/audit-digits-001",
    "audit --target digits --seed 1 --out outputs/audit-digits-002",
    "lab ablate --out outputs/ablate-cifar10-cppn-001",
    "sweep encodings.toml --out outputs/encodings-001",
)
"""What the reader is supposed to have run before."""

RULE_BROKEN = 3
"""The exit code of an audit that breaks a rule."""

SWEEP = 'target = "digits"\nevaluations = 40\nbatch = 20\nseeds = [0]\n[grid]\nencoding = ["cppn", "direct"]\n'


def why_left_out(command: str) -> str | None:
    return next((why for pattern, why in LEFT_OUT.items() if re.search(pattern, command)), None)


RUN = [command for command in COMMANDS if why_left_out(command) is None]


def given(words: list[str]) -> list[str]:
    """Return a command's words with a small budget, and nothing opened in a browser."""
    first = next((name for name in SMALL if words[: name.count(" ") + 1] == name.split()), "")
    done = first == "audit" and ("--compare" in words or not words[1].startswith("-"))
    whole = done or (first == "resume" and "--evaluations" not in words)
    small = "" if whole else SMALL.get(first, "")
    return [word for word in words if word != "--open"] + small.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """A folder in which earlier commands left what later ones name."""
    where = tmp_path_factory.mktemp("documented")
    (where / "encodings.toml").write_text(SWEEP)
    (where / "data").symlink_to(shared / "data")
    before = Path.cwd()
    os.chdir(where)
    try:
        for command in EARLIER:
            words = shlex.split(command)
            result = CliRunner().invoke(app, words if words[0] == "sweep" else given(words))
            assert result.exit_code == 0, f"{command}: {result.output}"
    finally:
        os.chdir(before)
    return where


@pytest.mark.parametrize("command", RUN)
def test_a_documented_command_does_what_it_says(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = given(shlex.split(command.rstrip(" &"))[1:])
    result = CliRunner().invoke(app, words)
    ends = (0, RULE_BROKEN) if "--fail-on" in words else (0,)
    assert result.exit_code in ends, result.output


def test_most_commands_that_need_nothing_of_the_reader_s_are_run() -> None:
    assert len(RUN) > 50
