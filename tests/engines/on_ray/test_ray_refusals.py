"""What a cluster can't do is refused in one line; and what travels there is small."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clusters import ON_RAY, Linear
from runs import assert_refused, run_cli, small_evolve
from support import build

from evofool.engines.base import WorkerFacts
from evofool.errors import EvofoolError, TargetError
from evofool.rng import Rng
from evofool.targets.prepare import versions

ray = pytest.importorskip("ray", reason="ray is an extra: pip install 'evofool[ray]'")

from evofool.engines.ray import connection, crew  # noqa: E402
from evofool.engines.ray.luggage import Luggage  # noqa: E402
from evofool.engines.ray.member import Member, shares  # noqa: E402
from evofool.engines.ray.ray_engine import packed, unpacked  # noqa: E402

Capture = pytest.CaptureFixture[str]

EVOLVE = ("evolve", "--target", "digits", "--generations", "1", "--engine", "ray")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process connected to no cluster, as far as it is asked."""
    monkeypatch.setattr(ray, "is_initialized", lambda: False)


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.mark.usefixtures("alone")
def test_nothing_at_the_address_is_said_at_once(tmp_path: Path, capsys: Capture) -> None:
    address = f"127.0.0.1:{closed_port()}"
    refused = run_cli(capsys, *EVOLVE, "--address", address, "--out", tmp_path / "run")
    assert_refused(refused, f"no Ray cluster answers at --address {address}", "ray start --head")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("answer", "said"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "another server listens there"), (b"", "timed out")]
)
def test_another_server_at_the_address_is_no_cluster(
    answer: bytes, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(connection, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address, kept = f"127.0.0.1:{server.getsockname()[1]}", []

        def serve() -> None:
            kept.append(server.accept()[0])
            kept[0].sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        refused = run_cli(capsys, *EVOLVE, "--address", address)
        assert_refused(refused, f"no Ray cluster answers at --address {address} ({said})", "ray start --head")
        kept[0].close()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("address", ["somewhere", "host:", ":6379", "host:0", "host:99999", "host:port"])
def test_what_is_no_address_is_said(address: str, capsys: Capture) -> None:
    assert_refused(run_cli(capsys, *EVOLVE, "--address", address), "--address must be auto or HOST:PORT", address)


MISMATCH = """Version mismatch: The cluster was started with:
    Ray: 2.9.0
    Python: 3.10.4
This process on node 10.0.0.2 was started with:
    Ray: 2.60.0
    Python: 3.11.2
"""


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError(MISMATCH),
            "runs Ray 2.9.0 with Python 3.10.4, this process Ray 2.60.0 with Python 3.11.2; install",
        ),
        (ConnectionError("Could not find any running Ray instance."), "no Ray cluster runs on this machine"),
        (SystemExit(15), "it doesn't answer"),
        (ValueError("no such thing"), "no such thing"),
    ],
)
def test_what_ray_refuses_is_one_line(
    error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(ray, "init", refuse)
    assert_refused(run_cli(capsys, *EVOLVE, "--address", "auto"), said)


def test_ray_itself_raises_what_is_taken_for_other_versions() -> None:
    from ray._private.utils import check_version_info

    theirs = {"ray_version": "2.9.0", "python_version": "3.10.4", "ray_commit": ""}
    with pytest.raises(RuntimeError) as raised:
        check_version_info(theirs, "10.0.0.2")
    assert "runs Ray 2.9.0 with Python 3.10.4" in connection._refusal("auto", raised.value)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--gpus-per-worker", "2"), "a worker needs 2 GPUs, and the largest machine of the Ray cluster has 0"),
        (("--cpus-per-worker", "3"), "a worker needs 3 CPUs, and the largest machine of the Ray cluster has 1"),
    ],
)
def test_more_than_a_machine_has_is_refused(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: Capture
) -> None:
    refused = run_cli(capsys, *EVOLVE, *options, "--out", tmp_path / "run")
    assert_refused(refused, said, f"ask for less with {options[0]}")
    assert not (tmp_path / "run").exists()


class Bound(Linear):
    """A target that can't leave its process."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


@pytest.mark.usefixtures("cluster")
def test_a_target_that_cant_travel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"target linear can't travel to workers \(.*lock.*\); leave out") as raised:
        small_evolve(tmp_path / "run", target=Bound(), device="auto", precision=None, **ON_RAY)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


class Failing(Linear):
    """A target that can't be had elsewhere."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise EvofoolError("the licence is for one machine")


