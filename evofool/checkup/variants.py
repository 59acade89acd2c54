"""Other ways to read a classifier's images: what is most often got wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import product

from torch import Tensor

from ..targets.arrays.array_target import ArrayTarget
from ..targets.arrays.reading import RANGES, Reading
from ..targets.doors.base import Loaded
from ..targets.doors.brought import as_read
from ..targets.protocols import Target
from ..targets.torch_target import TorchTarget

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and std of ImageNet's pixels in [0, 1], by which most colour networks normalise."""

MNIST = (0.1307,), (0.3081,)
"""Mean and std of MNIST's pixels in [0, 1], by which many grey networks normalise."""

PLAIN = (0.0,), (1.0,)
"""Mean and std that leave pixels as they are."""

ALIKE = 0.01
"""Largest difference of what two readings make of a pixel that counts as none, as a share of the range of values."""


@dataclass(frozen=True)
class Variant:
    """Another way to read a classifier's images.

    Attributes:
        what: What is wrong if this way is right.
        reading: The way, in words.
        fix: What to do if it is right.
        target: The classifier that is given images so.
        prepare: What is done to (N, C, H, W) uint8 images before.
        changes: In how many things it differs from how the classifier is understood.
        normal: How pixels are normalised, where that differs.
    """

    what: str
    reading: str
    fix: str
    target: Target
    prepare: Callable[[Tensor], Tensor] = lambda images: images
    changes: int = 1
    normal: str = ""


@dataclass(frozen=True)
class Normal:
    """A way to normalise.

    Attributes:
        reading: The way, in words.
        range, mean, std: As in :class:`~evofool.targets.arrays.reading.Reading`.
    """

    reading: str
    range: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


def normals(channels: int) -> list[Normal]:
    """Return the usual ways to normalise images of so many channels."""
    found = [
        Normal("pixels from 0 to 1", "0-1", *PLAIN),
        Normal("pixels from 0 to 255", "0-255", *PLAIN),
        Normal("pixels from -1 to 1", "-1-1", *PLAIN),
    ]
    if channels == 1:
        sixteenths = Normal("pixels from 0 to 16, as scikit-learn's digits", "0-1", (0.0,), (1 / 16,))
        return [*found, Normal("pixels normalised as MNIST", "0-1", *MNIST), sixteenths]
    caffe = Normal("pixels from 0 to 255 less ImageNet's mean", "0-255", IMAGENET[0], (1.0,))
    return [*found, Normal("pixels normalised as ImageNet", "0-1", *IMAGENET), caffe]


def reading_of_loaded(loaded: Loaded) -> Reading | None:
    """Return how a target takes its images; None where only its own code knows."""
    target, options = loaded.target, loaded.model
    if isinstance(target, ArrayTarget):
        return target.reading
    if not isinstance(target, TorchTarget):
        return None
    value_range = (options and options.range) or "0-1"
    low, high = RANGES[value_range]
    scale = high - low
    return Reading(
        layout=(options and options.layout) or "NCHW",
        range=value_range,
        channels=(options and options.channels) or "rgb",
        mean=tuple(mean + low * std for mean, std in zip(target.mean, target.std, strict=True)),
        std=tuple(std * scale for std in target.std),
    )


def swapped_colours(loaded: Loaded) -> Variant | None:
    """Return a classifier that is given blue, green, red, or red, green, blue where it is given that; None if grey."""
    reading, target = reading_of_loaded(loaded), loaded.target
    if target.image_shape[0] != 3:
        return None
    what, words = "red and blue are swapped", "red and blue swapped"
    if reading is None:
        fix = "reverse the colours in scores() and confirm(): images.flip(1)"
        return Variant(what, words, fix, target, lambda images: images.flip(1))
    other = replace(reading, channels="bgr" if reading.channels == "rgb" else "rgb")
    return Variant(what, words, _fix(loaded, reading, other), _read(loaded, reading, other))


def variants(loaded: Loaded) -> Iterator[Variant]:
    """Yield a classifier read in other ways, without :func:`swapped_colours`, those with fewest changes first.

    Behind a server, where queries cost something, it is read with one change at a time.
    """
    reading = reading_of_loaded(loaded)
    if reading is None:
        yield from _of_own(loaded.target)
        return
    if loaded.target.image_shape[0] == 3 and reading.layout in ("NCHW", "NHWC"):
        layout = "NHWC" if reading.layout == "NCHW" else "NCHW"
        other = replace(reading, layout=layout)
        what = f"its axes are taken for {reading.layout}"
        yield Variant(what, f"axes as {layout}", _fix(loaded, reading, other), _read(loaded, reading, other))
    colours = [reading.channels]
    if loaded.target.image_shape[0] == 3 and not loaded.remote:
        colours.append("bgr" if reading.channels == "rgb" else "rgb")
    for channels, normal in product(colours, normals(loaded.target.image_shape[0])):
        other = replace(
            reading,
            dtype="float32" if reading.dtype == "uint8" else reading.dtype,
            channels=channels,
            range=normal.range,
            mean=normal.mean,
            std=normal.std,
        )
        if _same(replace(reading, channels=channels), other):  # That is how it is understood, or its colours swapped.
            continue
        more = channels != reading.channels
        yield Variant(
            f"the classifier expects {normal.reading}" + (", and red and blue are swapped" if more else ""),
            normal.reading + (", red and blue swapped" if more else ""),
            _fix(loaded, reading, other),
            _read(loaded, reading, other),
            changes=2 if more else 1,
            normal=normal.reading,
        )


