"""Freed memory stays with the process, where the C library can be told to."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from evofool.targets.execution import memory as allocation

FAULTS = """
import resource, torch
from evofool.target import Target
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
Target(network, classes=["a", "b"], image_shape=(3, 2, 2), device="cpu")
torch.zeros(2**25).sum()  # 128 MB, freed at once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.zeros(2**25).sum()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(tuning: str) -> int:
    """Pages that the process was given anew for 5 × 128 MB."""
    told = subprocess.run(
        [sys.executable, "-c", FAULTS], env={**os.environ, "EVOFOOL_TUNING": tuning}, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc knows how")
def test_memory_that_was_freed_is_not_fetched_anew() -> None:
    pages = 5 * 2**27 // os.sysconf("SC_PAGE_SIZE")
    assert faults("on") < pages / 20
    assert faults("off") > pages / 2 or _huge_pages()


def _huge_pages() -> bool:
    """Whether the system hands out pages of 2 MB unasked, so that there is little to count."""
    with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as file:
        return "[always]" in file.read()


def test_a_library_that_does_not_know_how_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVOFOOL_TUNING")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert allocation.keep_memory.__wrapped__() is False


@pytest.mark.parametrize(("name", "value"), [("EVOFOOL_TUNING", "off"), ("MALLOC_MMAP_THRESHOLD_", "1000000")])
def test_it_is_off_with_tuning_and_where_the_user_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("EVOFOOL_TUNING")
    monkeypatch.setenv(name, value)
    assert allocation.keep_memory.__wrapped__() is False
