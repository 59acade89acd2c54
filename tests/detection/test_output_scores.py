"""Scores of what a network returns, against their formulas by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evofool.detection.outputs import Outputs, confidence_scores


def test_the_scores_are_those_of_the_papers() -> None:
    found = confidence_scores(
        Outputs(np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 1, -9], [0, 4, 0]]))
    )
    assert found["msp"] == pytest.approx([0.5, 1])
    assert found["maxlogit"] == pytest.approx([1, 4])
    assert found["energy"] == pytest.approx([np.log(2 * np.e + np.exp(-9)), np.log(2 + np.exp(4))])
    assert found["entropy"] == pytest.approx([-np.log(2), 0])
