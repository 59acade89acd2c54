"""What every encoding promises, over all encodings and presets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import PRESETS, assert_same_arrays, build, frozen, global_random_untouched

from evofool import encodings
from evofool.errors import ConfigError, GenomeError
from evofool.rng import Rng

every = pytest.mark.parametrize(("name", "preset"), PRESETS)
SHAPES = [(1, 8, 8), (3, 8, 8), (3, 5, 7)]


def evolved(encoding: Any, n: int = 8, rounds: int = 6, seed: int = 0) -> Any:
    rng = Rng(seed)
    genomes = encoding.random(n, rng)
    for _ in range(rounds):
        genomes = encoding.mutate(genomes, rng)
    return genomes


@every
@pytest.mark.parametrize("shape", SHAPES)
def test_genomes_decode_to_8_bit_images_of_the_target_s_shape(
    name: str, preset: str, shape: tuple[int, int, int]
) -> None:
    encoding = build(name, preset, shape)
    images = encoding.decode(evolved(encoding))
    assert images.shape == (8, *shape)
    assert images.dtype == torch.uint8
    assert images.device == encoding.device
    assert len(images.flatten(1).unique(dim=0)) > 4  # Some CPPNs are all black or white.
    assert encoding.decode(encoding.random(0, Rng(0))).shape == (0, *shape)


@every
def test_the_same_genome_decodes_to_the_same_bytes_in_any_order(name: str, preset: str) -> None:
    encoding = build(name, preset)
    genomes = evolved(encoding)
    images = encoding.decode(genomes)
    assert torch.equal(encoding.decode(genomes), images)
    order = np.array([3, 3, 0, 7, 1])
    assert torch.equal(encoding.decode(genomes.take(order)), images[order])


@every
def test_the_same_seed_gives_the_same_genomes(name: str, preset: str) -> None:
    encoding = build(name, preset)
    first, same, other = (evolved(encoding, seed=seed) for seed in (5, 5, 6))
    assert_same_arrays(encoding.dump(first), encoding.dump(same))
    assert not torch.equal(encoding.decode(first), encoding.decode(other))


@every
def test_variation_touches_neither_parents_nor_global_generators(name: str, preset: str) -> None:
    encoding = build(name, preset)
    parents, partners = evolved(encoding), evolved(encoding, seed=1)
    before = frozen(encoding.dump(parents)), frozen(encoding.dump(partners))
    with global_random_untouched():
        rng = Rng(2)
        children = encoding.mutate(encoding.mate(parents, partners, rng), rng)
        encoding.decode(children)
    assert_same_arrays(encoding.dump(parents), before[0])
    assert_same_arrays(encoding.dump(partners), before[1])
    assert len(children) == len(parents)
    assert not torch.equal(encoding.decode(children), encoding.decode(parents))


@every
def test_rows_are_copies_and_can_be_overwritten(name: str, preset: str) -> None:
    encoding = build(name, preset)
    genomes, others = evolved(encoding), evolved(encoding, seed=1)
    before = frozen(encoding.dump(genomes))
    images, other_images = encoding.decode(genomes).clone(), encoding.decode(others).clone()
    taken = genomes.take(np.array([6, 2]))
    taken.put(np.array([1, 0]), others.take(np.array([4, 5])))
    assert torch.equal(encoding.decode(taken), other_images[[5, 4]])
    assert_same_arrays(encoding.dump(genomes), before)
    genomes.put(np.array([6, 2]), taken)
    images[[6, 2]] = other_images[[5, 4]]
    assert torch.equal(encoding.decode(genomes), images)
    assert genomes.sizes().shape == (8,)
    assert genomes.sizes().dtype == np.int64


@every
@pytest.mark.parametrize("n", [0, 1, 8])
def test_dumped_genomes_load_as_they_were(name: str, preset: str, n: int) -> None:
    encoding = build(name, preset)
    genomes = evolved(encoding).take(np.arange(n))
    arrays = encoding.dump(genomes)
    loaded = encoding.load(arrays)
    assert_same_arrays(encoding.dump(loaded), arrays)
    assert torch.equal(encoding.decode(loaded), encoding.decode(genomes))
    saved = frozen(arrays)
    children = encoding.mutate(loaded, Rng(9))
    loaded.put(np.arange(n), children)
    assert_same_arrays(arrays, saved)  # The loaded batch is its own.


@every
def test_missing_arrays_are_genome_errors(name: str, preset: str) -> None:
    encoding = build(name, preset)
    arrays = encoding.dump(evolved(encoding))
    for left_out in arrays:
        with pytest.raises(GenomeError):
            encoding.load({key: value for key, value in arrays.items() if key != left_out})
        with pytest.raises(GenomeError):
            encoding.load({**arrays, left_out: arrays[left_out].astype(np.float16)})
        with pytest.raises(GenomeError):
            encoding.load({**arrays, left_out: arrays[left_out].reshape(-1)})


@every
@given(st.data())
def test_whatever_loads_can_be_drawn_and_varied(name: str, preset: str, data: st.DataObject) -> None:
    """Damaged arrays are refused, or they are genomes after all."""
    encoding = build(name, preset)
    arrays = frozen(encoding.dump(evolved(encoding, n=2)))
    array = arrays[data.draw(st.sampled_from(sorted(arrays)))].reshape(-1)
    for _ in range(data.draw(st.integers(1, 3))):
        value = np.array(data.draw(st.integers(-2, 120))).astype(array.dtype)
        array[data.draw(st.integers(0, array.size - 1))] = value
    try:
        genomes = encoding.load(arrays)
    except GenomeError:
        return
    assert encoding.decode(encoding.mutate(genomes, Rng(0))).shape == (2, 3, 8, 8)


@every
def test_settings_survive_json(name: str, preset: str) -> None:
    encoding = build(name, preset)
    settings = json.loads(json.dumps(encoding.settings()))
    again = encodings.build(name, settings, (3, 8, 8), "cpu")
    assert again.settings() == encoding.settings()
    assert torch.equal(encoding.decode(evolved(encoding)), again.decode(evolved(again)))


@every
def test_it_says_its_name_and_how_often_it_crosses(name: str, preset: str) -> None:
    encoding = build(name, preset)
    assert encoding.name == name
    assert 0 <= encoding.crossover_rate <= 1


@pytest.mark.parametrize(("wrong", "right"), [("cpn", "cppn"), ("Direct", "direct")])
def test_an_unknown_encoding_suggests_a_known_one(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f'unknown encoding "{wrong}" \\(did you mean "{right}"'):
        encodings.preset(wrong, "default")
    with pytest.raises(ConfigError, match=f'unknown encoding "{wrong}".*choose cppn or direct'):
        encodings.build(wrong, {}, (3, 8, 8), "cpu")


@every
def test_an_unknown_preset_suggests_a_known_one(name: str, preset: str) -> None:
    with pytest.raises(ConfigError, match=f'unknown preset "{preset}s" \\(did you mean "{preset}"'):
        encodings.preset(name, preset + "s")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cppn", {"colour_space": "hsl"}),
        ("cppn", {"functions": ["sin", "tanh"]}),
        ("cppn", {"functions": []}),
        ("cppn", {"colour": "cmyk"}),
        ("cppn", {"coordinates": "polar"}),
        ("cppn", {"step": "cauchy"}),
        ("cppn", {"weight_rate": 1.5}),
        ("cppn", {"max_nodes": 5}),
        ("cppn", {"max_connections": 3}),
        ("direct", {"sigma": 1.0}),
        ("direct", {"rate": 0.0}),
        ("direct", {"rate": -0.1}),
        ("direct", {"eta": -1.0}),
        ("direct", {"crossover": 1.5}),
    ],
)
def test_settings_that_make_no_sense_are_config_errors(name: str, changes: dict[str, Any]) -> None:
    """A config that was edited by hand, or is of another version, must not end in a traceback later on."""
    with pytest.raises(ConfigError):
        build(name, "default", **changes)
