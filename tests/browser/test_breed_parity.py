"""The networks and the operators of the page against evofool's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from breeding import scored_in_page, scored_in_python
from browsing import Open
from runs import LONG
from support import build
from test_parity import grown

import evofool
from evofool.encodings.banks import genomes_under
from evofool.encodings.cppn.settings import GRAPH_KEPT
from evofool.encodings.genome_file import GenomeFile, parse, to_json
from evofool.encodings.genome_lines import read_genomes
from evofool.rng import Rng
from evofool.targets.doors.embedded import CARDS
from evofool.targets.layers import NETWORKS

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLOSE = 1e-4
"""Largest difference of a probability from Python's; the page's promise is 1e-3."""

EVERY = 1 if LONG else 50
"""Every so many genomes of the large bank are drawn."""


def opened_for(opened: Open, tmp_path: Path, name: str) -> Page:
    return opened(evofool.breed(name, tmp_path / "page.html", seed=0))


def bank(name: str) -> list[GenomeFile]:
    """The genomes of all banks that draw pictures for a network, and some random ones."""
    colour = CARDS[name].image_shape[0] == 3
    shape = CARDS[name].image_shape
    random = grown(shape, "hsl", "unit", seed=3, mutations=8)
    if not colour:
        return [*(genome for _, genome in read_genomes(genomes_under("mnist-cppn"))), *random]
    large = read_genomes(genomes_under("imagenet-cppn"))
    return [*(genome for _, genome in read_genomes(genomes_under("cifar10-cppn")) + large[::EVERY]), *random]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_s_probabilities_are_python_s_on_the_whole_bank(opened: Open, tmp_path: Path, name: str) -> None:
    genomes = bank(name)
    found = scored_in_page(opened_for(opened, tmp_path, name), genomes)
    expected = scored_in_python(name, genomes)
    assert len(expected) >= 20
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)
    assert len(set(expected.argmax(1))) >= 5


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_a_browser_without_simd_computes_the_same(opened: Open, tmp_path: Path, name: str) -> None:
    page, genomes = opened_for(opened, tmp_path, name), bank(name)[:3]
    found = page.evaluate(
        """(files) => {
          const bytes = Uint8Array.from(atob(Dom.byId("weights").textContent), (letter) => letter.charCodeAt(0));
          const network = Network.build(Setup.network, new Float32Array(bytes.buffer), {simd: false});
          const [, height, width] = Setup.frame.shape;
          return [network.fast, ...files.map((file) =>
            [...network.scores(Cppn.render(Cppn.compact(file), Setup.frame, width, height))])];
        }""",
        [genome.content for genome in genomes],
    )
    assert found[0] is False
    np.testing.assert_allclose(found[1:], scored_in_python(name, genomes), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
@pytest.mark.parametrize("slightly", [False, True])
def test_children_are_those_of_python_for_the_same_random_numbers(
    opened: Open, tmp_path: Path, name: str, slightly: bool
) -> None:
    page, encoding = opened_for(opened, tmp_path, name), build("cppn", "default", CARDS[name].image_shape)
    rng = Rng(5, "cpu")
    parents = encoding.random(40, rng)
    for _ in range(12):
        parents = encoding.mutate(parents, rng)
    files = [json.loads(json.dumps(to_json(encoding, parents, row, {}))) for row in range(len(parents))]
    closed = encoding.resized(parents)  # A file has no free slots, so neither have the page's parents.
    again = Rng(6, "cpu")
    keeps = (again.host.random(len(parents)) < GRAPH_KEPT).tolist() if slightly else [None] * len(parents)
    seeds = [str(seed) for seed in again.seeds(len(parents))]
    made = page.evaluate(
        """([files, keeps, seeds]) => files.map((file, row) => {
          const parent = Genomes.read(JSON.stringify(file), Setup.frame, Setup.kind.settings);
          const stream = Draws.stream(BigInt(seeds[row])), {kind} = Setup;
          const child = keeps[row] === null ? Variation.mutate(parent, kind, stream)
            : Variation.mutateSlightly(parent, kind, keeps[row], stream);
          return Genomes.write(child, Setup.frame, {});
        })""",
        [files, keeps, seeds],
    )
    mutate = encoding.mutate_slightly if slightly else encoding.mutate
    expected = mutate(closed, Rng(6, "cpu"))
    changed = 0
    for row, text in enumerate(made):
        ours, theirs = parse(json.loads(text)).content, to_json(encoding, expected, row, {})
        assert ours["nodes"] == theirs["nodes"], row
        assert ends(ours) == ends(theirs), row
        np.testing.assert_allclose(weights(ours), weights(theirs), rtol=1e-5, atol=1e-6, err_msg=str(row))
        changed += ours["nodes"] != files[row]["nodes"] or weights(ours) != weights(files[row])
    assert changed >= 35


def ends(content: dict[str, Any]) -> list[tuple[int, int]]:
    return [(edge["from"], edge["to"]) for edge in content["connections"]]


def weights(content: dict[str, Any]) -> list[float]:
    return [edge["weight"] for edge in content["connections"]]


def test_random_genomes_are_made_as_in_python(opened: Open, tmp_path: Path) -> None:
    page, encoding = opened_for(opened, tmp_path, "cifar10"), build("cppn", "default", (3, 32, 32))
    texts = page.evaluate(
        """(count) => {
          const stream = Draws.stream(7n);
          const made = () => Genomes.write(Variation.random(Setup.kind, stream), Setup.frame, {});
          return Array.from({length: count}, made);
        }""",
        300,
    )
    ours = [json.loads(text) for text in texts]
    batch = encoding.random(300, Rng(0, "cpu"))
    theirs = [to_json(encoding, batch, row, {}) for row in range(300)]
    assert {str(ends(content)) for content in ours} == {str(ends(content)) for content in theirs}
    for of in (activations, lambda content: np.round(np.array(weights(content)) / 3)):
        mine, python = (np.concatenate([np.asarray(of(content)) for content in each]) for each in (ours, theirs))
        for value in np.unique(python):
            assert abs((mine == value).mean() - (python == value).mean()) < 0.05


def activations(content: dict[str, Any]) -> list[str]:
    return [node["activation"] for node in content["nodes"] if "activation" in node]


def test_a_child_of_two_has_the_first_one_s_graph_and_values_of_both(opened: Open, tmp_path: Path) -> None:
    page = opened_for(opened, tmp_path, "cifar10")
    first, second, children = page.evaluate(
        """() => {
          const stream = Draws.stream(1n), {kind} = Setup;
          let root = Variation.random(kind, stream);
          for (let i = 0; i < 10; i++) root = Variation.mutate(root, kind, stream);
          const [first, second] = [root, root].map((parent) => Variation.mutate(parent, kind, stream));
          second.w = second.w.map((weight) => weight + 100);
          return [first, second, Array.from({length: 200}, () => Variation.cross(first, second, kind, stream))];
        }"""
    )
    name = {node: (node if node < 7 else place) for node, place in enumerate(first["p"])}
    other = {node: (node if node < 7 else place) for node, place in enumerate(second["p"])}
    shared = {(other[s], other[t]): w for s, t, w in zip(second["s"], second["t"], second["w"], strict=True)}
    edges = [(name[s], name[t]) for s, t in zip(first["s"], first["t"], strict=True)]
    assert sum(edge in shared for edge in edges) >= 12
    taken = np.array([[w == shared.get(edge) for edge, w in zip(edges, child["w"], strict=True)] for child in children])
    for child in children:
        assert [child[key] for key in "pst"] == [first[key] for key in "pst"]
        for edge, weight, own in zip(edges, child["w"], first["w"], strict=True):
            assert weight in (own, shared.get(edge))
    assert (taken.mean(0)[[edge in shared for edge in edges]] > 0.35).all()
    assert (taken.mean(0)[[edge in shared for edge in edges]] < 0.65).all()
