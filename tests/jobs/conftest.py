"""What tests of jobs share."""

from __future__ import annotations

import pytest

from evofool.jobs import session


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint, and a file of the history, after every step."""
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
