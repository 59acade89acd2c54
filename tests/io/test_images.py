"""Image files of every kind as 8-bit grey or RGB, and back."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from evofool.errors import ImageError
from evofool.io import depth, images
from evofool.io.images import fit, open_image, to_image
from evofool.io.png import png

RED, WHITE = (255, 0, 0), (255, 255, 255)

pixel_arrays = st.tuples(st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays.arrays(np.uint8, shape)
)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def opened(image: Image.Image, path: Path, **options: Any) -> np.ndarray:
    return np.asarray(open_image(saved(image, path, **options)))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_and_rgb_are_taken_as_they_are(mode: str, tmp_path: Path) -> None:
    shape = (5, 7) if mode == "L" else (5, 7, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(opened(Image.fromarray(pixels), tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40)
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(opened(stored, tmp_path / "a.png", exif=exif), upright)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("LA", (0, 0), WHITE),
        ("LA", (40, 255), (40, 40, 40)),
    ],
)
def test_transparency_lies_on_white(mode: str, colour: Any, expected: tuple[int, ...], tmp_path: Path) -> None:
    pixels = opened(Image.new(mode, (2, 2), colour), tmp_path / "a.png")
    np.testing.assert_allclose(pixels, np.broadcast_to(expected, (2, 2, 3)), atol=1)


@pytest.mark.parametrize(("mode", "colour"), [("RGB", RED), ("L", 9), ("1", 0)])
def test_a_transparent_colour_lies_on_white(mode: str, colour: Any, tmp_path: Path) -> None:
    pixels = opened(Image.new(mode, (2, 2), colour), tmp_path / "a.png", transparency=colour)
    assert (pixels == 255).all()


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_transparent_place_of_a_palette_lies_on_white(ending: str, tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, 0, 0, 200])
    image.putpixel((1, 0), 1)
    assert opened(image, tmp_path / f"a.{ending}", transparency=1).tolist() == [[list(RED), list(WHITE)]]


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2), RED)
    image.putpixel((1, 1), (0, 200, 0))
    pixels = opened(image.convert("P", palette=Image.Palette.ADAPTIVE), tmp_path / "a.gif")
    assert pixels[0, 0].tolist() == list(RED)
    assert pixels[1, 1].tolist() == [0, 200, 0]


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    assert opened(image, tmp_path / "a.png").tolist() == [[0, 255]]


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("top", [65535, 20000, 4096, 0])
def test_sixteen_bits_are_scaled_to_eight_however_dark(top: int, ending: str, tmp_path: Path) -> None:
    deep = np.linspace(0, top, 20).astype(np.uint16).reshape(4, 5)
    pixels = opened(Image.fromarray(deep), tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(pixels, np.rint(deep / 257).astype(np.uint8))


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("top", [1023, 4095])
def test_ten_or_twelve_bits_in_sixteen_are_told(top: int, kind: type, tmp_path: Path) -> None:
    deep = np.linspace(0, top, 20).reshape(4, 5).astype(kind)
    with pytest.raises(
        ImageError, match=rf"a\.tif: its 16-bit values end at {top:,}.*scale them so that 65,535 is white"
    ):
        opened(Image.fromarray(deep), tmp_path / "a.tif")


def _deep_png(pixels: np.ndarray) -> bytes:
    """A PNG of (H, W, C) uint16 colours, which Pillow reads and does not write."""
    height, width, channels = pixels.shape
    colour = {2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_of_twelve_bits_in_sixteen_are_told(channels: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (4, 5, channels)).astype(np.uint16)
    if channels != 3:
        pixels[..., -1] = 65535
    (tmp_path / "a.png").write_bytes(_deep_png(pixels))
    colours = pixels[..., : 3 if channels > 2 else 1]
    assert np.abs(np.asarray(open_image(tmp_path / "a.png"), int) - colours / 257).max() <= 1
    pixels[..., : 3 if channels > 2 else 1] >>= 4
    (tmp_path / "a.png").write_bytes(_deep_png(pixels))
    with pytest.raises(ImageError, match=r"a\.png: its 16-bit values end at 4,095"):
        open_image(tmp_path / "a.png")


def test_dark_eight_bit_pictures_are_read(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA"):
        colour = 3 if mode == "L" else (3, 2, 1, 255)[: len(mode)]
        assert opened(Image.new(mode, (2, 2), colour), tmp_path / "a.png").max() == 3


@pytest.mark.parametrize("top", [1, 255, 65535])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_floating_point_is_scaled_by_its_range(top: int, compression: str | None, tmp_path: Path) -> None:
    shares = np.linspace(0, 1, 20).reshape(4, 5)
    pixels = opened(Image.fromarray((top * shares).astype(np.float32)), tmp_path / "a.tif", compression=compression)
    assert np.abs(pixels - 255 * shares).max() <= 0.51


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 70_000), (-3, 200)])
def test_values_of_an_unknown_range_are_told(low: int, high: int, tmp_path: Path) -> None:
    for kind in (np.float32, np.int32):
        values = np.linspace(low, high, 20).reshape(4, 5).astype(kind)
        with pytest.raises(ImageError, match=rf"values go from {low} to {high:,}; expected 0 to 1, 255 or 65,535"):
            opened(Image.fromarray(values), tmp_path / "a.tif")


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    pixels = opened(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "a.jpg", quality=95)
    assert pixels.shape == (8, 8, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to(RED, (8, 8, 3)), atol=12)


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif"])
def test_of_an_animation_the_first_picture_is_taken(ending: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, (0, 0, 255))]
    options = {"lossless": True} if ending == "webp" else {}
    pixels = opened(frames[0], tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:], **options)
    assert (pixels == RED).all()


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_a_truncated_file_is_an_image_error(ending: str, tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    whole = saved(noise, tmp_path / f"a.{ending}").read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) * 3 // 4):
        (tmp_path / f"a.{ending}").write_bytes(whole[:length])
        with pytest.raises(ImageError, match=rf"a\.{ending}"):
            open_image(tmp_path / f"a.{ending}")


@pytest.mark.parametrize("place", ["nowhere.png", ".", "nowhere/below.png", "x" * 300])
def test_what_is_no_file_is_an_image_error(place: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot read image"):
        open_image(tmp_path / place)


def _png_head(width: int, height: int) -> bytes:
    """The beginning of a PNG file that promises this size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_png_head(*size) + struct.pack(">I", 0) + b"IDAT")
    with pytest.raises(ImageError, match=r"at most 100,000,000|too large"):
        open_image(tmp_path / "a.png")


