"""What a genome file can say, written down a second time, by hand."""

from __future__ import annotations

from typing import Any

from hostile import Fate
from possible_jobs import DAMAGED, image_shape, parsed, plain, real, record, several, text, whole

INPUTS, MAX_NODES, MAX_CONNECTIONS, MAX_BYTES, MAX_WEIGHT = 4, 1024, 4096, 2_000_000, 1e30
ACTIVATIONS = ("sin", "sigmoid", "gauss", "linear", "cos", "wedge")

GENOME = record(
    {
        "format": lambda value: value == 2, "encoding": lambda value: value == "cppn", "image_shape": image_shape,
        "coordinates": lambda value: value in ("unit", "pixels"), "colour": text,
        "nodes": several(record({"id": real()}, more=True), 0, MAX_NODES),
        "connections": several(
            record({"from": whole(), "to": whole(), "weight": real(-MAX_WEIGHT, MAX_WEIGHT)}, more=True),
            0, MAX_CONNECTIONS,
        ),
    },
    more=True,
)  # fmt: skip


def genome_can_be(content: Any) -> bool:
    """Return whether JSON values are a CPPN, whatever its check sum says."""
    if not GENOME(content):
        return False
    channels = content["image_shape"][0]
    if content["colour"] not in (("grey", "hsl", "rgb") if channels == 1 else ("hsl", "rgb")):
        return False
    nodes, outputs_end = content["nodes"], INPUTS + channels
    hidden = record({"position": real()}, more=True)
    if len(nodes) < outputs_end or not all(node["id"] == i for i, node in enumerate(nodes)):
        return False
    if not all(node.get("activation") in ACTIVATIONS for node in nodes[INPUTS:]):
        return False
    if not all(map(hidden, nodes[outputs_end:])):
        return False
    positions = [0.0] * INPUTS + [1.0] * channels + [node["position"] for node in nodes[outputs_end:]]
    return all(
        max(edge["from"], edge["to"]) < len(nodes)
        and edge["to"] >= INPUTS
        and positions[edge["from"]] < positions[edge["to"]]
        for edge in content["connections"]
    )


def genome_fate(content: bytes, before: Any) -> Fate:
    """Return what has to become of a genome file that said something else before, where it is read."""
    genome = parsed(content)
    if genome is DAMAGED or len(content) > MAX_BYTES or not genome_can_be(genome):
        return Fate.REFUSED
    if "sha256" in genome and _plain(genome) != _plain(before):
        return Fate.REFUSED  # The check sum is over all of it.
    return Fate.LOADS


def use_fate(content: bytes, before: Any, what: str, size: int = 16) -> Fate:
    """Return what has to become of a use of a genome file that said something else before.

    Args:
        content: The file's bytes.
        before: What it said before.
        what: ``read``, ``render``, ``start`` or ``show``.
        size: The shorter side of what is rendered, in pixels.
    """
    fate, genome = genome_fate(content, before), parsed(content)
    if fate is Fate.REFUSED:
        return fate
    _, height, width = genome["image_shape"]
    work = height * width * (len(genome["nodes"]) + len(genome["connections"]))
    if what == "render" and size * max(height, width) / min(height, width) > 32_768:
        return Fate.REFUSED
    if what == "show" and not (plain(genome) and height * width <= 2**22 and work <= 2**30):
        return Fate.REFUSED  # A script can't hold it, or a page would draw it for too long.
    return Fate.MAY_LOAD if what == "start" else fate  # A run takes genomes of its own size and colours.


def _plain(value: Any) -> Any:
    """A JSON value in which true is not 1, and 1 is 1.0."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return ("true or false", value) if isinstance(value, bool) else value