@pytest.mark.usefixtures("cluster")
def test_what_a_worker_refuses_is_said_as_it_was_raised_there() -> None:
    with pytest.raises(EvofoolError, match=r"^the licence is for one machine$"):
        small_evolve(target=Failing(), device="auto", precision=None, engine="ray", workers=1)


class Deadly(Linear):
    """A target that ends the process of whoever unpacks it."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        import os

        os._exit(1)


@pytest.mark.usefixtures("cluster")
def test_workers_that_die_again_and_again_end_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "MAX_DEATHS", 2)
    with pytest.raises(TargetError, match="2 workers died one after another before they answered"):
        small_evolve(target=Deadly(), device="auto", precision=None, engine="ray", workers=1)


def test_a_worker_with_another_version_of_evofool_says_so() -> None:
    with pytest.raises(TargetError, match=r"^evofool \S+ is installed there, and 0\.9 here; install the same version$"):
        Luggage((), {**versions(), "evofool": "0.9"}, 1).unpacked()


def test_scores_on_record_come_from_hardware_of_one_kind_as_long_as_there_is_some() -> None:
    workers = crew.Crew.__new__(crew.Crew)
    workers._lock, workers._recorded_by, workers._searched_by = threading.RLock(), [], []  # type: ignore[assignment]
    kinds = ("Xeon", "EPYC", "Xeon")
    one, other, third = (Member(None, WorkerFacts("m", pid, kind, 0.0)) for pid, kind in enumerate(kinds))
    workers._members = [one, other, third]
    assert workers._eligible(on_record=False) == [one, other, third]
    assert workers._eligible(on_record=True) == [one, third]
    workers._members = [other]
    assert workers._eligible(on_record=True) == [other]
    assert workers._recorded_by == ["Xeon", "EPYC"]
    for member in (other, third, other):
        workers._searched_with(member)
    assert workers._searched_by == ["EPYC", "Xeon"]


def test_options_of_workers_are_refused_without_them(capsys: Capture) -> None:
    refused = run_cli(capsys, "evolve", "--workers", "2")
    assert_refused(refused, "--workers belongs to the workers of a cluster; say --engine ray as well")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("evofool.targets.doors.needs.find_spec", lambda name: None)
    assert_refused(run_cli(capsys, *EVOLVE), "Jobs on a cluster need ray", "pip install 'evofool[ray]'")


def test_at_most_five_kilobytes_travel_for_a_cppn_and_its_thousand_scores() -> None:
    encoding, rng = build("cppn", "default", (3, 224, 224)), Rng(0)
    genomes = encoding.random(100, rng)
    for _ in range(40):
        genomes = encoding.mutate(genomes, rng)
    scores = rng.host.dirichlet(np.full(1000, 0.1), 100).astype(np.float32)
    there, back = packed(encoding.dump(genomes)), packed(scores)
    assert (len(there) + len(back)) / 100 <= 5_000
    np.testing.assert_array_equal(unpacked(back), scores)
    np.testing.assert_array_equal(unpacked(there)["weight"], genomes.weight)


def test_passes_are_dealt_in_proportion_to_speed() -> None:
    fast, slow, new = (Member(None, speed=speed) for speed in (300.0, 100.0, 0.0))
    assert shares([fast, slow], 0, 8) == [(fast, 0, 6), (slow, 6, 8)]
    assert shares([fast, slow, new], 2, 14) == [(fast, 2, 8), (slow, 8, 10), (new, 10, 14)]
    assert shares([slow, fast], 0, 1) == [(fast, 0, 1)]
    assert shares([new, Member(None)], 0, 2)[1][1:] == (1, 2)


def test_a_worker_that_took_long_to_load_and_compile_gets_passes_again() -> None:
    warm, new = Member(None, speed=3000.0, warm=True), Member(None)
    new.measure(16, seconds=4.0)
    assert shares([warm, new], 0, 8) == [(warm, 0, 4), (new, 4, 8)]
    for _ in range(2):
        new.measure(16, seconds=0.016)
    assert new.speed == pytest.approx(1000)
    assert shares([warm, new], 0, 8) == [(warm, 0, 6), (new, 6, 8)]
