"""What every emitter keeps to, and how options name emitters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from emitting import evolution, resumed_beside
from support import assert_same_arrays, frozen, global_random_untouched

from evofool.errors import ConfigError
from evofool.search.emitters.registry import EMITTERS, known_emitters

every = pytest.mark.parametrize("name", EMITTERS)


@every
@pytest.mark.parametrize("n", [8, 39])
def test_it_proposes_as_many_children_as_asked_and_names_elites_as_parents(name: str, n: int) -> None:
    run = evolution(emitters=(name,), batch=n)
    run.step()
    emitter, archive = run.search.schedule.emitters[name], run.archive
    for _ in range(5):
        before = frozen(archive.state())
        with global_random_untouched():
            children, parents = emitter.ask(archive, n)
        assert len(children) == len(parents) == n
        assert set(parents.tolist()) <= set(archive.evaluation_id.tolist())
        assert_same_arrays(frozen(archive.state()), before)
        emitter.tell(archive, torch.zeros(n, 4))


@every
def test_its_state_is_all_that_its_next_children_depend_on(name: str) -> None:
    resumed_beside(3, 5, emitters=(name,), batch=40)


@every
def test_it_looks_its_operators_up_when_it_uses_them(name: str) -> None:
    """A user's own mutation takes part, whichever emitter proposes."""
    run = evolution(emitters=(name,), batch=40)
    run.step()
    mutated: list[int] = []
    for operator in ("mutate", "mutate_slightly"):
        original = getattr(run.toolbox, operator)
        run.toolbox.register(
            operator, lambda parents, original=original: (mutated.append(len(parents)), original(parents))[1]
        )
    for _ in range(5):
        run.step()
    assert mutated


def test_an_evolution_has_the_emitters_of_its_options_in_its_toolbox() -> None:
    run = evolution(emitters=("tweak", "vary@40"))
    run.step()
    assert list(run.search.schedule.emitters) == ["tweak", "vary"]
    assert not hasattr(run.toolbox, "restart")
    for name in ("tweak", "vary"):
        children, _ = getattr(run.toolbox, name)(run.archive, 5)
        assert len(children) == 5


@pytest.mark.parametrize("emitters", [("vray",), ("refine@100",), ("vary", "vary"), ()])
def test_an_evolution_takes_no_emitters_that_do_not_exist(emitters: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="emitter"):
        evolution(emitters=emitters)


@pytest.mark.parametrize(
    ("names", "encoding", "batch", "parts"),
    [
        ("vray", "cppn", 50, ['unknown emitter "vray"', 'did you mean "vary"']),
        ("", "cppn", 50, ['unknown emitter ""', "vary, tweak, restart, refine"]),
        ([], "cppn", 50, ["`emitters` takes one or more of vary, tweak, restart, refine"]),
        (None, "cppn", 50, ["`emitters` takes", "got None"]),
        ("vary,vary", "cppn", 50, ["twice"]),
        ("vary,refine", "direct", 50, ["weights of CPPNs", "direct"]),
        ("tweak", "direct", 50, ["small changes to CPPNs", "direct"]),
        ("vary,restart", "direct", 50, ["small changes to CPPNs", "direct"]),
        ("vary,restrat", "cppn", 50, ['unknown emitter "restrat"', 'did you mean "restart"']),
        ("vary,refine", "cppn", 7, ["`batch=8` or more, got 7"]),
        ("refine", "cppn", 7, ["`batch=8` or more, got 7"]),
        ("vary,refine@5", "cppn", 7, ["`batch=8` or more, got 7"]),
        ("vary,refine@", "cppn", 50, ['"refine@"', "number of evaluations", "refine@100000"]),
        ("vary,refine@100k", "cppn", 50, ['"refine@100k"', "number of evaluations"]),
        ("vary,refine@-1", "cppn", 50, ['"refine@-1"', "number of evaluations"]),
        ("vary,refine@" + "9" * 5000, "cppn", 50, ["number of evaluations"]),
        ("vary,refine@1@2", "cppn", 50, ["number of evaluations"]),
        ("refine@1,refine@2", "cppn", 50, ["twice"]),
        ("refine,refine@2", "cppn", 50, ["twice"]),
        ("refine@100", "cppn", 50, ["refine@100", "at once"]),
        ("vray@x", "cppn", 50, ['unknown emitter "vray"']),
        ("vray@100", "cppn", 50, ['unknown emitter "vray"', 'did you mean "vary"']),
    ],
)
def test_refused(names: object, encoding: str, batch: int, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        known_emitters(names, encoding, batch)  # type: ignore[arg-type]
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_names_are_written_in_one_way() -> None:
    assert known_emitters("vary", "direct", 1) == ("vary",)
    assert known_emitters(" refine, vary", "cppn", 8) == ("refine", "vary")
    assert known_emitters("vary,refine @ 0100", "cppn", 8) == ("vary", "refine@100")
    assert known_emitters("vary,tweak@150000", "cppn", 1) == ("vary", "tweak@150000")
    assert known_emitters(["refine@0", "vary@3"], "cppn", 8) == ("refine", "vary@3")
    assert known_emitters(known_emitters("vary,refine @ 0100", "cppn", 8), "cppn", 8) == ("vary", "refine@100")


def test_a_function_registered_in_an_emitters_place_leaves_its_state_alone() -> None:
    run = evolution(emitters=("restart",), batch=40)
    for _ in range(3):
        run.step()
    emitter = run.search.schedule.emitters["restart"]
    before = frozen(emitter.state())
    run.toolbox.register(
        "restart", lambda archive, n: (archive.genomes.take(np.zeros(n, np.int64)), np.zeros(n, np.int64))
    )
    run.step()
    assert_same_arrays(before, frozen(emitter.state()))
