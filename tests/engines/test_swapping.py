"""Swapped operators of any job: named, seeded, checked; a hook that can't be meant is refused by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from deap import base, tools
from support import global_random_untouched

from evofool.engines.operator_names import MAX_NAME, name_of
from evofool.engines.toolbox import Toolbox, swap
from evofool.errors import ConfigError, OperatorError, RunError
from evofool.rng import Rng

FIXED = {"decode": "it is fixed", "clone": "nothing calls it"}


def double(value: int, factor: int = 2) -> int:
    return factor * value


class Callables:
    """Objects that can be called."""

    def __call__(self, value: int) -> int:
        return value

    def method(self, value: int) -> int:
        return value


def positive(arguments: tuple[Any, ...], result: Any) -> Any:
    if not isinstance(result, int) or result < arguments[0]:
        raise ValueError(f"must return at least {arguments[0]}, got {result}")
    return result


def toolbox(rng: Rng | None = None) -> Toolbox:
    made = Toolbox()
    made.register("decode", double)
    made.register("grow", double, factor=3)
    made.open({"grow": positive}, rng, {"map": "leave it"})
    return made


def registering(alias: str, function: Any, *arguments: Any, **options: Any) -> Callable[[base.Toolbox], None]:
    return lambda given: given.register(alias, function, *arguments, **options)


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        (double, f"{__name__}:double"),
        (partial(double, factor=3), f"{__name__}:double(factor=3)"),
        (partial(double, 1), f"{__name__}:double(1)"),
        (partial(partial(double, 1), factor=2), f"{__name__}:double(1, factor=2)"),
        (Callables(), f"{__name__}:Callables"),
        (Callables().method, f"{__name__}:Callables.method"),
        (tools.mutGaussian, "deap.tools.mutation:mutGaussian"),
        (partial(tools.mutGaussian, mu=0, sigma=[0.1, 2.0]), "deap.tools.mutation:mutGaussian(mu=0, sigma=[0.1, 2.0])"),
        (partial(double, rng=Rng(0), array=np.zeros(3)), f"{__name__}:double"),
        (partial(double, key=max, name="a"), f"{__name__}:double(key=builtins:max, name='a')"),
        (np.argsort, "numpy:argsort"),
    ],
)
def test_an_operator_is_named_by_module_function_and_plain_arguments(operator: Any, name: str) -> None:
    assert name_of(operator) == name


def test_a_script_is_named_as_the_module_that_it_is_where_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import __main__

    monkeypatch.setattr(double, "__module__", "__main__")
    monkeypatch.setattr(__main__, "__spec__", None)
    monkeypatch.setattr(__main__, "__file__", "somewhere/mine.py", raising=False)
    assert name_of(double) == "mine:double"
    monkeypatch.delattr(__main__, "__file__")
    assert name_of(double) == "__main__:double"


def test_a_long_name_is_cut() -> None:
    assert len(name_of(partial(double, note="x" * 1000))) == MAX_NAME


def test_a_hook_swaps_what_it_registers_and_its_names_are_told() -> None:
    given = toolbox()
    assert swap(given, registering("grow", double, factor=5), FIXED) == {"grow": f"{__name__}:double(factor=5)"}
    assert given.grow(4) == 20


def test_bound_arguments_are_not_those_of_the_call() -> None:
    """The contract compares with the call's first argument."""
    given = toolbox()
    given.register("grow", lambda bound, value: bound + value, 100)
    assert given.grow(4) == 104


def test_an_attribute_that_is_set_is_checked_like_what_is_registered() -> None:
    given = toolbox()
    assert swap(given, lambda box: setattr(box, "grow", double), FIXED) == {"grow": f"{__name__}:double"}
    with pytest.raises(OperatorError, match="must return at least -1"):
        given.grow(-1)


def test_a_decorated_operator_is_named_with_its_decorator() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    given = toolbox()
    swapped = swap(given, lambda box: box.decorate("grow", logged), FIXED)
    assert swapped["grow"].startswith(f"{__name__}:double(factor=3) decorated by {__name__}:")
    assert given.grow(4) == 12


