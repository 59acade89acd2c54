"""Both ways to vary direct genomes and to render CPPNs: compiled loops, and calls of torch as on an accelerator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evofool.encodings.cppn import render
from evofool.encodings.direct import encoding as direct


@pytest.fixture(scope="module", params=["loops", "torch"])
def varied_both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "torch":
            patch.setattr(direct, "LOOP_DEVICES", set())
        yield


@pytest.fixture(scope="module", params=["loops", "torch"])
def rendered_both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "torch":
            patch.setattr(render, "LOOP_DEVICES", set())
        yield
