"""Genome files from strangers: read, rendered, started from and shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hostile import Sandbox, damaged, fuzz, instead, json_files, refused, tried
from hypothesis import given
from hypothesis import strategies as st
from support import build

from evofool.encodings import genome_file
from evofool.encodings.initial import initial_genomes
from evofool.gallery.pages.run_page import write_gallery
from evofool.gallery.prints.render import render_genome
from evofool.rng import Rng


def genome(channels: int = 3) -> dict[str, Any]:
    """A CPPN after some mutations, as JSON values."""
    encoding, rng = build("cppn", "default", (channels, 8, 8)), Rng(1)
    batch = encoding.random(1, rng)
    for _ in range(12):
        batch = encoding.mutate(batch, rng)
    return genome_file.to_json(encoding, batch, 0, {"target": "digits", "class": "cat", "index": 3, "score": 0.9})


GENOME = genome()
SEALED = genome_file.dumps(GENOME).encode()
PLAIN = json.dumps(GENOME).encode()
ENCODING = build("cppn", "default", (3, 8, 8))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    box = Sandbox(tmp_path_factory.mktemp("genomes"))
    box.inside.mkdir()
    return box


def use(what: str, box: Sandbox) -> None:
    """Do with the file what commands do with genomes."""
    file = box.inside / "a.json"
    if what == "read":
        genome_file.read(file)
    elif what == "render":
        render_genome(file, "16", box.inside / "a.png")
    elif what == "start":
        initial_genomes(file, ENCODING)
    else:
        write_gallery([file], box.inside / "page.html")


USES = ["read", "render", "start", "show"]


@fuzz(0.08)
@given(
    content=st.one_of(json_files(GENOME), json_files({**GENOME, "note": {"more": [1, "two"]}})),
    what=st.sampled_from(USES),
)
def test_a_genome_that_lies(content: bytes, what: str, sandbox: Sandbox) -> None:
    with instead(sandbox.inside / "a.json", content):
        tried("genome JSON", lambda: use(what, sandbox))
    sandbox.assert_untouched()


def test_a_weight_beyond_what_float32_holds() -> None:
    genome = {**GENOME, "connections": [{**GENOME["connections"][0], "weight": 1e39}]}
    refused(lambda: genome_file.parse(genome))


@fuzz(0.04)
@given(content=st.one_of(damaged(PLAIN), damaged(SEALED)), what=st.sampled_from(USES))
def test_a_genome_s_bytes_damaged(content: bytes, what: str, sandbox: Sandbox) -> None:
    with instead(sandbox.inside / "a.json", content):
        tried("genome bytes", lambda: use(what, sandbox))
    sandbox.assert_untouched()


@st.composite
def graphs(draw: Any) -> dict[str, Any]:
    """A genome with any number of nodes and connections, cyclic ones, long chains and stars too."""
    hidden = draw(st.sampled_from([0, 1, 5, 90, 500, 1000, 5000, 20_000]))
    kind = draw(st.sampled_from(["chain", "star", "cycle", "ring backwards", "doubled"]))
    nodes = [{"id": i, **({"activation": "sin"} if i >= 4 else {})} for i in range(5 + hidden)]
    for i, node in enumerate(nodes[5:], 1):
        node["position"] = 0.5 if kind == "cycle" else i / (hidden + 1)
    inner = list(range(5, 5 + hidden))
    if kind == "star":
        pairs = [(3, i) for i in inner] + [(i, 4) for i in inner]
    elif kind == "doubled":
        pairs = [(3, 4)] * draw(st.sampled_from([2, 1000, 30_000]))
    else:
        pairs = list(zip([3, *inner], [*inner, 4], strict=True))
    if kind == "cycle" and inner:
        pairs.append((inner[-1], inner[0]))
    if kind == "ring backwards":
        pairs = [(b, a) for a, b in pairs]
    connections = [{"from": a, "to": b, "weight": 1} for a, b in pairs]
    shape = draw(st.sampled_from([[1, 8, 8], [1, 1, 8192], [1, 8192, 1], [1, 300, 300]]))
    return {
        "format": 2, "encoding": "cppn", "image_shape": shape, "coordinates": "unit", "colour": "hsl",
        "nodes": nodes, "connections": connections,
    }  # fmt: skip


@fuzz(0.02)
@given(graph=graphs(), what=st.sampled_from(USES))
def test_graphs_of_any_size(graph: dict[str, Any], what: str, sandbox: Sandbox) -> None:
    with instead(sandbox.inside / "a.json", json.dumps(graph, separators=(",", ":")).encode()):
        tried("genome graphs", lambda: use(what, sandbox), seconds=20)


def test_a_genome_of_a_giant_picture_is_bounded(sandbox: Sandbox) -> None:
    giant = {**GENOME, "image_shape": [3, 8192, 8192]}
    with instead(sandbox.inside / "a.json", json.dumps(giant).encode()):
        for what in USES:
            tried("genome giants", lambda what=what: use(what, sandbox))  # type: ignore[misc]