def test_the_most_pixels_are_read_and_one_row_more_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 12)
    assert open_image(saved(Image.new("L", (4, 3)), tmp_path / "a.png")).size == (4, 3)
    with pytest.raises(ImageError, match=r"4 × 4 pixels; at most 12"):
        open_image(saved(Image.new("L", (4, 4)), tmp_path / "b.png"))


@given(pixel_arrays)
def test_a_png_gives_back_the_same_pixels_and_bytes(pixels: np.ndarray) -> None:
    data = png(pixels)
    assert data == png(pixels.copy())
    image = Image.open(io.BytesIO(data))
    assert image.mode == ("L" if len(pixels) == 1 else "RGB")
    np.testing.assert_array_equal(np.asarray(image).reshape(*pixels.shape[1:], -1).transpose(2, 0, 1), pixels)


@given(pixel_arrays)
def test_a_picture_of_the_target_s_size_is_taken_pixel_by_pixel(pixels: np.ndarray) -> None:
    shape = pixels.shape
    np.testing.assert_array_equal(fit(to_image(pixels), shape, resize=50), pixels)


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([1, 3]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.integers(0, 6),
    st.sampled_from(["bilinear", "bicubic", "nearest"]),
)
def test_any_picture_fits_any_target(
    size: tuple[int, int], channels: int, target: tuple[int, int], margin: int, interpolation: str
) -> None:
    pixels = fit(Image.new("RGB", size, (90, 90, 90)), (channels, *target), max(target) + margin, interpolation)
    assert pixels.shape == (channels, *target)
    assert pixels.dtype == np.uint8
    assert (pixels == 90).all()  # A plain picture stays plain: nothing from outside of it gets in.


