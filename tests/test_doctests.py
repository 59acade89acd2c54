"""The examples in the public docstrings run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["evofool.target", "evofool.session", "evofool.zoo"])
def test_the_examples_of_a_module_run(name: str) -> None:
    module = importlib.import_module(name)
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0
