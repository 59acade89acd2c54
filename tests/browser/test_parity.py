"""The page's arithmetic against the renderer whose pictures networks are shown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import Open, as_rgb, rendered
from support import build

from evofool.encodings import genome_file
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, INPUTS
from evofool.encodings.genome_file import GenomeFile, parse, to_json
from evofool.kernels import rendering
from evofool.kernels.constants import EXP_CUTOFF
from evofool.rng import Rng
from evofool.text import class_name, counted, percent

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "evofool" / "gallery" / "pages" / "assets" / "cppn.js"
BANK = sorted((ROOT / "genomes").glob("*/*.json"))
CLOSE, ENOUGH = 2, 0.99
"""Largest difference in deep windows, in levels of 255, and the smallest share of pixels that must keep it."""
SHAPES = [(1, 13, 20), (1, 28, 28), (3, 20, 13), (3, 32, 32), (3, 1, 9)]
EACH = 10
"""Number of random genomes of a kind."""


@pytest.fixture
def script(opened: Open) -> Page:
    """A blank page with the arithmetic in it."""
    page = opened()
    page.add_script_tag(path=SCRIPT)
    return page


def grown(
    shape: tuple[int, int, int], colour: str, coordinates: str, seed: int, mutations: int = 40
) -> list[GenomeFile]:
    """Return random genomes with all activations, after some mutations, as their files give them."""
    encoding = build("cppn", "default", shape, functions=ACTIVATION_NAMES, colour=colour, coordinates=coordinates)
    rng = Rng(seed, "cpu")
    genomes = encoding.random(EACH, rng)
    for _ in range(mutations):
        genomes = encoding.mutate(genomes, rng)
    return [parse(json.loads(json.dumps(to_json(encoding, genomes, row, {})))) for row in range(EACH)]


def kinds() -> list[Any]:
    return [
        pytest.param(shape, colour, coordinates, id=f"{'x'.join(map(str, shape))}-{colour}-{coordinates}")
        for shape in SHAPES
        for colour in (("hsl", "rgb") if shape[0] == 3 else ("hsl",))
        for coordinates in ("unit", "pixels")
    ]


def job(genome: GenomeFile, h: int, w: int, view: dict[str, float] | None = None) -> dict[str, Any]:
    frame = {"shape": list(genome.image_shape), "xy": genome.coordinates, "colour": genome.colour}
    return {"file": genome.content, "frame": frame, "w": w, "h": h, "view": view}


def assert_same(drawn: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    """Check that not a byte differs: both do the same operations in the same order, each rounded to float32."""
    for number, (ours, renderers) in enumerate(zip(drawn, expected, strict=True)):
        np.testing.assert_array_equal(ours, renderers, err_msg=f"picture {number}")


def native(genomes: Sequence[GenomeFile]) -> list[np.ndarray]:
    return [as_rgb(genome.encoding.decode(genome.genomes).numpy())[0] for genome in genomes]


def larger(genomes: Sequence[GenomeFile], h: int, w: int) -> list[np.ndarray]:
    return [as_rgb(genome.encoding.decode_at(genome.genomes, (h, w)).numpy())[0] for genome in genomes]


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_functions_are_the_loop_s_to_the_last_bit(script: Page, name: str) -> None:
    edge = np.float32(math.sqrt(EXP_CUTOFF))
    far = [np.nextafter(edge, np.float32(0)), edge, np.nextafter(edge, np.float32(9)), 9.3, 87.0, 1e4, 3e7]
    values = np.concatenate((np.linspace(-12, 12, 4001), far, np.negative(far))).astype(np.float32)
    asked = [ACTIVATION_NAMES.index(name), values.tolist()]
    computed = script.evaluate("([activation, values]) => values.map((p) => Cppn.at(activation, p))", asked)
    rendering.activate(values, np.uint64(0), np.uint64(len(values)), ACTIVATION_NAMES.index(name))
    assert computed == values.tolist()


def test_a_confidence_reads_as_in_python(script: Page) -> None:
    script.add_script_tag(path=SCRIPT.with_name("format.js"))
    random = np.random.default_rng(0).random(5000)
    edges = [0, 1e-300, 9.9999e-5, 1e-4, 0.29, 0.57, 0.9999, 0.99990001, 0.9999997, 1 - 2**-53, 1, 1.00005]
    hundredths = np.arange(10_001) / 10_000
    near = 1 - np.logspace(-1, -17, 500)
    values = [float(v) for part in (edges, random, random**8, near, hundredths) for v in np.asarray(part)]
    values += [float(np.float32(value)) for value in values]
    assert script.evaluate("(values) => values.map(Format.percent)", values) == list(map(percent, values))


def test_numbers_with_nouns_and_classes_read_as_in_python(script: Page) -> None:
    script.add_script_tag(path=SCRIPT.with_name("format.js"))
    pairs = [(number, noun) for number in (0, 1, 2, 12_345) for noun in ("class", "query", "day", "box", "picture")]
    read = script.evaluate("(pairs) => pairs.map(([number, noun]) => Format.counted(number, noun))", pairs)
    assert read == [counted(number, noun) for number, noun in pairs]
    names = ["cat", "6", "12.5", "№ 6", "B-2", "猫", "é", "—"]
    assert script.evaluate("(names) => names.map(Format.className)", names) == list(map(class_name, names))


def test_the_whole_bank(script: Page) -> None:
    genomes = [genome_file.read(file) for file in BANK]
    assert len(genomes) >= 20
    drawn = rendered(script, [job(genome, *genome.image_shape[1:]) for genome in genomes])
    assert_same(drawn, native(genomes))


def test_the_whole_bank_at_another_size(script: Page) -> None:
    genomes = [genome_file.read(file) for file in BANK]
    drawn = rendered(script, [job(genome, 75, 120) for genome in genomes])
    assert_same(drawn, larger(genomes, 75, 120))


@pytest.mark.parametrize(("shape", "colour", "coordinates"), kinds())
def test_random_genomes(script: Page, shape: tuple[int, int, int], colour: str, coordinates: str) -> None:
    genomes = grown(shape, colour, coordinates, seed=len(colour) + shape[2])
    used = {node.get("activation") for genome in genomes for node in genome.content["nodes"]} - {None}
    assert used == set(ACTIVATION_NAMES)
    drawn = rendered(script, [job(genome, *shape[1:]) for genome in genomes])
    assert_same(drawn, native(genomes))
    drawn = rendered(script, [job(genome, 37, 53) for genome in genomes])
    assert_same(drawn, larger(genomes, 37, 53))


def test_first_genomes_that_never_mutated(script: Page) -> None:
    genomes = grown((3, 16, 16), "hsl", "unit", seed=5, mutations=0)
    assert_same(rendered(script, [job(genome, 16, 16) for genome in genomes]), native(genomes))


def test_a_window_is_a_part_of_a_larger_picture(script: Page) -> None:
    genomes = [*grown((3, 20, 32), "hsl", "unit", 1), *grown((1, 20, 32), "hsl", "pixels", 2)]
    view = {"x": 8.0, "y": 2.5, "width": 8.0, "height": 5.0}
    drawn = rendered(script, [job(genome, 40, 64, view) for genome in genomes])
    parts = [picture[20:60, 64:128] for picture in larger(genomes, 160, 256)]
    assert_same(drawn, parts)


def test_a_deep_window_is_a_part_of_a_far_larger_picture(script: Page) -> None:
    """Past a zoom of 300 the page computes with doubles; the renderer's floats are as good as that here."""
    genomes = grown((1, 16, 16), "hsl", "unit", 3, mutations=6)
    side = 16 * 800  # so many pixels a side has the picture; 16 of them are compared
    view = {"x": 3200 / 800, "y": 4000 / 800, "width": 16 / 800, "height": 16 / 800}
    drawn = rendered(script, [job(genome, 16, 16, view) for genome in genomes])
    parts = [
        as_rgb(genome.encoding.decode_rows(genome.genomes, (side, side))(4000, 4016)[..., 3200:3216].numpy())[0]
        for genome in genomes
    ]
    for ours, part in zip(drawn, parts, strict=True):
        assert (abs(ours.astype(int) - part).max(2) <= CLOSE).mean() >= ENOUGH


def test_bands_leave_no_seams(script: Page) -> None:
    """Pictures wider than a band's values are computed in bands of a row."""
    genome = genome_file.read(BANK[0])
    wide, narrow = rendered(script, [job(genome, 3, 9003), job(genome, 3, 3)])
    np.testing.assert_array_equal(wide[:, 1500::3001], narrow)


def test_a_genome_without_connections_is_flat(script: Page) -> None:
    content = {
        "format": 2, "encoding": "cppn", "image_shape": [3, 6, 5], "coordinates": "unit", "colour": "rgb",
        "nodes": [{"id": i} for i in range(len(INPUTS))]
        + [{"id": 4, "activation": "cos"}, {"id": 5, "activation": "wedge"}, {"id": 6, "activation": "sin"}],
        "connections": [],
    }  # fmt: skip
    genome = parse(content)
    (drawn,) = rendered(script, [job(genome, 6, 5)])
    np.testing.assert_array_equal(drawn, native([genome])[0])
    assert (drawn == [255, 0, 128]).all()
