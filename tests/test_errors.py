"""One family of errors, and the hints in their messages."""

import inspect

import pytest

from evofool import errors
from evofool.errors import EvofoolError, in_words, suggestion


def test_every_error_is_of_the_family_and_drawn_in_the_tree() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)]
    assert len(classes) >= 7
    for kind in classes:
        assert issubclass(kind, EvofoolError)
        assert kind.__name__ in (errors.__doc__ or "")


def test_a_weights_error_is_a_target_error() -> None:
    assert issubclass(errors.WeightsError, errors.TargetError)


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(errors.RunError("no run at a\nb\r\n c; look there")) == "no run at a b c; look there"


@pytest.mark.parametrize(
    ("word", "choices", "hint"),
    [
        ("digts", ["digits", "mnist"], ' (did you mean "digits"?)'),
        ("CIFAR10", ["cifar10", "mnist"], ' (did you mean "cifar10"?)'),
        ("great danes", ["Great Dane", "tench"], ' (did you mean "Great Dane"?)'),
        ("xyz", ["digits", "mnist"], ""),
        ("anything", [], ""),
    ],
)
def test_suggestion_names_the_closest_choice_as_it_is_written(word: str, choices: list[str], hint: str) -> None:
    assert suggestion(word, choices) == hint


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("conv1"), "KeyError: 'conv1'"),
        (AssertionError(), "AssertionError"),
        (StopIteration(), "StopIteration"),
        (IndexError("list index out of range\nsecond line"), "IndexError: list index out of range"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (RuntimeError("\n  mat1 and mat2 don't fit"), "mat1 and mat2 don't fit"),
        (ValueError(""), "ValueError"),
        (errors.GenomeError("no genome"), "no genome"),
        (FileNotFoundError(2, "No such file or directory", "a"), "[Errno 2] No such file or directory: 'a'"),
    ],
)
def test_a_foreign_exception_is_named_by_its_type_where_its_text_alone_may_say_too_little(
    error: Exception, words: str
) -> None:
    assert in_words(error) == words


def test_suggestion_names_several_the_closest_first() -> None:
    hint = suggestion("resnet3", ["resnet32", "vgg", "resnet34"])
    assert hint.startswith(" (did you mean ")
    assert '"resnet32"' in hint
    assert '"resnet34"' in hint
    assert "vgg" not in hint
