"""Plain values as Python users have them: numpy's and torch's numbers, arrays without axes, fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch

WHOLE: dict[str, Callable[[int], Any]] = {
    "int64": np.int64, "uint8": np.uint8, "0-d array": np.array, "0-d tensor": torch.tensor,
}  # fmt: skip
REAL: dict[str, Callable[[float], Any]] = {
    "float32": np.float32, "float64": np.float64, "0-d array": np.array, "0-d tensor": torch.tensor,
    "fraction": Fraction, "whole": round,
}  # fmt: skip
TRUTH: dict[str, Callable[[bool], Any]] = {"bool_": np.bool_, "0-d array": np.array, "0-d tensor": torch.tensor}
TEXT: dict[str, Callable[[str], Any]] = {"str_": np.str_, "0-d array": np.array}
