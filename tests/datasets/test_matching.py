"""What the names in data are taken for: by name, by index, in order with a reason, or refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evofool.datasets.matching import Matching, match_names
from evofool.errors import ConfigError

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DIGITS = tuple("0123456789")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def match(names: Sequence[str], classes: Sequence[str] = CIFAR10) -> Matching:
    return match_names(names, classes, "set", "name", "rename them")


@given(st.lists(st.sampled_from(CIFAR10), min_size=1, unique=True), st.sampled_from([str, str.upper, str.title]))
def test_known_names_are_the_classes_of_these_names(names: list[str], spelt: type[str]) -> None:
    matching = match([spelt(name) for name in names])
    assert [CIFAR10[index] for index in matching.indices] == names
    assert (matching.by, matching.reason) == ("name", "")


def test_names_that_are_partly_known_are_refused_with_suggestions() -> None:
    names = ["plane", "car", *CIFAR10[2:]]
    with pytest.raises(ConfigError) as raised:
        match(names)
    assert str(raised.value) == (
        'set: "plane" (did you mean "airplane"?), "car" (did you mean "automobile"?) are none of the target\'s 10 '
        "classes; rename them"
    )


@given(st.sets(st.integers(0, 9), min_size=1, max_size=9), st.permutations(CIFAR10))
def test_no_mixture_of_known_and_strange_names_is_taken(strange: set[int], order: list[str]) -> None:
    names = [f"{name}s9" if index in strange else name for index, name in enumerate(order)]
    with pytest.raises(ConfigError, match="none of the target's 10 classes"):
        match(names)


@pytest.mark.parametrize(
    "names", [["eins", "zwei", "drei", "vier"], ["class_0", "class_1", "class_2", "class_3"], ["n1", "n2", "n3", "n4"]]
)
def test_as_many_strange_names_as_classes_are_taken_in_order_and_it_is_said(names: list[str]) -> None:
    matching = match(names, ["cat", "dog", "cow", "pig"])
    assert (matching.indices, matching.by) == ((0, 1, 2, 3), "order")
    assert matching.reason == "no name is that of a class, and there are as many as classes, so they are in order"


@pytest.mark.parametrize("names", [["eins", "zwei"], ["a", "b", "c", "d", "e"], ["0", "1", "4"], ["2", "1e0"], ["-1"]])
def test_strange_names_that_are_fewer_or_more_than_the_classes_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"none of the target's 4 classes \(cat, dog, cow, pig\)"):
        match(names, ["cat", "dog", "cow", "pig"])


def test_numbers_below_the_number_of_classes_are_indices() -> None:
    matching = match(["10", "02", "0"], [f"c{index}" for index in range(11)])
    assert (matching.indices, matching.by) == ((10, 2, 0), "index")
    assert matching.reason


def test_wordnet_numbers_are_imagenet_s_classes_where_the_target_has_a_thousand() -> None:
    from torchvision.models._meta import _IMAGENET_CATEGORIES as categories

    matching = match(["n04254680", "n01440764", "n15075141"], categories)
    assert [categories[index] for index in matching.indices] == ["soccer ball", "tench", "toilet tissue"]
    assert matching.reason == "each name is the WordNet number of one of ImageNet's 1,000 classes"
    with pytest.raises(ConfigError, match='"n01440764", "n00000001" are none of the target'):
        match(["n01440764", "n00000001"], categories)
    with pytest.raises(ConfigError, match="none of the target's 10 classes"):
        match(["n01440764"], CIFAR10)


def test_only_the_numbers_that_are_no_indices_are_told() -> None:
    with pytest.raises(ConfigError, match=r'^set: "4" is none of'):
        match(["0", "1", "4"], ["cat", "dog", "cow", "pig"])


def test_numbers_from_one_on_count_the_classes() -> None:
    matching = match(["3", "1", "4", "2"], ["cat", "dog", "cow", "pig"])
    assert (matching.indices, matching.by) == ((2, 0, 3, 1), "order")
    assert "from 1" in matching.reason


@pytest.mark.parametrize("words", [WORDS, tuple("5830214679")])
def test_digits_and_their_words_are_matched_by_name(words: tuple[str, ...]) -> None:
    matching = match(words, DIGITS)
    assert matching.by == "name"
    expected = range(10) if words == WORDS else map(int, words)
    assert matching.indices == tuple(expected)


def test_a_digit_s_class_is_not_counted_from_one() -> None:
    with pytest.raises(ConfigError, match='"10" is none of'):
        match([str(number) for number in range(1, 11)], DIGITS)


def test_a_name_of_several_classes_is_refused_unless_all_names_are_the_target_s() -> None:
    classes = ["crane", "car", "crane"]
    with pytest.raises(ConfigError, match=r'"crane" is the name of several classes of the target \(0, 2\)'):
        match(["crane"], classes)
    assert match(classes, classes).indices == (0, 1, 2)


def test_labels_become_classes() -> None:
    matching = match(["dog", "cat"])
    assert matching.translate(np.array([0, 1, 1], np.uint8), "set").tolist() == [5, 3, 3]


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_name_is_refused(label: int) -> None:
    with pytest.raises(ConfigError, match=f"set has the label {label}, and names for 0 to 1"):
        match(["dog", "cat"]).translate(np.array([0, label]), "set")


@pytest.mark.parametrize(
    "names", [["cat", "dog", "cat", "cow"], ["a", "b", "a", "b"], ["caf\u00e9", "cafe\u0301", "d", "e"]]
)
def test_names_that_are_there_twice_are_refused_and_named(names: list[str]) -> None:
    with pytest.raises(ConfigError, match=r'^set: more than once there is "\w+".*; give every label a name of its own'):
        match(names, ["cat", "dog", "cow", "pig"])


def test_names_that_are_those_of_the_target_one_by_one_may_be_there_twice() -> None:
    assert match(["crane", "owl", "crane"], ["crane", "owl", "crane"]).indices == (0, 1, 2)
