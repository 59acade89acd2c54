"""Options of the command line come from their declarations, and messages of the library get their names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from evofool.cli.declared import as_options, real_number, whole_number, with_options
from evofool.config.options import Natural, Options, Positive, option


class Sample(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A few options of every type."""

    count: Annotated[Positive | None, option("How many.", short="-c", default="as many as there are")] = None
    max_seed: Annotated[Natural, option("Random seed.")] = 5
    share: Annotated[float | None, option("How much.")] = None
    names: Annotated[tuple[int | str, ...], option("Which.")] = ("one", "two")
    either: Annotated[Positive | str, option("A number or text.")] = 1
    file: Annotated[str | None, option("Where from.", path=True)] = None
    fast: Annotated[bool, option("Hurry.")] = False
    inner: Annotated[str, option("Not for people.", shown=False)] = "x"


def command(only: tuple[str, ...] | None = None, *, defaults: bool = True) -> tuple[typer.Typer, list[Any]]:
    """Return a program with one command, and what the command is called with."""
    calls: list[Any] = []

    @with_options(Sample, only, defaults=defaults)
    def run(
        given: dict[str, Any],
        place: Annotated[Path, typer.Argument(help="Where to.")],
        loud: Annotated[bool, typer.Option("--loud", help="Make noise.")] = False,
    ) -> None:
        """Run it."""
        calls.append((given, place, loud))

    app = typer.Typer(rich_markup_mode=None)
    app.command()(run)
    return app, calls


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], {}),
        (["--count", "3"], {"count": 3}),
        (["-c", "3"], {"count": 3}),
        (["--max-seed", "5"], {"max_seed": 5}),  # This is the default, but it was given.
        (["--share", "0.5"], {"share": 0.5}),
        (["--names", "cat,dog,8"], {"names": "cat,dog,8"}),
        (["--either", "4"], {"either": "4"}),
        (["--file", "a/b"], {"file": Path("a/b")}),
        (["--fast"], {"fast": True}),
        (["--no-fast"], {"fast": False}),  # It takes back what a --config says.
    ],
    ids=str,
)
def test_a_command_is_told_which_options_stand_on_the_command_line(words: list[str], given: dict[str, Any]) -> None:
    app, calls = command()
    assert CliRunner().invoke(app, ["here", *words]).exit_code == 0
    assert calls == [(given, Path("here"), False)]
    Sample.of(given)


def test_a_command_s_own_parameters_stand_beside_the_declared_ones() -> None:
    app, calls = command()
    CliRunner().invoke(app, ["--loud", "--fast", "there"])
    assert calls == [({"fast": True}, Path("there"), True)]


def test_help_tells_the_declared_options_in_order_with_their_defaults() -> None:
    shown = CliRunner().invoke(command()[0], ["--help"]).output
    words = [line.split()[0] for line in shown.splitlines() if line.startswith("  -")]
    assert words[0].startswith("-c")
    assert [word.rstrip(",") for word in words[1:7]] == [
        "--max-seed",
        "--share",
        "--names",
        "--either",
        "--file",
        "--fast",
    ]
    assert words[7] == "--loud"
    text = " ".join(shown.split())
    assert "How many. [default: as many as there are]" in text
    assert "Random seed. [default: 5]" in text
    assert "Which. [default: one,two]" in text
    assert "Hurry. --" in text
    assert "inner" not in shown


def test_a_command_may_take_some_of_the_options_and_leave_their_defaults_untold() -> None:
    app, calls = command(("count", "max_seed"), defaults=False)
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "--share" not in shown
    assert "as many" not in shown
    assert "default: 5" not in shown
    assert CliRunner().invoke(app, ["here", "--share", "1"]).exit_code == 2
    CliRunner().invoke(app, ["here", "--count", "2"])
    assert calls == [({"count": 2}, Path("here"), False)]


KNOWN = {"pixels": "--pixels", "max_pixels": "--max-pixels", "as_json": "--json", "export": "--export", "out": "--out"}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`max_pixels` must be at least 1, got 0", "--max-pixels must be at least 1, got 0"),
        ("try `pixels=1` or `pixels=auto`", "try --pixels 1 or --pixels auto"),
        ("add `export=True`", "add --export"),
        ("leave `as_json` out", "leave --json out"),
        ("choose another `out=a b/c`", "choose another --out a b/c"),
        ("`fold` and `nobody=3` are Python's alone", "fold and nobody=3 are Python's alone"),
        ("nothing to replace: pixels=1, --pixels", "nothing to replace: pixels=1, --pixels"),
    ],
)
def test_a_parameter_of_the_library_becomes_an_option(message: str, shown: str) -> None:
    assert as_options(message, KNOWN) == shown


@pytest.mark.parametrize(
    ("text", "number"), [("1000", 1000), ("1e3", 1000), ("20_000", 20_000), ("-1", -1), ("2.0", 2)]
)
def test_whole_numbers_may_have_an_exponent(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["1e3x", "1.5", "", "nan", "inf", "1e400", "many"])
def test_what_is_no_whole_number_is_repeated(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=rf'expected a whole number, got "{text}"'):
        whole_number(text)


def test_a_real_number_is_read_and_what_is_none_is_repeated() -> None:
    assert real_number("1e-3") == 0.001
    with pytest.raises(typer.BadParameter, match='expected a number, got "soon"'):
        real_number("soon")
