"""Arrays in ``.npz`` files: sealed when they are written; read with a bound on memory, and never with code in them."""

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

UNPACKED = 2**30
"""bytes that the arrays of a file may always have together"""
RATIO = 20
"""how many times its size on disk a larger file may unpack to"""

_LEVEL = 1
"""of deflate, where files are compressed: noise is as small as at 6 in three fifths of the time, graphs are a quarter
larger in two fifths"""

SEAL = "sha256"
"""the array that holds the digest of all others"""

Arrays = dict[str, np.ndarray]

_DAMAGE = (
    ValueError, KeyError, TypeError, EOFError, IndexError, AttributeError, NotImplementedError, RuntimeError,
    SyntaxError, OverflowError, OSError, MemoryError, struct.error, tokenize.TokenError, zlib.error,
    zipfile.BadZipFile, UserWarning,
)  # fmt: skip
"""what reading a damaged file can raise"""


class DamagedArrays(ValueError):
    """A file is no archive of plain arrays, is damaged, or would unpack to more than it should."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compress: bool = False) -> None:
    """Write an archive atomically, with a seal: the SHA-256 over the names, types, shapes and values.

    Raises:
        OSError: the folder cannot be written.
    """
    sealed = {**arrays, SEAL: digest_of(arrays)}
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", kind, compresslevel=_LEVEL) as archive:
            for name, array in sealed.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, np.asanyarray(array), allow_pickle=False)

    write_atomically(path, write)


def read_arrays(path: Path, names: Iterable[str] = (), *, optional: Iterable[str] = (), require_digest: bool = True) -> Arrays:
    """The arrays of an archive, or some of them.

    Args:
        path: the file.
        names: the arrays that are wanted; all when empty.
        optional: arrays that are wanted with those, where it has them.
        sealed: whether the archive must have a seal. Where it has one, it is checked when all arrays are read; the rest
            is left to the archive's own CRC-32.

    Raises:
        DamagedArrays: it is damaged in any way, lacks one of ``names``, or holds what is no plain array.
        OSError: the file can't be read; FileNotFoundError where there is none.
    """
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, os.fstat(file.fileno()).st_size)
                if missing := [name for name in names if name not in members]:
                    raise DamagedArrays(f"it has no array {missing[0]}")
                wanted = [*names, *(name for name in optional if name in members)] if names else members
                arrays = {name: _array(archive, members[name], name) for name in wanted}
        except _DAMAGE as error:
            raise DamagedArrays(_in_a_line(error)) from error
    if not names:
        seal = arrays.pop(SEAL, None)
        if seal is None and require_digest:
            raise DamagedArrays("it has no SHA-256; versions before 0.1 wrote none")
        if seal is not None and not np.array_equal(seal, digest_of(arrays)):
            raise DamagedArrays("its SHA-256 is not that of its contents")
    return arrays


def map_array(path: Path) -> np.ndarray:
    """The array of an ``.npy`` file, read-only, without reading its values.

    Raises:
        DamagedArrays: it is no such file, or is damaged in its header or cut.
        OSError: the file can't be read.
    """
    with open_regular(path) as file:
        try:
            shape, fortran, dtype, _ = _header(file, os.fstat(file.fileno()).st_size, path.name)
            start = file.tell()
            if not math.prod(shape):
                return np.empty(shape, dtype)
            return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")
        except _DAMAGE as error:
            raise DamagedArrays(_in_a_line(error)) from error


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) < len(infos):
        raise DamagedArrays("an array is in it twice")
    if odd := {info.compress_type for info in infos} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DamagedArrays(f"it is compressed by method {min(odd)}; deflate is read, or none")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max(UNPACKED, RATIO * size):
        raise DamagedArrays(f"its {size:,} bytes would unpack to {unpacked:,}")
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    """One array; nothing is allocated before its header and its length were found to agree."""
    with archive.open(info) as stream:
        shape, fortran, dtype, length = _header(stream, info.file_size, name)
        flat = np.empty(length, np.uint8)
        filled = 0
        while part := stream.read(2**20):  # at the end, the archive's check sum is compared
            flat[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
        if filled < length:
            raise DamagedArrays(f"{name} ends early")
    return flat.view(dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes], size: int, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order and type of an array of ``size`` bytes, its header included, and how many of them are values."""
    version = npy.read_magic(stream)
    if version != (1, 0):  # others are for headers of more than 64 KiB
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


def _in_a_line(error: Exception) -> str:
    """What an error says, which may quote what is in the file."""
    words = "".join(letter if letter.isprintable() else " " for letter in str(error)).split()
    return " ".join(words)[:200] or type(error).__name__


def digest_of(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{np.shape(arrays[name])}|".encode())
        digest.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return np.frombuffer(digest.digest(), np.uint8)
