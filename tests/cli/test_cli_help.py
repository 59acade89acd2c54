"""Help, the version, and what the command line imports before there is work to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from runs import Capture, CommandResult, run_cli, succeed

from evofool.cli.app import app
from evofool.config.ascend import AscendOptions
from evofool.config.attack import AttackOptions
from evofool.config.audit import AuditOptions
from evofool.config.detect import DetectOptions
from evofool.config.evolve import EvolveOptions
from evofool.config.features import FeaturesOptions
from evofool.config.harden import HardenOptions
from evofool.config.options import Options, declarations
from evofool.config.perturb import PerturbOptions
from evofool.config.transfer import TransferOptions
from evofool.version import __version__


def test_version(capsys: Capture) -> None:
    assert run_cli(capsys, "--version") == CommandResult(0, f"evofool {__version__}\n", "")


def test_a_command_of_another_name_is_pointed_to_the_right_one(capsys: Capture) -> None:
    assert run_cli(capsys, "compare", "a", "b").err == (
        "error: No such command 'compare'; use evofool report for campaigns, evofool gallery for runs, "
        "evofool audit --compare for audits; see: evofool --help\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["sweep", "--engine", "ray", "a.toml"],
            "evofool sweep has no --engine: options of its runs stand in the FILE, as engine = …",
        ),
        (
            ["attack", "--encoding", "cppn"],
            "evofool attack has no --encoding; commands that have it: evofool evolve, evofool lab probe; "
            "see: evofool attack --help",
        ),
        (["evolve", "--engne", "ray"], "No such option: --engne (Possible options: --engine, --range, --seed)"),
        (["lab", "pgd"], "No such command 'pgd'; see: evofool lab --help"),
    ],
    ids=["sweep", "attack", "unknown", "lab"],
)
def test_an_option_that_another_command_has_is_pointed_there(words: list[str], told: str, capsys: Capture) -> None:
    assert run_cli(capsys, *words) == CommandResult(2, "", f"error: {told}\n")


COMMANDS = [
    "evolve", "attack", "audit", "resume", "report", "gallery", "timelapse", "poster", "inspect", "targets", "score",
    "render", "lab perturb", "lab ascend", "lab", "zoo", "zoo train",
]  # fmt: skip


def test_no_arguments_show_the_help_and_no_error(capsys: Capture) -> None:
    outcome = run_cli(capsys)
    assert outcome.err == ""
    for command in COMMANDS:
        assert " " in command or f"\n  {command} " in outcome.out


@pytest.mark.parametrize("words", [[], ["zoo"], ["lab"]], ids=["evofool", "zoo", "lab"])
def test_the_list_of_commands_says_of_each_what_it_does_in_one_whole_line(words: list[str], capsys: Capture) -> None:
    shown = succeed(capsys, *words, "--help").out.partition("Commands:\n")[2].splitlines()
    assert shown
    for line in shown:
        assert re.fullmatch(r"  [a-z]+ +[A-Z].*[^.]\.", line), line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: Capture) -> None:
    outcome = succeed(capsys, *command.split(), "--help")
    assert re.search(rf"Usage: .*evofool {command} ", outcome.out)
    assert "`" not in outcome.out


def test_class_and_classes_are_the_same_in_every_command() -> None:
    commands: Any = typer.main.get_command(app)
    flags = {
        name: [set(parameter.opts) & {"--class", "--classes"} for parameter in command.params]
        for name, command in commands.commands.items()
        if hasattr(command, "params")
    }
    having = {name: [pair for pair in pairs if pair] for name, pairs in flags.items()}
    assert {"evolve", "gallery", "timelapse"} <= {name for name, pairs in having.items() if pairs}
    known = {"--class", "--classes"}, {"--from", "--images"}
    assert all(pair in known for pairs in having.values() for pair in pairs)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("evolve", EvolveOptions),
        ("attack", AttackOptions),
        ("audit", AuditOptions),
        ("lab perturb", PerturbOptions),
        ("lab ascend", AscendOptions),
        ("lab transfer", TransferOptions),
        ("lab features", FeaturesOptions),
        ("lab detect", DetectOptions),
        ("lab harden", HardenOptions),
    ],
)
def test_the_help_shows_every_declared_option_with_its_default(
    command: str, options: type[Options], capsys: Capture
) -> None:
    shown = "".join(succeed(capsys, *command.split(), "--help").out.split())  # Lines break at hyphens too.
    for declaration in declarations(options).values():
        words, default = declaration.help, declaration.extra("default")
        text = words + (f" [default: {default}]" if default else "")
        assert ("".join(text.split()) in shown) == declaration.extra("shown"), declaration.flag
        flag = ",".join(filter(None, (declaration.flag, declaration.extra("alias"))))
        assert (f"{flag}<" in shown or f"{declaration.flag}{words[:5].strip()}" in shown) == (
            declaration.extra("shown")
        )


def modules_after(code: str, *arguments: str) -> tuple[set[str], str, float]:
    """Run code in an interpreter of its own; return the packages that are imported at its end, its output, and the
    seconds of processor time that it took."""
    code = f"""
