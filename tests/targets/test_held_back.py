"""Ctrl-C while a library reads: it waits, and is not lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evofool.io.interrupts import defer_interrupts
from evofool.targets import weights_file as loading


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C is ignored where a shell has put the tests into the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_until_it_is_done_and_comes_then() -> None:
    done: list[int] = []

    def reads() -> None:
        with defer_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            done.extend(range(1000))

    with pytest.raises(KeyboardInterrupt):
        reads()
    assert len(done) == 1000
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_weights_are_read_is_no_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library answers an interrupt with an error of its own."""

    def reads(_: Any) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("could not determine the shape of object type 'torch.storage.UntypedStorage'")

    monkeypatch.setattr(loading, "load_file", reads)
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"x")
    with pytest.raises(KeyboardInterrupt):
        loading.read_weights(file)
