"""What is no target is refused in one line that says what to do, wherever it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs import small_evolve
from support import tiny_network, tiny_target

import evofool
from evofool.errors import TargetError

WRONG: dict[str, Any] = {"module": tiny_network(), "nothing": object(), "class": evofool.Target, "number": 3}


@pytest.mark.parametrize("target", WRONG.values(), ids=WRONG.keys())
def test_evolve_says_what_it_takes(target: Any) -> None:
    with pytest.raises(TargetError) as error:
        evofool.evolve(target, "direct", generations=1)
    assert "evofool.Target" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("target", WRONG.values(), ids=WRONG.keys())
def test_attack_says_what_it_takes(target: Any, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"evofool\.Target"):
        evofool.attack(target, "digits", out=tmp_path / "campaign")
    assert not (tmp_path / "campaign").exists()


@pytest.mark.parametrize("target", WRONG.values(), ids=WRONG.keys())
def test_resume_says_what_it_takes(target: Any, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", target=tiny_target(), generations=1, device="auto", precision="auto")
    with pytest.raises(TargetError, match=r"evofool\.Target"):
        evofool.resume(tmp_path / "run", target=target, generations=2)
