"""The exhaustive sweep: each place with each corner, once, from the centre outwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import Shape, equal, rugged, run, search

from evofool.encodings.pixels import Pixels
from evofool.errors import ConfigError


@given(st.tuples(st.sampled_from([1, 3]), st.integers(1, 15), st.integers(1, 15)))
def test_every_place_with_every_corner_exactly_once(shape: Shape) -> None:
    edits = np.concatenate([edits for edits, _ in run(search("corners", shape), equal)])[:, 0]
    channels, height, width = shape
    assert len(edits) == height * width * 2**channels
    assert len(set(map(tuple, edits.tolist()))) == len(edits)
    assert set(np.unique(edits[:, 2:]).tolist()) == {0, 255}


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 5, 5), (3, 7, 12)])
def test_the_centre_comes_first(shape: Shape) -> None:
    edits = np.concatenate([edits for edits, _ in run(search("corners", shape), equal)])[:, 0].astype(float)
    channels, height, width = shape
    distance = np.hypot(edits[:, 0] - (width - 1) / 2, edits[:, 1] - (height - 1) / 2)
    assert (np.diff(distance) >= -1e-9).all()
    assert distance[0] <= np.sqrt(0.5)
    corners = Pixels(shape, 1).corners()
    np.testing.assert_array_equal(edits[: 2**channels, 2:], corners)  # a place is settled before the next
    assert (edits[: 2**channels, :2] == edits[0, :2]).all()


def test_scores_change_nothing() -> None:
    one, other = (
        np.concatenate([edits for edits, _ in run(search("corners", (3, 12, 12)), margins)])
        for margins in (equal, rugged)
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("k", [2, 5])
def test_several_pixels_are_refused(k: int) -> None:
    with pytest.raises(ConfigError, match=f"`strategy=corners` edits 1 pixel at most, got {k}; use `pixels=1`"):
        search("corners", (3, 8, 8), k)
