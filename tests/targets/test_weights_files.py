"""Weights files: what is taken, what is refused, and that nothing in them runs."""

from __future__ import annotations

import pickle
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from evofool.errors import WeightsError
from evofool.targets import registry as zoo
from evofool.targets.doors import torchvision as vision
from evofool.targets.networks import CifarResNet, DigitsNet
from evofool.targets.weights import load_weights
from evofool.targets.weights_file import read_weights


def digits_tensors() -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DigitsNet().state_dict()


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    return digits_tensors()


def test_safetensors_are_read(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    [(place, read)] = read_weights(tmp_path / "w.safetensors")
    assert place == ""
    assert same(read, tensors)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: t,
        lambda t: {"state_dict": t, "epoch": 12, "optimizer": {"lr": 0.1}},
        lambda t: {"model": t},
        lambda t: begun("module.", t),  # DataParallel's
        lambda t: {"state_dict": begun("module.", t)},
        lambda t: t | {"epoch": 3, "note": "text"},
        lambda t: {"epoch": 3, "model_state_dict": t},
        lambda t: {"net": begun("module.", t)},
        lambda t: {"params": t},
        lambda t: {"model": {"state_dict": t}},
        lambda t: {"state_dict_ema": t, "args": {"lr": 0.1}},
        lambda t: {"state_dict": begun("model.", t), "epoch": 1},  # Lightning's
        lambda t: begun("_orig_mod.", t),  # torch.compile's
        lambda t: {"model": begun("module._orig_mod.", t)},
        lambda t: {"anything": {"at": {"all": begun("some.name.", t)}}},
        lambda t: {"optimizer": {"state": {0: t}}, "model": t, "model_ema": begun("module.", halved(t))},
        lambda t: {"best": halved(t), "state_dict": t},
        lambda t: begun("student.", halved(t)) | begun("module.", t),
    ],
    ids=[
        "plain", "state_dict", "model", "module", "both", "with other values", "model_state_dict", "net", "params",
        "two mappings", "ema", "lightning", "compiled", "compiled in parallel", "unheard of", "with an average",
        "with the best", "with a student",
    ],
)  # fmt: skip
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_checkpoints_are_unwrapped(tmp_path: Path, tensors: dict[str, Tensor], wrap: object, zipped: bool) -> None:
    path = tmp_path / "w.pth"
    torch.save(wrap(tensors), path, _use_new_zipfile_serialization=zipped)  # type: ignore[operator]
    network = DigitsNet()
    load_weights(network, path, "digits")
    assert same(network.state_dict(), tensors)


