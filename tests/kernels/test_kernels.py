"""The parts of compiled loops: random numbers, functions, and ranges for threads."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evofool.encodings.cppn.batch import ACTIVATION_NAMES
from evofool.encodings.cppn.functions import ACTIVATIONS
from evofool.kernels import compiled as compiling
from evofool.kernels import draws, functions, rendering
from evofool.kernels.compiled import compiled, use_whole_vectors
from evofool.kernels.constants import EXP_CUTOFF
from evofool.kernels.threads import SPLIT, in_parts

SAMPLES = 40_000


def stream(seed: int = 0) -> np.ndarray:
    return np.array([seed], np.uint64)


def farthest(sample: np.ndarray, cdf: Callable[[float], float]) -> float:
    """The Kolmogorov–Smirnov distance of a sample to its distribution, times √n."""
    expected = np.array([cdf(x) for x in np.sort(sample)])
    steps = np.arange(len(sample) + 1) / len(sample)
    return float(max(np.abs(expected - steps[1:]).max(), np.abs(expected - steps[:-1]).max()) * np.sqrt(len(sample)))


def test_the_stream_is_splitmix64() -> None:
    """The generator's published numbers for the seed 1234567."""
    state = stream(1234567)
    for bits in (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431):
        assert draws.uniform(state) == (bits >> 11) * 2.0**-53


def test_many_uniform_numbers_at_once_are_those_of_one_after_the_other() -> None:
    single, many = stream(7), stream(7)
    for n in (5, 0, 300):
        values = np.full(n, np.nan)
        draws.uniforms(many, values)
        assert values.tolist() == [draws.uniform(single) for _ in range(n)]
        assert many == single


def test_uniform_and_normal_numbers_are_distributed_so() -> None:
    state = stream()
    assert farthest(np.array([draws.uniform(state) for _ in range(SAMPLES)]), lambda x: x) < 1.6  # p ≈ 0.01, seeded
    normal = np.array([draws.normal(state) for _ in range(SAMPLES)])
    assert farthest(normal, lambda x: 0.5 * math.erfc(-x / math.sqrt(2))) < 1.6
    between = np.array([draws.between(state, -2.0, 3.0) for _ in range(SAMPLES)])
    assert farthest(between, lambda x: (x + 2) / 5) < 1.6


