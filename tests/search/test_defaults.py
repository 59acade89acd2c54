"""What options mean where they are left open."""

from __future__ import annotations

from typing import Any

import pytest
from support import tiny_target

from evofool import encodings
from evofool.config.evolve import EvolveOptions
from evofool.encodings.banks import FOUNDERS, RANDOM
from evofool.errors import ConfigError
from evofool.search.defaults import default_emitters, default_init, resolve, resolve_for_target

OPEN = ("settings", "selector", "batch", "emitters")


def resolved(**options: Any) -> EvolveOptions:
    return resolve_for_target(EvolveOptions(**options), tiny_target(classes=4))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("fresh", 100, ("vary", "tweak@600", "restart@800"))),
        ({"init": "cifar10-cppn"}, ("fresh", 100, ("vary", "tweak", "restart@800"))),
        ({"init": FOUNDERS}, ("fresh", 100, ("vary", "tweak", "restart@800"))),
        ({"init": RANDOM}, ("fresh", 100, ("vary", "tweak@600", "restart@800"))),
        ({"preset": "nguyen2015"}, ("uniform", 200, ("vary",))),
        ({"preset": "nguyen2015", "init": "cifar10-cppn"}, ("uniform", 200, ("vary",))),
        ({"encoding": "direct"}, ("unsure", 100, ("vary",))),
        ({"encoding": "direct", "preset": "nguyen2015"}, ("uniform", 200, ("vary",))),
        ({"classes": ("class 1", 3)}, ("fresh", 100, ("vary", "tweak@300", "restart@400"))),
        ({"descriptors": ("hue",), "bins": 10}, ("fresh", 100, ("vary", "tweak@2000", "restart@8000"))),
    ],
)
def test_the_preset_and_the_number_of_niches_decide(options: dict[str, Any], expected: tuple[Any, ...]) -> None:
    filled = resolved(**options)
    assert (filled.selector, filled.batch, filled.emitters) == expected


@pytest.mark.parametrize(
    ("niches", "begin"), [(1, 150), (10, 1500), (11, 1500), (30, 1500), (31, 1550), (1000, 50_000)]
)
def test_slight_changes_begin_sooner_for_many_niches(niches: int, begin: int) -> None:
    assert default_emitters(EvolveOptions(), niches) == ("vary", f"tweak@{begin}", f"restart@{200 * niches}")


@pytest.mark.parametrize(
    ("niches", "limits", "begin"),
    [
        (1000, {"evaluations": 100_000}, 50_000),
        (1000, {"evaluations": 300_000}, 90_000),
        (1000, {"evaluations": 500_000}, 150_000),
        (1000, {"evaluations": 900_000}, 150_000),
        (1000, {"generations": 3_000}, 90_000),
        (1000, {"generations": 3_000, "batch": 50}, 50_000),
        (1000, {"generations": 9_000, "evaluations": 300_000}, 90_000),
        (1000, {"minutes": 90.0}, 50_000),
        (1000, {"evaluations": 500_000, "init": "imagenet-cppn"}, 0),
        (1000, {"evaluations": 500_000, "init": FOUNDERS}, 150_000),
        (10, {"evaluations": 500_000, "init": FOUNDERS}, 0),
        (11, {"evaluations": 5_000, "init": FOUNDERS}, 1_500),
        (10, {"evaluations": 500_000}, 1_500),
    ],
)
def test_slight_changes_wait_in_long_runs(niches: int, limits: dict[str, Any], begin: int) -> None:
    tweak = default_emitters(EvolveOptions(**limits), niches)[1]
    assert tweak == (f"tweak@{begin}" if begin else "tweak")


@pytest.mark.parametrize(
    ("options", "init"),
    [
        ({}, FOUNDERS),
        ({"encoding": "direct"}, RANDOM),
        ({"preset": "nguyen2015"}, RANDOM),
        ({"init": "cifar10-cppn"}, "cifar10-cppn"),
        ({"init": RANDOM}, RANDOM),
        ({"init": "genomes/founders-cppn"}, FOUNDERS),
        ({"settings": {"sigma": 2.0, "limit": 12.0}}, FOUNDERS),
        ({"settings": {"sigma": 2.0}}, RANDOM),
        ({"settings": {"colour": "rgb"}}, RANDOM),
        ({"settings": {"limit": 5.0}}, RANDOM),
        ({"settings": {"max_nodes": 40}}, RANDOM),
        ({"settings": {"functions": ("sin", "gauss")}}, RANDOM),
    ],
    ids=str,
)
def test_cppns_begin_with_founders_unless_these_are_none_of_theirs(options: dict[str, Any], init: str) -> None:
    assert default_init(resolve(EvolveOptions(**options)), 3) == init


def test_founders_are_for_colours() -> None:
    assert default_init(resolve(EvolveOptions()), 1) == RANDOM


@pytest.mark.parametrize("options", [{}, {"emitters": ("vary",)}])
@pytest.mark.parametrize(("classes", "selector"), [(100, "unsure"), (101, "fresh")])
def test_direct_pixels_prefer_unsure_classes_where_there_are_few(
    classes: int, selector: str, options: dict[str, Any]
) -> None:
    filled = resolve_for_target(EvolveOptions(encoding="direct", **options), tiny_target(classes=classes))
    assert (filled.selector, filled.emitters) == (selector, ("vary",))


def test_what_was_given_stays() -> None:
    given = {"selector": "weak", "batch": 7, "emitters": ("vary", "tweak@9"), "settings": {"limit": 3.0}}
    filled = resolved(preset="nguyen2015", **given)
    assert {name: getattr(filled, name) for name in given} == given


@pytest.mark.parametrize("options", [{}, {"novelty": "pixels"}, {"descriptors": ("hue",)}])
def test_nothing_is_left_open_and_resolving_again_changes_nothing(options: dict[str, Any]) -> None:
    filled = resolved(**options)
    assert all(getattr(filled, name) is not None for name in OPEN)
    assert resolve_for_target(filled, tiny_target(classes=4)) == resolve(filled) == filled


def test_settings_are_the_presets_and_build_the_same_encoding() -> None:
    settings = resolved(encoding="direct", preset="nguyen2015").settings
    assert settings is not None
    encoding = encodings.build("direct", settings, (3, 8, 8), "cpu")
    assert encoding.settings() == settings


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"encoding": "cpn"}, ['unknown encoding "cpn"']),
        ({"preset": "nguyen"}, ['unknown preset "nguyen"', "nguyen2015"]),
        ({"preset": "nguyen", "settings": {}}, ['unknown preset "nguyen"']),
        ({"selector": "frehs"}, ['unknown selector "frehs"']),
        ({"emitters": ("refine",), "batch": 4}, ["`batch=8`"]),
        ({"emitters": ("refine",), "encoding": "direct"}, ["weights of CPPNs"]),
    ],
)
def test_what_needs_no_target_to_be_refused_is_refused_without_one(options: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve(EvolveOptions(**options))
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_a_class_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="class 4 is not there"):
        resolved(classes=(4,))
