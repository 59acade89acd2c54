"""Campaigns with searches of a user's own: a folder that names them, the same outcomes after a kill, refusals."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import assert_same_campaign, small_attack
from configs import campaign_config
from deap import base
from runs import Killed, assert_refused, kill, run_cli, tree
from support import tiny_target

import evofool
from evofool.attacks.searches.base import Feedback, Problem
from evofool.errors import OperatorError, RunError
from evofool.gallery.pages.commands import attack_command


class Scattered:
    """Random pixels of random colours, by Python's global generator."""

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space

    def ask(self) -> np.ndarray:
        colours = np.array([random.choices(range(256), k=3) for _ in range(16)])
        places = np.array([random.randrange(self.space.places) for _ in range(16)])
        return self.space.join(places[:, None], colours[:, None])

    def tell(self, edits: np.ndarray, feedback: Feedback) -> None:
        pass


def hook(toolbox: base.Toolbox) -> None:
    toolbox.register("search", Scattered)


def other(toolbox: base.Toolbox) -> None:
    toolbox.register("search", lambda problem: Scattered(problem))


SWAPPED = {"search": f"{__name__}:Scattered"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a search of its own that nothing happened to."""
    campaign = tmp_path_factory.mktemp("swapped") / "campaign"
    small_attack(campaign, toolbox=hook)
    return campaign


def test_the_config_the_report_and_inspect_name_what_was_swapped(whole: Path) -> None:
    assert json.loads((whole / "config.json").read_text(encoding="utf-8"))["swapped"] == SWAPPED
    assert evofool.inspect(whole)["swapped"] == SWAPPED
    report = (whole / "report.html").read_text(encoding="utf-8")
    assert f"Operators of the user&#39;s own: search ({SWAPPED['search']})." in report
    assert "evofool.attack(target, " in report
    assert ", toolbox=…, out=…)" in report


def test_a_named_target_s_command_is_a_call_in_python_too() -> None:
    config = campaign_config(target={"own": False, "name": "digits"}, swapped=SWAPPED)
    assert attack_command(config).startswith("evofool.attack('digits', 'some', count=3")
    assert attack_command(config).endswith(", toolbox=…, out=…)")


def test_killed_and_resumed_with_the_hook_it_ends_with_the_same_outcomes(whole: Path) -> None:
    """Although the search draws from Python's global generator, which is another one by then."""
    campaign = whole.parent / "killed"
    steps = iter(range(100))

    def observe(step: Any) -> None:
        if step.done >= 2 and next(steps) == 0:
            kill()

    with pytest.raises(Killed):
        small_attack(campaign, toolbox=hook, observer=observe)
    random.random()
    evofool.resume(campaign, target=tiny_target(), toolbox=hook)
    assert_same_campaign(campaign, whole)


@pytest.mark.parametrize(
    ("toolbox", "parts"),
    [
        (None, ["was made with operators of your own", SWAPPED["search"], "evofool.resume(…, toolbox=…)"]),
        (other, ["`toolbox` swaps search", "<lambda>", "give the same"]),
    ],
)
def test_another_hook_or_none_is_refused_and_nothing_changes(
    toolbox: Callable[[base.Toolbox], None] | None, parts: list[str], whole: Path
) -> None:
    before = tree(whole)
    with pytest.raises(RunError) as refusal:
        evofool.resume(whole, target=tiny_target(), toolbox=toolbox)
    assert all(part in str(refusal.value) for part in parts), refusal.value
    assert tree(whole) == before


def test_a_hook_where_there_was_none_is_refused(tmp_path: Path) -> None:
    small_attack(tmp_path / "a")
    with pytest.raises(RunError, match="was made without operators of your own; leave `toolbox` out"):
        evofool.resume(tmp_path / "a", target=tiny_target(), toolbox=hook)


def test_the_command_line_says_where_the_function_goes(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(run_cli(capsys, "resume", whole), "operators of your own, search (", "in Python: evofool.resume(")


def test_a_wrong_operator_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="strategy local doesn't call it"):
        small_attack(tmp_path / "a", toolbox=lambda toolbox: toolbox.register("mutate", print))
    assert not (tmp_path / "a").exists()
