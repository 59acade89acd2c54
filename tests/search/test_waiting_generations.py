"""A generation that is proposed and not told yet is told in another session as it would have been in this one."""

from __future__ import annotations

import pytest
from evolving import advance, contents, evolution
from support import assert_same_arrays


@pytest.mark.parametrize("emitters", [("vary", "refine@32"), ("vary", "restart@32")])
def test_children_that_wait_in_a_checkpoint_teach_the_emitter_that_proposed_them(emitters: tuple[str, ...]) -> None:
    undisturbed, stopped = (evolution("cppn", emitters=emitters, ahead=True) for _ in range(2))
    for _ in range(12):
        advance(undisturbed, 1)
        advance(stopped, 1)
        state = {name: array.copy() for name, array in stopped.state().items()}
        stopped = evolution("cppn", emitters=emitters, ahead=True)
        stopped.restore(state)
        assert_same_arrays(contents(stopped), contents(undisturbed))
