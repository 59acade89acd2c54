"""The command line: its commands, and what becomes of their errors. Heavy imports are inside the commands."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from ..config.class_names import listed
from ..errors import EvofoolError, in_words, suggestion
from ..io.interrupts import Stopped, stoppable
from ..targets.execution.process import tune_process
from ..version import __version__
from . import attack, audit, evolve, gallery, jobs, lab, sweep, targets, zoo
from .common import exit_code
from .declared import as_options, with_home
from .output import JSON_LINES

_OTHER_WORDS = {
    "compare": "evofool report for campaigns, evofool gallery for runs, evofool audit --compare for audits",
    "run": "evofool evolve",
    "list": "evofool targets for classifiers, evofool inspect for a job",
}
"""Commands that aren't there, and what does what they may be meant for."""


_FAULTS = (EvofoolError, MemoryError, Stopped, KeyboardInterrupt, typer.Abort, OSError)
"""The exceptions that end a command with a line on standard error."""


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Have a command whose progress is JSON lines tell its failure as the last of them."""

    @functools.wraps(command)
    def called(**values: Any) -> None:
        try:
            command(**values)
        except typer.Exit:
            raise
        except BaseException as error:
            if values.get("progress") == JSON_LINES and not isinstance(error, BrokenPipeError):
                from ..console.console import Console

                message, code = _fault(error) if isinstance(error, _FAULTS) else (in_words(error), 1)
                with contextlib.suppress(OSError):
                    Console(events=True).failed(message, code)
            raise

    return called


def _whole(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that names a file's early end as an error. Typer would take it for Ctrl-D, and so for a stop."""

    @functools.wraps(command)
    def called(**values: Any) -> None:
        try:
            command(**values)
        except EOFError as error:
            raise EvofoolError(f"a file ended early ({in_words(error)}); fetch it again") from error

    return called


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as it is called: with paths at home, and with faults that are told as they should be."""
    return _told(_whole(with_home(command)))


app = typer.Typer(
    name="evofool",
    help="Show where image classifiers can be fooled: evolve pictures that a network is sure about and people can't "
    "recognise, and attack real images by a pixel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the rich one costs a third of a second
    context_settings={"help_option_names": ["-h", "--help"]},
)
zoo_app = typer.Typer(help="Train the embedded networks.", no_args_is_help=True, rich_markup_mode=None)
targets_app = typer.Typer(
    cls=targets.Targets, help="List the targets, show one's model card, or check one.", rich_markup_mode=None
)
app.add_typer(targets_app, name="targets")
app.add_typer(zoo_app, name="zoo")
for command in (
    evolve.evolve,
    attack.attack,
    audit.audit,
    sweep.sweep,
    jobs.resume,
    attack.report,
    gallery.gallery,
    gallery.timelapse,
    gallery.poster,
    gallery.breed,
    jobs.inspect,
    targets.score,
    gallery.render,
):
    app.command()(_guarded(command))
targets_app.command("show")(_guarded(targets.targets))
targets_app.command()(_guarded(targets.check))
lab_app = typer.Typer(
    help="Run the experiments that explain why networks are fooled.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(lab_app, name="lab")
lab_app.callback()(lab.experiments)
for command in lab.COMMANDS:
    lab_app.command()(_guarded(command))
zoo_app.command()(_guarded(zoo.train))


def _version(wanted: bool) -> None:
    if wanted:
        from ..console.console import Console

        Console().say(f"evofool {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    tune_process()
    try:
        with stoppable():
            _run()
    except Stopped as stopped:  # before or after the command
        sys.exit(exit_code(stopped.signal))


def _run() -> NoReturn:
    usage_error: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    if sys.stdout is None:  # it was closed
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        code = typer.main.get_command(app)(standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, *_FAULTS) as error:
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        if isinstance(error, OSError):
            with contextlib.suppress(OSError):  # what is left goes nowhere: at the end it would be tried again
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(*_fault(error))
    except usage_error as error:
        message = error.format_message()
        if not message or type(error).__name__ == "NoArgsIsHelpError":  # no arguments at all: the help
            _show_help(message)
        _fail(_usage_text(message.rstrip("."), error))
    sys.exit(code if isinstance(code, int) else 0)


def _fault(error: BaseException) -> tuple[str, int]:
    """Return what is said of an exception that ends a command, and the exit code."""
    if isinstance(error, EvofoolError):
        return as_options(str(error), _known_options()), 2
    if isinstance(error, MemoryError):
        return "out of memory; use a smaller --batch, --size or --device cpu", 2
    if isinstance(error, Stopped):
        return _stopped(error.kept), exit_code(error.signal)
    if isinstance(error, OSError):
        reason = error.strerror or error
        return f"cannot write the output: {reason}; look at the folder, or where the output goes", 2
    return _stopped(), exit_code(signal.SIGINT)


def _stopped(kept: str = "") -> str:
    """Return what is said of a command that was stopped at once, and not after its step."""
    return f"stopped; {kept}" if kept else "stopped before this command saved anything; give it again"


def _known_options() -> dict[str, str]:
    """Every option of every command, by its Python name."""
    return {
        parameter.name: next(flag for flag in parameter.opts if flag.startswith("--"))
        for each in _commands().values()
        for parameter in each.params
        if parameter.param_type_name == "option"
    }


def _other_place(error: Any) -> str:
    """Return what to do about an option that other commands have and this one doesn't; nothing if none has it."""
    asked, flag = _path(error.ctx), error.option_name
    owners = [name for name, each in _commands().items() if any(flag in parameter.opts for parameter in each.params)]
    if not owners:
        return ""
    if error.ctx.command.name == "sweep" and {"evofool evolve", "evofool attack"} & set(owners):
        name = flag.strip("-").replace("-", "_")
        return f"{asked} has no {flag}: options of its runs stand in the FILE, as {name} = …"
    return f"{asked} has no {flag}; commands that have it: {listed(owners, 3)}; see: {asked} --help"


def _path(context: Any) -> str:
    """Return the words of a command."""
    return f"evofool{context.command_path.removeprefix(context.find_root().command_path)}"


def _commands() -> dict[str, Any]:
    """Every command, and those of groups, by their words."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    grouped = {
        f"evofool {group} {name}": each
        for group, command in commands.items()
        for name, each in getattr(command, "commands", {}).items()
    }
    return {f"evofool {name}": command for name, command in commands.items()} | grouped


def _show_help(text: str) -> NoReturn:
    from ..console.console import Console

    Console().say(text)
    sys.exit(2)


def _fail(message: str, code: int = 2) -> NoReturn:
    from ..console.console import Console

    Console().error(message)
    sys.exit(code)


def _usage_text(message: str, error: Any) -> str:
    """Return Typer's message, with what to do about a command or an option that doesn't exist."""
    if message.startswith("No such option"):
        return _other_place(error) or message
    if not message.startswith("No such command"):
        return message
    word, group = message.split("'")[1] if "'" in message else "", _path(error.ctx)
    if word in _OTHER_WORDS:
        return f"No such command '{word}'; use {_OTHER_WORDS[word]}; see: evofool --help"
    names = list(error.ctx.command.commands)
    return f"{message}{suggestion(word, names) if 'mean' not in message else ''}; see: {group} --help"
