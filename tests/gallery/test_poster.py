"""Posters: any size in bounded memory, every picture sharp, files that other programs read."""

from __future__ import annotations

import re
import struct
import tracemalloc
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import edit_config
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from prints import HOSTILE, MAGENTA, Box, assert_well_set, fake_run, record_texts
from runs import succeed

from evofool.encodings import genome_file
from evofool.errors import ConfigError, EvofoolError, RunError
from evofool.gallery.prints import banded, lettering
from evofool.gallery.prints.lettering import DARK, LIGHT
from evofool.gallery.prints.page_layout import layout_of, page_size
from evofool.gallery.prints.pictures import pictures_of
from evofool.gallery.prints.poster import write_poster
from evofool.io.png import filtered

BANK = Path(__file__).resolve().parents[2] / "genomes"
CAT = next((BANK / "cifar10-cppn").glob("003_*.json"))


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    """Every text that is drawn, with the box it covers."""
    return record_texts(monkeypatch)


def opened(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def drawn(paths: list[Path], size: str, folder: Path, *, band: int = 2**40, **options: Any) -> np.ndarray:
    """Return what a poster shows (H, W, 3). It is drawn in one band, so that every text is drawn once."""
    write_poster(paths, size, folder / "poster.png", band=band, **options)
    return opened(folder / "poster.png")


# Files


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return noise above a slope (H, W, 3), so that both filters are used."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    pixels[height // 3 :] = np.arange(width, dtype=np.uint8)[None, :, None]
    pixels[2 * height // 3 :] = (np.arange(height - 2 * height // 3) * 3).astype(np.uint8)[:, None, None]
    return pixels


def unfiltered(stream: bytes, size: tuple[int, int]) -> np.ndarray:
    """Return the picture (H, W, 3) of a compressed stream of rows, the slow and obvious way."""
    width, height = size
    rows = np.frombuffer(zlib.decompress(stream), np.uint8).reshape(height, 1 + 3 * width)
    assert set(rows[:, 0]) <= {1, 2}
    picture = np.zeros((height, width, 3), np.uint8)
    above = np.zeros((width, 3), np.uint8)
    for row, (kind, values) in enumerate(zip(rows[:, 0], rows[:, 1:].reshape(height, width, 3), strict=True)):
        above = picture[row] = values + above if kind == 2 else np.cumsum(values, axis=0, dtype=np.uint8)
    return picture


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_the_stream_holds_the_picture_whatever_the_bands(height: int, width: int, step: int) -> None:
    pixels = noise(height, width)
    bands = [pixels[top : top + step] for top in range(0, height, step)]
    stream = b"".join(banded.compress(bands))
    np.testing.assert_array_equal(unfiltered(stream, (width, height)), pixels)
    assert stream == b"".join(banded.compress([pixels]))


def test_both_filters_are_used() -> None:
    rows = noise(30, 20).reshape(30, -1)
    assert set(filtered(rows, None, 3)[:, 0]) == {1, 2}


def test_a_png_is_what_pillow_reads_at_300_dpi(tmp_path: Path) -> None:
    pixels = noise(70, 90)
    with open(tmp_path / "a.png", "wb") as file:
        banded.write_png(file, (90, 70), [pixels[:33], pixels[33:]])
    np.testing.assert_array_equal(opened(tmp_path / "a.png"), pixels)
    with Image.open(tmp_path / "a.png") as image:
        image.verify()
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_a_png_s_chunks_have_their_checksums(tmp_path: Path) -> None:
    write_poster([CAT], "300x200", tmp_path / "a.png")
    content, offset, kinds = (tmp_path / "a.png").read_bytes(), 8, []
    while offset < len(content):
        (length,) = struct.unpack_from(">I", content, offset)
        (crc,) = struct.unpack_from(">I", content, offset + 8 + length)
        assert zlib.crc32(content[offset + 4 : offset + 8 + length]) == crc
        kinds.append(content[offset + 4 : offset + 8])
        offset += 12 + length
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert set(kinds[1:-1]) == {b"sRGB", b"pHYs", b"IDAT"}


def test_a_pdf_has_one_page_that_the_same_picture_fills(tmp_path: Path) -> None:
    poster = write_poster([CAT], "600x300", tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n\Z", content)[0])
    first, count, table = re.findall(rb"\Axref\n(\d+) (\d+)\n((?:.{20})+)trailer\n", content[start:], re.DOTALL)[0]
    entries = [table[i : i + 20] for i in range(0, len(table), 20)]
    assert int(first) == 0
    assert int(count) == len(entries) == 7
    assert entries[0] == b"0000000000 65535 f \n"
    for number, entry in enumerate(entries[1:], 1):
        assert re.fullmatch(rb"\d{10} 00000 n \n", entry)
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    assert b"/MediaBox [0 0 144.0000 72.0000]" in content
    assert b"144.0000 0 0 72.0000 0 0 cm" in content
    begin = content.index(b"stream\n", int(entries[5][:10])) + len(b"stream\n")
    length = int(content[int(entries[6][:10]) :].split(b"\n")[1])
    assert content[begin + length :].startswith(b"\nendstream\nendobj\n")
    picture = unfiltered(content[begin : begin + length], (poster.width, poster.height))
    np.testing.assert_array_equal(picture, drawn([CAT], "600x300", tmp_path))


def test_the_same_poster_has_the_same_pixels_whatever_the_bands(tmp_path: Path) -> None:
    paths = [BANK / "cifar10-cppn", BANK / "mnist-cppn"]
    whole = drawn(paths, "700x500", tmp_path)
    for rows in (3, 64):
        np.testing.assert_array_equal(drawn(paths, "700x500", tmp_path, band=700 * rows), whole)


def test_memory_does_not_grow_with_the_page(tmp_path: Path) -> None:
    """Measures what numpy and Python hold at most; the larger page's pixels are more than 30 MB."""
    peaks = []
    for size in ("800x600", "4000x3000"):
        tracemalloc.start()
        write_poster([BANK / "mnist-cppn"], size, tmp_path / "a.png", band=2**16)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000
    assert peaks[1] < 6_000_000


# What is on it


def test_every_genome_is_there_sharp_and_whole(tmp_path: Path) -> None:
    """The pixels of every tile are the genome's own picture at the tile's size."""
    pictures = pictures_of(BANK / "cifar10-cppn")
    page = drawn([BANK / "cifar10-cppn"], "1000x700", tmp_path)
    whole = 0
    for picture in pictures:
        genome = genome_file.read(picture.file)
        for tile in range(120, 200):
            expected = genome.encoding.decode_at(genome.genomes, (tile, tile))[0].numpy().transpose(1, 2, 0)
            if page.tobytes().find(expected[tile // 2].tobytes()) >= 0:
                whole += _contains(page, expected)
                break
    assert whole == len(pictures) == 10


def _contains(page: np.ndarray, picture: np.ndarray) -> bool:
    width, (high, wide, _) = page.shape[1], picture.shape
    middle = page.tobytes().find(picture[high // 2].tobytes()) // 3
    top, left = middle // width - high // 2, middle % width
    return np.array_equal(page[top : top + high, left : left + wide], picture)


def test_direct_elites_have_hard_edges(tmp_path: Path) -> None:
    genes = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    page = drawn([fake_run(tmp_path / "run", 1, picture=genes)], "900x700", tmp_path)
    inside = (page == page[:, :, :1]).all(2) & (page != DARK.paper).any(2)
    row = page[np.argmax(inside.sum(1) > 300), :, 0]
    lengths = np.diff(np.flatnonzero(np.diff(row.astype(int))))
    assert lengths.min() > 40  # eight genes over some 480 pixels
    levels = set(np.unique(page[inside][:, 0]).tolist())
    assert set(np.unique(genes).tolist()) <= levels


@pytest.mark.parametrize("count", [1, 2, 7, 10, 100, 300])
@pytest.mark.parametrize("size", ["1600x1100", "1100x1600"])
def test_a_poster_is_well_set(count: int, size: str, tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    page = drawn([fake_run(tmp_path / "run", count)], size, tmp_path)
    assert_well_set(Image.fromarray(page), texts)
    assert "What cifar10 is sure about" in {text for text, _ in texts}
    if count <= 100:
        assert len(texts) == 2 + (count > 1) + 2 * count
    colour = (page == MAGENTA).all(2).sum() / page[:, :, 0].size
    assert colour > 0.3, "the pictures fill the page"


def test_hostile_names_and_titles_stay_where_they_belong(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    page = drawn([fake_run(tmp_path / "run", len(HOSTILE), HOSTILE)], "1600x1100", tmp_path, title="wide " * 40)
    assert_well_set(Image.fromarray(page), texts)


def test_titles_name_the_networks(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    drawn([BANK / "cifar10-cppn", BANK / "mnist-cppn"], "600x400", tmp_path)
    assert texts[-3][0] == "What cifar10 and mnist are sure about"
    texts.clear()
    drawn([CAT], "600x400", tmp_path, title="My cat")
    assert {"My cat", "cat", "100 %"} <= {text for text, _ in texts}


def test_the_surest_come_first(tmp_path: Path) -> None:
    pictures = pictures_of(fake_run(tmp_path / "run", 5))
    assert [picture.index for picture in pictures] == [0, 1, 2, 3, 4]
    pictures = pictures_of(Path("cifar10-cppn"))
    order = [(-(picture.score or 0), picture.index) for picture in pictures]
    assert len(order) == 10
    assert order == sorted(order)


def test_a_genome_without_provenance_has_its_file_s_name(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    text = re.sub(r'  "(target|class|index|score|sha256)": .*\n', "", CAT.read_text())
    (tmp_path / "mine.json").write_text(text)
    drawn([tmp_path / "mine.json"], "500x400", tmp_path)
    words = [text for text, _ in texts]
    assert "mine" in words
    assert "Not scored" in words
    assert not any("%" in word for word in words)


# Sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7016x4961", (7016, 4961)),
        (" 300×200 ", (300, 200)),
        ("a2", (7016, 4961)),
        ("A2-portrait", (4961, 7016)),
        ("a0-landscape", (14043, 9933)),
        ("a5", (2480, 1748)),
        ("32768x30000", (32768, 30000)),
    ],
)
def test_sizes_are_pixels_or_papers(text: str, size: tuple[int, int]) -> None:
    assert page_size(text) == size


@pytest.mark.parametrize("text", ["", "a6", "a2-upright", "1024", "10x", "x10", "-5x300", "300x300x300", "9" * 30])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="`size` must be WIDTHxHEIGHT in pixels, or a0 to a5"):
        page_size(text)


@pytest.mark.parametrize("text", ["199x300", "300x199", "32769x300", "32768x32768", "0x0", "999999999999x300"])
def test_too_small_and_too_large_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"200 to 32,768 pixels a side and at most 1,000,000,000"):
        page_size(text)


@given(st.integers(1, 400), st.integers(400, 3000), st.integers(400, 3000), st.floats(0.4, 2.5))
def test_tiles_lie_on_the_page_and_not_on_each_other(count: int, width: int, height: int, ratio: float) -> None:
    try:
        layout = layout_of(count, (width, height), ratio, height // 10, height // 20)
    except ConfigError:
        return
    (high, wide), corners = layout.tile, layout.corners(count, width)
    assert len(corners) == len(set(corners)) == count
    for x, y in corners:
        assert 0 <= x <= width - wide
        assert height // 10 <= y <= height - height // 20 - high - layout.caption
    for (x1, y1), (x2, y2) in pairwise(corners):
        assert (y1 == y2 and x2 >= x1 + wide) or y2 >= y1 + high + layout.caption


def test_too_many_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"300 pictures don't fit on 300x300 pixels.*choose a larger `size`"):
        write_poster([fake_run(tmp_path / "run", 300)], "300x300", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


# What is refused


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`out` must name a \.png or \.pdf file"):
        write_poster([CAT], "300x300", tmp_path / name)


def test_nothing_to_show_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    with pytest.raises(RunError, match=r"nothing at .*cifar10-cpn \(did you mean \"cifar10-cppn\"\?\)"):
        write_poster([tmp_path / "cifar10-cpn"], "300x300", out)
    with pytest.raises(RunError, match="holds neither a run"):
        write_poster([tmp_path], "300x300", out)
    run = fake_run(tmp_path / "run", 1)
    (run / "elites.jsonl").unlink()
    with pytest.raises(RunError, match="has no elites yet"):
        write_poster([run], "300x300", out)
    with pytest.raises(ConfigError, match="a poster needs"):
        write_poster([], "300x300", out)


def test_damaged_runs_are_errors_of_one_line(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 2)
    edit_config(run, {"target": None})
    with pytest.raises(RunError, match="is damaged") as caught:
        write_poster([run], "300x300", tmp_path / "a.png")
    assert "\n" not in str(caught.value)
    run = fake_run(tmp_path / "other", 2)
    (run / "elites" / "a.png").write_bytes(b"no picture")
    with pytest.raises(EvofoolError, match=r"a\.png"):
        write_poster([run], "300x300", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_a_folder_that_is_not_there_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="choose another `out`"):
        write_poster([CAT], "300x300", tmp_path / "no" / "a.png")


# Paper and classes


def test_a_light_poster_is_dark_on_white_with_its_pictures_outlined(tmp_path: Path) -> None:
    white = np.full((32, 32, 3), 255, np.uint8)
    run = fake_run(tmp_path / "run", 2, picture=white)
    page = drawn([run], "600x400", tmp_path, light=True)
    assert tuple(page[0, 0]) == LIGHT.paper == (255, 255, 255)
    assert (page == 255).all(2).mean() > 0.9
    outlined = (page == LIGHT.outline).all(2)
    assert outlined.any(1).sum() > 100
    assert outlined.any(0).sum() > 200
    assert not (drawn([run], "600x400", tmp_path) == LIGHT.outline).all(2).any()


def test_a_light_poster_shows_the_same_pixels(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "run", 3)
    dark, light = (drawn([run], "600x400", tmp_path, light=light) for light in (False, True))
    np.testing.assert_array_equal((dark == MAGENTA).all(2), (light == MAGENTA).all(2))


def test_a_poster_of_some_classes(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    drawn([BANK / "cifar10-cppn"], "900x600", tmp_path, classes="dog,3")
    names = {text for text, _ in texts}
    assert {"cat", "dog"} <= names
    assert not names & {"deer", "ship", "airplane"}
    with pytest.raises(ConfigError, match=r'no class is called "cta" \(did you mean "cat"'):
        write_poster([BANK / "cifar10-cppn"], "900x600", tmp_path / "a.png", classes="cta")


def test_a_poster_of_some_classes_of_a_run(tmp_path: Path, texts: list[tuple[str, Box]]) -> None:
    drawn([fake_run(tmp_path / "run", 4)], "900x600", tmp_path, classes="class number 2")
    names = {text for text, _ in texts}
    assert "class number 2" in names
    assert "class number 1" not in names


def test_letters_that_no_font_has_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lettering, "_has_letter", lambda _, letter: letter.isascii())
    lettering._choose_font.cache_clear()
    words = ("poster", CAT, "--size", "300x200", "--out", tmp_path / "a.png", "--title", "猫 und Bär")
    assert "note: no font here has 猫 ä; install one that does" in succeed(capsys, *words).out
    lettering._choose_font.cache_clear()


def test_a_poster_too_small_for_names_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size, told in (("300x200", True), ("1200x900", False)):
        outcome = succeed(capsys, "poster", "cifar10-cppn", "--size", size, "--out", tmp_path / "a.png")
        assert ("too small for names; choose a larger --size" in outcome.out) == told


def test_the_summary_counts_pictures_without_a_score_too() -> None:
    summary = lettering.confidence_summary([0.5], "picture", 1)
    assert summary == "2 pictures, 1 not scored · median confidence 50.00 % · 0 of 1 at 99 % or more · lowest 50.00 %"


def test_ten_pictures_use_the_width_of_the_sheet(tmp_path: Path) -> None:
    page = drawn([fake_run(tmp_path / "run", 10)], "1400x990", tmp_path)
    columns = (page == MAGENTA).all(2).any(0)
    assert columns.sum() > 0.9 * 1400 - 1
    assert np.flatnonzero(columns)[[0, -1]] == pytest.approx([35, 1365], abs=8)
