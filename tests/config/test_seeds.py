"""Seeds as users give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evofool.config.seeds import MAX_SEEDS, parse_seeds
from evofool.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        ("0-4", (0, 1, 2, 3, 4)),
        (" 0, 3,7-9 ", (0, 3, 7, 8, 9)),
        ("5", (5,)),
        (range(3), (0, 1, 2)),
        ([4, 2], (4, 2)),
        (np.arange(2), (0, 1)),
        (7, (7,)),
        (np.array(7), (7,)),
        (torch.tensor([1, 2]), (1, 2)),
        ([torch.tensor(3), np.uint8(4)], (3, 4)),
    ],
)
def test_seeds_are_numbers_and_ranges(given: Any, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(given) == seeds
    assert all(type(seed) is int for seed in parse_seeds(given))


@pytest.mark.parametrize(
    "given",
    ["", "a", "4-0", "0-", "-3", "1,,2", "0,0", "1-3,2", "1.5", f"0-{MAX_SEEDS}", "0-999999999999999999",
     [], 1.5, None, [-1], [1.5], [True], ["3"], [2**62]],
)  # fmt: skip
def test_other_seeds_are_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="`seeds`"):
        parse_seeds(given)