import resource, sys
sys.argv = ['evofool', *sys.argv[1:]]
try:
    {code}
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, *{{name.partition('.')[0] for name in sys.modules}}, file=sys.stderr)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    seconds, *packages = ended.stderr.split()
    return set(packages), ended.stdout, float(seconds)


HEAVY = {
    "torch", "torchvision", "numba", "rich", "numpy", "deap", "sklearn", "PIL", "jinja2", "safetensors", "matplotlib",
}  # fmt: skip


def test_the_command_line_is_imported_without_anything_heavy() -> None:
    packages, _, _ = modules_after("import evofool.cli.app")
    assert packages.isdisjoint(HEAVY)
    assert "typer" in packages


def test_what_prints_is_imported_without_what_only_pages_and_notebooks_need() -> None:
    packages, _, _ = modules_after("import evofool.console.console")
    assert packages.isdisjoint({"torch", "jinja2", "PIL", "IPython", "tensorboard", "mlflow", "wandb"})
    assert "rich" in packages


@pytest.fixture(scope="module")
def smallest_help() -> float:
    """Seconds of processor time that typer needs to show the help of a program with two options and nothing else."""
    code = """
    import pathlib, typer
    def program(file: pathlib.Path = pathlib.Path(), count: int = 1): pass
    typer.run(program)
    """
    return min(modules_after(code.strip(), "--help")[2] for _ in range(3))


@pytest.mark.parametrize("command", ["", "evolve", "attack", "audit", "resume", "lab", "lab perturb", "lab ascend"])
def test_help_is_instant_because_nothing_heavy_is_imported(command: str, smallest_help: float) -> None:
    """A third of a second on an idle machine. How long that is depends on the machine and on typer's version."""
    for _ in range(3):  # Other work on the machine comes and goes.
        packages, shown, seconds = modules_after("from evofool.cli import app; app.main()", *command.split(), "--help")
        assert packages.isdisjoint(HEAVY)
        assert "Options:" in shown
        if seconds < 2 * smallest_help:
            break
    assert seconds < 2 * smallest_help


@pytest.mark.parametrize("arguments", [["evolve", "--generations", "1"], ["attack", "--count", "1"]])
def test_a_job_of_an_embedded_target_does_not_wait_for_torchvision(arguments: list[str], tmp_path: Path) -> None:
    """It takes longer to import than torch itself."""
    command = ["evofool", *arguments, "--quiet", "--out", str(tmp_path / "run")]
    code = (
        f"import sys; from evofool.cli import app; sys.argv = {command}\n"
        "try: app.main()\n"
        "finally:\n"
        "    import torch.fx.experimental.optimization  # for tuning\n"
        "    print(*sorted({'torchvision', 'torch._dynamo'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "\n")
    assert (tmp_path / "run" / "config.json").exists()
