"""The options that say how a classifier of one's own is understood, and how it is asked."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from .options import Options, Positive, declarations, option

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=100)]
Requests = Annotated[int, msgspec.Meta(ge=1, le=1_024)]


ASKING = ("count_queries", "max_queries", "request_images", "concurrency", "rate", "timeout", "retries")
"""Options that say how a classifier is asked. What it answers doesn't depend on them."""


UNDERSTANDING = (
    "arch", "outputs", "mean", "std", "range", "layout", "channels", "image_size", "resize", "colours", "classes_file",
)  # fmt: skip
"""Options that say how a classifier is understood."""


class ModelOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a classifier that the user brings. What they leave open is read from the model or recognised."""

    arch: Annotated[
        str | None,
        option(
            "The network that a weights file belongs to, such as torchvision:resnet18 or timm:resnet18.",
            reset_by=("target",),
        ),
    ] = None
    outputs: Annotated[
        str,
        option(
            "What the classifier returns: auto, logits, probabilities, or, where several classes can be true at once, "
            "multilabel-logits or multilabel.",
            reset_by=("target",),
        ),
    ] = "auto"
    mean: Annotated[
        tuple[float, ...] | None,
        option(
            "Mean of the pixels in [0, 1] that the classifier expects to be subtracted; for each channel, or one for "
            "all.",
            default="the model's own, or 0",
            reset_by=("target",),
        ),
    ] = None
    std: Annotated[
        tuple[float, ...] | None,
        option(
            "Standard deviation of the pixels in [0, 1] that the classifier expects them to be divided by.",
            default="the model's own, or 1",
            reset_by=("target",),
        ),
    ] = None
    range: Annotated[
        str | None,
        option(
            "What black and white are for the classifier: 0-1, 0-255 or -1-1.",
            default="the model's own, or 0-1",
            reset_by=("target",),
        ),
    ] = None
    layout: Annotated[
        str | None,
        option("The order of its input's axes: NCHW, NHWC or NHW.", default="the model's own", reset_by=("target",)),
    ] = None
    channels: Annotated[
        str | None, option("The order of its colours: rgb or bgr.", default="rgb", reset_by=("target",))
    ] = None
    image_size: Annotated[
        str | Positive | None,
        option(
            "Height and width of its images, in pixels: 224, or width x height as in 320x240.",
            default="the model's own",
            reset_by=("target",),
        ),
    ] = None
    resize: Annotated[
        Positive | None,
        option(
            "What the shorter side of pictures becomes before their centre is cropped, in pixels: 256 for many "
            "networks that take 224.",
            default="the model's own, or its images' shorter side",
            reset_by=("target",),
        ),
    ] = None
    colours: Annotated[
        Positive | None,
        option("Channels of its images: 1 (grey) or 3.", default="the model's own, or 3", reset_by=("target",)),
    ] = None
    classes_file: Annotated[
        str | None,
        option("The class names in order: a text file with a name per line, or JSON.", path=True, reset_by=("target",)),
    ] = None
    count_queries: Annotated[
        bool,
        option("Count what a local classifier is asked, and keep its answers on disk.", reset_by=("target",)),
    ] = False
    max_queries: Annotated[
        Positive | None, option("Most images that the classifier is asked about; the job ends there, resumably.")
    ] = None
    request_images: Annotated[
        Positive | None, option("Images of one request to a server.", default="what the server takes")
    ] = None
    concurrency: Annotated[
        Requests | None, option("Requests that are under way at the same time.", default="8 for servers, else 1")
    ] = None
    rate: Annotated[Rate | None, option("Images per second, at most.")] = None
    timeout: Annotated[
        Seconds | None, option("Seconds that a request may take.", default="60 for servers, else no limit")
    ] = None
    retries: Annotated[Retries, option("How often a request that failed is repeated, with growing waits.")] = 4

    @property
    def understood(self) -> ModelOptions:
        """Those of them that say how the classifier is understood, without how it is asked."""
        unsaid = ModelOptions()
        return replace(self.model, **{name: getattr(unsaid, name) for name in ASKING})

    @property
    def said(self) -> dict[str, Any]:
        """Those of them that were given."""
        unsaid = ModelOptions()
        return {
            name: value
            for name in declarations(ModelOptions)
            if (value := getattr(self, name)) != getattr(unsaid, name)
        }

    @property
    def model(self) -> ModelOptions:
        """Those of a job's options that are declared here."""
        return ModelOptions(**{name: getattr(self, name) for name in declarations(ModelOptions)})
