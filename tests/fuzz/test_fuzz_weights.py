"""Weights from strangers: safetensors that lie, damaged checkpoints, pickles with code and pickles that swell."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from file_fates import weights_fate
from hostile import Fate, Sandbox, fuzz, instead, tried
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged, json_files
from safetensors.torch import save
from torch import nn

from evofool.targets import registry
from evofool.targets.weights import load_weights


def network() -> nn.Module:
    """Return a small network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


TENSORS = {name: value.clone() for name, value in network().state_dict().items()}


def checkpoint(content: Any, **options: Any) -> bytes:
    """Return a file as torch saves it."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


SAFE = save(TENSORS)
HEAD = json.loads(SAFE[8 : 8 + struct.unpack("<Q", SAFE[:8])[0]])
BODY = SAFE[8 + struct.unpack("<Q", SAFE[:8])[0] :]
ZIPPED = checkpoint(TENSORS)
OLD = checkpoint({"state_dict": TENSORS}, _use_new_zipfile_serialization=False)
RICH = checkpoint({"model": OrderedDict(TENSORS), "epoch": 3, "shape": torch.Size([1]), "seen": {1, 2}, "lr": 0.1})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """An empty folder."""
    box = Sandbox(tmp_path_factory.mktemp("weights"))
    box.inside.mkdir()
    box.remember()
    return box


def read(file: Path) -> None:
    """Load a file into a network, as a target does."""
    load_weights(network(), file, "this network")


def held(kind: str, name: str, content: bytes, box: Sandbox, fate: Fate | None = None) -> None:
    """Hold a file of weights to the promise; every refusal names it."""
    fate = fate or weights_fate(name, content, TENSORS, (ZIPPED, OLD, RICH))
    box.held(kind, name, content, lambda: read(box.inside / name), fate, box.inside / name)


@fuzz(0.05)
@given(
    head=json_files({**HEAD, "__metadata__": {"format": "pt"}}), length=st.sampled_from([None, None, None, 0, 1, 2**63])
)
def test_safetensors_that_lie(head: bytes, length: int | None, sandbox: Sandbox) -> None:
    content = struct.pack("<Q", len(head) if length is None else length) + head + BODY
    held("safetensors headers", "a.safetensors", content, sandbox)


@fuzz(0.03)
@given(content=damaged(SAFE))
def test_safetensors_damaged(content: bytes, sandbox: Sandbox) -> None:
    held("safetensors bytes", "a.safetensors", content, sandbox)


@fuzz(0.07)
@given(content=st.sampled_from([ZIPPED, OLD, RICH]).flatmap(damaged))
def test_a_damaged_checkpoint(content: bytes, sandbox: Sandbox) -> None:
    held("checkpoints of torch", "a.pth", content, sandbox)


def repacked(sample: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a checkpoint with another pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sample)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, change(data) if info.filename.endswith("data.pkl") else data)
    return buffer.getvalue()


def pickle_in(sample: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(sample)) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


PICKLE = pickle_in(RICH)


@fuzz(0.06)
@given(inner=damaged(PICKLE))
def test_a_damaged_pickle_in_a_whole_checkpoint(inner: bytes, sandbox: Sandbox) -> None:
    held("pickles in checkpoints", "a.pth", repacked(RICH, lambda _: inner), sandbox)


KINDS = [torch.float16, torch.float64, torch.bfloat16, torch.int64, torch.int8, torch.bool, torch.complex64]


@st.composite
def odd_tensors(draw: Any) -> Any:
    """Draw what a state dict may hold beside plain numbers."""
    shape = tuple(draw(st.sampled_from([(2, 3), (2,), (3, 2), (0,), (), (2, 3, 1), (6,)])))
    kind = draw(st.sampled_from([*KINDS, torch.float32]))
    value = torch.ones(shape, dtype=kind)
    how = draw(
        st.sampled_from(["as it is", "sparse", "meta", "parameter", "expanded", "nan", "quantized", "text", "list"])
    )
    if how == "sparse" and shape:
        return value.to_sparse()
    if how == "meta":
        return torch.empty(shape, device="meta")
    if how == "parameter" and kind.is_floating_point:
        return nn.Parameter(value)
    if how == "expanded":
        return torch.ones(1).expand(10**7)
    if how == "nan" and kind.is_floating_point:
        return value * torch.nan
    if how == "quantized":
        return torch.quantize_per_tensor(torch.ones(shape), 0.1, 0, torch.qint8)
    return {"text": "ones", "list": [1.0]}.get(how, value)


@fuzz(0.03)
@given(
    changes=st.dictionaries(
        st.sampled_from([*TENSORS, "more", "module.0.weight", "\ud800", "0." * 500]), odd_tensors(), min_size=1
    )
)
def test_a_checkpoint_of_odd_tensors(changes: dict[str, Any], sandbox: Sandbox) -> None:
    content = checkpoint({**TENSORS, **changes})
    fate = weights_fate("a.pth", content, TENSORS)
    held("odd tensors", "a.pth", content, sandbox, Fate.LOADS if fate is Fate.MAY_LOAD else fate)  # It is not damaged.


# Code


class Runs:
    """Unpickled without care, it calls a function."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> Any:
        return self.call


