"""Many genomes in one file: the same genomes as in files of their own, found by class or index; damage is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import build

from evofool.encodings import genome_file
from evofool.encodings.genome_file import CHECKSUM
from evofool.encodings.genome_lines import dumps, names_one_genome, read_genome, read_genomes
from evofool.errors import GenomeError
from evofool.rng import Rng

CLASSES = ("tabby", "Persian cat", "crane", "crane")


def contents(shape: tuple[int, int, int] = (3, 8, 8)) -> list[dict[str, Any]]:
    """Grown genomes as JSON, one a class."""
    encoding, rng = build("cppn", "default", shape), Rng(3)
    genomes = encoding.random(len(CLASSES), rng)
    for _ in range(6):
        genomes = encoding.mutate(genomes, rng)
    return [
        genome_file.to_json(
            encoding, genomes, row, {"target": "net", "class": name, "index": 280 + row, "score": 0.9 + row / 100}
        )
        for row, name in enumerate(CLASSES)
    ]


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    file = tmp_path / "bank.jsonl"
    file.write_text(dumps(contents()), encoding="utf-8")
    return file


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 6, 9)])
def test_the_genomes_are_those_of_files_of_their_own(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    written = contents(shape)
    file = tmp_path / "bank.jsonl"
    file.write_text(dumps(written), encoding="utf-8")
    genomes = read_genomes(file)
    assert [path for path, _ in genomes] == [tmp_path / f"bank.jsonl#{280 + row}" for row in range(4)]
    for content, (_, genome) in zip(written, genomes, strict=True):
        alone = genome_file.parse(content)
        for f in fields(alone.genomes):
            assert np.array_equal(getattr(genome.genomes, f.name), getattr(alone.genomes, f.name)), f.name
        assert genome.provenance == alone.provenance
        assert torch.equal(genome.encoding.decode(genome.genomes), alone.encoding.decode(alone.genomes))


def test_a_file_of_many_is_a_third_as_large(bank: Path) -> None:
    alone = sum(len(genome_file.dumps(content)) for content in contents())
    assert bank.stat().st_size < alone / 2


@pytest.mark.parametrize(
    ("which", "row"), [("280", 0), ("tabby", 0), ("TABBY", 0), ("persian cat", 1), ("282", 2), ("283", 3)]
)
def test_one_is_found_by_index_or_class(bank: Path, which: str, row: int) -> None:
    named = bank.with_name(f"bank.jsonl#{which}")
    assert names_one_genome(named)
    assert read_genome(named).provenance["index"] == 280 + row


def test_a_missing_one_is_refused_with_the_nearest(bank: Path) -> None:
    with pytest.raises(GenomeError, match=r'bank\.jsonl has no genome "taby" \(did you mean "tabby"\?\); name a class'):
        read_genome(bank.with_name("bank.jsonl#taby"))


def test_a_class_that_is_there_twice_is_refused_with_its_indices(bank: Path) -> None:
    with pytest.raises(GenomeError, match='has 2 of "crane"; name one by 282, 283'):
        read_genome(bank.with_name("bank.jsonl#crane"))


def test_a_class_may_have_a_slash(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    file.write_text(dumps([content | {"class": "cat/dog"} for content in contents()[:1]]), encoding="utf-8")
    assert read_genome(Path(f"{file}#cat/dog")).provenance["index"] == 280


def test_a_file_needs_a_genome() -> None:
    with pytest.raises(GenomeError, match="needs one at least"):
        dumps([])


def test_a_folder_holds_files_of_both_kinds(bank: Path) -> None:
    (bank.parent / "metrics.jsonl").write_text('{"generation": 1}\n')
    (bank.parent / "a.json").write_text(genome_file.dumps(contents()[1]))
    (bank.parent / "picture.png").write_bytes(b"")
    names = [path.name for path, _ in read_genomes(bank.parent)]
    assert names == ["a.json", *(f"bank.jsonl#{index}" for index in (280, 281, 282, 283))]


def test_a_file_that_changes_is_read_again(bank: Path) -> None:
    assert len(read_genomes(bank)) == 4
    bank.write_text(dumps(contents()[:2]), encoding="utf-8")
    assert len(read_genomes(bank)) == 2


def test_a_missing_file_is_a_genome_error(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match=r"cannot read genomes .*: No such file"):
        read_genome(tmp_path / "none.jsonl#3")


def changed(lines: list[str], change: Callable[[dict[str, Any]], None], at: int = 1) -> bytes:
    """A file with one line changed, and with its new check sum."""
    content = json.loads(lines[at])
    change(content)
    lines[at] = json.dumps(content) + "\n"
    body = "".join(lines[1:])
    head = json.loads(lines[0]) | {CHECKSUM: hashlib.sha256(body.encode()).hexdigest()}
    return (json.dumps(head) + "\n" + body).encode()


@pytest.mark.parametrize("version", [1, 3, None, "2"])
def test_another_format_is_refused_in_a_line_that_names_the_version(bank: Path, version: Any) -> None:
    head, body = bank.read_text(encoding="utf-8").split("\n", 1)
    bank.write_text(json.dumps(json.loads(head) | {"format": version}) + "\n" + body, encoding="utf-8")
    with pytest.raises(GenomeError, match=f"bank.jsonl: the genome has format {version}, this version .* reads 2; "):
        read_genomes(bank)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace(b'"index":281', b'"index":181'), "not as it was written"),
        (lambda text: text[:-200], "not as it was written"),
        (lambda text: b"", "is empty; fetch it again"),
        (lambda text: b"[]\n[]\n", "not a file of genomes"),
        (lambda text: text.splitlines(keepends=True)[0], "not a file of genomes"),
        (lambda text: b"\xff\xfe" + text, "not a file of genomes"),
        (lambda text: b"{" * 100_000, "not a file of genomes"),
        (lambda text: b" " * 33_000_000, "33,000,000 bytes; a file of genomes has at most"),
    ],
)
def test_damage_is_noticed(bank: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    bank.write_bytes(damage(bank.read_bytes()))
    with pytest.raises(GenomeError, match=message) as caught:
        read_genomes(bank)
    assert str(bank) in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda genome: genome.pop("nodes"),
        lambda genome: genome["nodes"][0].clear(),
        lambda genome: genome["nodes"].append(["sin"]),
        lambda genome: genome["nodes"].append(["tan", 0.5]),
        lambda genome: genome["connections"].append([0, 4]),
        lambda genome: genome["connections"].append([0, 999, 1.0]),
        lambda genome: genome["connections"].append([4, 0, 1.0]),
        lambda genome: genome["connections"].append([0, 4, "much"]),
        lambda genome: genome.update(nodes={}),
        lambda genome: genome.update(image_shape=[3, 10**9, 8]),
    ],
)
def test_graphs_that_are_none_are_refused(bank: Path, change: Callable[[dict[str, Any]], None]) -> None:
    bank.write_bytes(changed(bank.read_text(encoding="utf-8").splitlines(keepends=True), change))
    with pytest.raises(GenomeError) as caught:
        read_genomes(bank)
    assert str(bank) in str(caught.value)


def test_genomes_that_are_rendered_in_other_ways_share_no_file() -> None:
    with pytest.raises(GenomeError, match="can't share a file"):
        dumps([contents()[0], contents((3, 9, 9))[0]])
