"""Fixtures that all tests share: the folder of real images and weights, small targets; and pinned hypothesis runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings
from support import tiny_target

from evofool import Target

# Every run tries the same examples, so that a red test stays red and a green one green.
settings.register_profile(
    "evofool",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("evofool")

# Scores are the same to the last digit in all tests, whatever is fastest on this machine.
os.environ["EVOFOOL_TUNING"] = "off"

# What the tests compute is tiny: threads cost more than they give, and very much more on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of real images and weights that lies beside the project."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("EVOFOOL_SHARED", default))
    if not (folder / "weights").is_dir():
        pytest.skip(f"no real images and weights under {folder} (set EVOFOOL_SHARED)")
    return folder


@pytest.fixture
def target() -> Target:
    """Give a seeded convolutional network for 3×8×8 images and four classes, in float32 on the CPU."""
    return tiny_target()


@pytest.fixture
def grey_target() -> Target:
    """Give the same network for 1×8×8 images."""
    return tiny_target(channels=1)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets the number of torch's threads for the while of a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