@pytest.mark.parametrize(
    ("hook", "error", "parts"),
    [
        (registering("gorw", double), OperatorError, ['"gorw"', 'did you mean "grow"', "can be swapped: grow, map"]),
        (registering("decode", double), OperatorError, ["operator decode can't be swapped: it is fixed"]),
        (registering("grow", 5), OperatorError, ["operator grow must be a function, got int"]),
        (lambda box: box.unregister("grow"), OperatorError, ["operator grow must stay registered"]),
        (lambda box: setattr(box, "rng", None), OperatorError, ['"rng"']),
        (lambda box: setattr(box, "gorw", double), OperatorError, ['"gorw"']),
        (lambda box: None, ConfigError, ["`toolbox` swaps nothing"]),
        (lambda box: base.Toolbox().register("grow", double), ConfigError, ["`toolbox` swaps nothing"]),
        (base.Toolbox(), ConfigError, ["`toolbox` must be a function", "got Toolbox"]),
        ({"grow": double}, ConfigError, ["`toolbox` must be a function", "got dict"]),
    ],
)
def test_a_hook_that_cannot_be_meant_is_refused(hook: Any, error: type[Exception], parts: list[str]) -> None:
    given = toolbox(Rng(0))
    with pytest.raises(error) as refusal:
        swap(given, hook, FIXED)
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_a_failing_operator_is_named_and_what_it_raised_is_the_cause() -> None:
    given = toolbox()
    given.register("grow", lambda value: value.missing)
    with pytest.raises(OperatorError, match=r"operator grow \(.*<lambda>\) failed: AttributeError: .*missing") as error:
        given.grow(4)
    assert isinstance(error.value.__cause__, AttributeError)


def test_an_error_of_the_family_passes_as_it_is() -> None:
    def fail(value: int) -> int:
        raise RunError("no")

    given = toolbox()
    given.register("grow", fail)
    with pytest.raises(RunError, match=r"^no$"):
        given.grow(4)


def test_what_helps_stands_behind_the_error() -> None:
    given = toolbox()
    given.register("map", lambda value: 1 / 0)
    with pytest.raises(OperatorError, match=r"ZeroDivisionError: division by zero; leave it$"):
        given.map(4)


def drawing(value: int) -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]  # noqa: NPY002


def test_what_an_operator_draws_from_global_generators_follows_from_the_run_and_nothing_is_touched() -> None:
    def draw(seed: int, turns: int = 1) -> list[float]:
        rng = Rng(seed)
        given = toolbox(rng)
        given.register("clone", drawing)
        rng.host.random(turns)
        state = rng.state()
        with global_random_untouched():
            drawn: list[float] = given.clone(1)
        assert all((rng.state()[name] == state[name]).all() for name in state)  # the run's own goes on as without it
        return drawn

    random.seed()
    assert draw(1) == draw(1)
    assert all(a != b for a, b in zip(draw(1), draw(2), strict=True))
    assert all(a != b for a, b in zip(draw(1), draw(1, turns=2), strict=True))


def test_two_operators_draw_other_numbers() -> None:
    given = toolbox(Rng(0))
    given.register("clone", drawing)
    given.register("map", drawing)
    assert given.clone(1) != given.map(1)


def test_without_a_generator_of_its_own_a_toolbox_takes_the_one_among_the_arguments() -> None:
    given = toolbox()
    given.register("clone", lambda value, rng: drawing(value))
    one, two = (given.clone(1, np.random.default_rng(seed)) for seed in (0, 1))
    assert one != two
    assert given.clone(1, np.random.default_rng(0)) == one


def test_global_generators_are_put_back_where_an_operator_fails() -> None:
    def fail(value: int) -> None:
        drawing(value)
        raise ValueError("no")

    given = toolbox(Rng(0))
    given.register("clone", fail)
    with global_random_untouched(), pytest.raises(OperatorError):
        given.clone(1)
