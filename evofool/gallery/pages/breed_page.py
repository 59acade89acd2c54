"""``evofool breed``: a page in which pictures are bred against an embedded network, which runs in the browser."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from markupsafe import Markup

from ...encodings.banks import genomes_under
from ...encodings.cppn.settings import FEW_ACTIVATIONS, FEW_WEIGHTS, GRAPH_KEPT, PRESETS
from ...encodings.genome_file import GenomeFile
from ...encodings.genome_lines import check_drawing, read_genomes
from ...errors import ConfigError, GenomeError, TargetError
from ...kernels.constants import ATTEMPTS
from ...targets.doors import embedded
from ...targets.layers import NETWORKS, Convolution, Layer, MaxPool, layers
from ...targets.registry import check_name
from ...text import class_name
from .page_file import check_page_file, write_page
from .rendering import render

MAX_GENOMES = 18
"""Most genomes that a page begins with: those that it shows at once."""

MAX_SEED = 2**63 - 1
"""Largest seed of the page's random numbers."""

STYLES = (
    "tokens.css", "base.css", "top.css", "collection.css", "pictures.css", "tray.css",
    "closer.css", "keep.css", "graph.css", "legend.css", "help.css", "footer.css",
)  # fmt: skip
"""The page's style sheets, as in ``gallery_page.STYLES``."""

SHARED = ("cppn.js", "kernel.js", "network.js")
"""The scripts that the page and its workers run."""

SCRIPTS = (
    "dom.js", "format.js", "memory.js", "theme.js", "influence.js", "graph.js", "stage.js", "weights.js", "arrows.js",
    "setup.js", "draws.js", "variation.js", "genomes.js", "elites.js", "judges.js", "painter.js", "guesses.js",
    "nursery.js", "collection.js", "alone.js", "closeup.js", "breeding.js",
)  # fmt: skip
"""The page's other scripts, in the order they run."""

SHORTCUTS = (
    (("←", "→", "↑", "↓"), "from picture to picture"),
    (("Enter",), "choose the picture, or not"),
    (("b",), "make children"),
    (("s",), "choose the surest"),
    (("z",), "back"),
    (("n",), "new pictures"),
    (("l",), "load a genome"),
    (("e",), "let it evolve by itself, or stop"),
    (("Esc",), "close"),
)
"""The page's keys, and what they do."""


def write_breed_page(target: str, out: Path, *, init: Path | None = None, seed: int | None = None) -> Path:
    """Write the page, and return its file.

    Args:
        target: An embedded network's name.
        out: The HTML file.
        init: CPPN genomes to begin with: a file, a folder, a run or a bank; None for random ones.
        seed: Seed of the page's random numbers; with it, pages begin with the same pictures whenever they are opened.

    Raises:
        ConfigError: ``out`` names no HTML file, or ``seed`` is none.
        TargetError: The target's network can't run in a page.
        GenomeError: The genomes are missing, damaged, too many, or for other pictures.
        RunError: The page can't be written.
    """
    check_page_file(out)
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise ConfigError(f"`seed` must be from 0 to {MAX_SEED}, got {seed}")
    name = _embedded_name(target)
    genomes = [] if init is None else _genomes(init, name)
    write_page(out, _page(name, genomes, seed))
    return out


def _embedded_name(target: str) -> str:
    """Return the name, without aliases, of a target whose network can run in a page."""
    name = embedded.card(target).name if embedded.claims(target) else target
    if name in NETWORKS:
        return name
    check_name(target)
    raise TargetError(f"a page can't run {target}; pictures can be bred for `target` {', '.join(NETWORKS)}")


def _genomes(init: Path, name: str) -> list[GenomeFile]:
    """Return the genomes that a page for this network begins with."""
    found = read_genomes(genomes_under(init))
    if not found:
        raise GenomeError(f"`init={init}` holds no CPPN genomes (.json, .jsonl)")
    if len(found) > MAX_GENOMES:
        example = found[0][1].provenance.get("class", 0)
        raise GenomeError(
            f"`init={init}` holds {len(found):,} genomes, and a page begins with at most {MAX_GENOMES}; name one, "
            f"as in {init}#{example}"
        )
    frame, settings = _frame(name), PRESETS["default"]
    check_drawing(found, frame["colour"], frame["xy"])
    for file, genome in found:
        try:
            settings.check_room(genome.genomes.activation.shape[1], genome.genomes.source.shape[1])
        except GenomeError as error:
            raise GenomeError(f"{file}: {error}") from error
    return [genome for _, genome in found]


def _frame(name: str) -> dict[str, Any]:
    """Return how a genome becomes a picture for a network, as ``cppn.js`` reads it."""
    shape, settings = embedded.card(name).image_shape, PRESETS["default"]
    return {"shape": shape, "xy": settings.coordinates, "colour": "grey" if shape[0] == 1 else settings.colour}


def _page(name: str, genomes: list[GenomeFile], seed: int | None) -> str:
    card, network = embedded.card(name), layers(name)
    computed = [layer for layer in network if isinstance(layer, Convolution)]
    numbers = np.concatenate([part.ravel() for layer in computed for part in (layer.weight, layer.bias)])
    data = {
        "target": name,
        "classes": card.classes,
        "network": {
            "shape": card.image_shape, "mean": card.mean, "std": card.std,
            "layers": [_described(layer) for layer in network],
        },
        "frame": _frame(name),
        "kind": {
            "outputs": card.image_shape[0],
            "settings": msgspec.to_builtins(PRESETS["default"]),
            "attempts": ATTEMPTS,
            "slightly": {"weights": FEW_WEIGHTS, "activations": FEW_ACTIVATIONS, "kept": GRAPH_KEPT},
        },
        "seed": None if seed is None else str(seed),  # JavaScript's numbers have 53 bits.
        "genomes": [_graph_of(genome) for genome in genomes],
    }  # fmt: skip
    return render(
        "breed.html",
        card=card,
        names=[class_name(each) for each in card.classes],
        data=data,
        weights=Markup(base64.b64encode(numbers.astype("<f4").tobytes()).decode()),
        styles=STYLES,
        shared=SHARED,
        scripts=SCRIPTS,
        shortcuts=SHORTCUTS,
    )


def _described(layer: Layer) -> dict[str, Any]:
    """Return a layer as ``network.js`` reads it, without its weights."""
    if isinstance(layer, Convolution):
        return {
            "kind": "convolution", "shape": layer.weight.shape, "stride": layer.stride, "padding": layer.padding,
            "shortcut": layer.shortcut, "relu": layer.relu,
        }  # fmt: skip
    return {"kind": "pool" if isinstance(layer, MaxPool) else "mean"}


def _graph_of(genome: GenomeFile) -> dict[str, Any]:
    """Return what the page needs of a genome's file; whatever else stands in it stays out."""
    keys = ("format", "encoding", "image_shape", "coordinates", "colour")
    nodes = [
        {key: node[key] for key in ("id", "activation", "position") if key in node} for node in genome.content["nodes"]
    ]
    edges = [{key: edge[key] for key in ("from", "to", "weight")} for edge in genome.content["connections"]]
    return {**{key: genome.content[key] for key in keys}, "nodes": nodes, "connections": edges}
