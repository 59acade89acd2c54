"""Archives of arrays: any damage is noticed or does no harm, and what strangers claim costs no memory."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import LONG
from support import assert_same_arrays, at_most

from evofool.io import arrays as arrays_module
from evofool.io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays

MEGABYTE = 2**20


def some() -> Arrays:
    rng = np.random.default_rng(0)
    return {
        "genes": rng.integers(0, 256, (2, 3, 4), np.uint8),
        "scores": np.asfortranarray(rng.random((3, 2), np.float32)),
        "count": np.array(7),
        "nothing": np.empty((0, 4), np.int64),
        "names": np.array(["cat", "猫"]),
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.npz"
    write_arrays(path, some())
    return path


def member(header: str, content: bytes = b"", *, version: tuple[int, int] = (1, 0)) -> bytes:
    """A ``.npy`` file with this header, true or not."""
    size = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + size + header.encode("latin1") + content


def claim(shape: object = (3,), kind: object = "|u1", content: bytes = b"abc") -> bytes:
    return member(f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n", content)


def pack(path: Path, *members: bytes, method: int = zipfile.ZIP_STORED, names: str = "abcdefgh") -> Path:
    """Write an archive of these files, named ``a.npy``, ``b.npy``, …"""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in zip(names, members, strict=False):
            archive.writestr(f"{name}.npy", content)
    return path


def refused(path: Path, match: str = ".", **options: Any) -> None:
    with pytest.raises(DamagedArrays, match=match) as caught:
        read_arrays(path, **options)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("compress", [False, True])
def test_what_was_written_is_read(compress: bool, tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", some(), compress=compress)
    assert_same_arrays(read_arrays(tmp_path / "a.npz"), some())
    assert_same_arrays(read_arrays(tmp_path / "a.npz", ("count", "genes")), {n: some()[n] for n in ("count", "genes")})
    with np.load(tmp_path / "a.npz") as archive:  # It is an archive like any other.
        np.testing.assert_array_equal(archive["scores"], some()["scores"])


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_arrays(tmp_path / name, some())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# Damage


@pytest.mark.parametrize("compress", [False, True])
def test_any_flipped_bit_is_noticed_or_does_no_harm(compress: bool, tmp_path: Path) -> None:
    path, whole = tmp_path / "a.npz", {name: some()[name] for name in ("scores", "count")}
    write_arrays(path, whole, compress=compress)
    content, noticed = path.read_bytes(), 0
    places = np.random.default_rng(0).permutation(8 * len(content))[: None if LONG else 1500].tolist()
    for place in places:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            read = read_arrays(path)
        except DamagedArrays:
            noticed += 1
        else:
            assert_same_arrays(read, whole)  # A date, a padding: nothing that was kept.
    assert noticed > len(places) / 2


def test_any_truncation_is_noticed(file: Path) -> None:
    content = file.read_bytes()
    for length in range(len(content)):
        file.write_bytes(content[:length])
        refused(file)


def test_bytes_before_and_after_do_no_harm_or_are_noticed(file: Path) -> None:
    content = file.read_bytes()
    for damaged in (b"x" * 100 + content, content + b"\0" * 100, content + content, content[:-22] + b"x" + content):
        file.write_bytes(damaged)
        try:
            assert_same_arrays(read_arrays(file), some())
        except DamagedArrays:
            continue


@pytest.mark.parametrize(
    "content", [b"", b"text", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, pickle.dumps({"a": 1}), b"\0" * 1000]
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    refused(tmp_path / "a.npz")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "a.npz")
    with pytest.raises(OSError, match="directory"):
        read_arrays(tmp_path)


def change(name: str, value: np.ndarray | None) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {k: v for k, v in (arrays | {name: value}).items() if v is not None}


@pytest.mark.parametrize(
    "damage",
    [
        change("count", np.array(8)),
        change("count", None),
        change("more", np.array(1)),
        change("count", np.array(7, np.int32)),
        change("genes", some()["genes"].reshape(4, 3, 2)),
        change("scores", some()["scores"].view(np.int32)),
        lambda arrays: arrays | {"genes": arrays["count"], "count": arrays["genes"]},
        change(arrays_module.DIGEST, None),
        change(arrays_module.DIGEST, np.zeros(32, np.uint8)),
        change(arrays_module.DIGEST, np.array("digest")),
    ],
    ids=["value", "missing", "more", "type", "shape", "kind", "swapped", "without", "zeros", "text"],
)
def test_arrays_that_do_not_fit_their_digest_are_noticed(damage: Callable[[Arrays], Arrays], file: Path) -> None:
    with np.load(file) as archive:
        np.savez(file, **damage(dict(archive)))  # type: ignore[arg-type]
    refused(file, "SHA-256")


def test_an_archive_without_a_digest_is_read_where_none_is_required(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **some())  # type: ignore[arg-type]
    assert_same_arrays(read_arrays(tmp_path / "a.npz", require_digest=False), some())
    refused(tmp_path / "a.npz", "SHA-256")


def test_a_missing_array_is_told_by_name(file: Path) -> None:
    refused(file, "it has no array colours", names=("count", "colours"))


# Claims


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((10**12,), "|u1"),
        ((2**40, 2**40), "<f8"),
        ((2**63,), "|u1"),
        ((2**70, 0), "|u1"),
        ((2**70,), "|V0"),
        ((2**62,), "<U0"),
        ((-3,), "|u1"),
        ((-1, -3), "|u1"),
        ((4,), "|u1"),
        ((3,), "<f4"),
        ((1,) * 65 + (3,), "|u1"),
        ((3.0,), "|u1"),
        (3, "|u1"),
        ((3,), "|O"),
        ((3,), [("x", "|O")]),
        ((3,), "nonsense"),
        ((3,), None),
        ((3,), ("|u1", (10**9,))),
        ((3,), [("x", "|u1", (2**31,))]),
    ],
    ids=str,
)
def test_shapes_that_cannot_be_cost_no_memory(shape: object, kind: object, tmp_path: Path) -> None:
    pack(tmp_path / "a.npz", claim(shape, kind))
    with at_most(MEGABYTE):
        refused(tmp_path / "a.npz", require_digest=False)


def test_a_type_without_a_size_costs_no_memory(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.npz", claim((2**62,), "|V0", b""))
    with at_most(MEGABYTE):
        refused(path, require_digest=False)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "(((((",
        "{'descr': '|u1', 'fortran_order': False, 'shape': ((3,), }",
        "{'descr': '|u1', 'fortran_order': 1, 'shape': (3,), }",
        "{'descr': '|u1', 'shape': (3,)}",
        "[1, 2]",
        "__import__('os').abort()",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'more': '" + 12_000 * "x" + "'}",
        "\n\t\x1b[31m{'a':\n" + 300 * "-",
        200 * "[" + 200 * "]",
        5_000 * "(" + 5_000 * ")",
        "'''",
        "\\\n",
        "\xff\xfe",
    ],
    ids=range(15),
)
def test_headers_of_nonsense_are_refused(header: str, tmp_path: Path) -> None:
    refused(pack(tmp_path / "a.npz", member(header, b"abc")), require_digest=False)


def test_objects_are_refused_and_nothing_in_them_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    np.savez(tmp_path / "a.npz", a=np.array([Trap()], object))
    refused(tmp_path / "a.npz", "Python objects", require_digest=False)
    refused(tmp_path / "a.npz", "Python objects", names=("a",))
    assert not (tmp_path / "ran").exists()


def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        pack(tmp_path / "a.npz", claim(), claim(content=b"xyz"), names="aa")
    refused(tmp_path / "a.npz", "twice", require_digest=False)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method: int, tmp_path: Path) -> None:
    """They can claim large dictionaries, and raise errors of their own."""
    path = pack(tmp_path / "a.npz", claim(), method=method)
    refused(path, "deflate is read", require_digest=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"abc", b"\0\0\0"))
    refused(path, require_digest=False)


@pytest.mark.parametrize("version", [(2, 0), (3, 0), (9, 9)])
def test_headers_of_any_length_are_refused(version: tuple[int, int], tmp_path: Path) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}}{' ' * 40 * MEGABYTE}\n"
    path = pack(tmp_path / "a.npz", member(header, b"abc", version=version), method=zipfile.ZIP_DEFLATED)
    with at_most(MEGABYTE):
        refused(path, "version", require_digest=False)


# Bombs


def zeros(size: int) -> bytes:
    return claim((size,), content=bytes(size))


def test_zeros_that_unpack_to_more_than_may_be_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays_module, "MAX_UNPACKED", 30 * MEGABYTE)
    bomb = pack(tmp_path / "a.npz", *4 * [zeros(8 * MEGABYTE)], method=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 64_000
    with at_most(MEGABYTE):
        refused(bomb, "^its .* would unpack to 33,55", require_digest=False)
    monkeypatch.setattr(arrays_module, "MAX_UNPACKED", 33 * MEGABYTE)
    with at_most(36 * MEGABYTE):
        assert sum(array.nbytes for array in read_arrays(bomb, require_digest=False).values()) == 32 * MEGABYTE


def test_a_large_file_may_unpack_to_a_multiple_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays_module, "MAX_UNPACKED", 1000)
    noise = np.random.default_rng(0).bytes(MEGABYTE)
    path = pack(tmp_path / "a.npz", claim((MEGABYTE,), content=noise), zeros(MEGABYTE), method=zipfile.ZIP_DEFLATED)
    assert read_arrays(path, require_digest=False)["a"].tobytes() == noise
    monkeypatch.setattr(arrays_module, "MAX_RATIO", 1.5)
    refused(path, "would unpack", require_digest=False)


def test_a_directory_that_lies_about_lengths_is_refused(tmp_path: Path) -> None:
    """The archive says 3 bytes, or a billion; what is packed is 8 million."""
    honest = pack(tmp_path / "a.npz", zeros(8 * MEGABYTE), method=zipfile.ZIP_DEFLATED).read_bytes()
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        true = struct.pack("<I", archive.getinfo("a.npy").file_size)
    assert honest.count(true) == 2
    for claimed in (3, 128, 2**29, 2**32 - 2):
        (tmp_path / "a.npz").write_bytes(honest.replace(true, struct.pack("<I", claimed)))
        with at_most(9 * MEGABYTE):
            refused(tmp_path / "a.npz", require_digest=False)


def test_members_that_share_their_bytes_count_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many entries of the directory may point to one place: the size that is bounded is that of all."""
    monkeypatch.setattr(arrays_module, "MAX_UNPACKED", 8 * MEGABYTE)
    path = pack(tmp_path / "a.npz", zeros(MEGABYTE), method=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(8):
            entry = archive.getinfo("a.npy")
            twin = zipfile.ZipInfo(f"{number}.npy")
            for name in ("header_offset", "compress_type", "CRC", "compress_size", "file_size"):
                setattr(twin, name, getattr(entry, name))
            archive.filelist.append(twin)
        archive._didModify = True  # type: ignore[attr-defined]
    with at_most(MEGABYTE):
        refused(path, "would unpack", require_digest=False)
