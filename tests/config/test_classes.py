"""Classes by name and index."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evofool.config.classes import choose_classes
from evofool.errors import ConfigError

CLASSES = ["airplane", "cat", "Great Dane", "crane", "dog", "crane"]


@pytest.mark.parametrize(
    ("wanted", "indices"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ("cat,dog,3", [1, 3, 4]),
        ("dog, cat ,dog,4", [1, 4]),
        ("CAT", [1]),
        ("great dane", [2]),
        ("crane", [3, 5]),
        ("0", [0]),
        (["cat", 5], [1, 5]),
        ([2], [2]),
        ((name for name in ("dog",)), [4]),
        (",cat,", [1]),
        (np.array([1, 4]), [1, 4]),
    ],
)
def test_names_and_indices_become_sorted_indices(wanted: Any, indices: list[int]) -> None:
    chosen = choose_classes(wanted, CLASSES)
    assert chosen.tolist() == indices
    assert chosen.dtype == np.int64


def test_a_class_called_by_a_number_goes_before_an_index() -> None:
    assert choose_classes("2", ["7", "2", "5"]).tolist() == [1]


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("cot", 'no class is called "cot" (did you mean "cat"?)'),
        ("great danes", 'did you mean "Great Dane"?'),
        ("spoon", "the classes are airplane, cat, Great Dane, crane, dog, crane"),
        ("6", "class 6 is not there: indices go from 0 to 5"),
        ("-1", "class -1 is not there"),
        ([99], "class 99 is not there"),
        ([True], '"True"'),
        ([1.0], '"1.0"'),
        ("", "names no class"),
        ([], "names no class"),
        (" , ,", "names no class"),
    ],
)
def test_what_is_no_class_is_refused(wanted: Any, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_classes(wanted, CLASSES)
    assert part in str(caught.value)


@given(st.one_of(st.text(), st.text("0123456789-+ ,²٣", max_size=8), st.lists(st.text(max_size=4), max_size=3)))
def test_any_words_give_indices_or_a_config_error(wanted: Any) -> None:
    try:
        chosen = choose_classes(wanted, CLASSES)
    except ConfigError:
        return
    assert len(chosen) >= 1
    assert 0 <= chosen.min() <= chosen.max() < len(CLASSES)


def test_a_thousand_classes_are_not_all_named_in_an_error() -> None:
    with pytest.raises(ConfigError) as caught:
        choose_classes("spoon", [f"thing {i}" for i in range(1000)])
    assert len(str(caught.value)) < 200


COMMAS = ["tench, Tinca tinca", "goldfish, Carassius auratus", "Carassius auratus", "goldfish", "a,b,c"]


@pytest.mark.parametrize(
    ("wanted", "indices"),
    [
        ("tench, Tinca tinca", [0]),
        ("goldfish, Carassius auratus", [1]),
        ("Carassius auratus,goldfish", [2, 3]),
        ("2, TENCH, tinca tinca ,a,b,c", [0, 2, 4]),
        (["tench, Tinca tinca", 3], [0, 3]),
        (["goldfish"], [3]),
    ],
)
def test_names_with_commas_are_found(wanted: Any, indices: list[int]) -> None:
    assert choose_classes(wanted, COMMAS).tolist() == indices


@pytest.mark.parametrize(
    ("wanted", "indices"),
    [
        ("Sea_Lion", [0]),
        (unicodedata.normalize("NFD", "öl") + ",SEA-LION", [0, 1]),
        (["tench"], [2]),
        ("one", [3]),
        ("1", [1]),
        ("2 - two", [4]),
    ],
)
def test_names_are_compared_as_those_in_data_are_but_numbers_stay_indices(wanted: Any, indices: list[int]) -> None:
    assert choose_classes(wanted, ["sea lion", "Öl", "tench, Tinca tinca", "one", "2"]).tolist() == indices


@pytest.mark.parametrize("wanted", ["-1", "--1", ["-1"]])
def test_a_hyphen_before_a_number_is_no_part_of_a_name(wanted: Any) -> None:
    with pytest.raises(ConfigError, match="-1"):
        choose_classes(wanted, ["0", "1", "2"])
    assert choose_classes("-1", ["1", "-1"]).tolist() == [1]


def test_items_of_a_list_are_never_split() -> None:
    with pytest.raises(ConfigError, match='no class is called "cat,dog"'):
        choose_classes(["cat,dog"], CLASSES)


@pytest.mark.parametrize("wanted", [range(3), np.arange(3), torch.arange(3), [0, 1, 2], {0, 1, 2}])
def test_whole_numbers_are_indices_though_classes_are_called_by_numbers(wanted: Any) -> None:
    assert choose_classes(wanted, ["3", "1", "2", "0"]).tolist() == [0, 1, 2]
    assert choose_classes("0,1,2", ["3", "1", "2", "0"]).tolist() == [1, 2, 3]


def test_some_classes_by_their_indices() -> None:
    some = {7: "deer", 3: "cat"}
    assert choose_classes(None, some).tolist() == [3, 7]
    assert choose_classes("cat,7", some).tolist() == [3, 7]
    with pytest.raises(ConfigError, match="class 0 is not there: indices are 3, 7"):
        choose_classes(0, some)


def test_a_message_names_the_parameter() -> None:
    with pytest.raises(ConfigError, match=r"`criterion` names no class; .* as in `criterion=cat,dog,8`"):
        choose_classes([], CLASSES, parameter="criterion")


def test_one_index_may_stand_alone() -> None:
    assert choose_classes(2, ["a", "b", "c"]).tolist() == [2]