@pytest.mark.parametrize("wide", [True, False])
def test_the_shorter_side_is_resized_and_the_centre_cropped(wide: bool) -> None:
    stripes = np.repeat(np.array([10, 20, 30, 40, 50, 60], np.uint8), 20)[None].repeat(80, 0)  # 80 high, 120 wide
    image = Image.fromarray(stripes if wide else stripes.T)
    pixels = fit(image, (1, 4, 4), resize=4, interpolation="nearest")[0]
    row = pixels[0] if wide else pixels[:, 0]
    assert row.tolist() == [20, 30, 40, 50]


@given(st.tuples(st.integers(8, 90), st.integers(8, 90)), st.integers(8, 40), st.integers(0, 5))
def test_a_fitted_picture_has_the_pixels_of_torchvision_s_resize_and_centre_crop(
    size: tuple[int, int], edge: int, margin: int
) -> None:
    from torchvision.transforms import CenterCrop, Compose, Resize

    assume(size != (edge, edge))  # taken pixel by pixel
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    expected = np.asarray(Compose([Resize(edge + margin), CenterCrop(edge)])(Image.fromarray(noise)))
    ours = fit(Image.fromarray(noise), (3, edge, edge), resize=edge + margin).transpose(1, 2, 0)
    assert np.abs(ours.astype(int) - expected).max() <= 2  # Pillow rounds twice, in another order where it crops.


def test_a_larger_resize_crops_more() -> None:
    picture = Image.new("L", (80, 80), 0)
    picture.paste(255, (20, 20, 60, 60))
    assert (fit(picture, (1, 4, 4), resize=8, interpolation="nearest") == 255).all()
    assert not (fit(picture, (1, 4, 4), resize=4, interpolation="nearest") == 255).all()


def test_a_very_thin_picture_is_not_blown_up(monkeypatch: pytest.MonkeyPatch) -> None:
    resize = Image.Image.resize

    def watched(image: Image.Image, size: tuple[int, int], *rest: Any, **options: Any) -> Image.Image:
        assert size[0] * size[1] <= images.MAX_PIXELS, f"{image.size} was to be resized to {size}"
        return resize(image, size, *rest, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    assert fit(Image.new("RGB", (1, 500_000), RED), (3, 224, 224), resize=232).shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("mode", "dtype"), [("I;16", np.uint16), ("F", np.float32), ("I", np.int32), ("RGBA", np.uint8), ("LA", np.uint8)]
)
def test_a_picture_converted_in_strips_is_the_same(
    mode: str, dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = {"RGBA": (9, 5, 4), "LA": (9, 5, 2)}.get(mode, (9, 5))
    top = 255 if len(shape) == 3 else 60_000
    pixels = np.random.default_rng(0).integers(0, top, shape).astype(dtype)
    pixels[:4] %= 200  # The first strips alone would pass for 8 bits.
    file = saved(Image.fromarray(pixels), tmp_path / ("a.png" if dtype in (np.uint8, np.uint16) else "a.tif"))
    whole = np.asarray(open_image(file))
    monkeypatch.setattr(depth, "STRIP_PIXELS", 11)
    np.testing.assert_array_equal(open_image(file), whole)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_told(value: float, tmp_path: Path) -> None:
    values = np.array([[0, value, 7]], np.float32)
    with pytest.raises(ImageError, match=r"a\.tif: some of its values are no numbers"):
        opened(Image.fromarray(values), tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"II*\0\x08\0\0\0", "a TIFF of a rare kind"),
        (b"8BPS\0\x01", "a Photoshop file"),
    ],
)
def test_a_format_that_is_not_read_is_named_whatever_its_suffix(head: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(head + bytes(40))
    with pytest.raises(ImageError, match=rf"a\.png is {name}.*, which is not read; convert it to PNG or JPEG"):
        open_image(tmp_path / "a.png")


def test_pipes_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ImageError, match="no plain file"):
        open_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.eps"])
def test_postscript_is_not_run(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(ImageError, match="known format"):
        open_image(tmp_path / name)


def test_damage_that_can_be_read_past_is_not_told_on_standard_error(tmp_path: Path, capsys: Any) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12"  # Nine entries are promised.
    Image.new("RGB", (8, 8), RED).save(tmp_path / "a.jpg", exif=exif)
    with warnings.catch_warnings(action="error"):
        assert open_image(tmp_path / "a.jpg").size == (8, 8)
    assert capsys.readouterr() == ("", "")