def begun(beginning: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors whose names begin alike."""
    return {beginning + name: value for name, value in tensors.items()}


def halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return other tensors by the same names."""
    return {name: value / 2 for name, value in tensors.items()}


def test_names_that_begin_alike_are_found_in_safetensors(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(begun("module.", tensors) | {"scale": torch.ones(2)}, tmp_path / "w.safetensors")
    network = DigitsNet()
    assert load_weights(network, tmp_path / "w.safetensors", "digits") == ("scale",)
    assert same(network.state_dict(), tensors)


@pytest.mark.parametrize("content", ["safetensors", "torch"])
def test_a_file_is_known_by_its_content(content: str, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / {"safetensors": "w.pth", "torch": "w.safetensors"}[content]
    save_file(tensors, path) if content == "safetensors" else torch.save(tensors, path)
    network = DigitsNet()
    load_weights(network, path, "digits")
    assert same(network.state_dict(), tensors)


def test_several_networks_that_fit_are_not_chosen_from(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save({"best": tensors, "last": begun("module.", halved(tensors))}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"holds several networks that fit digits: best and last\.module; save"):
        load_weights(DigitsNet(), tmp_path / "w.pth", "digits")


def test_batch_counters_may_be_missing(tmp_path: Path) -> None:
    state = {k: v for k, v in CifarResNet(20).state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "w.safetensors")
    assert load_weights(CifarResNet(20), tmp_path / "w.safetensors", "cifar10") == ()


def test_spare_tensors_are_told(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors | {"mean": torch.zeros(1, 8, 8), "extra": torch.ones(2)}, tmp_path / "w.safetensors")
    assert load_weights(DigitsNet(), tmp_path / "w.safetensors", "digits") == ("extra", "mean")


class Trap:
    """A pickle that makes a file when it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open, (str(self.path), "w")  # type: ignore[return-value]


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors", ""])
@pytest.mark.parametrize("how", ["pickle", "torch", "legacy"])
def test_a_file_with_code_in_it_is_refused_and_the_code_does_not_run(tmp_path: Path, suffix: str, how: str) -> None:
    trapped = {"conv1.weight": torch.zeros(1), "trap": Trap(tmp_path / "sprung")}
    path = tmp_path / f"weights{suffix}"
    if how == "pickle":
        path.write_bytes(pickle.dumps({"trap": Trap(tmp_path / "sprung")}))
    else:
        torch.save(trapped, path, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(WeightsError, match=re.escape(str(path))):
        zoo.load("digits", weights=path, device="cpu")
    assert not (tmp_path / "sprung").exists()


def test_the_trap_works(tmp_path: Path) -> None:
    """Or the test above could not fail."""
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung"))).close()
    assert (tmp_path / "sprung").exists()


def test_a_pickle_with_code_is_told_as_such(tmp_path: Path) -> None:
    torch.save({"trap": Trap(tmp_path / "sprung")}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"was refused.*could run code.*state_dict\(\) or convert"):
        read_weights(tmp_path / "w.pth")


NO_WEIGHTS = {
    "empty": b"",
    "text": b"hello world\n",
    "page": b"<!DOCTYPE html>\n<html><body>404: Not Found</body></html>",
    "json": b'{"a": 1}',
    "png": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123\n",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_files_of_other_kinds_are_refused(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(NO_WEIGHTS[kind])
    with pytest.raises(WeightsError, match=re.escape(str(path))) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def zipped(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")


OTHER_KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "torchscript": (lambda path: torch.jit.script(DigitsNet()).save(str(path)), "a TorchScript program"),
    "exported": (lambda path: zipped(path, "net/archive_format", "net/data/x"), "a program of torch.export"),
    "keras": (lambda path: zipped(path, "config.json", "model.weights.h5"), "a Keras model"),
    "npz": (lambda path: zipped(path, "a.npy"), "a numpy archive"),
    "hdf5": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(90)), "an HDF5 file"),
    "page": (lambda path: path.write_bytes(NO_WEIGHTS["page"]), "a web page"),
    "git lfs": (lambda path: path.write_bytes(NO_WEIGHTS["git lfs"]), "a pointer of Git LFS"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_files_of_other_kinds_are_called_by_their_name(kind: str, suffix: str, tmp_path: Path) -> None:
    write, name = OTHER_KINDS[kind]
    path = tmp_path / f"w{suffix}"
    write(path)
    with pytest.raises(WeightsError, match=re.escape(f"{path} is {name}") + ".*; expected weights"):
        read_weights(path)


def test_an_object_in_a_checkpoint_is_named(tmp_path: Path) -> None:
    torch.save({"model": DigitsNet(), "epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"it holds evofool.targets.networks.DigitsNet where tensors are expected"):
        read_weights(tmp_path / "w.pth")


def damaged(whole: bytes, kind: str, count: int) -> list[bytes]:
    """Cut short, or with a few bytes changed."""
    draw = random.Random(0)
    if kind == "cut":
        return [whole[: draw.randrange(len(whole))] for _ in range(count)]
    files = []
    for _ in range(count):
        content = bytearray(whole)
        for _ in range(draw.randrange(1, 6)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        files.append(bytes(content))
    return files


@pytest.mark.parametrize("kind", ["cut", "changed"])
@pytest.mark.parametrize("form", ["safetensors", "zip", "legacy"])
def test_damaged_files_are_weights_errors_or_load(tmp_path: Path, form: str, kind: str) -> None:
    small = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(3)}
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    if form == "safetensors":
        save_file(small, path)
    else:
        torch.save(small, path, _use_new_zipfile_serialization=form == "zip")
    messages = []
    for content in damaged(path.read_bytes(), kind, 250):
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read_weights(path)
        except WeightsError as error:
            messages.append(str(error))
    assert len(messages) > (240 if kind == "cut" else 30)
    assert not any("\n" in message for message in messages)


def test_a_checkpoint_without_tensors_is_refused(tmp_path: Path) -> None:
    for content in ({}, {"epoch": 3}, {"state_dict": {}}, [torch.zeros(2)], torch.zeros(2), 5):
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(WeightsError, match=r"holds no tensors by name; save the network's state_dict\(\)"):
            read_weights(tmp_path / "w.pth")


def test_weights_of_another_network_are_told_by_what_they_lack(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "w.safetensors"
    save_file(tensors, path)
    message = (
        r"is not for mnist: it lacks \d+ of 8 tensors, first .*; it holds .*conv1\.weight.* and 4 more; .*"
        r"\(these fit digits\)"
    )
    with pytest.raises(WeightsError, match=message):
        zoo.load("mnist", weights=path, device="cpu")


def test_the_network_that_weights_fit_is_named(tmp_path: Path) -> None:
    torch.save({"state_dict": begun("module.", CifarResNet(32).state_dict())}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"\(these fit cifar10:resnet32\)"):
        zoo.load("cifar10:resnet44", weights=tmp_path / "w.pth", device="cpu")


def test_another_model_of_torchvision_s_is_named(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        older, newer = vision.network("squeezenet1_0"), vision.network("squeezenet1_1")
    torch.save(newer.state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"\(these fit torchvision:squeezenet1_1\)"):
        load_weights(older, tmp_path / "w.pth", "squeezenet1_0", vision.relatives("squeezenet1_0"))


def test_a_deeper_network_is_not_taken_for_one_with_spare_tensors(tmp_path: Path) -> None:
    """The tensors of ResNet-20 are a part of those of ResNet-32, by name and shape."""
    torch.save(CifarResNet(32).state_dict(), tmp_path / "w.pth")
    message = r"is not for cifar10: it holds \d+ tensors more, first layer1\.3\..*; these fit cifar10:resnet32"
    with pytest.raises(WeightsError, match=message):
        zoo.load("cifar10", weights=tmp_path / "w.pth", device="cpu")


def test_another_head_is_told_with_its_number_of_classes(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    head = {"fc2.weight": torch.zeros(7, 64), "fc2.bias": torch.zeros(7)}
    torch.save({"model": tensors | head}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"its last layer is for 7 classes; use weights for the same classes"):
        load_weights(DigitsNet(), tmp_path / "w.pth", "digits")


def test_weights_of_another_shape_are_told_by_the_tensor(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "w.safetensors"
    save_file(tensors | {"fc2.weight": torch.zeros(7, 64)}, path)
    with pytest.raises(WeightsError, match=re.escape("is not for digits: fc2.weight should be (10, 64), is (7, 64)")):
        zoo.load("digits", weights=path, device="cpu")


def test_refused_weights_leave_the_network_as_it_was(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors | {"fc2.weight": torch.zeros(7, 64)}, tmp_path / "w.safetensors")
    network = DigitsNet()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(WeightsError):
        load_weights(network, tmp_path / "w.safetensors", "digits")
    assert same(network.state_dict(), before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.to_sparse(), "sparse"),
        (lambda t: t.to(torch.complex64), "complex"),
        (lambda t: torch.empty_like(t, device="meta"), "on meta"),
        (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "quantized"),
    ],
    ids=["sparse", "complex", "meta", "quantized"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_that_are_no_plain_numbers_are_refused(
    change: Callable[[Tensor], Tensor], says: str, tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    torch.save({**tensors, "fc1.weight": change(tensors["fc1.weight"])}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=says):
        load_weights(DigitsNet(), tmp_path / "w.pth", "digits")
