"""Which setting of a target's forward passes is fastest here: tried once, and kept for this machine.

What a setting changes is speed, and the last digits of scores. So the choice is written into a run's config and
taken from there when it goes on, and a setting that is not faithful to float32 is never chosen.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from ...errors import TargetError
from ...io.files import open_regular, write_atomically
from ...io.lines import MAX_LINE
from ...version import __version__
from ..torch_target import Target
from .devices import FORMATS, Execution
from .memory import SWITCH

FAITHFUL = {"float32": 1e-4, "bfloat16": 0.1}
"""how far a probability may be from that of a confirmation, by precision: in float32 as far as a picture that is scored
again; bfloat16 keeps 8 bits"""
WORTH = 1.05
"""how much faster than what was there before a setting must be: less may be noise"""
SECONDS = 0.12
"""that one setting is tried for, at least one pass"""
PATIENCE = 6.0
"""seconds after which no other setting is tried; and as many more, after which none is tried again"""
LADDER = (0.25, 0.5, 2, 4)
"""micro-batches that are tried, as multiples of the default"""
ROUNDS, CLOSE, FINALISTS = 5, 0.7, 3
"""how often, at most, what came this close to the fastest is tried again, in turn, since a machine's speed changes from
one second to the next; and how many settings that are, at most, beside the first"""


@dataclass(frozen=True)
class Trial:
    """A setting and what was found."""

    setting: Execution
    images_per_second: float
    error: float
    """the largest difference of a probability from that of a confirmation"""

    @property
    def faithful(self) -> bool:
        return self.error <= FAITHFUL[self.setting.precision]


def tune(target: Target) -> None:
    """Let a target run at its fastest here, in whatever was left free when it was made.

    What was found on this machine before is taken from the cache. A target that can't score noise stays as it is.
    """
    if not target.free or os.environ.get(SWITCH) == "off":
        return
    if known := _setting(_read(cache_file()).get(_key(target))):
        target.use(known)
    else:
        with suppress(TargetError):  # the work itself will tell, if it meets that too
            retune(target)


def retune(target: Target) -> list[Trial]:
    """Try all settings anew, use the best, and keep it for this machine.

    Raises:
        TargetError: the network fails on noise.
    """
    key, own = _key(target), target.setting
    try:
        images = _images(target)
        found = trials(target, images)
        finalists = again(target, images, found)
    finally:
        target.use(own)
    if finalists:
        file, setting = cache_file(), best(finalists)
        with suppress(OSError):  # a machine that keeps nothing tries again
            file.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps(_read(file) | {key: asdict(setting)}, indent=1) + "\n"
            write_atomically(file, content, durable=False)
        target.use(setting)
    tried_last = {trial.setting: trial for trial in finalists}
    return [tried_last.get(trial.setting, trial) for trial in found]


def trials(target: Target, images: torch.Tensor) -> list[Trial]:
    """Try settings: the target's own, folded, other memory formats and precisions, then micro-batches with the best
    of them."""
    own, started = target.setting, time.monotonic()
    exact = target.confirm(images[:_CHECKED])

    def tried(settings: list[Execution]) -> Iterator[Trial]:
        for setting in settings:
            if time.monotonic() - started < PATIENCE and (trial := _trial(target, setting, images, exact)):
                yield trial

    found = [trial for trial in [_trial(target, own, images, exact)] if trial]
    found += tried(_combinations(target, own))
    base = best(found) if found else own
    factors = LADDER if "micro_batch" in target.free else ()
    rows = {max(1, round(factor * base.micro_batch)) for factor in factors} - {base.micro_batch}
    found += tried([replace(base, micro_batch=n) for n in sorted(rows)])
    return found


def again(target: Target, images: torch.Tensor, found: list[Trial]) -> list[Trial]:
    """The first of some trials and those close to the fastest, tried again in turn: their median speeds."""
    least = CLOSE * max((trial.images_per_second for trial in found if trial.faithful), default=0.0)
    near = [trial for trial in found[1:] if trial.faithful and trial.images_per_second >= least]
    near = sorted(near, key=lambda trial: -trial.images_per_second)[:FINALISTS]
    finalists, started = [*found[:1], *near], time.monotonic()
    speeds: dict[Execution, list[float]] = {trial.setting: [] for trial in finalists}
    same = _rows(images, max(setting.micro_batch for setting in speeds)) if near else images
    for _ in range(ROUNDS if near else 0):
        if time.monotonic() - started >= PATIENCE:
            break
        for setting, several in speeds.items():
            several.append(_turn(target, setting, same))
    return [
        replace(trial, images_per_second=statistics.median(speeds[trial.setting] or [trial.images_per_second]))
        for trial in finalists
    ]


def best(found: list[Trial]) -> Execution:
    """The fastest that is faithful; the first, unless another is faster by more than noise."""
    chosen = found[0]
    for trial in found[1:]:
        faster = trial.images_per_second > WORTH * chosen.images_per_second
        if trial.faithful and (faster or not chosen.faithful):
            chosen = trial
    return chosen.setting


def cache_file() -> Path:
    """Where choices are kept: ``EVOFOOL_CACHE``, or the user's cache folder."""
    folder = os.environ.get("EVOFOOL_CACHE")
    if folder:
        return Path(folder) / "tuning.json"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evofool" / "tuning.json"


