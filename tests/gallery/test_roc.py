"""ROC curves as figures."""

from __future__ import annotations

import re

from evofool.gallery.prints.roc import roc_curves


def test_a_curve_goes_through_its_corners_from_the_lower_left_to_the_upper_right() -> None:
    svg = roc_curves([("a <score>", [(0, 0), (0, 0.5), (1, 1)]), ("other", [(0, 0), (1, 1)])], "curves")
    assert "a &lt;score&gt;" in svg
    curves = [
        [tuple(map(float, point.split())) for point in points.split(" L")]
        for points in re.findall(r'd="M([^"]+)" class="line [ab]"', svg)
    ]
    (start, middle, end), diagonal = curves
    assert diagonal == [start, end]
    assert middle[0] == start[0]
    assert abs(middle[1] - (start[1] + end[1]) / 2) < 0.2
    assert start[0] < end[0]
    assert start[1] > end[1]
