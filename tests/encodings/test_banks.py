"""The genome bank: every file is what it says it is."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from evofool import Target, load_target
from evofool.encodings import genome_file
from evofool.encodings.banks import bank_names, find_genomes
from evofool.encodings.genome_lines import names_one_genome, read_genome, read_genomes
from evofool.errors import GenomeError
from evofool.io.files import sha256
from evofool.targets import registry
from evofool.targets.doors.embedded import embedded_weights

BANK = Path(__file__).resolve().parents[2] / "genomes"
FILES = sorted(BANK.glob("*/*.json"))

every = pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")


def test_there_are_four_banks() -> None:
    assert bank_names() == ["cifar10-cppn", "founders-cppn", "imagenet-cppn", "mnist-cppn"]
    assert len(FILES) == 20


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("cifar10-cppn#cat", "cat"),
        ("cifar10-cppn#3", "cat"),
        ("cifar10-cppn#CAT", "cat"),
        ("genomes/mnist-cppn#7", "7"),
        ("imagenet-cppn#volcano", "volcano"),
    ],
)
def test_every_bank_has_its_genomes_by_class_or_index(place: str, name: str) -> None:
    found = find_genomes(place)
    assert found is not None
    ((file, genome),) = read_genomes(found)
    assert genome.provenance["class"] == name
    assert names_one_genome(found)
    assert read_genome(file).content == read_genome(found).content == genome.content


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("cifar10-cppn#cot", 'has no genome "cot" (did you mean "cat"?)'),
        ("cifar10-cppn#kitty", 'cifar10-cppn has no genome "kitty" (did you mean "cat"?)'),
        ("cifar10-cppn#10", 'has no genome "10"'),
        ("imagenet-cppn#cot", 'has no genome "cot"'),
    ],
)
def test_a_bank_says_which_genomes_it_has_not(place: str, message: str) -> None:
    found = find_genomes(place)
    assert found is not None
    with pytest.raises(GenomeError) as caught:
        read_genomes(found)
    assert message in str(caught.value)
    assert str(BANK) not in str(caught.value)


def test_a_folder_of_one_s_own_has_its_genomes_by_class_and_a_run_its_elites(tmp_path: Path) -> None:
    cat, dog = (next((BANK / "cifar10-cppn").glob(f"*_{name}_*")) for name in ("cat", "dog"))
    for folder in (tmp_path / "a#b", tmp_path / "run" / "elites"):
        folder.mkdir(parents=True)
        shutil.copy(cat, folder)
        shutil.copy(dog, folder / "one.json")
    for place in (f"{tmp_path}/a#b#dog", f"{tmp_path}/run#5"):
        assert read_genome(Path(place)).provenance["class"] == "dog"
    assert find_genomes(tmp_path / "a#b") == tmp_path / "a#b"
    assert len(read_genomes(tmp_path / "a#b")) == 2
    shutil.copy(dog, tmp_path / "a#b" / "two.json")
    with pytest.raises(GenomeError, match=r'has 2 of "dog"; name one by one\.json, two\.json'):
        read_genome(Path(f"{tmp_path}/a#b#dog"))


@cache
def target(name: str) -> Target:
    return registry.load_target(name, device="cpu", precision="float32")


@every
def test_a_genome_scores_what_it_was_recorded_with(file: Path) -> None:
    genome = genome_file.read(file)
    provenance = genome.provenance
    network = target(provenance["target"])
    assert network.classes[provenance["index"]] == provenance["class"]
    assert genome.encoding.image_shape == network.image_shape
    score = network.confirm(genome.encoding.decode(genome.genomes))[0, provenance["index"]]
    assert float(score) == pytest.approx(provenance["score"], abs=1e-4)


@every
def test_a_genome_names_the_weights_it_was_evolved_against(file: Path) -> None:
    provenance = genome_file.read(file).provenance
    weights = registry.card(provenance["target"]).weights
    assert provenance["weights_sha256"] == sha256(embedded_weights(weights))


@every
def test_a_genome_says_where_it_comes_from(file: Path) -> None:
    provenance = genome_file.read(file).provenance
    assert provenance.keys() >= {"target", "class", "index", "score", "preset", "seed", "generation", "weights_sha256"}


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda folder: folder.name)
def test_a_bank_has_one_genome_a_class(folder: Path) -> None:
    provenances = [genome_file.read(file).provenance for file in sorted(folder.glob("*.json"))]
    (name,) = {entry["target"] for entry in provenances}
    assert sorted(entry["index"] for entry in provenances) == list(range(len(registry.card(name).classes)))


@pytest.mark.parametrize(
    ("name", "least", "size"), [("imagenet-cppn", 0.9, 1_500_000), ("founders-cppn", 0, 1_800_000)]
)
def test_a_bank_of_many_is_small_sure_and_says_where_it_comes_from(name: str, least: float, size: int) -> None:
    file = BANK / f"{name}.jsonl"
    provenances = [genome.provenance for _, genome in read_genomes(file)]
    assert file.stat().st_size <= size
    assert min(entry["score"] for entry in provenances) >= least
    assert len({entry["index"] for entry in provenances}) == len(provenances)
    for entry in provenances:
        assert entry.keys() >= {"target", "class", "index", "score", "preset", "seed", "generation", "weights_sha256"}


def test_founders_are_a_thousand_of_as_many_classes_and_no_two_draw_the_same() -> None:
    genomes = [genome for _, genome in read_genomes(BANK / "founders-cppn.jsonl")]
    assert [genome.provenance["index"] for genome in genomes] == list(range(1000))
    assert len({genome.encoding.decode(genome.genomes).numpy().tobytes() for genome in genomes}) == 1000


def test_a_sample_of_the_imagenet_bank_scores_what_it_was_recorded_with(shared: Path) -> None:
    weights = shared / "weights" / "squeezenet1_1-imagenet.safetensors"
    network = load_target("torchvision:squeezenet1_1", weights=weights, device="cpu", precision="float32")
    genomes = [genome for _, genome in read_genomes(BANK / "imagenet-cppn.jsonl")]
    assert genomes[0].provenance["weights_sha256"] == sha256(weights)
    for genome in genomes[:: len(genomes) // 24]:
        provenance = genome.provenance
        assert network.classes[provenance["index"]] == provenance["class"]
        score = network.confirm(genome.encoding.decode(genome.genomes))[0, provenance["index"]]
        assert float(score) == pytest.approx(provenance["score"], abs=1e-3)


def test_no_folder_of_that_name_takes_the_founders_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "founders-cppn").mkdir()
    found = find_genomes("founders-cppn")
    assert found is not None
    assert found.read_bytes() == (BANK / "founders-cppn.jsonl").read_bytes()
    assert find_genomes("./founders-cppn") == Path("founders-cppn")
