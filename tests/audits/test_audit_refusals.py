"""What cannot be audited is refused before anything is written, and data that is odd is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plain import PlainTarget

import evofool
from evofool.audits.figure_table import PARTS
from evofool.errors import ConfigError, EvofoolError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"skip": tuple(PARTS)}, "`skip` names every part of an audit"),
        ({"budget": 20}, "20 queries, too few for any part"),
        ({"data": "nowhere"}, "no data at `data=nowhere`"),
        ({"target": "digitz"}, 'did you mean "digits"'),
        ({"target": None, "data": "svhn"}, "`data=svhn` needs a `target` to audit"),
    ],
)
def test_what_cannot_be_audited_is_refused_and_nothing_is_written(
    given: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(EvofoolError, match=said):
        evofool.audit(**{"target": "digits", "budget": 500, "out": tmp_path / "audit", **given})
    assert not (tmp_path / "audit").exists()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([1] * 40, "all 40 images of one are of one class, and accuracy says nothing then"),
        ([0, 7] * 20, "image 1, has the label 7, plain has classes 0 to 3"),
    ],
)
def test_labels_that_say_nothing_or_are_no_classes_are_refused(labels: list[int], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", images=np.zeros((40, 3, 8, 8), np.uint8), labels=np.array(labels))
    with pytest.raises(ConfigError, match=said):
        evofool.audit(PlainTarget(), tmp_path / "one.npz", budget=2_000, out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for number, label in enumerate("abba" * 8):
        (tmp_path / label).mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / label / f"{number:02}.png")
    (tmp_path / "b" / "bad.png").write_bytes(b"no picture")
    result = evofool.audit(PlainTarget(), tmp_path, budget=1_000, skip="pixels", out=tmp_path / "audit")
    assert result.record.data is not None
    assert "left out: 1 file that can't be used; the first, b/bad.png: " in "".join(result.record.data.notes)
