"""Arrays in ``.npz`` files, written with a digest and read with a bound on memory; nothing in them is ever executed.

They are numpy's format and not safetensors', which neither compresses histories nor checks what it reads.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from .files import open_regular, write_atomically

MAX_UNPACKED = 2**30
"""Bytes that the arrays of any file may have together, however small the file is."""

MAX_RATIO = 20
"""Largest ratio of unpacked to packed bytes of a file whose arrays exceed ``MAX_UNPACKED``."""

_COMPRESSION_LEVEL = 1
"""The deflate level of compressed files.

Compared with level 6, noise gets as small in three fifths of the time, graphs a quarter larger in two fifths.
"""

DIGEST = "sha256"
"""The name of the array that holds the digest of all others."""

Arrays = dict[str, np.ndarray]

_DAMAGE = (
    ValueError, KeyError, TypeError, EOFError, IndexError, AttributeError, NotImplementedError, RuntimeError,
    SyntaxError, OverflowError, OSError, MemoryError, struct.error, tokenize.TokenError, zlib.error,
    zipfile.BadZipFile, UserWarning,
)  # fmt: skip
"""What zipfile and numpy raise when they read a damaged file."""


class DamagedArrays(ValueError):
    """A file is no archive of plain arrays, is damaged, or would unpack to more bytes than allowed."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compress: bool = False) -> None:
    """Write an archive atomically, together with :func:`digest_of` its arrays.

    Raises:
        OSError: The folder can't be written.
    """
    with_digest = {**arrays, DIGEST: digest_of(arrays)}
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", kind, compresslevel=_COMPRESSION_LEVEL) as archive:
            for name, array in with_digest.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, np.asanyarray(array), allow_pickle=False)

    write_atomically(path, write)


def read_arrays(path: Path, names: Iterable[str] = (), *, require_digest: bool = True) -> Arrays:
    """Return all arrays of an archive, or some of them.

    Args:
        path: The file.
        names: The arrays to read; all of them when empty.
        require_digest: Whether the archive must have a digest. A digest is checked only when all arrays are read.
            The archive's own CRC-32 is always checked.

    Raises:
        DamagedArrays: The archive is damaged, lacks one of ``names``, or holds anything but plain arrays.
        OSError: The file can't be read; FileNotFoundError if there is none.
    """
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, os.fstat(file.fileno()).st_size)
                if missing := [name for name in names if name not in members]:
                    raise DamagedArrays(f"it has no array {missing[0]}")
                wanted = names or members
                arrays = {name: _array(archive, members[name], name) for name in wanted}
        except _DAMAGE as error:
            raise DamagedArrays(_one_line(error)) from error
    if not names:
        digest = arrays.pop(DIGEST, None)
        if digest is None and require_digest:
            raise DamagedArrays("it has no SHA-256")
        if digest is not None and not np.array_equal(digest, digest_of(arrays)):
            raise DamagedArrays("its SHA-256 is not that of its contents")
    return arrays


def map_array(path: Path) -> np.ndarray:
    """Map the array of an ``.npy`` file into memory, read-only, without reading its values.

    Raises:
        DamagedArrays: The file is no ``.npy`` file, its header is damaged, or its end is missing.
        OSError: The file can't be read.
    """
    with open_regular(path) as file:
        try:
            shape, fortran, dtype, _ = _header(file, os.fstat(file.fileno()).st_size, path.name)
            start = file.tell()
            if not math.prod(shape):
                return np.empty(shape, dtype)
            return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")
        except _DAMAGE as error:
            raise DamagedArrays(_one_line(error)) from error


def digest_of(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the SHA-256 over names, types, shapes and values of arrays, as (32,) uint8."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{np.shape(arrays[name])}|".encode())
        digest.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return np.frombuffer(digest.digest(), np.uint8)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the entry of every array, after checking what ``size`` bytes on disk claim to unpack to."""
    infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) < len(infos):
        raise DamagedArrays("an array is in it twice")
    if odd := {info.compress_type for info in infos} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DamagedArrays(f"it is compressed by method {min(odd)}; deflate is read, or none")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max(MAX_UNPACKED, MAX_RATIO * size):
        raise DamagedArrays(f"its {size:,} bytes would unpack to {unpacked:,}")
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    """Read one array. Nothing is allocated before its header and its length are known to agree."""
    with archive.open(info) as stream:
        shape, fortran, dtype, length = _header(stream, info.file_size, name)
        flat = np.empty(length, np.uint8)
        filled = 0
        while part := stream.read(2**20):  # The last read compares the archive's check sum.
            flat[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
        if filled < length:
            raise DamagedArrays(f"{name} ends early")
    return flat.view(dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes], size: int, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Read an array's header.

    Args:
        stream: The array's file, at its beginning.
        size: The file's length in bytes.
        name: What messages call the array.

    Returns:
        Its shape, whether it is in Fortran order, its type, and the length of its values in bytes.
    """
    version = npy.read_magic(stream)
    if version != (1, 0):  # The later versions are for headers of more than 64 KiB.
        raise DamagedArrays(f"{name} is in version {version} of the .npy format")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise DamagedArrays(f"{name} holds Python objects")
    length = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or length != size - stream.tell():
        raise DamagedArrays(f"{name} should be {dtype} {shape}, and has {size - stream.tell():,} bytes")
    return shape, fortran, dtype, length


def _one_line(error: Exception) -> str:
    """Return an error's message, which may quote the file, as at most 200 printable characters."""
    words = "".join(letter if letter.isprintable() else " " for letter in str(error)).split()
    return " ".join(words)[:200] or type(error).__name__


def shortest(value: float) -> float:
    """Return a float32 as the shortest decimal that reads back as it."""
    return float(str(np.float32(value)))
