"""What has to become of pictures, weights and archives, told by the libraries of their formats."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hostile import MEMORY, Fate, memory_limit
from PIL import Image, ImageOps
from safetensors.torch import load

from evofool.io.images import FORMATS

Arrays = dict[str, np.ndarray]
Tensors = Mapping[str, torch.Tensor]


def picture_fate(file: Path) -> Fate:
    """Return what has to become of a picture: it loads if Pillow can decode it, as it does by itself.

    Of pictures with more than eight bits, those are refused whose values don't say what is white.
    """
    try:
        with warnings.catch_warnings(action="ignore"), memory_limit(MEMORY), Image.open(file, formats=FORMATS) as image:
            deep = image.mode in ("I", "F") or ";16" in str(image.tile)
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
    except Exception:  # decoders raise almost anything on damaged files
        return Fate.REFUSED
    return Fate.MAY_LOAD if deep else Fate.LOADS


def arrays_of(content: bytes) -> Arrays | None:
    """Return the arrays of a file as numpy reads them, or None where it can't. What is no array is left out."""
    try:
        with np.lib.npyio.NpzFile(io.BytesIO(content)) as archive:  # Unlike np.load, it lets bytes precede the archive.
            names = [name for name in archive.zip.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): archive[name] for name in names}
    except Exception:  # zipfile and numpy raise almost anything on damaged files
        return None


def same(ours: Arrays, theirs: Arrays) -> bool:
    """Return whether two files say the same."""
    return ours.keys() == theirs.keys() and all(
        (ours[name].dtype, ours[name].shape, ours[name].tobytes()) == (array.dtype, array.shape, array.tobytes())
        for name, array in theirs.items()
    )


def damaged_fate(content: bytes, before: bytes) -> Fate:
    """Return what has to become of a file whose bytes were damaged: its digest tells whether arrays changed."""
    arrays, original = arrays_of(content), arrays_of(before)
    assert original is not None
    if arrays is None or not same(arrays, original):
        return Fate.REFUSED
    return Fate.MAY_LOAD  # The archive is damaged where its arrays are not.


def archive_can_be(arrays: Arrays, shape: tuple[int, int, int], classes: Sequence[str]) -> bool:
    """Return whether arrays are labelled images for a target that takes images of this shape, of these classes."""
    channels, height, width = shape
    images, labels, names = arrays.get("images"), arrays.get("labels"), arrays.get("classes", np.array([]))
    if images is None or labels is None or names.ndim != 1 or images.dtype != np.uint8 or images.ndim not in (3, 4):
        return False
    images = images[..., None] if images.ndim == 3 else images
    if (
        images.shape[1:] not in ((height, width, channels), shape)
        or not 1 <= len(images) <= 4_000_000
        or len(names) > 100_000
    ):
        return False
    if labels.shape[:1] != (labels.size,) or labels.size != len(images) or labels.dtype.kind not in "iu":
        return False
    words = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names.tolist()]
    if words and not names_can_be(words, classes):
        return False
    return bool(labels.min() >= 0 and labels.max() < (len(words) or len(classes)))


def names_can_be(names: Sequence[str], classes: Sequence[str]) -> bool:
    """Return whether names in their order can be those of classes, which have no digits, commas or capital letters."""
    words = [" ".join(re.split(r"[\s_/-]+", unicodedata.normalize("NFKD", name).casefold())).strip() for name in names]
    if known := set(words) & set(classes):
        return known == set(words)
    numbers = [int(name) if re.fullmatch("[0-9]{1,9}", name) else len(classes) for name in names]
    return max(numbers) < len(classes) or len(names) == len(classes)


def weights_fate(name: str, content: bytes, network: Tensors, whole: Sequence[bytes] = ()) -> Fate:
    """Return what has to become of a file of weights: its format's own library has to find tensors that fit.

    Args:
        name: The file's name.
        content: Its bytes.
        network: The tensors of the network.
        whole: What the file may be where it is not damaged.
    """
    try:
        with memory_limit(MEMORY), warnings.catch_warnings(action="ignore"):
            if name.endswith(".safetensors"):
                tensors: Any = load(content)
            else:
                tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # both raise almost anything on damaged files
        return Fate.REFUSED
    if not any(_holds(named, network) for named in _mappings(tensors)):
        return Fate.REFUSED
    # torch itself reads past much damage of a checkpoint that evofool takes for damage.
    return Fate.LOADS if name.endswith(".safetensors") or content in whole else Fate.MAY_LOAD


def _mappings(content: Any, depth: int = 0) -> Iterator[dict[Any, Any]]:
    """Yield a mapping, and those in it."""
    if isinstance(content, dict) and depth < 5:
        yield content
        for key, value in content.items():
            if isinstance(key, str):
                yield from _mappings(value, depth + 1)


def _holds(named: dict[Any, Any], network: Tensors) -> bool:
    """Return whether a mapping has a network's tensors, under names that all begin alike."""
    keys = {key: value for key, value in named.items() if isinstance(key, str) and isinstance(value, torch.Tensor)}
    first = next(iter(network))
    for begin in {key.removesuffix(first) for key in keys if key == first or key.endswith(f".{first}")}:
        own = {key: value for key, value in network.items() if not key.endswith("num_batches_tracked")}
        own |= {key: value for key, value in network.items() if begin + key in keys}
        if all(_fits(keys.get(begin + key), value) for key, value in own.items()):
            return True
    return False


def _fits(tensor: Any, wanted: torch.Tensor) -> bool:
    """Return whether a value of a file is numbers of the shape that the network has a place for."""
    return (
        isinstance(tensor, torch.Tensor)
        and tensor.shape == wanted.shape
        and (tensor.layout, tensor.device.type) == (torch.strided, "cpu")
        and not tensor.is_quantized
        and not tensor.is_complex()
    )
