"""The genome bank: every file is what it says it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from evofool import load_target
from evofool.encodings import genome_file
from evofool.encodings.genome_lines import read_genomes
from evofool.io.files import sha256
from evofool.targets import registry as zoo
from evofool.targets.torch_target import Target

BANK = Path(__file__).resolve().parents[2] / "genomes"
FILES = sorted(BANK.glob("*/*.json"))

every = pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")

if not FILES:
    pytest.skip(f"no genomes under {BANK} yet", allow_module_level=True)


@cache
def target(name: str) -> Target:
    return zoo.load_target(name, device="cpu", precision="float32")


@every
def test_a_genome_scores_what_it_was_recorded_with(file: Path) -> None:
    genome = genome_file.read(file)
    told = genome.provenance
    network = target(told["target"])
    assert network.classes[told["index"]] == told["class"]
    assert genome.encoding.image_shape == network.image_shape
    score = network.confirm(genome.encoding.decode(genome.genomes))[0, told["index"]]
    assert float(score) == pytest.approx(told["score"], abs=1e-4)


@every
def test_a_genome_names_the_weights_it_was_evolved_against(file: Path) -> None:
    told = genome_file.read(file).provenance
    assert told["weights_sha256"] == sha256(zoo.embedded_weights(zoo.card(told["target"]).weights))


@every
def test_a_genome_tells_where_it_comes_from(file: Path) -> None:
    told = genome_file.read(file).provenance
    assert told.keys() >= {"target", "class", "index", "score", "preset", "seed", "generation", "weights_sha256"}


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda folder: folder.name)
def test_a_bank_has_one_genome_a_class(folder: Path) -> None:
    told = [genome_file.read(file).provenance for file in sorted(folder.glob("*.json"))]
    (name,) = {entry["target"] for entry in told}
    assert sorted(entry["index"] for entry in told) == list(range(len(zoo.card(name).classes)))


MANY = sorted(BANK.glob("*.jsonl"))


@pytest.mark.parametrize("file", MANY, ids=lambda file: file.stem)
def test_a_bank_of_many_is_small_sure_and_tells_where_it_comes_from(file: Path) -> None:
    told = [genome.provenance for _, genome in read_genomes(file)]
    assert file.stat().st_size <= 1_500_000
    assert min(entry["score"] for entry in told) >= 0.9
    assert len({entry["index"] for entry in told}) == len(told)
    for entry in told:
        assert entry.keys() >= {"target", "class", "index", "score", "preset", "seed", "generation", "weights_sha256"}


def test_a_sample_of_the_imagenet_bank_scores_what_it_was_recorded_with(shared: Path) -> None:
    weights = shared / "weights" / "squeezenet1_1-imagenet.safetensors"
    network = load_target("torchvision:squeezenet1_1", weights=weights, device="cpu", precision="float32")
    genomes = [genome for _, genome in read_genomes(BANK / "imagenet-cppn.jsonl")]
    assert genomes[0].provenance["weights_sha256"] == sha256(weights)
    for genome in genomes[:: len(genomes) // 24]:
        told = genome.provenance
        assert network.classes[told["index"]] == told["class"]
        score = network.confirm(genome.encoding.decode(genome.genomes))[0, told["index"]]
        assert float(score) == pytest.approx(told["score"], abs=1e-3)
