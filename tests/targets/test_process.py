"""The process belongs to the user: evofool changes it only when it is asked to, as its command line does."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import subprocess
import sys
from typing import Any

import pytest

from evofool.targets.execution.process import tune_process

SPIES = """
import ctypes, json, sys
mallopts, cdll = [], ctypes.CDLL

class Spy(cdll):
    def __getattr__(self, name):
        if name == "mallopt":
            return lambda *arguments: mallopts.append(arguments) or 1
        return super().__getattr__(name)

ctypes.CDLL = Spy

def state():
    import numba
    numba_settings = {name: repr(value) for name, value in vars(numba.config).items() if name.isupper()}
    return [mallopts, sys.getswitchinterval(), numba_settings]
"""

LIBRARY = """
before = json.loads(json.dumps(state()))
import torch, evofool
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
target = evofool.Target(network, classes=["a", "b"], image_shape=(3, 2, 2), device="cpu")
during = []
options = {"generations": 2, "batch": 4, "observer": lambda *_: during.append(json.loads(json.dumps(state())))}
evofool.evolve(target, "cppn", out=sys.argv[1] + "/run", **options)
assert during
print(json.dumps([before, *during, state()]))
"""

COMMAND_LINE = """
from evofool.targets.execution.process import tune_process
tune_process()
assert "numba" not in sys.modules and "torch" not in sys.modules
import evofool.encodings.cppn.encoding
import numba
features = []
import llvmlite.binding
print(json.dumps([mallopts, sys.getswitchinterval(), numba.config.CPU_FEATURES]))
"""


def printed(code: str, *words: str, tuning: str = "on", **settings: str) -> Any:
    """The JSON that a program prints."""
    program = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "EVOFOOL_TUNING": tuning, **settings},
        capture_output=True,
        text=True,
    )
    assert program.returncode == 0, program.stderr
    return json.loads(program.stdout.splitlines()[-1])


def test_a_library_user_s_process_is_left_alone(tmp_path: Any) -> None:
    """A target is constructed, and evolves with a folder, its writing thread and its compiled loops."""
    states = printed(SPIES + LIBRARY, str(tmp_path), EVOFOOL_CACHE=str(tmp_path))
    assert states[0][0] == []
    assert len(states) >= 4
    assert all(state == states[0] for state in states)


def test_the_command_line_s_call_changes_all_three() -> None:
    mallopts, interval, features = printed(SPIES + COMMAND_LINE)
    assert mallopts == [[-4, 0], [-1, -1]]  # M_MMAP_MAX and M_TRIM_THRESHOLD, from malloc.h
    assert interval == pytest.approx(0.0005)
    import llvmlite.binding

    wide = "+avx512fp16" in llvmlite.binding.get_host_cpu_features().flatten().split(",")
    assert (features is not None and features.endswith("-prefer-256-bit")) == wide


def test_it_is_the_command_line_that_calls_it() -> None:
    interval = printed(
        SPIES + "sys.argv = ['evofool', 'targets', '--json']\n"
        "import atexit\natexit.register(lambda: print(json.dumps([mallopts, sys.getswitchinterval()])))\n"
        "from evofool.cli.app import main\nmain()"
    )
    assert interval == [[[-4, 0], [-1, -1]], pytest.approx(0.0005)]


def test_it_can_be_turned_off() -> None:
    assert printed(SPIES + COMMAND_LINE, tuning="off") == [[], sys.getswitchinterval(), None]


def test_an_allocator_that_the_user_has_set_up_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    mallopts, interval, _ = printed(SPIES + COMMAND_LINE, MALLOC_MMAP_THRESHOLD_="1000000")
    assert (mallopts, interval) == ([], pytest.approx(0.0005))


@pytest.fixture
def interval() -> Any:
    """Python's switch interval, which is put back."""
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


@pytest.mark.parametrize("error", [OSError, TypeError, None])
def test_a_library_that_does_not_know_how_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, interval: float, error: type[Exception] | None
) -> None:
    def library(_: None) -> object:
        if error:
            raise error
        return object()

    monkeypatch.delenv("EVOFOOL_TUNING")
    monkeypatch.setattr(ctypes, "CDLL", library)
    tune_process()
    assert sys.getswitchinterval() == pytest.approx(0.0005)


FAULTS = """
import json, resource, torch
from evofool.targets.execution.process import tune_process
tune_process()
for _ in range(30):
    torch.zeros(2**24).sum()  # 64 MB, freed at once, until the heap has a hole for it
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.zeros(2**24).sum()
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc knows how")
def test_memory_that_was_freed_is_not_fetched_anew() -> None:
    pages = 5 * 2**26 // os.sysconf("SC_PAGE_SIZE")
    assert printed(FAULTS) < pages / 20
    assert printed(FAULTS, tuning="off") > pages / 2 or _huge_pages()


def _huge_pages() -> bool:
    """Whether the system hands out pages of 2 MB unasked, so that there is little to count."""
    with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as file:
        return "[always]" in file.read()
