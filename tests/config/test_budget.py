"""When a run ends by itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evofool.config.budget import DEFAULT_EVALUATIONS, Budget
from evofool.errors import ConfigError


@pytest.mark.parametrize("name", ["generations", "evaluations", "minutes"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_limits_must_be_above_zero_and_finite(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` must be above 0"):
        Budget(**{name: value})


@pytest.mark.parametrize("value", [0.0, -0.5, 1.0001, 500.0, math.nan])
def test_until_must_be_a_confidence(value: float) -> None:
    with pytest.raises(ConfigError, match="`until` is a median confidence"):
        Budget(until=value)


def test_a_percentage_is_recognised() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 0\.99\?"):
        Budget(until=99)


def test_the_default_comes_in_only_where_no_limit_was_given() -> None:
    assert Budget().empty
    assert Budget().or_default() == Budget(evaluations=DEFAULT_EVALUATIONS)
    for given_limit in (Budget(generations=3), Budget(minutes=0.5), Budget(until=1.0)):
        assert not given_limit.empty
        assert given_limit.or_default() is given_limit


@pytest.mark.parametrize(
    ("budget", "before", "reached"),
    [
        (Budget(generations=3), (2, 999, 1e9, 1.0), (3, 0, 0.0, 0.0)),
        (Budget(evaluations=500), (99, 499, 1e9, 1.0), (0, 500, 0.0, 0.0)),
        (Budget(minutes=0.5), (99, 999, 29.99, 1.0), (0, 0, 30.0, 0.0)),
        (Budget(until=0.9), (99, 999, 1e9, 0.8999), (0, 0, 0.0, 0.9)),
    ],
    ids=["generations", "evaluations", "minutes", "until"],
)
def test_each_limit_ends_the_run_when_reached_and_not_before(
    budget: Budget, before: tuple[int, int, float, float], reached: tuple[int, int, float, float]
) -> None:
    assert not budget.spent(*before)
    assert budget.spent(*reached)


def test_the_first_limit_reached_ends_the_run() -> None:
    budget = Budget(generations=10, evaluations=500, minutes=1, until=0.99)
    assert not budget.spent(9, 499, 59.9, 0.98)
    assert budget.spent(1, 500, 1.0, 0.1)
    assert budget.spent(1, 1, 1.0, 0.995)


def test_no_limit_never_ends() -> None:
    assert not Budget().spent(10**9, 10**9, 1e9, 1.0)
    assert Budget().share(10**9, 10**9, 1e9) == 0.0


def test_share_is_the_largest_over_the_countable_limits() -> None:
    budget = Budget(generations=10, evaluations=500, minutes=1, until=0.99)
    assert budget.share(5, 100, 6.0) == pytest.approx(0.5)
    assert budget.share(1, 400, 6.0) == pytest.approx(0.8)
    assert budget.share(1, 100, 54.0) == pytest.approx(0.9)


counts = st.integers(0, 10**6)


@given(st.integers(1, 10**5), counts, counts, st.floats(0, 1e6), st.floats(0, 1))
def test_once_spent_a_budget_stays_spent(
    limit: int, generations: int, more: int, seconds: float, median: float
) -> None:
    budget = Budget(generations=limit)
    now = budget.spent(generations, 0, seconds, median)
    assert now == (generations >= limit)
    assert budget.spent(generations + more, 0, seconds, median) >= now
