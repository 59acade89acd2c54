"""What the files of jobs can say, written down a second time, by hand: an oracle that shares no code with evofool."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hostile import Fate

Check = Callable[[Any], bool]
Fields = Mapping[str, Check]

LARGEST = 2**62
MAX_DEPTH = 32
DAMAGED = object()
"""What :func:`parsed` gives for bytes that are no JSON."""


def parsed(content: bytes) -> Any:
    """Return the JSON value in a file, as Python reads it."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return DAMAGED


def canonical(value: Any) -> str:
    """Return a JSON value as text in which the order of keys doesn't matter."""
    return json.dumps(value, sort_keys=True)


def plain(value: Any, depth: int = 0) -> bool:
    """Return whether all numbers are finite and below 2^62, and nothing is nested too deep."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, int | float):
        return math.isfinite(value) if isinstance(value, float) else abs(value) < LARGEST
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(plain(item, depth + 1) for item in inner)


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def whole(least: float = 0, most: float = LARGEST - 1) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def real(least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf) -> Check:
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and least <= value <= most
        and value > above
        and abs(value) < math.inf
    )


share = real(0, 1.0001)


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def several(check: Check, least: int = 0, most: float = math.inf) -> Check:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(check, value))


def by_name(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def record(fields: Fields, *, optional: Sequence[str] = (), more: bool = False) -> Check:
    """Return a check for an object with these fields, some of them optional, and perhaps more."""
    return lambda value: (
        isinstance(value, dict)
        and all(name in value or name in optional for name in fields)
        and all(fields[name](item) if name in fields else more and unicode(name) for name, item in value.items())
    )


def unicode(text: str) -> bool:
    """Return whether a text has no lone surrogates, which JSON can hold and no file can."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def guess(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and text(value[0]) and share(value[1])


SCALAR = either(text, flag, real(), lambda value: value is None)
WORDS = several(either(text, whole(-LARGEST)))
DEFAULTS = {
    "options.encoding": "cppn", "options.seed": 0, "options.descriptors": None, "options.novelty": None,
    "options.bins": None, "options.apart": None, "options.init": None,
    "options.robust": None, "options.robust_to": None, "options.robust_draws": 1,
}  # fmt: skip
"""Values of the options in :data:`RUN_IDENTITY` where a config lacks them."""

MODEL_OPTIONS: Fields = {
    "arch": maybe(text), "outputs": text, "mean": maybe(several(real())), "std": maybe(several(real())),
    "range": maybe(text), "layout": maybe(text), "channels": maybe(text),
    "image_size": maybe(either(text, whole(1))), "resize": maybe(whole(1)), "colours": maybe(whole(1)),
    "classes_file": maybe(text),
    "count_queries": flag, "max_queries": maybe(whole(1)), "request_images": maybe(whole(1)),
    "concurrency": maybe(whole(1, 1024)), "rate": maybe(real(above=0, most=1e9)),
    "timeout": maybe(real(above=0, most=86_400)), "retries": whole(0, 100),
}  # fmt: skip

NAMES = either(text, several(text))

SHARE_OF_A_MACHINE = maybe(real(0, 1024))

SCORING_OPTIONS: Fields = {
    **MODEL_OPTIONS, "engine": lambda value: value in ("local", "ray"), "address": maybe(text),
    "workers": maybe(whole(1)), "gpus_per_worker": SHARE_OF_A_MACHINE, "cpus_per_worker": SHARE_OF_A_MACHINE,
    "combine": text, "robust": maybe(text), "robust_to": maybe(several(text)),
    "robust_draws": whole(1, 64),
}  # fmt: skip

