"""Pictures from strangers: damaged ones of every format, and those that are larger than they look."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from file_fates import picture_fate
from hostile import LONG, Fate, fuzz, instead, tried
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged
from PIL import Image

from evofool.io.images import MAX_PIXELS, fit, open_image

KINDS = {
    "png": {}, "gif": {}, "webp": {}, "jpg": {}, "bmp": {}, "tif": {}, "ppm": {},
    "lzw.tif": {"compression": "tiff_lzw"}, "deflate.tif": {"compression": "tiff_deflate"},
    "jpeg.tif": {"compression": "jpeg"},
    "small.png": {"optimize": True}, "lossless.webp": {"lossless": True}, "progressive.jpg": {"progressive": True},
}  # fmt: skip


def saved(image: Image.Image, ending: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    kind = {"jpg": "JPEG", "tif": "TIFF", "ppm": "PPM"}.get(ending, ending.upper())
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def samples() -> list[tuple[str, bytes]]:
    """Return pictures of every format and mode, each with the end of its file's name."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    image = Image.fromarray(pixels)
    pictures = [(name.rpartition(".")[2], saved(image, name.rpartition(".")[2], **how)) for name, how in KINDS.items()]
    frames = [image.rotate(angle) for angle in (90, 180)]
    pictures += [
        (kind, saved(image, kind, save_all=True, append_images=frames)) for kind in ("png", "gif", "webp", "tif")
    ]
    deep = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    pictures += [("png", saved(deep, "png")), ("tif", saved(deep, "tif"))]
    pictures += [("png", saved(image.convert(mode), "png")) for mode in ("1", "L", "LA", "P", "RGBA")]
    pictures += [("jpg", saved(image, "jpg", exif=exif)), ("png", saved(image, "png", exif=exif))]
    return [*pictures, ("jpg", saved(image.convert("CMYK"), "jpg"))]


SAMPLES = samples()


def look(file: Path) -> None:
    """Read a picture for a small target."""
    fit(open_image(file), (3, 8, 8), 8)


@fuzz(0.14)
@given(case=st.sampled_from(SAMPLES).flatmap(lambda sample: st.tuples(st.just(sample[0]), damaged(sample[1]))))
def test_a_damaged_picture(case: tuple[str, bytes], tmp_path_factory: pytest.TempPathFactory, capfd: Any) -> None:
    ending, content = case
    file = tmp_path_factory.getbasetemp() / f"fuzz.{ending}"
    with instead(file, content):
        fate = picture_fate(file)
        capfd.readouterr()  # libtiff writes to standard error
        tried("images", lambda: look(file), fate, file)
    assert capfd.readouterr() == ("", "")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(
    width: int, height: int, colour: int = 0, depth: int = 8, *, rows: int | None = None, more: bytes = b""
) -> bytes:
    """Return a PNG of zeros that says it is so large; ``rows`` of them are there."""
    bits = {0: 1, 2: 3, 4: 2, 6: 4}[colour] * depth
    packer, packed = zlib.compressobj(1), b""
    for _ in range(height if rows is None else rows):
        packed += packer.compress(bytes(1 + (width * bits + 7) // 8))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = packed + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def many_frames(kind: str) -> bytes:
    frames = [Image.new("L", (16, 16), index % 256) for index in range(2_000)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def with_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escape.txt", bytes(10_000_000))
    return png_of(8, 8) + buffer.getvalue()


EDGE = int(MAX_PIXELS**0.5)
BOMBS = {
    "60,000 × 60,000": ("png", lambda: png_of(60_000, 60_000, 2, rows=1), Fate.REFUSED),
    "2^31 − 1 squared": ("png", lambda: png_of(2**31 - 1, 2**31 - 1, rows=0), Fate.REFUSED),
    "100,000 wide": ("png", lambda: png_of(100_000, 1, 2), Fate.LOADS),
    "100,000 high": ("png", lambda: png_of(1, 100_000, 2), Fate.LOADS),
    "as large as may be, transparent": ("png", lambda: png_of(EDGE, EDGE, 6), Fate.LOADS),
    "as large as may be, 16 bits": ("png", lambda: png_of(EDGE, EDGE, 0, 16), Fate.LOADS),
    "of which a row is there": ("png", lambda: png_of(EDGE, EDGE, 2, rows=1), Fate.LOADS),
    "zipped text": (
        "png",
        lambda: png_of(8, 8, more=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 * 10**8)))),
        Fate.REFUSED,
    ),
    "zipped profile": (
        "png",
        lambda: png_of(8, 8, more=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2 * 10**8)))),
        Fate.REFUSED,
    ),
    "2,000 frames, GIF": ("gif", lambda: many_frames("gif"), Fate.LOADS),
    "2,000 frames, WebP": ("webp", lambda: many_frames("webp"), Fate.LOADS),
    "2,000 frames, PNG": ("png", lambda: many_frames("png"), Fate.LOADS),
    "an archive in it": ("png", with_archive, Fate.LOADS),
    "PostScript": ("png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n%%EOF\n", Fate.REFUSED),
    "PostScript called so": ("eps", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n", Fate.REFUSED),
}


if LONG:
    BOMBS |= {
        "as large as may be, in colour": ("png", lambda: png_of(EDGE, EDGE, 2, 16), Fate.LOADS),
        "as large as may be, grey and transparent": ("png", lambda: png_of(EDGE, EDGE, 4), Fate.LOADS),
    }


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_or_costs_little(name: str, tmp_path: Path, capfd: Any) -> None:
    ending, make, fate = BOMBS[name]
    file = tmp_path / f"a.{ending}"
    file.write_bytes(make())
    assert file.stat().st_size < 3_000_000
    tried("image bombs", lambda: look(file), fate, file)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert capfd.readouterr() == ("", "")
