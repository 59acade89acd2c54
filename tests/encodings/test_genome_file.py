"""A CPPN as readable JSON: the same bits come back, and damage is refused."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import BIAS, DISTANCE, Graph, X, Y, graphs, to_batch
from hypothesis import given
from hypothesis import strategies as st
from support import build

from evofool.encodings import genome_file
from evofool.encodings.functions import NAMES
from evofool.errors import GenomeError
from evofool.rng import Rng

PROVENANCE = {"target": "digits", "class": "seven ×", "score": 0.9987654, "seed": 3}


def written(graph: Graph, preset: str = "default", shape: tuple[int, int, int] = (3, 9, 7)) -> dict[str, Any]:
    return genome_file.to_json(build("cppn", preset, shape), to_batch([graph], 14, 20), 0, PROVENANCE)


def example() -> dict[str, Any]:
    edges = ((X, 7, 1.5), (DISTANCE, 8, -0.1), (7, 8, 3.0), (8, 4, 1.0), (Y, 5, 2.0), (BIAS, 6, 0.3))
    return written(Graph(("sin", "cos", "gauss"), ("wedge", "linear"), edges))


@given(graphs(3), st.sampled_from(["default", "nguyen2015"]))
def test_a_genome_comes_back_from_its_text_and_looks_the_same(graph: Graph, preset: str) -> None:
    encoding = build("cppn", preset, (3, 9, 7), functions=NAMES)
    ours = to_batch([graph], 14, 20)
    text = genome_file.dumps(genome_file.to_json(encoding, ours, 0, PROVENANCE))
    read = genome_file.parse(json.loads(text))
    assert read.provenance == PROVENANCE
    assert read.encoding.image_shape == (3, 9, 7)
    assert read.genomes.sizes().tolist() == ours.sizes().tolist()
    assert (read.encoding.decode(read.genomes) == encoding.decode(ours)).all()


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8)])
def test_evolved_genomes_come_back_and_can_be_evolved_on(shape: tuple[int, int, int], tmp_path: Path) -> None:
    encoding, rng = build("cppn", "default", shape), Rng(0)
    genomes = encoding.random(12, rng)
    for _ in range(30):
        genomes = encoding.mutate(genomes, rng)
    images = encoding.decode(genomes)
    for row in range(12):
        path = tmp_path / f"{row}.json"
        path.write_text(genome_file.dumps(genome_file.to_json(encoding, genomes, row, PROVENANCE)), encoding="utf-8")
        read = genome_file.read(path)
        assert (read.encoding.decode(read.genomes)[0] == images[row]).all()
        taken_up = encoding.resized(read.genomes)
        assert (encoding.decode(taken_up)[0] == images[row]).all()
        encoding.mutate(taken_up, rng).check(shape[0])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_weights_keep_every_bit(weight: float) -> None:
    text = genome_file.dumps(written(Graph(("sin",) * 3, (), ((X, 4, weight),))))
    read = genome_file.parse(json.loads(text)).genomes.weight[0, 0]
    assert read.tobytes() == np.float32(weight).tobytes()


def test_the_text_has_a_line_for_every_node_and_connection() -> None:
    genome = example()
    lines = genome_file.dumps(genome).splitlines()
    assert len([line for line in lines if '"id":' in line]) == 9
    assert len([line for line in lines if '"weight":' in line]) == 6
    assert json.loads("\n".join(lines)) == genome
    assert [node.get("name") for node in genome["nodes"][:5]] == ["x", "y", "distance", "bias", "colour0"]


def damaged(change: Any) -> dict[str, Any]:
    genome = copy.deepcopy(example())
    change(genome)
    return genome


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.pop("nodes"),
        lambda g: g.pop("connections"),
        lambda g: g.pop("image_shape"),
        lambda g: g.update(format=2),
        lambda g: g.update(format=None),
        lambda g: g.update(encoding="direct"),
        lambda g: g.update(coordinates="polar"),
        lambda g: g.update(colour="cmyk"),
        lambda g: g.update(colour=[]),
        lambda g: g.update(image_shape=[3, 9]),
        lambda g: g.update(image_shape=[2, 9, 7]),
        lambda g: g.update(image_shape=[3, 0, 7]),
        lambda g: g.update(image_shape=[3, 10**6, 7]),
        lambda g: g.update(nodes=None),
        lambda g: g.update(nodes=[]),
        lambda g: g.update(nodes=g["nodes"][:6]),
        lambda g: g.update(connections=[{}]),
        lambda g: g["nodes"][5].update(activation="tanh"),
        lambda g: g["nodes"][5].pop("activation"),
        lambda g: g["nodes"][7].update(id=9),
        lambda g: g["nodes"][7].pop("position"),
        lambda g: g["nodes"][7].update(position=float("nan")),
        lambda g: g["nodes"][7].update(position=2.0),
        lambda g: g["nodes"].insert(0, 5),
        lambda g: g["connections"][0].update(to=99),
        lambda g: g["connections"][0].update({"from": -1}),
        lambda g: g["connections"][0].update({"from": 1.5}),
        lambda g: g["connections"][0].update({"from": "x"}),
        lambda g: g["connections"][0].update(to=2),
        lambda g: g["connections"][0].update({"from": 8, "to": 7}),
        lambda g: g["connections"][0].update(weight=float("inf")),
        lambda g: g["connections"][0].update(weight=None),
        lambda g: g["connections"][0].update(weight="heavy"),
        lambda g: g["connections"][0].pop("weight"),
    ],
)
def test_damaged_genomes_are_refused_with_the_file_s_name(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "genome.json"
    path.write_text(json.dumps(damaged(change)))
    with pytest.raises(GenomeError, match=re.escape(str(path))) as caught:
        genome_file.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"[]", b"5", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1'])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "genome.json"
    path.write_bytes(content)
    with pytest.raises(GenomeError, match=re.escape(str(path))):
        genome_file.read(path)


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match="cannot read genome"):
        genome_file.read(tmp_path / "none.json")
    with pytest.raises(GenomeError, match="cannot read genome"):
        genome_file.read(tmp_path)
    (tmp_path / "huge.json").write_bytes(b" " * (genome_file.MAX_BYTES + 1))
    with pytest.raises(GenomeError, match="at most 2,000,000"):
        genome_file.read(tmp_path / "huge.json")
