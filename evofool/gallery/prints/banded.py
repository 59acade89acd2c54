"""PNG and PDF files of pictures that come in bands from the top, so that none is ever in memory as a whole.

Both hold the same stream: rows of 8-bit RGB, each behind the number of its PNG filter, compressed as one (PNG 3rd ed.,
sections 9 and 10; PDF 1.7, section 7.4.4.4, calls it predictor 15).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ...io.png import SIGNATURE, Pixels, chunk, filtered, header

DPI = 300
"""Resolution that the files name, in pixels per inch."""

COMPRESSION_LEVEL = 6
"""The deflate level of the stream."""


def write_png(out: BinaryIO, size: tuple[int, int], bands: Iterable[Pixels]) -> None:
    """Write a PNG file.

    Args:
        out: The open file.
        size: Width and height of the picture, in pixels.
        bands: Arrays (h, width, 3) uint8 from the top, with ``height`` rows in all.
    """
    pixels_per_metre = round(DPI / 0.0254)
    out.write(SIGNATURE + header(*size, 3))
    out.write(chunk(b"sRGB", b"\0") + chunk(b"pHYs", struct.pack(">IIB", pixels_per_metre, pixels_per_metre, 1)))
    for part in compress(bands):
        out.write(chunk(b"IDAT", part))
    out.write(chunk(b"IEND", b""))


def write_pdf(out: BinaryIO, size: tuple[int, int], bands: Iterable[Pixels]) -> None:
    """Write a PDF file of one page that the picture fills; arguments as in :func:`write_png`."""
    width, height = size
    page_width, page_height = (f"{pixels * 72 / DPI:.4f}" for pixels in size)
    paint = f"{page_width} 0 0 {page_height} 0 0 cm /Picture Do".encode()
    offsets, written = [0], 0

    def put(content: bytes) -> None:
        nonlocal written
        out.write(content)
        written += len(content)

    def begin(text: str) -> None:
        offsets.append(written)
        put(f"{len(offsets) - 1} 0 obj\n{text}\n".encode())

    put(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    begin("<< /Type /Catalog /Pages 2 0 R >>\nendobj")
    begin("<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj")
    begin(
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page_width} {page_height}] /Contents 4 0 R "
        "/Resources << /XObject << /Picture 5 0 R >> >> >>\nendobj"
    )
    begin(f"<< /Length {len(paint)} >>\nstream\n{paint.decode()}\nendstream\nendobj")
    begin(
        f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8 /Filter /FlateDecode "
        f"/DecodeParms << /Predictor 15 /Colors 3 /BitsPerComponent 8 /Columns {width} >> /Length 6 0 R >>\nstream"
    )
    start = written
    for part in compress(bands):
        put(part)
    length = written - start
    put(b"\nendstream\nendobj\n")
    begin(f"{length}\nendobj")
    table = written
    entries = "".join(f"{offset:010d} 00000 n \n" for offset in offsets[1:])
    put(f"xref\n0 {len(offsets)}\n0000000000 65535 f \n{entries}".encode())
    put(f"trailer\n<< /Size {len(offsets)} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode())


def compress(bands: Iterable[Pixels]) -> Iterator[bytes]:
    """Yield the stream of both formats, piece by piece."""
    compressor, above = zlib.compressobj(COMPRESSION_LEVEL), None
    for band in bands:
        rows = band.reshape(len(band), -1)
        if part := compressor.compress(filtered(rows, above, 3).tobytes()):
            yield part
        above = rows[-1]
    yield compressor.flush()
