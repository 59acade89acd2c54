"""What travels to a worker when it begins: the target, and what has to be the same there."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import torch

from ...config.records import TargetRecord
from ...errors import EvofoolError, TargetError, in_words
from ...targets.prepare import rebuilt, versions
from ...targets.protocols import Target

COMPARED = ("evofool", "torch", "numpy", "numba")
"""Packages whose versions have to be the same on all machines, since results depend on them."""


@dataclass(frozen=True)
class Luggage:
    """What a worker needs to have the targets of a job.

    Attributes:
        packed: The targets, in order.
        versions: The versions that the job was begun with.
        threads: Threads that the worker computes on.
    """

    packed: tuple[Packed, ...]
    versions: dict[str, str]
    threads: int

    def unpacked(self) -> list[Target]:
        """Return the targets, on a worker.

        Raises:
            EvofoolError: One can't be had here, or other versions are installed here.
        """
        here = versions()
        for name in COMPARED:
            if here[name] != self.versions[name]:
                raise TargetError(
                    f"{name} {here[name]} is installed there, and {self.versions[name]} here; install the same version"
                )
        return [packed.unpacked() for packed in self.packed]


@dataclass(frozen=True)
class Packed:
    """A target, as it travels.

    Attributes:
        record: What is needed to build a named target again.
        pickled: The user's own target; None for a named one, which the worker builds by itself.
    """

    record: TargetRecord
    pickled: bytes | None

    def unpacked(self) -> Target:
        """Return the target, on a worker.

        Raises:
            EvofoolError: It can't be had here.
        """
        if self.pickled is None:
            return rebuilt(self.record)
        from ray import cloudpickle

        try:
            target: Target = cloudpickle.loads(self.pickled)
        except EvofoolError:
            raise
        except Exception as error:
            raise TargetError(f"target {self.record.name} can't be unpacked there ({in_words(error)})") from error
        return target


def luggage_of(networks: Sequence[tuple[Target, TargetRecord]], threads: int) -> Luggage:
    """Return what the workers of a job need.

    Args:
        networks: The targets, each with what the job's config says of it.
        threads: Threads that a worker computes on.

    Raises:
        TargetError: A target of the user's own can't travel.
    """
    return Luggage(tuple(_packed(target, record) for target, record in networks), versions(), threads)


def _packed(target: Target, record: TargetRecord) -> Packed:
    """Return a target as it travels."""
    if record.device.startswith("cuda"):  # a worker sees its own GPUs alone
        record = msgspec.structs.replace(
            record,
            device="cuda",
            members=tuple(msgspec.structs.replace(member, device="cuda") for member in record.members),
        )
    own = record.own or any(member.own for member in record.members)
    return Packed(record, travelling(target, f"target {target.name}") if own else None)


def travelling(thing: Any, what: str) -> bytes:
    """Return an object of the user's as bytes, with the source of their own modules.

    Args:
        thing: The object.
        what: What messages call it.

    Raises:
        TargetError: It can't travel.
    """
    from ray import cloudpickle

    try:
        with _by_value(thing):
            pickled: bytes = cloudpickle.dumps(thing)
    except Exception as error:
        raise TargetError(
            f"{what} can't travel to workers ({in_words(error)[:200]}); leave out what is bound to this process, such "
            "as open files, locks and sessions, or name a target that workers can load themselves"
        ) from error
    return pickled


@contextmanager
def _by_value(thing: Any) -> Iterator[None]:
    """Have the user's own modules, which workers can't import, travel with an object."""
    from ray import cloudpickle

    with ExitStack() as stack:
        for name in sorted(_own_modules(thing)):
            module = importlib.import_module(name)
            if name not in cloudpickle.list_registry_pickle_by_value():
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield


def _own_modules(thing: Any) -> set[str]:
    """Return the modules that an object comes from, and those that they use, as far as nobody installed them."""
    parts = [thing, *getattr(thing, "members", ()), *(thing if isinstance(thing, tuple) else ())]
    networks = [getattr(part, "network", None) for part in parts]
    parts += [layer for network in networks if isinstance(network, torch.nn.Module) for layer in network.modules()]
    kinds = [base for part in parts for base in type(part).__mro__] + [part for part in parts if callable(part)]
    waiting, own = {_module_of(kind) for kind in kinds}, set[str]()
    while waiting:
        name = waiting.pop()
        if name not in own and _is_own(name):
            own.add(name)
            waiting |= {_module_of(value) for value in vars(sys.modules[name]).values()}
    return own


def _module_of(value: Any) -> str:
    """Return the name of the module that something comes from, or of the module that it is."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


def _is_own(name: str) -> bool:
    """Return whether a module is a file that is neither installed nor evofool's."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file or name == "__main__":
        return False
    return not any(Path(file).resolve().is_relative_to(folder) for folder in _INSTALLED)


_INSTALLED = (
    Path(__file__).resolve().parents[2],
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
)
"""Folders of modules that workers have as well."""
