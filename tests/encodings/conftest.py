"""Both ways to vary direct genomes: compiled loops, and calls of torch as on an accelerator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evofool.encodings import direct


@pytest.fixture(scope="module", params=["loops", "torch"])
def varied_both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "torch":
            patch.setattr(direct, "_compiled", lambda _: False)
        yield
