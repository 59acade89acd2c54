"""What strangers may send, as hypothesis' strategies: damaged bytes, and JSON that lies."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

# Bytes


@st.composite
def damaged(draw: Any, sample: bytes, most: int = 4) -> bytes:
    """Draw a file with some of its bytes flipped, cut, put in, taken out or put elsewhere."""
    data = bytearray(sample)
    for _ in range(draw(st.integers(1, most))):
        size = len(data)
        at = draw(st.integers(0, max(0, size - 1)))
        how = draw(st.sampled_from(["flip", "byte", "word", "cut", "out", "in", "splice", "head"]))
        if how == "flip" and size:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "byte" and size:
            data[at] = draw(st.sampled_from([0, 1, 0x20, 0x7F, 0x80, 0xFF]))
        elif how == "word" and size:
            width = draw(st.sampled_from([2, 4, 8]))
            value = draw(st.sampled_from([0, 1, 2**7, 2**15, 2**31, 2**63, -1]))
            order = draw(st.sampled_from(["little", "big"]))
            data[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, order)
        elif how == "cut":
            del data[at:]
        elif how == "out":
            del data[at : at + draw(st.integers(1, 64))]
        elif how == "in":
            data[at:at] = draw(st.binary(max_size=32))
        elif how == "splice":
            start = draw(st.integers(0, max(0, size - 1)))
            data[at:at] = data[start : start + draw(st.integers(1, 256))]
        elif how == "head" and size:
            data[draw(st.integers(0, min(63, size - 1)))] = draw(st.integers(0, 255))
    return bytes(data)


# JSON

RAW = {
    "@1e999@": "1e999",
    "@digits@": "9" * 5000,
    "@deep@": "[" * 20_000 + "]" * 20_000,
    "@nested@": '{"a":' * 900 + "1" + "}" * 900,
}
"""Text that stands in a file where its key stands in a tree."""

WORDS = (
    "", " ", "x", "cat", "0", "-1", "NaN", "all", "nul\0byte", "line\nbreak", "\ud800", "\x1b[31mred", "a" * 5000,
    "..", "../beside/secret.txt", "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "~", ".", "elites",
    "<script>alert(1)</script>", "</script><b>", "&amp;", "=1+1", "猫", "\u202e", "%s", "{0}", "digits", "cppn",
    "direct", "random", "untargeted",
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 2, 3, 7, 255, 256, 2**15, 2**31, 2**53 + 1, 2**62, 2**63, 2**64, -(2**63), 10**30, 10**400, 0.5, -0.0,
    1.0, 1.5, 1e-320, 1e39, 1e308, -1e308, math.nan, math.inf, -math.inf,
)  # fmt: skip

values = st.one_of(
    st.sampled_from([None, True, False, [], {}, [[]], [None], {"a": None}, *RAW]),
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.sampled_from([*NUMBERS, *WORDS, None]), max_size=5),
)


def paths(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where a tree has values: paths of keys and indices."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from paths(value, (*at, key))


@st.composite
def lying(draw: Any, tree: Any, most: int = 3) -> Any:
    """Draw a JSON tree with some of its values replaced, taken out, doubled, swapped or added."""
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, most))):
        values_at = list(paths(tree))
        if not values_at:
            break
        path = values_at[draw(st.integers(0, len(values_at) - 1))]
        holder = tree
        for key in path[:-1]:
            holder = holder[key]
        key = path[-1]
        how = draw(st.sampled_from(["replace", "replace", "replace", "out", "double", "swap", "add"]))
        if how == "replace":
            holder[key] = deepcopy(draw(values))
        elif how == "out":
            del holder[key]
        elif how == "double":
            times = draw(st.sampled_from([1, 1, 3, 300]))
            if isinstance(holder, list):
                holder[key:key] = [holder[key]] * times
            else:
                holder[key] = [holder[key]] * times
        elif how == "swap":
            other = values_at[draw(st.integers(0, len(values_at) - 1))]
            value = tree
            for step in other:
                value = value[step]
            holder[key] = json.loads(json.dumps(value))
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from([*WORDS, "format", "name", "file", "genome", "own"]))] = deepcopy(draw(values))
    return tree


def written(tree: Any) -> bytes:
    """Return a tree as the bytes of a file, with numbers and depths that no writer of JSON would write."""
    text = json.dumps(tree)
    for mark, raw in RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode()


@st.composite
def json_files(draw: Any, tree: Any) -> bytes:
    """Draw a JSON file that lies, or is damaged, or says a thing twice."""
    how = draw(st.sampled_from(["lies", "lies", "lies", "damaged", "twice"]))
    if how == "damaged":
        return bytes(draw(damaged(written(tree))))
    if how == "twice" and isinstance(tree, dict) and tree:
        key = draw(st.sampled_from(sorted(tree)))
        return written(tree)[:-1] + b", " + json.dumps(key).encode() + b": " + written(draw(values)) + b"}"
    return written(draw(lying(tree)))


@st.composite
def line_files(draw: Any, lines: Sequence[dict[str, Any]]) -> bytes:
    """Draw a file of JSON lines of which some lie, or lack, or stand twice."""
    written_lines = [written(line) for line in lines]
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(written_lines) - 1)) if written_lines else 0
        how = draw(st.sampled_from(["lies", "lies", "lies", "lies", "out", "twice", "swap", "damaged"]))
        if how == "lies" and written_lines:
            written_lines[at] = written(draw(lying(lines[min(at, len(lines) - 1)])))
        elif how == "out":
            del written_lines[at : at + 1]
        elif how == "twice":
            written_lines[at:at] = written_lines[at : at + 1]
        elif how == "swap" and written_lines:
            written_lines[at], written_lines[0] = written_lines[0], written_lines[at]
        elif how == "damaged":
            return bytes(draw(damaged(b"".join(line + b"\n" for line in written_lines))))
    return b"".join(line + b"\n" for line in written_lines)
