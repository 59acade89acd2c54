"""Runs with operators of a user's own: a folder that names them, the same bytes after a kill, refusals in one line."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import edit_config
from deap import base, tools
from runs import Killed, assert_refused, assert_same_run, kill, run_cli, small_evolve, tree
from support import global_random_untouched

import evofool
from evofool import Result
from evofool.errors import EvofoolError, OperatorError, RunError
from evofool.jobs.run import RunStep
from evofool.search.archive import Archive

Hook = Callable[[base.Toolbox], None]


def weakest(archive: Archive, n: int, share: float = 0.5) -> list[int]:
    """Select the weaker part of the elites, by Python's global generator."""
    held = archive.held()
    order = held[np.argsort(archive.confidence[held])].tolist()
    return random.choices(order[: max(1, int(share * len(order)))], k=n)


def hook(toolbox: base.Toolbox) -> None:
    toolbox.register("select", weakest, share=0.4)
    toolbox.register("mutate", evofool.per_genome(tools.mutGaussian, toolbox.rng, mu=0, sigma=0.2, indpb=0.2))


def other_share(toolbox: base.Toolbox) -> None:
    hook(toolbox)
    toolbox.register("select", weakest, share=0.5)


def without_selection(toolbox: base.Toolbox) -> None:
    toolbox.register("mutate", evofool.per_genome(tools.mutGaussian, toolbox.rng, mu=0, sigma=0.2, indpb=0.2))


SWAPPED = {
    "mutate": "deap.tools.mutation:mutGaussian(mu=0, sigma=0.2, indpb=0.2)",
    "select": f"{__name__}:weakest(share=0.4)",
}


def evolve(out: Path | None, toolbox: Any = hook, **options: Any) -> Result:
    return small_evolve(out, **{"toolbox": toolbox, "generations": 4, "classes": ["3", "5", "8"], **options})


def kill_at(generation: int) -> Callable[[RunStep], None]:
    def observe(step: RunStep) -> None:
        if step.progress.generation == generation:
            kill()

    return observe


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with swapped operators that nothing happened to."""
    run = tmp_path_factory.mktemp("swapped") / "run"
    evolve(run)
    return run


def test_the_config_the_page_and_inspect_name_what_was_swapped(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads((whole / "config.json").read_text(encoding="utf-8"))["swapped"] == SWAPPED
    assert evofool.inspect(whole)["swapped"] == SWAPPED
    page = (whole / "index.html").read_text(encoding="utf-8")
    assert f"operators of the user&#39;s own: mutate ({SWAPPED['mutate']}) and select ({SWAPPED['select']})" in page
    told = run_cli(capsys, "inspect", whole).out
    assert re.search(rf"swapped +mutate \({re.escape(SWAPPED['mutate'])}\) and select", told)
    assert "fresh" not in told


def test_a_run_without_a_hook_names_none(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", None, generations=1)
    assert result.config.swapped == {}
    assert "swapped" not in result.summary()
    assert "swapped" not in evofool.inspect(tmp_path / "run")
    assert "operators of the user" not in (tmp_path / "run" / "index.html").read_text(encoding="utf-8")


def test_the_result_names_what_was_swapped_without_a_folder_too() -> None:
    with global_random_untouched():
        assert evolve(None, generations=1).summary()["swapped"] == SWAPPED


def test_the_operators_take_part(whole: Path, tmp_path: Path) -> None:
    evolve(tmp_path / "usual", None)
    names = {name for name in tree(whole) if name.startswith("elites/")}
    assert names != {name for name in tree(tmp_path / "usual") if name.startswith("elites/")}


@pytest.mark.parametrize("generation", [1, 3])
@pytest.mark.usefixtures("eager")
def test_killed_and_resumed_with_the_hook_it_ends_with_the_same_bytes(
    generation: int, whole: Path, tmp_path: Path
) -> None:
    """Although the selection draws from Python's global generator, which is another one by then."""
    with pytest.raises(Killed):
        evolve(tmp_path / "run", observer=kill_at(generation))
    random.random()
    evofool.resume(tmp_path / "run", toolbox=hook)
    assert_same_run(tmp_path / "run", whole)


