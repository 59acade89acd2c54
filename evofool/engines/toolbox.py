"""A job's DEAP toolbox. A user may swap its operators, and what a swapped one returns is checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import numpy as np
import torch
from deap import base

from ..errors import ConfigError, EvofoolError, OperatorError, in_words, suggestion
from ..rng import Rng, seeded_globals
from .operator_names import name_of

Hook = Callable[[base.Toolbox], object]
"""A user's function that swaps operators: it is given the toolbox and calls ``register`` on it."""

Contract = Callable[[tuple[Any, ...], Any], Any]
"""A function of what an operator was called with and what it returned. It returns the result, perhaps as another type,
or raises a ValueError that says what the operator must return and what came."""


class Toolbox(base.Toolbox):  # type: ignore[misc]
    """DEAP's toolbox, in which a user's operators are checked.

    What is registered before :meth:`open` is the job's own. From then on ``register`` takes operators of a user. When
    one is called, the global generators of Python, numpy and torch are seeded for it and put back afterwards. So what
    it draws from them is the same again in a repeated or resumed job. Its result is checked by the contract of its
    alias, and an exception becomes an error that names it.

    Attributes:
        rng: The job's generators, for operators to draw from. None where operators are given one at every call.
        names: The names of the user's operators by alias.
    """

    def __init__(self) -> None:
        self.rng: Rng | None = None
        self.names: dict[str, str] = {}
        self._contracts: Mapping[str, Contract] | None = None
        self._advice: Mapping[str, str] = {}
        super().__init__()

    def open(
        self, contracts: Mapping[str, Contract], rng: Rng | None = None, advice: Mapping[str, str] | None = None
    ) -> None:
        """Take operators of a user from now on.

        Args:
            contracts: What the operators must return, by alias.
            rng: The job's generators.
            advice: What to do where an operator fails, by alias.
        """
        self._contracts, self.rng, self._advice = contracts, rng, advice or {}

    def register(self, alias: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Register an operator as DEAP does.

        Raises:
            OperatorError: The function can't be called.
        """
        if self._contracts is not None:
            if not callable(function):
                raise OperatorError(f"operator {alias} must be a function, got {type(function).__name__}")
            self.names[alias] = name_of(partial(function, *arguments, **options))
            function = self._checked(alias, function, len(arguments))
        super().register(alias, function, *arguments, **options)

    def decorate(self, alias: str, *decorators: Callable[..., Any]) -> None:
        """Decorate an operator as DEAP does."""
        super().decorate(alias, *decorators)
        if alias in self.names:
            self.names[alias] += f" decorated by {', '.join(map(name_of, decorators))}"

    def _checked(self, alias: str, function: Callable[..., Any], bound: int) -> Callable[..., Any]:
        """Return a user's operator, checked.

        Args:
            alias: Its alias.
            function: What was registered.
            bound: How many arguments are bound to it, which come before those of a call.
        """
        assert self._contracts is not None
        name, contract = self.names[alias], self._contracts.get(alias)
        hint = f"; {self._advice[alias]}" if alias in self._advice else _hint(function)

        @wraps(function)
        def called(*arguments: Any, **options: Any) -> Any:
            given = arguments[bound:]
            generators = [argument for argument in given if isinstance(argument, np.random.Generator)]
            seed = seed_of(alias, self.rng.host if self.rng else next(iter(generators), None))
            device = self.rng.device if self.rng else "cpu"
            return call_checked(
                f"{alias} ({name})",
                partial(function, *arguments, **options),
                partial(contract, given) if contract else None,
                seed=seed,
                device=device,
                hint=hint,
            )

        return called


def call_checked(
    operator: str,
    function: Callable[[], Any],
    check: Callable[[Any], Any] | None,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    hint: str = "",
) -> Any:
    """Call an operator of a user, and return its checked result.

    Args:
        operator: What errors call it.
        function: The operator, with the arguments of this call bound to it.
        check: Checks its result as a contract does.
        seed: Seed of the global generators while it runs.
        device: The device on which it may draw.
        hint: What to do where it fails.

    Raises:
        OperatorError: It fails, or returns what it must not.
    """
    try:
        with seeded_globals(seed, device):
            result = function()
    except EvofoolError:
        raise
    except Exception as error:
        raise OperatorError(f"operator {operator} failed: {in_words(error)[:200]}{hint}") from error
    try:
        return check(result) if check else result
    except (ValueError, EvofoolError) as error:
        raise OperatorError(f"operator {operator} {error}{hint}") from error


def seed_of(label: str, generator: np.random.Generator | None) -> int:
    """Return a seed that follows from a label and the state of a generator, which stays as it is."""
    state = generator.bit_generator.state if generator else None
    digest = hashlib.sha256(json.dumps([label, state]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def swap(toolbox: Toolbox, hook: Hook, fixed: Mapping[str, str]) -> dict[str, str]:
    """Let a user's hook swap operators of an open toolbox.

    Args:
        toolbox: The toolbox.
        hook: The user's function.
        fixed: Why operators can't be swapped, by alias.

    Returns:
        The names of the user's operators by alias, in order.

    Raises:
        ConfigError: The hook can't be called, or swaps nothing.
        OperatorError: It swaps what can't be swapped, or what nothing looks up.
    """
    if isinstance(hook, base.Toolbox) or not callable(hook):
        raise ConfigError(
            "`toolbox` must be a function that takes the job's toolbox and calls register() on it, got "
            f"{type(hook).__name__}"
        )
    before = dict(vars(toolbox))
    hook(toolbox)
    after = vars(toolbox)
    operators = {alias for alias, value in before.items() if isinstance(value, partial)}
    for alias in sorted(before.keys() | after.keys()):
        if before.get(alias) is after.get(alias):
            continue
        if alias in fixed:
            raise OperatorError(f"operator {alias} can't be swapped: {fixed[alias]}")
        if alias not in operators:
            choices = sorted(operators - fixed.keys())
            raise OperatorError(
                f'nothing looks up the operator "{alias[:40]}"{suggestion(alias, choices)}; '
                f"what can be swapped: {', '.join(choices) or 'nothing'}"
            )
        if alias not in after:
            raise OperatorError(f"operator {alias} must stay registered; register another one in its place")
        if alias not in toolbox.names:  # It was set as an attribute.
            toolbox.register(alias, after[alias])
    if not toolbox.names:
        raise ConfigError("`toolbox` swaps nothing: it must call register() on the toolbox that it is given")
    return dict(sorted(toolbox.names.items()))


def _hint(operator: Callable[..., Any]) -> str:
    """Return what helps where an operator is one of DEAP's own, which was not adapted."""
    name = getattr(operator, "__name__", "")
    if hasattr(operator, "__wrapped__"):
        return ""
    if operator.__module__ == "deap.tools.selection":
        return f"; DEAP's selections take individuals: evofool.per_elite(tools.{name}, toolbox.rng, …)"
    if operator.__module__ in ("deap.tools.mutation", "deap.tools.crossover"):
        return f"; DEAP's operators take lists of numbers: evofool.per_genome(tools.{name}, toolbox.rng, …)"
    return ""
