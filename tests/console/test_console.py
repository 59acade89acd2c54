"""What is printed, where, and that nothing gives the terminal orders."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_results import campaign_result, run_result
from rich.console import Console as RichConsole

from evofool.attacks.statistics import Statistics
from evofool.console.console import ELITES_SHOWN, Console
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.trials import MIN_SPEEDUP, Trial

Capture = pytest.CaptureFixture[str]


def test_a_quiet_console_says_nothing_but_errors_and_results(capsys: Capture) -> None:
    console = Console(quiet=True)
    console.say("news")
    console.finished_run(run_result(), "evofool resume a")
    console.finished_campaign(campaign_result(Statistics(1)), "evofool resume a")
    assert tuple(capsys.readouterr()) == ("", "")
    console.show("a result")
    console.error("still told")
    assert tuple(capsys.readouterr()) == ("a result\n", "error: still told\n")


@pytest.mark.parametrize("message", ["two\nlines", "tab\tand   spaces", "[red]markup[/]", "x" * 500])
def test_an_error_is_one_line_whatever_it_says(message: str, capsys: Capture) -> None:
    Console().error(message)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {' '.join(message.split())}\n"


def test_json_is_one_line_on_standard_output_and_all_else_goes_to_standard_error(capsys: Capture) -> None:
    console, value = Console(to_stderr=True), {"class": "é\n[red]", "scores": [0.5, None]}
    console.say("news")
    console.json(value)
    out, err = capsys.readouterr()
    assert (json.loads(out), out.count("\n"), err) == (value, 1, "news\n")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "cp437", "utf-16", "cp037"])
def test_json_is_utf_8_or_ascii_whatever_the_code_page(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    value = {"class": "Größe 日本", "run": "outputs/k\udce4tze"}  # the folder's name is in Latin-1
    Console(to_stderr=True).json(value)
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode("utf-8")) == value


def test_json_is_readable_where_the_stream_is_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="UTF8"))
    Console().json({"class": "Größe 日本"})
    sys.stdout.flush()
    assert "Größe 日本" in written.getvalue().decode("utf-8")


@pytest.mark.parametrize("text", ["[red]markup[/]", "evofool[test]", "[/]"])
def test_texts_are_no_markup(text: str, capsys: Capture) -> None:
    console = Console()
    console.say(text)
    console.show(text)
    console.pairs([(text, text)])
    assert capsys.readouterr().out == f"{text}\n{text}\n  {text}  {text}\n"


@pytest.mark.parametrize("order", ["\x1b[2J", "\x1b]0;title\x07", "\x08\x08", "\r", "\x9b2J", "\x7f", "\t"])
def test_a_name_can_t_give_the_terminal_orders(order: str, capsys: Capture) -> None:
    console = Console()
    console.say(f"a{order}b")
    console.show(f"a{order}b")
    console.pairs([("class", f"a{order}b")])
    console.error(f"a{order}b")
    shown = "".join(capsys.readouterr())
    assert [letter for letter in shown if not letter.isprintable() and letter != "\n"] == []


def test_values_of_pairs_stand_in_a_column_and_are_never_folded(capsys: Capture) -> None:
    Console().pairs([("run", "x" * 300), ("go further", "evofool resume a")])
    assert capsys.readouterr().out == f"  run         {'x' * 300}\n  go further  evofool resume a\n"


def elites(count: int) -> list[dict[str, Any]]:
    return [{"class": f"class-{index}", "score": index / 100, "top5": []} for index in range(count)]


def test_of_a_run_that_is_inspected_the_hardest_elites_are_shown(capsys: Capture) -> None:
    Console().inspected_run({"run": "runs/a", "elites_written": True}, elites(ELITES_SHOWN + 5)[::-1])
    out = capsys.readouterr().out
    shown = [line.split()[0] for line in out.splitlines() if line.strip().startswith("class-")]
    assert shown == [f"class-{index}" for index in range(ELITES_SHOWN)]
    assert f"the hardest {ELITES_SHOWN} of {ELITES_SHOWN + 5}; all of them with --json" in out
    assert "newer elites" not in out


def test_elites_that_are_in_no_files_yet_are_told(capsys: Capture) -> None:
    Console().inspected_run({"run": "runs/a", "elites_written": False}, elites(2))
    out = capsys.readouterr().out
    assert "newer elites are in no files yet; if it was killed, evofool resume runs/a writes them" in " ".join(
        out.split()
    )
    assert "--json" not in out


def test_summaries_have_their_titles_above(capsys: Capture) -> None:
    console = Console()
    console.finished_run(run_result(), "evofool resume a")
    console.finished_campaign(campaign_result(Statistics(1), interrupted=True), "evofool resume b")
    titles = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("  ")]
    assert titles == ["done: tiny, direct", "stopped: tiny, untargeted, local"]


def test_commands_of_summaries_are_not_folded(capsys: Capture) -> None:
    command = f"evofool resume {'x' * 200}"
    Console().finished_run(run_result(), command)
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"  {command}")


def test_the_trials_note_tells_how_much_faster_another_way_must_be(capsys: Capture) -> None:
    execution = Execution("float32", "contiguous", 256)
    target: Any = SimpleNamespace(name="[b]tiny", device="cpu", execution=execution)
    Console().trials(target, [Trial(execution, 1000.0, 0.0)])
    out = capsys.readouterr().out
    assert out.startswith("[b]tiny on cpu\n")
    assert f"faster by more than {100 * (MIN_SPEEDUP - 1):.0f} %." in out


def test_scores_of_long_paths_are_not_folded(capsys: Capture) -> None:
    path = str(Path("x" * 200) / "a.png")
    image = {"image": path, "genome": False, "size": [8, 8], "scored_at": [8, 8], "cropped": False, "made_grey": False}
    Console().scores({"target": "net", "images": [image | {"top5": [{"class": "cat", "confidence": 1.0}]}]})
    assert capsys.readouterr().out.splitlines()[0] == f"{path}  by net"


def test_only_names_are_dim() -> None:
    console, output = Console(), io.StringIO()
    console.rich = RichConsole(file=output, force_terminal=True, color_system="standard", highlight=False)
    console.pairs([("run", "runs/a")])
    assert output.getvalue() == "\x1b[2m  run  \x1b[0mruns/a\n"
