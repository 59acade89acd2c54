"""Campaigns that several files of tests look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from campaign_pages import HOSTILE, own_target, pictures
from support import tiny_target

import evofool


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Up to two pixels against 16 noisy pictures and four classes, every other class in turn; read only."""
    place = tmp_path_factory.mktemp("page")
    evofool.attack(
        tiny_target(), pictures(place / "pictures", 16), out=place / "campaign", count=16, criterion="all",
        pixels="auto", max_pixels=2, queries=60,
    )  # fmt: skip
    return place / "campaign"


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "campaign"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign in which every name that a user gives is out for mischief."""
    place = tmp_path_factory.mktemp("hostile") / "<b>a & b" / 'x" onload="1'
    data = pictures(place / "<i>data&amp;", 12)
    (data / "<img src=y>.png").write_text("no picture")
    target = own_target(HOSTILE, name="<script>target</script>")
    evofool.attack(
        target, data, out=place / "campaign", count=12, pixels=6, queries=200, criterion="all", baseline=True
    )
    return place / "campaign"
