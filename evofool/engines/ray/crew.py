"""The workers of a job: begun, replaced when they die, and more of them when machines join."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from ...errors import ConfigError, TargetError, in_words
from ...kernels import settings
from ..base import ClusterFacts, Done, Numbered, Source, Work
from .head import Head
from .luggage import Luggage
from .member import Member, shares
from .worker import Answer, Refusal, Worker

PATIENCE = 600.0
"""Seconds in which a first worker has to begin; a machine of a cloud takes some minutes."""

GROWTH_SECONDS = 5.0
"""Seconds between two looks at whether machines have joined, and whether idle workers live."""

MAX_DEATHS = 8
"""Deaths of workers in a row, without any work done between them, after which a job ends."""

WAIT_SECONDS = 0.5
"""Seconds for which answers are waited for at once."""

FREE_SECONDS = 0.001
"""Seconds between two looks at whether a worker is free."""


class Lost(Exception):
    """A worker died with a piece of work."""


class Crew:
    """The workers of a job. Several threads may use it at the same time.

    Args:
        luggage: What a worker needs to have the target.
        count: How many workers there are, at most; None for as many as the cluster has room for.
        cpus, gpus: The share of a machine that each has.

    Raises:
        ConfigError: No machine of the cluster has room for a worker.
        EvofoolError: A worker can't have the target.
    """

    def __init__(self, luggage: Luggage, *, count: int | None, cpus: float, gpus: float) -> None:
        self._count, self._cpus, self._gpus = count, cpus, gpus
        self._luggage = ray.put(pickle.dumps(luggage))
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": 0}
        self._actor = ray.remote(Worker).options(**options)
        self._members: list[Member] = []
        self._coming: dict[Any, Member] = {}  # by the reference to what they say of themselves
        self._lock, self.head = threading.RLock(), Head()
        self._lost = self._deaths = self._images = 0
        self._recorded_by: list[str] = []
        self._searched_by: list[str] = []
        self._last: ClusterFacts | None = None
        self._looked = float("-inf")
        self._check_room()
        self._wait_for_first()

    def close(self) -> None:
        """End all workers. The facts stay those of the last moment."""
        with self._lock:
            self._last = self.facts()
            if self.head.answers():
                for member in (*self._members, *self._coming.values()):
                    ray.kill(member.actor)
            self._members, self._coming = [], {}

    def facts(self) -> ClusterFacts:
        """Return how the workers are doing."""
        with self._lock:
            if self._last:
                return self._last
            workers = tuple(m.described._replace(speed=m.speed) for m in self._members if m.described)
            hardware = tuple(self._recorded_by), tuple(self._searched_by)
            return ClusterFacts(workers, len(self._coming), self._lost, self._images, *hardware)

    def run(
        self, function: Callable[..., Any], sizes: Sequence[int], arguments: Callable[[int, int], tuple[Any, ...]],
        *, on_record: bool,
    ) -> list[Any]:  # fmt: skip
        """Have the passes of a batch computed, by each worker in proportion to its speed.

        Args:
            function: Is called on workers with the place and arguments.
            sizes: The number of images of each pass.
            arguments: Returns the arguments for a range of images.
            on_record: Whether the results go on record, so that hardware of one kind has to compute them.

        Returns:
            What the function returned for ranges that cover all passes, in their order.
        """
        ends = [0, *accumulate(sizes)]
        results: dict[int, Any] = {}
        under_way: dict[Any, tuple[Member, int, int]] = {}
        todo = [(0, len(sizes))] if sizes else []
        while todo or under_way:
            self.attend()
            members = self._eligible(on_record=on_record)
            while todo and members:
                first, last = todo.pop()
                for member, start, stop in shares(members, first, last):
                    call = member.actor.do.remote(function, *arguments(ends[start], ends[stop]))
                    under_way[call] = member, start, stop
            for call in _done(under_way):
                member, start, stop = under_way.pop(call)
                try:
                    answer = self._received(member, call)
                except Lost:
                    todo.append((start, stop))
                    continue
                results[start] = answer.value
                self._measure(member, ends[stop] - ends[start], answer.seconds)
                if not on_record:
                    self._searched_with(member)
        return [results[start] for start in sorted(results)]

    def ask(self, function: Callable[..., Any], images: int, *arguments: Any) -> Any:
        """Have one piece of work done once, by the next worker that has no other.

        Args:
            function: Is called on the worker with the place and arguments.
            images: The number of images that it scores.
            arguments: Further arguments of the function.

        Raises:
            Lost: The worker died. It may have done the work.
        """
        while True:
            self.attend()
            with self._lock:
                member = next((each for each in self._eligible(on_record=True) if not each.asked), None)
                if member:
                    member.asked = True
                    break
            time.sleep(FREE_SECONDS)
        try:
            call = member.actor.do.remote(function, *arguments)
            while not _done({call: member}):
                self.attend()
            answer = self._received(member, call)
        finally:
            member.asked = False
        self._measure(member, images, answer.seconds)
        return answer.value

    def work(self, function: Work, common: Any, source: Source, *, first: int) -> Iterator[list[tuple[Any, Any]]]:
        """Keep every worker busy with items of a source, and yield those that are done, with their results.

        What a worker had when it died goes back to the source. An empty list is yielded where nothing is done for a
        while.
        """
        shared, number = ray.put(common), 0
        held: dict[Member, dict[int, Any]] = {}
        room: dict[Member, int] = {}
        under_way: dict[Any, Member] = {}
        while True:
            self.attend()
            idle = [member for member in self._eligible(on_record=True) if member not in under_way.values()]
            for member in idle:
                wanted = room.get(member, first)
                items = source.take(wanted)
                sent: Numbered = [(number + index, item) for index, item in enumerate(items)]
                number += len(sent)
                mine = held.setdefault(member, {})
                mine.update(sent)
                if mine:
                    under_way[member.actor.do.remote(function, shared, sent, len(items) == wanted)] = member
            if idle and not under_way:
                return
            finished: list[tuple[Any, Any]] = []
            for call in _done(under_way):
                member = under_way.pop(call)
                try:
                    answer = self._received(member, call)
                except Lost:
                    source.put_back(list(held.pop(member).values()))
                    continue
                done: Done = answer.value
                room[member] = done.room
                self._measure(member, done.images, answer.seconds)
                finished += [(held[member].pop(key), result) for key, result in done.results]
            yield finished

    def attend(self) -> None:
        """Welcome workers that have begun, and begin others where there is room for them.

        Raises:
            TargetError: The head of the cluster has died.
            EvofoolError: A worker can't have the targets.
        """
        with self._lock:
            self.head.check()
            for call in _done(self._coming, seconds=0):
                self._welcome(call)
            if not self.head.silent and time.monotonic() - self._looked >= GROWTH_SECONDS:
                self._looked = time.monotonic()
                self._find_dead()
                self._fill()

    def _wait_for_first(self) -> None:
        """Wait until a worker has begun.

        Raises:
            ConfigError: None does.
        """
        begun = time.monotonic()
        while not self._members:
            self.attend()
            for call in _done(self._coming):
                self._welcome(call)
            if time.monotonic() - begun > PATIENCE:
                raise ConfigError(
                    f"no worker has begun within {PATIENCE:.0f} seconds: what the cluster has is taken; look at: ray "
                    "status"
                )

    def _welcome(self, call: Any) -> None:
        """Take a worker that has begun."""
        member = self._coming.pop(call)
        try:
            member.described = self._received(member, call).value
        except Lost:
            return
        assert member.described
        self._members.append(member)

    def _find_dead(self) -> None:
        """Forget workers that died while they had nothing to do."""
        for member in list(self._members):
            if member.sign is None:
                member.sign = member.actor.describe.remote()
            elif _done({member.sign: member}, seconds=0):
                with suppress(Lost):
                    self._received(member, member.sign)
                member.sign = None

    def _fill(self) -> None:
        """Begin as many workers as are missing. Ray lets them wait where there is no room for them yet."""
        wanted = self._count or max(1, self._room())
        for _ in range(wanted - len(self._members) - len(self._coming)):
            member = Member(self._actor.remote(self._luggage, settings.whole_vectors))
            self._coming[member.actor.describe.remote()] = member

    def _room(self) -> int:
        """Return how many workers the machines have room for."""
        return sum(int(min(_times(one, "CPU", self._cpus), _times(one, "GPU", self._gpus))) for one in _machines())

    def _check_room(self) -> None:
        """Refuse workers that no machine has room for.

        Raises:
            ConfigError: They are such.
        """
        for kind, share, name in (("GPU", self._gpus, "gpus_per_worker"), ("CPU", self._cpus, "cpus_per_worker")):
            most = max((machine.get(kind, 0.0) for machine in _machines()), default=0.0)
            if share > most:
                raise ConfigError(
                    f"a worker needs {share:g} {kind}s, and the largest machine of the Ray cluster has {most:g}; ask "
                    f"for less with `{name}={most:g}`"
                )
        if not self._room():
            raise ConfigError(
                "no machine of the Ray cluster has both the CPUs and the GPUs of a worker; ask for less with "
                "`cpus_per_worker` or `gpus_per_worker`"
            )

    def _eligible(self, *, on_record: bool) -> list[Member]:
        """Return the workers that may compute something: for the record, those with hardware of one kind."""
        with self._lock:
            if not on_record or not self._members:
                return list(self._members)
            kinds = [member.described.hardware if member.described else "" for member in self._members]
            if not self._recorded_by or self._recorded_by[-1] not in kinds:
                self._recorded_by.append(kinds[0])
            return [m for m, kind in zip(self._members, kinds, strict=True) if kind == self._recorded_by[-1]]

    def _received(self, member: Member, call: Any) -> Answer:
        """Return what a worker answered.

        Raises:
            Lost: It died; another one is begun.
            EvofoolError: What the work was refused with.
        """
        try:
            answer: Answer | Refusal = ray.get(call)
        except RayTaskError as error:
            raise error.as_instanceof_cause() from error
        except RayError as error:
            self._bury(member, error)
            raise Lost from error
        if isinstance(answer, Refusal):
            raise answer.error
        return answer

    def _bury(self, member: Member, error: RayError) -> None:
        """Forget a worker that died, and begin another one."""
        with self._lock:
            if member.dead:
                return
            member.dead = True
            if self.head.answers():
                ray.kill(member.actor)  # One that only can't be reached any more gives its room back.
            if member in self._members:
                self._members.remove(member)
            self._lost += 1
            self._deaths += 1
            if self._deaths >= MAX_DEATHS:
                said = in_words(error.__cause__ or error)
                raise TargetError(
                    f"{self._deaths} workers died one after another before they answered ({said[:200]}); look at "
                    "their memory, and whether evofool is installed on all machines"
                ) from error
            self._looked = float("-inf")

    def _searched_with(self, member: Member) -> None:
        """Note that a worker's hardware gave scores for the search."""
        assert member.described
        with self._lock:
            if member.described.hardware not in self._searched_by:
                self._searched_by.append(member.described.hardware)

    def _measure(self, member: Member, images: int, seconds: float) -> None:
        """Note that a worker did some work, and how fast it was."""
        with self._lock:
            self._images += images
            self._deaths = 0
        member.measure(images, seconds)


def _done(calls: dict[Any, Any], seconds: float = WAIT_SECONDS) -> list[Any]:
    """Wait until one of some calls is done, so long at most. Return all that are."""
    if not calls:
        time.sleep(min(seconds, 0.05))
        return []
    done, _ = ray.wait(list(calls), num_returns=1, timeout=seconds)
    if done and len(calls) > 1:
        done, _ = ray.wait(list(calls), num_returns=len(calls), timeout=0)
    return list(done)


def _machines() -> list[dict[str, float]]:
    """Return what each machine of the cluster has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _times(machine: dict[str, float], kind: str, share: float) -> float:
    """Return how many workers a machine has so much for."""
    return machine.get(kind, 0.0) // share if share else float("inf")
