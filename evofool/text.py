"""Numbers, and names of operators, as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

BARS = "▁▂▃▄▅▆▇█"
"""The bars of a sparkline, for values from 0 to 1."""


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """Draw values in [0, 1] as a line of at most ``width`` bars; the last bar is the last value."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[min(len(values) - 1, int((i + 1) * step) - 1)] for i in range(min(width, len(values)))]
    return "".join(BARS[min(len(BARS) - 1, int(max(0.0, value) * len(BARS)))] for value in picked)


FLOAT32_SLACK = 1 + 1.0001 * 2**-24
"""Factor that a confidence is stretched by before it is cut, so that the float32 nearest to 0.57 reads 57.00 %."""


def percent(value: float) -> str:
    """Write a confidence in [0, 1] as a percentage. ``format.js`` writes the same text.

    It has two decimals, and four above 99.99 %. It is cut and not rounded, so that only 1 reads 100 % and what misses
    99 % does not read so. Only 0 reads 0 %.
    """
    if value >= 1:
        return "100 %"
    if value <= 0:
        return "0 %"
    if value < 1e-4:
        return "< 0.01 %"
    digits = 4 if value > 0.9999 else 2
    scale = 10 ** (digits + 2)
    cut = min(math.floor(value * scale * FLOAT32_SLACK), scale - 1)
    return f"{cut / 10**digits:.{digits}f} %"


def confidence(value: float | None) -> str:
    """Write a picture's confidence, or ``not scored`` where nobody measured it."""
    return "not scored" if value is None else percent(value)


def rate(value: float) -> str:
    """Write a share of a count as a percentage rounded to one decimal.

    Near the ends there are up to four, since only all reads 100 % and only none 0 %.
    """
    if value >= 1:
        return "100 %"
    if value <= 0:
        return "0 %"
    for digits in range(1, 5):
        text = f"{100 * value:.{digits}f}"
        if 0 < float(text) < 100:
            return f"{text} %"
    return "< 0.0001 %" if value < 0.5 else "> 99.9999 %"


def size_text(value: float) -> str:
    """Write a size in [0, 1] as a user would: ``0.03``, or ``8/255`` where it is a number of 8-bit steps.

    >>> size_text(0.2), size_text(8 / 255), size_text(1 / 7)
    ('0.2', '8/255', '0.142857')
    """
    text, steps = f"{value:g}", round(255 * value)
    return text if float(text) == value or steps / 255 != value else f"{steps}/255"


def between(low: float, high: float) -> str:
    """Write an interval of shares as :func:`rate` writes its ends: ``18.1 – 45.4 %``."""
    return f"{rate(low).removesuffix(' %')} – {rate(high)}"


def per_second(speed: float) -> str:
    """Write a speed without its unit: ``1,200``, or ``–`` while it is unknown."""
    return f"{speed:,.0f}" if speed else "–"


def cut(text: str, length: int) -> str:
    """Return a text of at most so many letters, the last of them ``…`` where it was longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def clock(seconds: float | None) -> str:
    """Write a duration as ``1:02:03`` or ``2:03``, or as ``–`` if it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def least_confident(names: Sequence[str], confidence: Sequence[float], count: int) -> str:
    """List the classes with the lowest confidence, lowest first: ``deer 51.81 %, dog 99.99 %``."""
    ranked = sorted(zip(confidence, names, strict=True))[:count]
    return ", ".join(f"{class_name(name)} {percent(value)}" for value, name in ranked)


def class_name(name: str) -> str:
    """Write a class's name as it stands beside numbers: ``cat``, but ``class 6``. ``format.js`` does the same."""
    return name if any(map(str.isalpha, name)) else f"class {name}"


def scored(evaluations: int, confirmations: int) -> str:
    """Write what a search scored, and what it scored again: ``20,000 evaluations + 843 confirmations``."""
    again = f" + {counted(confirmations, 'confirmation')}" if confirmations else ""
    return counted(evaluations, "evaluation") + again


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 class``, ``1,200 classes``, ``3 queries``. ``format.js`` does the same."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Return the plural of a noun, or of a group of words that ends in one."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def amount(value: float | None) -> str:
    """Write a mean or median of counts: whole numbers whole, others with one decimal; ``–`` where there is none."""
    return "–" if value is None else f"{value:,.1f}".removesuffix(".0")


def ending(interrupted: bool, running: bool = False) -> str:
    """Write whether a job is done, was stopped, or is still under way in another process."""
    return ("running" if running else "stopped") if interrupted else "done"


def operators_text(swapped: Mapping[str, str]) -> str:
    """Write swapped operators as ``select (mymodule:tournament) and mutate (mymodule:jitter)``."""
    *most, last = [f"{alias} ({name})" for alias, name in swapped.items()]
    return f"{', '.join(most)} and {last}" if most else last