EVOLVE_OPTIONS: Fields = {
    **SCORING_OPTIONS,
    "target": NAMES, "encoding": text, "preset": text, "settings": by_name(either(SCALAR, several(SCALAR))),
    "selector": text, "emitters": several(text), "descriptors": maybe(several(text)), "novelty": maybe(text),
    "bins": maybe(whole(2, 64)), "apart": maybe(real(0, 1, above=0)), "classes": maybe(WORDS), "weights": maybe(NAMES),
    "weights_sha256": maybe(text), "init": maybe(text), "init_sha256": maybe(text), "batch": whole(1, 65_536),
    "ahead": flag, "islands": whole(1, 64), "seed": whole(),
    "generations": maybe(whole(1)), "evaluations": maybe(whole(1)),
    "minutes": maybe(real(above=0, most=LARGEST - 1)), "until": maybe(real(above=0, most=1)), "device": text,
    "precision": maybe(text), "micro_batch": maybe(whole(1)), "memory_format": text, "fold": maybe(flag),
    "parallel": maybe(flag),
}  # fmt: skip
RESOLVED = {"settings", "selector", "emitters", "batch"}
"""Options of a run that have a value in its config, whatever was left open."""

ATTACK_OPTIONS: Fields = {
    **SCORING_OPTIONS,
    "target": maybe(NAMES), "weights": maybe(NAMES), "data": maybe(text), "data_dir": text, "count": whole(1),
    "first": flag, "include_misclassified": flag, "pixels": either(whole(1), text), "max_pixels": maybe(whole(1)),
    "criterion": either(text, WORDS), "strategy": maybe(text),
    "preset": maybe(text), "queries": maybe(whole(1)), "baseline": flag,
    "seed": whole(), "export": flag, "device": text, "precision": text, "micro_batch": maybe(whole(1)),
}  # fmt: skip


def image_shape(value: Any) -> bool:
    return several(whole(1, 8192), 3, 3)(value) and value[0] in (1, 3)


TRANSFORMATIONS = ["resize", "shift", "crop", "jpeg", "blur", "noise", "brightness"]
ROBUST = record({
    "how": lambda value: value in ("worst", "mean"), "to": several(text, 1), "draws": whole(1, 64), "seed": whole(),
})  # fmt: skip


def robust_can_be(value: Any) -> bool:
    return ROBUST(value) and value["to"] == [name for name in TRANSFORMATIONS if name in value["to"]]


TARGET_FIELDS = record({
    "name": text, "spec": NAMES, "model": record(MODEL_OPTIONS, optional=sorted(MODEL_OPTIONS)), "own": flag,
    "weights": maybe(NAMES), "weights_sha256": maybe(text), "fingerprint": maybe(text),
    "spare_tensors": several(text), "device": text, "precision": text, "micro_batch": whole(1),
    "memory_format": text, "fold": flag, "parallel": flag, "image_shape": image_shape, "classes": whole(1),
    "class_names": maybe(several(text)), "mean": maybe(several(real())), "std": maybe(several(real())),
    "outputs": maybe(text), "combine": maybe(lambda value: value in ("min", "mean")),
    "members": several(lambda value: target_can_be(value) and not value["members"] and not value["robust"]),
    "robust": maybe(robust_can_be),
})  # fmt: skip


def target_can_be(value: Any) -> bool:
    if not TARGET_FIELDS(value):
        return False
    channels, names = value["image_shape"][0], value["class_names"]
    normalised = all(value[name] is None or len(value[name]) == channels for name in ("mean", "std"))
    alike = all(value[name] == each[name] for each in value["members"] for name in ("classes", "image_shape"))
    together = len(value["members"]) >= 2 if value["combine"] else not value["members"]
    return normalised and alike and together and (names is None or len(names) == value["classes"])


