"""What makes a run another one: files of one run are refused in the folder of another."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Identity = NDArray[np.uint8]

_TARGET = ("name", "weights_sha256", "classes", "image_shape", "precision")
_RUN = ("encoding", "settings", "niches", "batch", "seed", "init")
SINCE: dict[str, Any] = {
    "selector": "uniform",
    "emitters": ["vary"],
    "descriptors": None,
    "novelty": None,
    "bins": None,
    "apart": None,
}
"""what older runs' configs don't have, and what it was then"""


def identity_of(config: dict[str, Any]) -> Identity:
    """(32,) the SHA-256 of all in a run's config that its bytes depend on; budgets and versions may change."""
    target = config.get("target")
    known = {key: target.get(key) for key in _TARGET} if isinstance(target, dict) else {}
    known |= {key: config.get(key) for key in _RUN}
    known |= {key: config[key] for key, before in SINCE.items() if config.get(key, before) != before}
    return np.frombuffer(hashlib.sha256(json.dumps(known, sort_keys=True).encode()).digest(), np.uint8)