def test_a_larger_budget_goes_on_with_the_hook(whole: Path, tmp_path: Path) -> None:
    evolve(tmp_path / "run", generations=2)
    evofool.resume(tmp_path / "run", toolbox=hook, generations=4)
    assert_same_run(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("toolbox", "parts"),
    [
        (None, ["was made with operators of your own", *SWAPPED.values(), "evofool.resume(…, toolbox=…)"]),
        (other_share, ["weakest(share=0.4)", "`toolbox` swaps", "weakest(share=0.5)", "give the same"]),
        (without_selection, ["weakest(share=0.4)", "give the same"]),
    ],
)
def test_another_hook_or_none_is_refused_and_nothing_changes(
    toolbox: Hook | None, parts: list[str], whole: Path
) -> None:
    before = tree(whole)
    with pytest.raises(RunError) as refusal:
        evofool.resume(whole, toolbox=toolbox, generations=9)
    assert all(part in str(refusal.value) for part in parts), refusal.value
    assert "\n" not in str(refusal.value)
    assert tree(whole) == before


def test_a_hook_where_there_was_none_is_refused(tmp_path: Path) -> None:
    evolve(tmp_path / "run", None, generations=1)
    before = tree(tmp_path / "run")
    with pytest.raises(RunError, match="was made without operators of your own; leave `toolbox` out"):
        evofool.resume(tmp_path / "run", toolbox=hook, generations=9)
    assert tree(tmp_path / "run") == before


@pytest.mark.parametrize("words", [("resume",), ("evolve", "--config")])
def test_the_command_line_says_where_the_function_goes(
    words: tuple[str, ...], whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes no functions."""
    outcome = run_cli(capsys, *words, whole)
    assert_refused(outcome, "made with operators of your own, mutate (deap", "in Python: evofool.", "toolbox=…)")


def test_an_edited_config_is_not_of_the_checkpoint(whole: Path, tmp_path: Path) -> None:
    evolve(tmp_path / "run", generations=2)
    edit_config(tmp_path / "run", {"swapped": {}})
    with pytest.raises(RunError, match=r"is not of the job that .*config\.json describes"):
        evofool.resume(tmp_path / "run", generations=4)


@pytest.mark.parametrize("value", [None, [], {"select": 3}, {"select": None}, "select"])
def test_a_config_that_names_operators_otherwise_is_damaged(value: Any, tmp_path: Path) -> None:
    evolve(tmp_path / "run", None, generations=1)
    edit_config(tmp_path / "run", {"swapped": value})
    with pytest.raises(RunError, match=r"config\.json is damaged \(swapped"):
        evofool.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("alias", "operator", "error"),
    [
        ("select", lambda archive, n: [0] * 5, OperatorError),
        ("selct", print, OperatorError),
        ("decode", print, OperatorError),
        ("random", lambda n: None, OperatorError),
    ],
)
def test_a_wrong_operator_of_the_first_generations_leaves_no_folder_half_made(
    alias: str, operator: Any, error: type[EvofoolError], tmp_path: Path
) -> None:
    """Where the first generation ended, what it found is kept."""
    with pytest.raises(error, match=alias):
        evolve(tmp_path / "run", lambda toolbox: toolbox.register(alias, operator))
    assert (tmp_path / "run").exists() == (alias == "select")


def test_what_a_hook_raises_is_the_user_s_own(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        evolve(tmp_path / "run", lambda toolbox: 1 / 0)
    assert not (tmp_path / "run").exists()


def failing(*arguments: Any) -> Any:
    raise ValueError("no")


def test_an_operator_that_fails_after_a_generation_says_what_is_left_and_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def broken(toolbox: base.Toolbox) -> None:
        toolbox.register("mutate", failing)

    with pytest.raises(OperatorError, match=r"failed: no; .*evofool.resume\('.*a', toolbox=…\), or delete the folder$"):
        evolve(path, broken)
    with pytest.raises(RunError, match=r"exists already; .*in Python: evofool.resume\('.*a', toolbox=…\), or delete"):
        evolve(path)
