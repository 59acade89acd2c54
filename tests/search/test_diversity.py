"""What options say of several images per class, and how large an archive may be."""

from __future__ import annotations

from typing import Any

import pytest
from support import build

from evofool.config.evolve import EvolveOptions
from evofool.errors import ConfigError
from evofool.search.defaults import resolve
from evofool.search.diversity import Diversity, check_size, diversity_of
from evofool.search.grid_archive import Grid
from evofool.search.novelty_archive import Novelty


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"descriptors": ("colour", "hue")}, Grid(("colour", "hue"), 5)),
        ({"descriptors": ("colour",), "bins": 3}, Grid(("colour",), 3)),
        ({"novelty": "pixels"}, Novelty("pixels", 5, 0.3)),
        ({"novelty": "features", "bins": 7, "apart": 0.5}, Novelty("features", 7, 0.5)),
    ],
)
def test_options_name_a_grid_or_novelty(options: dict[str, Any], expected: Diversity | None) -> None:
    assert diversity_of(resolve(EvolveOptions(**options)), 3) == expected


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"descriptors": ("colour",), "novelty": "pixels"}, ["`descriptors` and `novelty`", "choose one"]),
        ({"apart": 0.1}, ["`apart`", "`novelty=pixels`"]),
        ({"descriptors": ("colour",), "apart": 0.1}, ["`apart`"]),
        ({"bins": 5}, ["`bins` needs `descriptors=colour,complexity`"]),
        ({"novelty": "pixles"}, ['"pixles"', 'did you mean "pixels"']),
        ({"descriptors": ("size",), "encoding": "direct"}, ["all direct genomes have one size"]),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        diversity_of(resolve(EvolveOptions(**options)), 3)
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_an_archive_that_memory_would_not_take_is_refused() -> None:
    large = build("direct", "default", (3, 224, 224))
    check_size(large, 1000, 1000, None)
    check_size(large, 1000, 1000, Novelty("pixels", 5, 0.3))
    with pytest.raises(ConfigError, match=r"1,000 classes × 25 are 25,000 niches, which would take 3\.9 GB"):
        check_size(large, 1000, 1000, Grid(("colour", "hue"), 5))
    check_size(build("cppn", "default", (3, 224, 224)), 1000, 1000, Grid(("colour", "hue"), 5))
    with pytest.raises(ConfigError, match="16,777,216 niches"):
        check_size(large, 1, 10, Grid(("colour", "hue", "slope", "symmetry"), 64))
