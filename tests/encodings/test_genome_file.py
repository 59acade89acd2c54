"""CPPN genomes as JSON files: exact round trips, and files nobody should have written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import Graph, graphs, to_batch
from hypothesis import given
from hypothesis import strategies as st
from support import at_most, build

from evofool import encodings
from evofool.encodings import genome_file
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch
from evofool.encodings.cppn.encoding import CPPN
from evofool.errors import GenomeError
from evofool.rng import Rng

PRESETS = list(encodings.ENCODINGS["cppn"][2])
LOOKS = [(1, "hsl"), (3, "hsl"), (3, "rgb")]


def through_json(encoding: CPPN, genomes: CPPNBatch, row: int, **provenance: Any) -> genome_file.GenomeFile:
    text = genome_file.dumps(genome_file.to_json(encoding, genomes, row, provenance))
    return genome_file.parse(json.loads(text))


def evolved(preset: str, channels: int, colour: str, generations: int = 40) -> tuple[CPPN, CPPNBatch]:
    """Eight genomes after many mutations."""
    encoding = build("cppn", preset, (channels, 7, 5), colour=colour)
    rng = Rng(3)
    batch = encoding.random(8, rng)
    for _ in range(generations):
        batch = encoding.mutate(batch, rng)
    return encoding, batch


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("channels", "colour"), LOOKS)
def test_mutated_genomes_come_back_to_the_bit(preset: str, channels: int, colour: str) -> None:
    encoding, batch = evolved(preset, channels, colour)
    images, large = encoding.decode(batch).numpy(), encoding.decode_at(batch, (20, 31)).numpy()
    for row in range(len(batch)):
        again = through_json(encoding, batch, row, **{"class": "cat"})
        assert again.encoding.image_shape == encoding.image_shape
        assert again.encoding.colour == encoding.colour
        assert again.provenance == {"class": "cat"}
        assert again.genomes.sizes()[0] == batch.sizes()[row]
        np.testing.assert_array_equal(again.encoding.decode(again.genomes)[0].numpy(), images[row])
        np.testing.assert_array_equal(again.encoding.decode_at(again.genomes, (20, 31))[0].numpy(), large[row])


@pytest.mark.parametrize("preset", PRESETS)
def test_writing_what_was_read_gives_the_same_text(preset: str) -> None:
    encoding, batch = evolved(preset, 3, "rgb")
    text = genome_file.dumps(genome_file.to_json(encoding, batch, 2, {"seed": 1}))
    again = genome_file.parse(json.loads(text))
    assert genome_file.dumps(genome_file.to_json(again.encoding, again.genomes, 0, again.provenance)) == text


@given(graphs(outputs=3))
def test_any_graph_comes_back_to_the_bit(graph: Graph) -> None:
    encoding, batch = build("cppn", "default"), to_batch([graph])
    again = through_json(encoding, batch, 0)
    np.testing.assert_array_equal(again.encoding.decode(again.genomes).numpy(), encoding.decode(batch).numpy())
    alive = batch.source[0] >= 0
    np.testing.assert_array_equal(again.genomes.weight[0], batch.weight[0, alive])


@given(st.floats(-(2.0**99), 2.0**99, width=32))
def test_every_weight_keeps_its_bits(weight: float) -> None:
    encoding = build("cppn", "default", (1, 4, 4))
    again = through_json(encoding, to_batch([Graph(("sin",), (), ((0, 4, weight),))]), 0)
    assert again.genomes.weight[0, 0].tobytes() == np.float32(weight).tobytes()


def test_a_file_is_readable_a_line_a_node_and_connection() -> None:
    graph = Graph(("sin",), ("gauss",), ((0, 5, 0.1), (5, 4, -2.0)))
    encoding = build("cppn", "default", (1, 4, 6))
    text = genome_file.dumps(genome_file.to_json(encoding, to_batch([graph]), 0, {"seed": 7}))
    assert '"image_shape": [1, 4, 6]' in text
    assert '    {"id": 4, "name": "grey", "activation": "sin"},\n' in text
    assert '    {"id": 5, "activation": "gauss", "position": 0.5}\n' in text
    assert '    {"from": 0, "to": 5, "weight": 0.1},\n' in text
    assert '  "seed": 7,\n' in text


def test_reading_a_file(tmp_path: Path) -> None:
    file = tmp_path / "größe.json"
    file.write_text(json.dumps(sound()), encoding="utf-8")
    assert len(genome_file.read(file).genomes) == 1


@pytest.mark.parametrize("change", [{"seed": 8}, {"connections": []}, {"sha256": "0" * 64}, {"sha256": None}])
def test_a_changed_value_is_noticed(change: dict[str, Any]) -> None:
    written = json.loads(genome_file.dumps(sound() | {"seed": 7, "class": "größe"}))
    with pytest.raises(GenomeError, match="not as it was written"):
        genome_file.parse(written | change)
    del written["sha256"]
    genome_file.parse(written | {key: value for key, value in change.items() if key != "sha256"})


@pytest.mark.parametrize("value", [0, 0.25, 1, 1.00005])
def test_a_score_stands_only_beside_the_check_sum_it_belongs_to(value: float) -> None:
    written = json.loads(genome_file.dumps(sound() | {"class": "cat", "score": value}))
    assert genome_file.parse(written).score == value
    changed = written | {"connections": []}
    with pytest.raises(GenomeError, match="take the sha256 out: it then counts as not scored"):
        genome_file.parse(changed)
    del changed["sha256"], written["sha256"]
    for genome in (genome_file.parse(changed), genome_file.parse(written)):
        assert (genome.score, genome.sealed) == (None, False)
        assert genome.provenance["class"] == "cat"


@pytest.mark.parametrize("value", [None, True, "0.5", -0.1, 1.1, [0.5]])
def test_what_is_no_probability_is_no_score(value: Any) -> None:
    assert genome_file.parse(json.loads(genome_file.dumps(sound() | {"score": value}))).score is None


def test_the_check_sum_does_not_care_how_numbers_and_keys_are_written() -> None:
    written = json.loads(genome_file.dumps(sound() | {"score": 1.0, "seed": 7}))
    reordered = dict(reversed(written.items())) | {"score": 1, "seed": 7.0}
    assert genome_file.parse(json.loads(json.dumps(reordered))).content["sha256"] == written["sha256"]


def test_a_check_sum_inside_of_a_value_is_not_part_of_it() -> None:
    plain, nested = sound() | {"made": {"by": "me"}}, sound() | {"made": {"by": "me", "sha256": "of something"}}
    assert genome_file.checksum(plain) == genome_file.checksum(nested) != genome_file.checksum(sound())
    assert genome_file.checksum(sound() | {"seed": 7}) == PINNED


@pytest.mark.parametrize("name", ["}, {", '"}, {"', "größe", '"sha256"'])
def test_files_of_one_genome_are_what_each_would_be_alone(name: str) -> None:
    provenances = [{"class": "a", "score": 0.25}, {"class": name, "score": 1}, {"seed": 3}]
    texts = list(genome_file.dumps_each(sound(), provenances))
    assert texts == [genome_file.dumps(sound() | provenance) for provenance in provenances]
    for text, provenance in zip(texts, provenances, strict=True):
        assert genome_file.parse(json.loads(text)).provenance == provenance


def test_items_of_a_list_stay_whole_whatever_is_in_them() -> None:
    content = sound()
    content["nodes"][0]["name"] = "}, {"
    text = genome_file.dumps(content)
    assert json.loads(text)["nodes"] == content["nodes"]
    assert sum(line.startswith('    {"id"') for line in text.splitlines()) == len(content["nodes"])
    odd = sound() | {"nodes": ["{}, {}", 1.5]}
    assert json.loads(genome_file.dumps(odd))["nodes"] == odd["nodes"]


def test_any_flipped_bit_is_noticed_or_harmless() -> None:
    text = genome_file.dumps(sound()).encode()
    whole = genome_file.parse(json.loads(text))
    for bit in range(8 * len(text)):
        broken = bytearray(text)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            genome = genome_file.parse(json.loads(broken.decode("utf-8")))
        except (GenomeError, ValueError):  # The latter by the parser: read() makes a GenomeError of it.
            continue
        for name, values in vars(whole.genomes).items():
            np.testing.assert_array_equal(vars(genome.genomes)[name], values)


PINNED = "4768a231c7770f8f78adc14ce7a37352605c9deff0589c20c0afa104dd8332de"
"""The check sum of ``sound()`` with seed 7: it must stay for as long as the format does."""


def sound() -> dict[str, Any]:
    """A grey genome with two hidden nodes, as plain JSON values."""
    graph = Graph(("sin",), ("gauss", "linear"), ((0, 5, 1.5), (5, 6, -2.0), (6, 4, 0.5), (3, 4, 1.0)))
    return genome_file.to_json(build("cppn", "default", (1, 6, 6)), to_batch([graph]), 0, {})


def swapped(place: list[Any], value: Any) -> Callable[[dict[str, Any]], None]:
    """Put a value somewhere into the JSON tree."""

    def edit(content: dict[str, Any]) -> None:
        inner: Any = content
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value

    return edit


WRONG = [None, "word", [], {}, True, [[1]], {"id": 0}, float("nan"), float("inf"), -1, 1e300, 10**400, 99, 2.5, "NaN"]

EDITS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another format": swapped(["format"], 3),
    "the format before": swapped(["format"], 1),
    "no format": lambda c: c.pop("format"),
    "another encoding": swapped(["encoding"], "direct"),
    "no encoding": lambda c: c.pop("encoding"),
    "no nodes": lambda c: c.pop("nodes"),
    "no connections": lambda c: c.pop("connections"),
    "no shape": lambda c: c.pop("image_shape"),
    "no colour": lambda c: c.pop("colour"),
    "no coordinates": lambda c: c.pop("coordinates"),
    "empty nodes": swapped(["nodes"], []),
    "too few nodes": lambda c: c.update(nodes=c["nodes"][:4], connections=[]),
    "shape of two": swapped(["image_shape"], [8, 8]),
    "two channels": swapped(["image_shape"], [2, 8, 8]),
    "no rows": swapped(["image_shape"], [1, 0, 8]),
    "negative columns": swapped(["image_shape"], [1, 8, -8]),
    "giant": swapped(["image_shape"], [1, 10**9, 10**9]),
    "unknown colour": swapped(["colour"], "cmyk"),
    "unknown coordinates": swapped(["coordinates"], "polar"),
    "repeated id": swapped(["nodes", 5, "id"], 4),
    "huge id": swapped(["nodes", 5, "id"], 10**12),
    "no activation": lambda c: c["nodes"][5].pop("activation"),
    "unknown activation": swapped(["nodes", 5, "activation"], "tanh"),
    "no position": lambda c: c["nodes"][5].pop("position"),
    "no weight": lambda c: c["connections"][0].pop("weight"),
    "weight beyond float32": swapped(["connections", 0, "weight"], 1e39),
    "weight whose sums would be": swapped(["connections", 0, "weight"], -1.1e30),
    "from nowhere": swapped(["connections", 0, "from"], 7),
    "from before": swapped(["connections", 0, "from"], -1),
    "to an input": swapped(["connections", 0, "to"], 1),
    "to itself": swapped(["connections", 0, "from"], 5),
    "a cycle": lambda c: c["connections"].append({"from": 6, "to": 5, "weight": 1.0}),
    "a cycle by positions": swapped(["nodes", 5, "position"], 0.9),
    "hidden after the output": swapped(["nodes", 6, "position"], 1.5),
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_damaged_genome_is_a_genome_error(edit: Callable[[dict[str, Any]], Any], tmp_path: Path) -> None:
    content = json.loads(json.dumps(sound()))
    genome_file.parse(content)
    edit(content)
    with pytest.raises(GenomeError):
        genome_file.parse(content)
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content))
    with pytest.raises(GenomeError, match=r"a\.json"):
        genome_file.read(file)


PLACES = [
    ["format"], ["encoding"], ["image_shape"], ["image_shape", 1], ["coordinates"], ["colour"], ["nodes"],
    ["nodes", 0], ["nodes", 0, "id"], ["nodes", 4, "activation"], ["nodes", 5, "activation"],
    ["nodes", 5, "position"], ["connections"], ["connections", 0], ["connections", 0, "from"],
    ["connections", 0, "to"], ["connections", 0, "weight"],
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_wrong_values_anywhere_are_a_genome_error_or_a_genome_that_renders(place: list[Any]) -> None:
    refused = 0
    for value in WRONG:
        content = json.loads(json.dumps(sound()))
        swapped(place, value)(content)
        try:
            genome = genome_file.parse(content)
        except GenomeError:
            refused += 1
        else:
            images = genome.encoding.decode(genome.genomes)
            assert tuple(images.shape[1:]) == genome.encoding.image_shape
    assert refused >= len(WRONG) // 2


TEXTS = {
    "empty": b"",
    "no JSON": b"genome",
    "half": json.dumps(sound()).encode()[:-9],
    "a list": b"[1, 2]",
    "a number": b"1",
    "null": b"null",
    "bytes": b"\xff\xfe\x00\x01",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep in the nodes": b'{"format": 2, "encoding": "cppn", "nodes": ' + b"[" * 50_000,
    "digits": b'{"format": 2, "encoding": "cppn", "image_shape": [1, 8, ' + b"9" * 10_000 + b"]}",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_file_that_is_no_genome_is_a_genome_error(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(GenomeError, match=r"a\.json"):
        genome_file.read(tmp_path / "a.json")


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b" " * 10_000_000)
    with at_most(1_000_000), pytest.raises(GenomeError, match=r"10,000,000 bytes; a genome has at most 2,000,000"):
        genome_file.read(tmp_path / "a.json")


@pytest.mark.parametrize("version", [1, 3, None, "2", {"deep": 9}])
def test_another_format_is_refused_in_a_line_that_names_the_version(version: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(sound() | {"format": version}))
    with pytest.raises(GenomeError) as refused:
        genome_file.read(tmp_path / "a.json")
    assert f"a.json: the genome has format {version}, this version of evofool reads 2; " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("place", ["nowhere.json", ".", "x" * 300])
def test_what_is_no_file_is_a_genome_error(place: str, tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match="cannot read genome"):
        genome_file.read(tmp_path / place)


def test_reading_a_small_file_of_a_large_picture_costs_no_memory() -> None:
    with at_most(1_000_000):
        genome = genome_file.parse(sound() | {"image_shape": [1, 8192, 8192]})
    assert genome.image_shape == (1, 8192, 8192)


def test_a_graph_may_use_every_activation() -> None:
    edges = tuple((0, 5 + i, 1.0) for i in range(len(ACTIVATION_NAMES))) + tuple(
        (5 + i, 4, 1.0) for i in range(len(ACTIVATION_NAMES))
    )
    encoding, batch = build("cppn", "default", (1, 4, 4)), to_batch([Graph(("sin",), ACTIVATION_NAMES, edges)])
    again = through_json(encoding, batch, 0)
    assert again.genomes.activation[0, 5:].tolist() == list(range(len(ACTIVATION_NAMES)))
