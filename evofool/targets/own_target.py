"""Whether an object of the user's own is a target."""

from __future__ import annotations

import torch

from ..errors import TargetError
from .checks import described
from .execution.devices import device_for
from .protocols import Target, rows_of


def check_target(target: object) -> None:
    """Check that a user's own object is a target.

    Raises:
        TargetError: It isn't, or its parts don't fit each other.
    """
    if isinstance(target, torch.nn.Module) and not isinstance(target, Target):
        raise TargetError(
            f"`target` is a torch module ({type(target).__name__}); "
            "wrap it: evofool.Target(module, classes=…, image_shape=…)"
        )
    if isinstance(target, type) or not isinstance(target, Target):
        kind = f"the class {target.__name__} itself" if isinstance(target, type) else type(target).__name__
        raise TargetError(
            "`target` must be a name, an evofool.Target or an object with name, classes, image_shape, scores() and "
            f"confirm(), got {kind}; functions and classifiers of other libraries become one by evofool.load_target(…)"
        )
    name, classes, shape = described(target.name, target.classes, target.image_shape)
    if not isinstance(target.image_shape, tuple) or any(type(edge) is not int for edge in target.image_shape):
        raise TargetError(  # it is compared with the shapes of images, and recorded
            f"{name}: `image_shape` must be a tuple of int, got {target.image_shape!r:.60}; make it {shape}"
        )
    if not isinstance(target.classes, list | tuple) or any(type(label) is not str for label in target.classes):
        raise TargetError(
            f"{name}: `classes` must be a list of str, got {type(target.classes).__name__}; make it {classes!r:.60}"
        )
    device_for(target)
    rows_of(target)
