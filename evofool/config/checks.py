"""Whether what a run's files say can be true: they may have been edited, or made by strangers to harm."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]

LARGEST = 2**62
"""no whole number of a run is as large"""

MAX_EDGE = 8192
"""pixels of a side of the images that a target sees"""

MAX_GENERATIONS = 10_000_000
"""of a run"""

MAX_BINS, MAX_DESCRIPTORS = 64, 8
"""of a run with several niches a class"""

MAX_DEPTH = 32
"""of values in values, in what a page takes over as it is; evofool writes four"""


def run_fault(config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a run's config, as far as pages show it; None where nothing is."""
    target, settings = config.get("target"), config.get("settings")
    if not isinstance(target, dict) or not isinstance(settings, dict):
        return "settings" if isinstance(target, dict) else "target"
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "target.name": (target, text),
        "target.image_shape": (target, image_shape),
        "encoding": (config, text),
        "preset": (config, text),
        "seed": (config, natural),
    }
    if config.get("encoding") == "cppn":
        wanted["settings.coordinates"] = (settings, lambda v: v in ("unit", "pixels"))
        wanted["settings.colour"] = (settings, lambda v: v in ("hsl", "rgb"))
    if config.get("bins") is not None:
        wanted["bins"] = (config, lambda v: natural(v) and 2 <= v <= MAX_BINS)
        wanted["descriptors"] = (config, lambda v: v is None or (list_of(v, text) and 1 <= len(v) <= MAX_DESCRIPTORS))
    return first_fault(wanted) or plain_fault(config)


def elite_fault(line: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a line of ``elites.jsonl``, or None."""
    numbers = dict.fromkeys(("niche", "index", "generation", "evaluation", "size"), (line, natural))
    return first_fault(
        {
            **numbers,
            "class": (line, text),
            "score": (line, share),
            "top5": (line, lambda v: list_of(v, guess)),
            "file": (line, text),
            **({"genome": (line, text)} if "genome" in line else {}),
            **({"cell": (line, lambda v: list_of(v, natural) and 1 <= len(v) <= MAX_DEPTH)} if "cell" in line else {}),
            **(
                {"descriptors": (line, lambda v: isinstance(v, dict) and all(map(number, v.values())))}
                if "descriptors" in line
                else {}
            ),
        }
    )


def metrics_fault(line: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a line of ``metrics.jsonl``, or None."""
    return first_fault(
        {
            "generation": (line, lambda v: natural(v) and 0 < v <= MAX_GENERATIONS),
            "evaluations": (line, natural),
            "seconds": (line, lambda v: number(v) and 0 <= v < LARGEST),
            **dict.fromkeys(("median", "mean", "min", "max"), (line, share)),
            **dict.fromkeys(("at_99", "improved"), (line, natural)),
            "size": (line, lambda v: number(v) and v >= 0),
        }
    )


def plain_fault(value: Any) -> str | None:
    """What would keep a value of JSON out of a page's script: a number that is none, or endless depth; or None."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"it has values in values, more than {MAX_DEPTH} deep"
        if isinstance(one, float) and not math.isfinite(one):
            return f"it has a number that is {one}"
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(each, depth + 1) for each in inner]
    return None


def first_fault(wanted: dict[str, tuple[dict[str, Any], Check]]) -> str | None:
    """The first of the named values that is missing, or not as it should be."""
    for name, (record, check) in wanted.items():
        key = name.rpartition(".")[2]
        if key not in record or not check(record[key]):
            return f"{name} is {record[key]!r}"[:80] if key in record else f"{name} is missing"
    return None


def image_shape(value: Any) -> bool:
    """(C, H, W) of grey or RGB images."""
    return (
        list_of(value, natural)
        and len(value) == 3
        and value[0] in (1, 3)
        and all(1 <= edge <= MAX_EDGE for edge in value[1:])
    )


def list_of(value: Any, check: Check) -> bool:
    return isinstance(value, list) and all(map(check, value))


def guess(value: Any) -> bool:
    """A class and its probability, as in a top five."""
    return isinstance(value, list) and len(value) == 2 and text(value[0]) and share(value[1])


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST


def number(value: Any) -> bool:
    """One that a double can be; JSON knows whole numbers of any length."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def share(value: Any) -> bool:
    """A probability; sums of float32 may pass 1 by a little."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1.0001