_CHECKED, _MOST = 32, 4096


def _combinations(target: Target, own: Execution) -> list[Execution]:
    precisions, formats, folds = [own.precision], [own.memory_format], [own.fold]
    if "precision" in target.free and own.precision == "bfloat16":  # elsewhere it is emulated, and slow
        precisions.append("float32")
    if "memory_format" in target.free:
        formats += [name for name in FORMATS if name != own.memory_format]
    if "fold" in target.free:
        folds.append(not own.fold)
    made = [
        replace(own, precision=precision, memory_format=memory_format, fold=fold)
        for precision in precisions
        for memory_format in formats
        for fold in folds
    ]
    return made[1:]


def _trial(target: Target, setting: Execution, images: torch.Tensor, exact: torch.Tensor) -> Trial | None:
    """None where the network can't run so."""
    try:
        target.use(setting)
        if target.setting != setting:  # it can't be folded
            return None
        error = float((target.scores(images[:_CHECKED]) - exact).abs().max())
        speed = _quickest(target, _rows(images, setting.micro_batch))
    except TargetError:
        return None
    if target.setting != setting:  # it ran out of memory, or can't have this format
        return None
    return Trial(setting, speed, error)


def _turn(target: Target, setting: Execution, images: torch.Tensor) -> float:
    """Images/s of one scoring of all these images; 0 where it fails now, or there is no memory for it."""
    with suppress(TargetError):
        target.use(setting)
        target.scores(images[: setting.micro_batch])
        _wait(target)
        started = time.perf_counter()
        target.scores(images)
        _wait(target)
        if target.setting == setting:
            return len(images) / (time.perf_counter() - started)
    return 0.0


def _rows(images: torch.Tensor, rows: int) -> torch.Tensor:
    """So many images."""
    return images[torch.arange(rows) % len(images)]


def _quickest(target: Target, rows: torch.Tensor) -> float:
    """Images/s of the quickest pass of these rows: what else runs here can only slow it down."""
    target.scores(rows)
    _wait(target)
    began, quickest = time.perf_counter(), float("inf")
    while time.perf_counter() - began < SECONDS or quickest == float("inf"):
        started = time.perf_counter()
        target.scores(rows)
        _wait(target)
        quickest = min(quickest, time.perf_counter() - started)
    return len(rows) / quickest


def _images(target: Target) -> torch.Tensor:
    """Noise of all scales, from the finest to one colour: (N, C, H, W) uint8."""
    draw = torch.Generator().manual_seed(0)
    channels, height, width = target.image_shape
    many = max(_CHECKED, min(_MOST, 2**24 // (channels * height * width)))
    parts = []
    for level in range(4):
        size = [max(1, edge >> (2 * level)) for edge in (height, width)]
        coarse = torch.randint(0, 256, (many // 4, channels, *size), generator=draw).float()
        parts.append(torch.nn.functional.interpolate(coarse, (height, width)).byte())
    mixed = torch.cat(parts)
    return mixed[torch.randperm(len(mixed), generator=draw)].to(target.device)


def _wait(target: Target) -> None:
    if target.device.type == "cuda":
        torch.cuda.synchronize(target.device)


def _key(target: Target) -> str:
    """What the choice depends on, as a digest: network, weights, device, threads, versions, what was left free."""
    digest = hashlib.sha256(repr(target.network).encode())
    for name, tensor in target.network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    device = target.device.type
    known = [__version__, torch.__version__, platform.machine(), _device(target), torch.get_num_threads()]
    given = {name: value for name, value in asdict(target.setting).items() if name not in target.free}
    told = [*known, target.image_shape, given]
    digest.update(json.dumps(told).encode())
    return f"{target.name}, {device}, {digest.hexdigest()[:16]}"


def _device(target: Target) -> str:
    if target.device.type == "cuda":
        return torch.cuda.get_device_name(target.device)
    return f"{platform.processor()} {torch.backends.cpu.get_cpu_capability()} {os.cpu_count()}"


def _read(file: Path) -> dict[str, Any]:
    """What is kept; nothing where it can't be read, and it is made anew."""
    try:
        with open_regular(file) as stream:
            content = json.loads(stream.read(MAX_LINE))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _setting(value: Any) -> Execution | None:
    if not isinstance(value, dict) or value.keys() != {field.name for field in fields(Execution)}:
        return None
    setting = Execution(**value)
    sound = (
        setting.precision in FAITHFUL
        and setting.memory_format in FORMATS
        and type(setting.micro_batch) is int
        and 1 <= setting.micro_batch <= 2**20
        and type(setting.fold) is bool
    )
    return setting if sound else None