def test_streams_of_neighbouring_seeds_have_nothing_in_common() -> None:
    numbers = np.array([[draws.uniform(state) for _ in range(4)] for state in map(stream, range(SAMPLES // 4))])
    assert farthest(numbers[:, 0], lambda x: x) < 1.6
    for first, second in ((numbers[:-1, 0], numbers[1:, 0]), (numbers[:, 0], numbers[:, 1])):
        assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(first))


@pytest.mark.parametrize("n", [1, 2, 7])
def test_whole_numbers_are_drawn_alike(n: int) -> None:
    state = stream(n)
    counts = np.bincount([draws.below(state, n) for _ in range(SAMPLES)], minlength=n)
    assert len(counts) == n
    assert (np.abs(counts - SAMPLES / n) <= 4 * np.sqrt(SAMPLES * (1 / n) * (1 - 1 / n))).all()


class Features:
    """What LLVM says of a processor."""

    def __init__(self, names: str) -> None:
        self.names = names

    def flatten(self) -> str:
        return self.names


@pytest.mark.parametrize("avx", [1, 0])
@pytest.mark.parametrize(
    ("name", "before", "features", "after"),
    [
        (None, None, "+avx2,+avx512fp16,+fma", "+avx2,+avx512fp16,+fma,-prefer-256-bit"),
        (None, None, "+avx2,+avx512f,-avx512fp16", None),
        (None, None, "", None),
        (None, "+avx2", "+avx512fp16", "+avx2"),
        ("generic", None, "+avx512fp16", None),
    ],
)
def test_whole_vectors_are_used_where_there_are_some_and_nobody_says_otherwise(
    name: str | None, before: str | None, features: str, after: str | None, avx: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "ENABLE_AVX", avx)
    monkeypatch.setattr(numba.config, "CPU_NAME", name)
    monkeypatch.setattr(numba.config, "CPU_FEATURES", before)
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: Features(features))
    for _ in range(2):
        use_whole_vectors()
        assert (name, numba.config.CPU_FEATURES) == (numba.config.CPU_NAME, after if avx else before)


def test_an_unknown_processor_keeps_its_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> None:
        raise RuntimeError("unknown processor")

    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", unknown)
    before = numba.config.CPU_FEATURES
    use_whole_vectors()
    assert before == numba.config.CPU_FEATURES


RENDERED = """
import sys
from evofool.kernels.compiled import use_whole_vectors
if "whole" in sys.argv:
    use_whole_vectors()
import hashlib
from evofool import encodings
from evofool.rng import Rng
encoding, rng = encodings.build("cppn", encodings.preset("cppn", "default"), (3, 30, 47), "cpu"), Rng(5)
genomes = encoding.random(40, rng)
for _ in range(20):
    genomes = encoding.mutate(genomes, rng)
if "late" in sys.argv:
    use_whole_vectors()
from numba.core.registry import cpu_target
print(cpu_target.target_context.codegen().magic_tuple()[2].split(",")[-1])
print(hashlib.sha256(encoding.decode(genomes).numpy().tobytes()).hexdigest())
"""


def test_pictures_are_the_same_for_any_processor_and_any_vectors(tmp_path: Path) -> None:
    """Compiled for this one, with whole vectors asked for early, late and never; and for the least of its kind."""

    def rendered(*words: str, **settings: str) -> list[str]:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)} | settings
        program = subprocess.run(
            [sys.executable, "-c", RENDERED, *words], env=environment, capture_output=True, text=True
        )
        assert program.returncode == 0, program.stderr
        return program.stdout.split()

    plain, whole, late = rendered(), rendered("whole"), rendered("late")
    least = rendered("whole", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    wide = "+avx512fp16" in llvmlite.binding.get_host_cpu_features().flatten().split(",")
    assert plain[0] == late[0] != "-prefer-256-bit"  # An import changes nothing of the process.
    assert (whole[0] == "-prefer-256-bit") == wide
    assert len(least) == 1  # No features.
    assert plain[-1] == whole[-1] == late[-1] == least[-1]


def test_loops_are_compiled_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not the user's to write to, and a user without a home."""

    def twice(value: int) -> int:
        return 2 * value

    compiling._cache_folder.cache_clear()
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(compiling, "user_cache", lambda: None)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    try:
        assert compiled(twice)(21) == 42
    finally:
        compiling._cache_folder.cache_clear()
    assert numba.config.CACHE_DIR == ""


FORMULAS = {
    "sin": np.sin,
    "sigmoid": lambda p: np.tanh(p / 2),
    "gauss": lambda p: np.exp(-p * p),
    "linear": lambda p: np.clip(p, -3, 3) / 3,
    "cos": np.cos,
    "wedge": lambda p: np.minimum(abs(p), 3) / 1.5 - 1,
}


@pytest.mark.parametrize("far", [1.0, 20.0, 3000.0, 1e8])
@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_functions_are_right_to_four_roundings(name: str, far: float) -> None:
    """The error is at most 4 · 2⁻²⁴, a fourteen-thousandth of a grey level, and no value is beyond ±1."""
    values = np.linspace(-far, far, 200_001).astype(np.float32)
    expected = FORMULAS[name](values.astype(np.float64))
    rendering.activate(values, np.uint64(0), np.uint64(len(values)), ACTIVATION_NAMES.index(name))
    assert np.abs(values - expected).max() <= 4 * 2.0**-24
    assert np.abs(values).max() <= 1


@compiled
def logarithms(values: np.ndarray) -> None:
    for i in range(len(values)):
        values[i] = functions.log(values[i])


def test_logarithms_are_right() -> None:
    drawn = np.random.default_rng(0).random(100_000)
    edges = np.array([math.sqrt(2), math.sqrt(0.5), 0.5, 2.0])
    near = np.concatenate([np.nextafter(edges, 0), edges, np.nextafter(edges, 9), 1 - drawn, 1 - drawn * 1e-9])
    far = np.concatenate([2.0 ** np.arange(-1022, 1023), drawn * 1e300, [2.0**-53]])
    for values, apart in ((near, 1e-12), (far, 1e-10)):
        results = values.copy()
        logarithms(results)
        np.testing.assert_allclose(results, np.log(values), rtol=1e-12, atol=apart)
    ends = np.array([1.0, 0.0])
    logarithms(ends)
    assert ends[0] == 0
    assert ends[1] < -708


def test_far_ends_of_bells_are_zero() -> None:
    """The loop and torch take e⁻⁴⁰ and less for 0."""
    edge = np.float32(math.sqrt(EXP_CUTOFF))
    assert edge * edge == EXP_CUTOFF
    values = np.array([0.0, -6.3, np.nextafter(edge, np.float32(0)), edge, -9.3, -20.0, 1e15], np.float32)
    by_loop, by_torch = values.copy(), torch.from_numpy(values.copy())
    rendering.activate(by_loop, np.uint64(0), np.uint64(len(values)), ACTIVATION_NAMES.index("gauss"))
    ACTIVATIONS["gauss"](by_torch, by_torch)
    for bells in by_loop, by_torch.numpy():
        np.testing.assert_allclose(bells[:3], np.exp(-np.square(values[:3].astype(np.float64))), rtol=1e-5)
        assert bells[3:].tolist() == [0.0] * 4


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_sums_that_overflowed_give_values_still(name: str) -> None:
    values = np.array([np.inf, -np.inf, 3e38, -3e38], np.float32)
    rendering.activate(values, np.uint64(0), np.uint64(4), ACTIVATION_NAMES.index(name))
    assert (np.abs(values) <= 1).all()


@pytest.fixture(params=[1, 2, 5])
def number(request: pytest.FixtureRequest, threads: Callable[[int], None]) -> int:
    """The number of torch's threads."""
    threads(request.param)
    return int(request.param)


@given(work=st.lists(st.integers(0, SPLIT), min_size=1, max_size=30))
def test_every_genome_is_in_one_part(work: list[int]) -> None:
    done: list[int] = []
    in_parts(lambda first, last: done.extend(range(first, last)), np.concatenate(([0], np.cumsum(work))))
    assert sorted(done) == list(range(len(work)))


def test_much_work_is_shared_and_little_is_not(number: int) -> None:
    where: set[str] = set()
    barrier = threading.Barrier(number)

    def part(first: int, last: int) -> None:
        barrier.wait(10)  # So that no thread does two.
        where.add(threading.current_thread().name)

    in_parts(part, np.arange(101) * SPLIT)
    assert len(where) == number
    where.clear()
    barrier = threading.Barrier(1)
    in_parts(part, np.arange(101))
    assert where == {threading.current_thread().name}


@pytest.mark.usefixtures("number")
def test_what_fails_in_a_thread_is_raised() -> None:
    def part(first: int, last: int) -> None:
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        in_parts(part, np.arange(101) * SPLIT)


def test_a_forked_child_does_without_the_threads_that_it_did_not_inherit(threads: Callable[[int], None]) -> None:
    """A convolution in torch's pool of threads would wait for ever."""
    network, images = torch.nn.Conv2d(3, 8, 3), torch.zeros(64, 3, 32, 32)
    threads(2)
    network(images)
    in_parts(lambda first, last: None, np.arange(101) * SPLIT)
    child = os.fork()
    if not child:
        signal.alarm(30)
        network(images)
        in_parts(lambda first, last: None, np.arange(101) * SPLIT)
        os._exit(torch.get_num_threads())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert torch.get_num_threads() == 2
