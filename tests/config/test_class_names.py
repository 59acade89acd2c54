"""Names of classes: which are the same, and which class is meant by one that none has."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evofool.config.class_names import ClassNames, listed, normal_form

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.mark.parametrize("spelt", ["sea lion", "Sea_Lion", "SEA-LION", " sea  -_lion/", "sea/lion"])
def test_case_and_separators_make_no_difference(spelt: str) -> None:
    assert normal_form(spelt) == normal_form("sea lion")


@given(st.text(max_size=12))
def test_decomposed_names_are_the_same(name: str) -> None:
    forms = {normal_form(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert forms == {normal_form(name)}
    assert normal_form(normal_form(name)) == normal_form(name)


def test_sharp_s_and_capital_letters_are_folded() -> None:
    assert normal_form("STRASSE") == normal_form("Straße")
    assert normal_form("E\u0301te\u0301") == normal_form("ÉTÉ")


def test_different_names_stay_different() -> None:
    assert len({normal_form(name) for name in ("sealion", "sea lion", "sea lions", "c", "c++", "0", "00")}) == 7


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=8, unique=True))
def test_every_class_is_found_by_its_own_name(classes: list[str]) -> None:
    known = ClassNames(classes)
    for index, name in enumerate(classes):
        assert index in known.find(name)


def test_a_name_as_written_goes_before_one_in_another_case() -> None:
    known = ClassNames(["Crane", "crane", "ant"])
    assert (known.find("crane"), known.find("Crane"), known.find("CRANE")) == ([1], [0], [0, 1])


def test_a_shared_name_is_all_its_classes() -> None:
    assert ClassNames(["crane", "car", "crane"]).find("crane") == [0, 2]


def test_each_part_of_a_name_with_commas_is_a_name() -> None:
    known = ClassNames(["tench, Tinca tinca", "crane", "crane, wading bird"])
    assert known.find("tinca_tinca") == [0]
    assert known.find("tench, Tinca tinca") == [0]
    assert known.find("crane") == [1]  # A whole name goes before a part.
    assert ClassNames(["tench", "car"]).find("tench, Tinca tinca") == [0]


@pytest.mark.parametrize("name", ["3", "three", "Three", "3 - three"])
@pytest.mark.parametrize("label", ["3", "three", "3 - three"])
def test_digits_and_their_words_are_the_same(name: str, label: str) -> None:
    assert ClassNames(["2", label, "4"]).find(name) == [1]


def test_other_numbers_are_no_synonyms() -> None:
    known = ClassNames([str(number) for number in range(10)])
    assert [known.find(name) for name in ("10", "00", "³", "٣", "", "class 3")] == [[]] * 6


@pytest.mark.parametrize(
    ("name", "meant"),
    [("car", "automobile"), ("Plane", "airplane"), ("aeroplane", "airplane"), ("lorry", "truck"), ("hors", "horse")],
)
def test_what_may_be_meant_is_suggested(name: str, meant: str) -> None:
    assert ClassNames(CIFAR10).suggest(name) == f' (did you mean "{meant}"?)'


def test_classes_that_other_names_mean_are_not_suggested() -> None:
    known = ClassNames(CIFAR10)
    assert known.suggest("caat", taken=[CIFAR10.index("cat")]) == ""
    assert known.suggest("car", taken=[1]) == ' (did you mean "cat"?)'
    assert known.suggest("xylophone") == ""


def test_of_many_names_the_first_are_listed() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde"), 3) == "a, b, c and 2 more"
    assert listed(["x" * 100, "y"], length=3) == "xx…, y"


@pytest.mark.parametrize(("word", "hint"), [("sevn", "seven"), ("thre", "three"), ("77", "")])
def test_a_digit_s_word_is_suggested_where_the_classes_are_digits(word: str, hint: str) -> None:
    assert ClassNames(tuple("0123456789")).suggest(word) == (f' (did you mean "{hint}"?)' if hint else "")


def test_a_digit_s_word_that_another_name_means_is_not_suggested() -> None:
    assert "seven" not in ClassNames(tuple("0123456789")).suggest("sevn", taken=[7])