def _of_own(target: Target) -> Iterator[Variant]:
    """Yield what can be tried of a target whose own code reads the images: to give it other images."""
    channels, height, width = target.image_shape
    if channels == 1:
        return

    def rows_of_colours(images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).reshape(images.shape)

    def planes(images: Tensor) -> Tensor:
        return images.reshape(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()

    what, fix = "its axes are taken for NCHW", "it is given (B, C, H, W): permute the axes where it takes others"
    yield Variant(what, "axes as NHWC", fix, target, rows_of_colours)
    yield Variant("its axes are taken for NHWC", "axes as NCHW", fix, target, planes)


def _read(loaded: Loaded, before: Reading, reading: Reading) -> Target:
    """Return a target that takes its images in another way, without loading it again."""
    target = loaded.target
    if isinstance(target, ArrayTarget):
        other = copy(target)
        other.reading = reading
        return other
    assert isinstance(target, TorchTarget)
    changed = replace(
        reading,
        channels="rgb" if reading.channels == before.channels else "bgr",
        layout="NCHW" if reading.layout == before.layout else "NHWC",
    )
    module, mean, std = as_read(target.network, changed, target.image_shape[0])
    return TorchTarget(
        module,
        classes=target.classes,
        image_shape=target.image_shape,
        mean=mean,
        std=std,
        name=target.name,
        outputs=target.outputs,
        device=str(target.device),
        precision="float32",
        micro_batch=target.micro_batch,
        memory_format="contiguous",
        fold=False,
    )


def _same(one: Reading, other: Reading) -> bool:
    """Return whether two readings make the same values of every pixel."""
    if one.channels != other.channels or one.layout != other.layout:
        return False
    tables = [
        reading.table(max(len(one.mean), len(other.mean), len(one.std), len(other.std))) for reading in (one, other)
    ]
    return bool((tables[0] - tables[1]).abs().max() <= 0.01 * tables[0].abs().max())


def _fix(loaded: Loaded, before: Reading, reading: Reading) -> str:
    """Return what to do so that a classifier's images are read in another way."""
    if before.dtype != reading.dtype:  # no option changes what type a function is given
        mean, std = reading.stretched()
        swap = " and reverse their colours" if before.channels != reading.channels else ""
        return (
            "it is given images from 0 to 255 (uint8): in its code, make them "
            f"(images / 255 - [{_text(mean)}]) / [{_text(std)}]{swap}"
        )
    changed = [name for name in ("layout", "channels", "range", "mean", "std") if _differs(name, before, reading)]
    options = " ".join(f"`{name}={_text(getattr(reading, name))}`" for name in changed)
    if loaded.model is not None:
        return f"say {options}"
    if loaded.card is None:
        return f"make the Target so: {_as_argument(reading, changed)}"
    if loaded.user_weights:
        return f"give the weights as the target, with `arch={loaded.spec}` {options}"
    return (
        f"{loaded.target.name} is known to take images as its card says, and takes these as if {options}; look at them"
    )


def _differs(name: str, before: Reading, reading: Reading) -> bool:
    one, other = getattr(before, name), getattr(reading, name)
    return set(one) != set(other) if isinstance(one, tuple) else bool(one != other)


def _as_argument(reading: Reading, changed: list[str]) -> str:
    """Return a change of a user's own Target as a line of Python."""
    mean, std = reading.stretched()
    parts = []
    if "channels" in changed:
        parts.append("reverse the colours in the module's forward(), images.flip(1)")
    if "layout" in changed:
        parts.append("permute the axes in the module's forward(), images.permute(0, 2, 3, 1)")
    if {"range", "mean", "std"} & set(changed):
        parts.append(f"evofool.Target(…, mean=[{_text(mean)}], std=[{_text(std)}])")
    return "; ".join(parts)


def _text(value: object) -> str:
    return ",".join(f"{one:.6g}" for one in value) if isinstance(value, tuple) else str(value)
