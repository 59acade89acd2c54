"""The contact sheet: what is on it, that it is readable, and that nothing lies on top of anything."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from prints import HOSTILE, MAGENTA, Box, assert_well_set, fake_run, record_texts, write_elites
from runs import json_lines, small_evolve

from evofool.errors import EvofoolError, RunError
from evofool.gallery.prints import lettering, sheet
from evofool.gallery.prints.lettering import DARK
from evofool.gallery.prints.sheet import Tiles, contact_sheet, write_sheet

SMALLEST_FONT = 11
"""Smallest font size that can be read, in pixels."""


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    """Every text that is drawn, with the box it covers."""
    return record_texts(monkeypatch, SMALLEST_FONT)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 1000])
def test_a_sheet_is_well_set_for_any_number_of_classes(
    count: int, tmp_path: Path, texts: list[tuple[str, Box]]
) -> None:
    image = contact_sheet(fake_run(tmp_path / "run", count)).picture
    assert_well_set(image, texts)
    assert max(image.size) <= 8000
    if count >= 10:
        assert 0.8 <= image.width / image.height <= 2.2
    drawn = {text for text, _ in texts}
    assert "What cifar10 is sure about" in drawn
    assert sum(text.startswith("class n") for text, _ in texts) == count


def test_of_more_classes_than_a_sheet_has_room_for_the_surest_are_shown(
    tmp_path: Path, texts: list[tuple[str, Box]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fake_run(tmp_path / "run", 12)
    monkeypatch.setattr(sheet, "MAX_TILES", 5)
    contact_sheet(run)
    captions = [text for text, _ in texts if text.startswith("class n")]
    surest = sorted(json_lines(run / "elites.jsonl"), key=lambda line: (-line["score"], line["index"]))[:5]
    assert captions == [line["class"] for line in surest]
    assert any("12 classes" in text and text.endswith("· the surest 5 are shown") for text, _ in texts)


@pytest.mark.parametrize("count", [1, 10, 100])
def test_every_picture_is_there_whole(count: int, tmp_path: Path) -> None:
    pixels = np.asarray(contact_sheet(fake_run(tmp_path / "run", count)).picture)
    covered = (pixels == MAGENTA).all(2).sum()
    assert covered == count * Tiles([{}] * count).tile ** 2


def test_elites_are_sorted_by_confidence_then_class(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    run = fake_run(tmp_path / "run", 4, ["first", "second", "third", "fourth"])
    lines = json_lines(run / "elites.jsonl")
    for line, score in zip(lines, (0.5, 1.0, 0.5, 0.999999), strict=True):
        line["score"] = score
    write_elites(run, lines)
    contact_sheet(run)
    drawn = [text for text, _ in texts]
    order = sorted(("first", "second", "third", "fourth"), key=drawn.index)
    assert order == ["second", "fourth", "first", "third"]
    shown = [text for text in drawn if re.fullmatch(r"[0-9.]+ %", text)]
    assert shown == ["100 %", "99.9999 %", "50.00 %", "50.00 %"]  # cut, not rounded


def test_captions_of_hostile_names_fit_under_their_picture(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    image = contact_sheet(fake_run(tmp_path / "run", len(HOSTILE), HOSTILE)).picture
    assert_well_set(image, texts)
    tile = Tiles([{}] * len(HOSTILE)).tile
    captions = [box for text, box in texts if not text.startswith(("What ", "evofool ", f"{len(HOSTILE)} classes"))]
    assert len(captions) == 2 * len(HOSTILE)
    assert all(right - left <= tile for left, _, right, _ in captions)


def test_a_name_that_is_too_long_is_shortened_with_an_ellipsis(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    contact_sheet(fake_run(tmp_path / "run", 2, ["w" * 300, "cat"]))
    names = [text for text, _ in texts if text.startswith("w")]
    assert names[0].endswith("w…")
    assert "cat" in [text for text, _ in texts]


@pytest.mark.parametrize("name", ["n" * 200, "my own network " * 12, "two\nlines"])
def test_a_long_target_name_stays_on_the_sheet(name: str, tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    image = contact_sheet(fake_run(tmp_path / "run", 3, target=name)).picture
    assert_well_set(image, texts)


@pytest.mark.parametrize("classes", [["3"], ["3", "8"], None])
def test_a_sheet_of_cppns_shows_them_sharp_with_what_the_network_saw(
    classes: list[str] | None, tmp_path: Path, texts: list[tuple[str, Box]]
) -> None:
    run = tmp_path / "run"
    result = small_evolve(run, encoding="cppn", preset="nguyen2015", generations=2, classes=classes)
    texts.clear()
    image = contact_sheet(run).picture
    assert_well_set(image, texts)
    assert any("corner: the pixels the network saw" in text for text, _ in texts)
    layout = Tiles([{}] * len(result.classes))
    best = result.images[np.lexsort((result.indices, -result.confidence))[0]][0]
    # The inset is in the first tile's lower right corner, magnified in whole pixels.
    left, top = _first_tile(image, layout)
    zoom = round(layout.tile * 0.27 / 8)
    tile = np.asarray(image)[top : top + layout.tile, left : left + layout.tile, 0]
    np.testing.assert_array_equal(tile[-8 * zoom :: zoom, -8 * zoom :: zoom], best)
    assert len(np.unique(tile)) > len(np.unique(best))  # more grey levels than 8×8 pixels can have


def _first_tile(image: Image.Image, layout: Tiles) -> tuple[int, int]:
    margin, header = 3 * layout.gap, max(112, round(image.width * 0.07))
    assert image.getpixel((margin - 1, header - 1)) == DARK.paper
    return margin, header


def test_direct_genomes_have_no_inset(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    small_evolve(tmp_path / "run", generations=1)
    assert not any("corner" in text for text, _ in texts)


def test_the_footer_tells_how_to_make_it_again(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    contact_sheet(fake_run(tmp_path / "run", 10))
    (footer,) = [text for text, _ in texts if text.startswith("evofool ")]
    for part in ("10.20.30", "cppn", "nguyen2015", "12345", "12,345,678"):
        assert part in footer


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 10)
    first = write_sheet(run)[0].read_bytes()
    assert write_sheet(run)[0].read_bytes() == first
    assert (run / "gallery.png").read_bytes() == first


def test_a_run_without_elites_is_refused(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 1)
    (run / "elites.jsonl").unlink()
    with pytest.raises(RunError, match="has no elites yet; let it run for a generation: evofool resume"):
        write_sheet(run)
    with pytest.raises(RunError, match="no run at"):
        write_sheet(tmp_path)
    assert not (run / "gallery.png").exists()


def test_a_missing_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 1)
    (run / "elites" / "a.png").unlink()
    with pytest.raises(EvofoolError, match=r"a\.png"):
        write_sheet(run)


def test_a_sheet_that_cannot_be_written_is_a_run_error(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 1)
    (run / "gallery.png").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*gallery\.png: Is a directory"):
        write_sheet(run)
    assert sorted(file.name for file in run.iterdir() if "gallery" in file.name) == ["gallery.png"]


@given(st.integers(1, 5000))
def test_a_layout_holds_all_in_a_landscape_of_bounded_size(count: int) -> None:
    layout = Tiles([{}] * count)
    assert layout.columns * (layout.rows - 1) < count <= layout.columns * layout.rows
    assert layout.columns >= layout.rows
    assert layout.tile >= 112
    assert layout.text >= 11
    assert layout.columns * (layout.tile + layout.gap) <= 16_000


def test_letters_that_no_font_has_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_has_letter", lambda _, letter: letter.isascii())
    lettering._choose_font.cache_clear()
    try:
        sheet = contact_sheet(fake_run(tmp_path / "run", 3, ["猫", "cat", "犬"], target="réseau"))
        assert sorted(sheet.missing) == sorted("é猫犬")
    finally:
        lettering._choose_font.cache_clear()