def name_and_class(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and text(value[0]) and whole()(value[1])


DATA = record({
    "name": text, "path": maybe(text), "dir": text, "asked": whole(), "chosen": whole(), "looked": whole(),
    "correct": whole(), "labelled": flag, "mapping": several(name_and_class), "reason": text,
    "skipped": by_name(text),
})  # fmt: skip
CRITERIA = either(lambda value: value == "all", several(maybe(whole()), 1))
PLAN = record({
    "criterion": text, "criteria": CRITERIA, "pixels": several(whole(1), 1), "strategy": text,
    "queries": whole(1), "baseline": flag, "seed": whole(), "rows": whole(1, 2**14),
})  # fmt: skip
HEAD: Fields = {
    "format": lambda value: value == 2 and not flag(value), "versions": by_name(text), "target": target_can_be,
    "swapped": by_name(text),
}  # fmt: skip
RUN = record({
    **HEAD, "job": lambda value: value == "run", "class_indices": several(whole(), 1),
    "options": record(EVOLVE_OPTIONS, optional=sorted(EVOLVE_OPTIONS.keys() - RESOLVED)),
})  # fmt: skip
CAMPAIGN = record({
    **HEAD, "job": lambda value: value == "campaign", "classes": several(text, 1), "data": DATA, "plan": PLAN,
    "options": record(ATTACK_OPTIONS, optional=sorted(ATTACK_OPTIONS)),
})  # fmt: skip


def engine_can_be(options: Any) -> bool:
    """Return whether what is said of workers is said of a cluster's."""
    workers = ("address", "workers", "gpus_per_worker", "cpus_per_worker")
    return options.get("engine") == "ray" or all(options.get(name) is None for name in workers)


def run_can_be(config: Any) -> bool:
    """Return whether a run can have a config."""
    if not plain(config) or not RUN(config) or not engine_can_be(config["options"]):
        return False
    indices = config["class_indices"]
    return indices == sorted(set(indices)) and indices[-1] < config["target"]["classes"]


def campaign_can_be(config: Any) -> bool:
    """Return whether a campaign can have a config."""
    if not plain(config) or not CAMPAIGN(config) or not engine_can_be(config["options"]):
        return False
    plan, target, classes = config["plan"], config["target"], len(config["classes"])
    criteria = [] if plan["criteria"] == "all" else plan["criteria"]
    return (
        classes == target["classes"]
        and len(set(criteria)) == len(criteria)
        and all(index is None or index < classes for index in criteria)
        and all(index < classes for _, index in config["data"]["mapping"])
        and plan["pixels"] == sorted(set(plan["pixels"]))
        and plan["pixels"][-1] <= target["image_shape"][1] * target["image_shape"][2]
    )


TARGET_IDENTITY = tuple(
    f"target.{name}"
    for name in (
        "name", "weights_sha256", "fingerprint", "classes", "class_names", "mean", "std", "outputs", "image_shape",
        "members", "combine", "robust",
    )
)  # fmt: skip
RUN_IDENTITY = (
    *DEFAULTS, "swapped", "options.settings", "options.selector", "options.emitters", "options.batch", *TARGET_IDENTITY,
    "target.precision", "class_indices",
)  # fmt: skip
"""Fields that make another run of a config, whose checkpoints and history are not those in the folder."""

CAMPAIGN_IDENTITY = (
    "plan.criteria", "plan.pixels", "plan.strategy", "plan.queries", "plan.baseline", "plan.seed", "classes",
    "swapped", *TARGET_IDENTITY,
)  # fmt: skip
"""Fields that make another campaign of a config, whose images and outcomes are not those in the folder."""


def same_job(ours: Any, theirs: Any, identity: Sequence[str]) -> bool:
    """Return whether two configs that can be are of one job."""
    return all(_field(ours, name) == _field(theirs, name) for name in identity)


def _field(config: Any, name: str) -> Any:
    above, _, last = name.rpartition(".")
    return (config[above] if above else config).get(last, DEFAULTS.get(name))


def config_fate(content: bytes, before: Any, *, sealed: bool) -> Fate:
    """Return what has to become of a job's folder with another ``config.json``.

    Args:
        content: The file's bytes.
        before: What the config said before.
        sealed: Whether what is done with the folder reads files that belong to one job only.
    """
    config, is_run = parsed(content), before["job"] == "run"
    if config is DAMAGED or not (run_can_be if is_run else campaign_can_be)(config):
        return Fate.REFUSED
    if canonical(config) == canonical(before):
        return Fate.LOADS
    if sealed and not same_job(config, before, RUN_IDENTITY if is_run else CAMPAIGN_IDENTITY):
        return Fate.REFUSED
    return Fate.MAY_LOAD


def changed_fields(ours: Any, theirs: Any) -> set[str]:
    """Return the names of the fields, at any depth, that two JSON values don't have in common, without a plural's s."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return set()
    names = {name for name in ours.keys() | theirs.keys() if canonical(ours.get(name)) != canonical(theirs.get(name))}
    inner = (changed_fields(ours.get(name), theirs.get(name)) for name in names)
    return {name.removesuffix("s") for name in names if len(name) > 1}.union(*inner)


# Lines

ELITE = record(
    {
        "niche": whole(), "class": text, "index": whole(), "score": share, "top5": several(guess), "size": whole(),
        "generation": whole(), "evaluation": whole(), "file": text, "picture_crc32": text, "genome": text,
        "cell": several(whole(), 1, MAX_DEPTH),
        "descriptors": by_name(real(-LARGEST, LARGEST)),
    },
    optional=("genome", "cell", "descriptors"), more=True,
)  # fmt: skip
METRICS = record(
    {
        "generation": whole(1, 10_000_000), "evaluations": whole(), "confirmations": whole(),
        "seconds": real(0, LARGEST - 1), "median": share, "mean": share, "min": share, "max": share, "at_99": whole(),
        "improved": whole(), "size": real(0, LARGEST - 1),
    },
    more=True,
)  # fmt: skip
IMAGE = record(
    {"image": lambda _: True, "id": text, "sha256": text, "label": whole(), "prediction": whole(), "confidence": share},
    more=True,
)
EDIT = record({"x": whole(), "y": whole(), "colour": several(whole(0, 255))}, more=True)
OUTCOME = record(
    {
        "image": whole(), "sha256": text, "label": whole(), "class": text, "confidence": share,
        "criterion_index": maybe(whole()), "pixels": whole(), "strategy": text, "success": flag, "already": flag,
        "queries": whole(), "shared": whole(1), "queries_to_success": maybe(whole()), "edits": several(EDIT),
        "top5": several(guess), "final": maybe(text), "final_index": maybe(whole()),
    },
    more=True,
)  # fmt: skip


def lines_of(content: bytes) -> Iterator[Any]:
    """Yield the JSON object in every line; ``DAMAGED`` for a line that has no end or holds something else."""
    for line in re.findall(rb"[^\n]*\n|[^\n]+", content):
        value = parsed(line) if line.endswith(b"\n") else DAMAGED
        yield value if isinstance(value, dict) else DAMAGED


def outcome_can_be(line: Any, images: Sequence[Any], config: Any) -> bool:
    """Return whether an attempt of a campaign can have ended so.

    Args:
        line: A line of ``outcomes.jsonl``.
        images: The lines of ``images.jsonl``.
        config: The campaign's.
    """
    if not OUTCOME(line) or line["image"] >= len(images):
        return False
    image, plan, ran = images[line["image"]], config["plan"], not line["already"]
    channels, height, width = config["target"]["image_shape"]
    classes = len(config["classes"])
    return bool(
        line["sha256"] == image["sha256"]
        and line["label"] == image["label"]
        and (line["criterion_index"] or 0) < classes
        and line["pixels"] in plan["pixels"]
        and line["strategy"] in {plan["strategy"], "random" if plan["baseline"] else plan["strategy"]}
        and (line["queries_to_success"] or not line["success"])
        and all(e["x"] < width and e["y"] < height and len(e["colour"]) == channels for e in line["edits"])
        and bool(line["edits"]) == bool(line["top5"]) == (line["final"] is not None) == ran
        and (line["final_index"] is not None) == ran
        and (line["final_index"] or 0) < classes
    )
