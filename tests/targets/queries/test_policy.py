"""How a target is asked: the parts of requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evofool.targets.queries.policy import even_parts


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 16))
def test_parts_are_even_and_keep_all_requests_busy_in_as_few_rounds_as_can_be(
    count: int, most: int, concurrency: int
) -> None:
    items = list(range(count))
    parts = even_parts(items, most, concurrency)
    assert [item for part in parts for item in part] == items
    assert all(1 <= len(part) <= most for part in parts)
    if parts:
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert len(parts) % concurrency == 0 or len(parts) == count
        assert -(-len(parts) // concurrency) == -(-count // (most * concurrency))