def codes(marker: Path) -> list[Any]:
    """Return objects that leave the marker behind when their code runs."""
    import os
    import subprocess

    return [
        Runs(os.mkdir, str(marker)),
        Runs(os.system, f"mkdir {marker}"),
        Runs(subprocess.check_call, ["mkdir", str(marker)]),
        Runs(eval, f"__import__('os').mkdir({str(marker)!r})"),
        Runs(exec, f"import os; os.mkdir({str(marker)!r})"),
        Runs(getattr(torch.hub, "download_url_to_file"), f"file://{__file__}", str(marker)),  # noqa: B009
        Runs(np.save, str(marker), np.zeros(1)),
        Runs(torch.save, {}, str(marker)),
    ]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("way", ["zip", "old", "bare", "key", "safetensors", "in a tensor's state"])
def test_no_code_runs(number: int, way: str, tmp_path: Path) -> None:
    box = Sandbox(tmp_path / "box")
    box.inside.mkdir()
    marker = tmp_path / "box" / "marker"
    code = codes(marker)[number]
    contents: dict[str, Callable[[], bytes]] = {
        "zip": lambda: checkpoint({**TENSORS, "more": code}),
        "old": lambda: checkpoint({**TENSORS, "more": code}, _use_new_zipfile_serialization=False),
        "bare": lambda: pickle.dumps(code),
        "key": lambda: checkpoint({"state_dict": [code]}),
        "safetensors": lambda: pickle.dumps(code),
        "in a tensor's state": lambda: repacked(ZIPPED, lambda _: pickle.dumps({"0.weight": code}, protocol=2)),
    }
    name = "a.safetensors" if way == "safetensors" else "a.pth"
    held("pickles with code", name, contents[way](), box, Fate.REFUSED)
    assert not marker.exists()


# What swells


def raw_pickle(opcodes: bytes) -> bytes:
    return repacked(ZIPPED, lambda _: b"\x80\x02" + opcodes + b".")


def doubling(times: int, last: bytes) -> bytes:
    """Return a tuple of two of a tuple of two …, small in memory, endless to walk; then what is done with it."""
    steps = b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(times))
    return b"}q\xff)q\x00" + steps + last


def packed(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("archive/data.pkl", "w", force_zip64=True) as stream:
            stream.write(PICKLE)
            for _ in range(size // 2**20):
                stream.write(bytes(2**20))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


SWELLING = {
    "bytearray": lambda: raw_pickle(b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R"),
    "python 2's bytearray": lambda: raw_pickle(b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R"),
    "a tensor": lambda: raw_pickle(b"ctorch\nFloatTensor\n\x8a\x05\0\0\0\0\x40\x85R"),
    "punycode": lambda: raw_pickle(
        b"c_codecs\nencode\nX" + struct.pack("<I", 3 * 400_000) + "猫".encode() * 400_000 + b"X\x08\0\0\0punycode\x86R"
    ),
    "a key to hash": lambda: raw_pickle(doubling(60, b"h\xff" + b"h\x3cK\x01s")),
    "a set to hash": lambda: raw_pickle(doubling(60, b"cbuiltins\nset\n(h\x3cl\x85R").replace(b"(h\x3cl", b"](h\x3ce")),
    "a size": lambda: raw_pickle(doubling(60, b"ctorch\nSize\nh\x3c\x85R")),
    "packed": lambda: packed(100 * 2**20),
    "deep": lambda: raw_pickle(b"]" * 20_000 + b"a" * 19_999),
}


@pytest.mark.parametrize("name", SWELLING)
def test_what_swells_is_refused(name: str, sandbox: Sandbox) -> None:
    file = sandbox.inside / "a.pth"
    with instead(file, SWELLING[name]()):
        tried("weights that swell", lambda: read(file), Fate.REFUSED, file, seconds=20)


def test_safetensors_of_a_giant_header(sandbox: Sandbox) -> None:
    for head in (b"[" * 10**6, b'{"a":' * 10**5 + b"1" + b"}" * 10**5, b" " * 10**7 + b"{}"):
        held("safetensors headers", "a.safetensors", struct.pack("<Q", len(head)) + head, sandbox, Fate.REFUSED)


def test_the_zoo_refuses_them_too(sandbox: Sandbox) -> None:
    file = sandbox.inside / "a.pth"
    names = registry.load_target("digits").network.state_dict()
    with instead(file, checkpoint({name: torch.ones(1).expand(10**7) for name in names})):
        tried("odd tensors", lambda: registry.load("digits", weights=file, device="cpu"), Fate.REFUSED, "should be")
