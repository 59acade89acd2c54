"""The matrix of shares as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evofool.gallery.prints.matrices import Share, share_matrix
from evofool.gallery.prints.plots import NARROW

PART = Share(0.371, 0.302, 0.45)


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def test_shares_stand_with_their_intervals_and_nothing_is_told_of_what_is_not_known() -> None:
    shown = words(share_matrix([[Share(1, 0.9, 1), PART], [None, PART]], ["first", "second"], "Same class"))
    assert {"1 first", "2 second", "100", "90–100", "37", "30–45", "–", "made for ↓", "tried on →"} <= set(shown)
    assert shown.count("37") == 2


@pytest.mark.parametrize("count", [2, 4, 8])
def test_it_fits_a_phone_however_many_networks_there_are(count: int) -> None:
    names = [f"torchvision:network-number-{index}" for index in range(count)]
    svg = share_matrix([[PART] * count] * count, names, "Same class")
    width = float(ElementTree.fromstring(svg).attrib["viewBox"].split()[2])
    assert width <= NARROW
    assert ("30–45" in words(svg)) == (count <= 4)


def test_names_are_cut_at_their_beginning_and_escaped() -> None:
    svg = share_matrix([[None]], ["a very long name <b>&lt;"], "x < y")
    assert words(svg)[0] == "1 …long name <b>&lt;"
