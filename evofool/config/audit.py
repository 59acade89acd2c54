"""The options of an audit, what they come to in queries, and what ``config.json`` of an audit holds."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec

from ..errors import ConfigError, parse_names, suggestion
from . import images
from .engine import EngineOptions
from .options import LARGEST, Positive, option
from .records import Count, DataRecord, JobConfig, Record, TargetRecord

PROFILES = {"quick": "2m", "standard": "10m", "full": "60m"}
"""The profiles, each with its budget where none is given."""

SKIPPABLE = ("fooling", "pixels", "rejection", "corruptions", "calibration", "perturb")
"""Parts of an audit that can be left out."""

MOST_OTHERS = 10
"""Most other data sets that rejection is judged against."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)(?:ec|in|econds?|inutes?|ours?)?")
_QUERIES = re.compile(r"(\d[\d,_]*|\d+e\d)\s*(?:query|queries)?")


class AuditBudget(NamedTuple):
    """How much an audit may take: one of the two."""

    queries: int | None = None
    """Images that the target may be asked about."""
    seconds: float | None = None
    """Time that it may take."""

    @classmethod
    def parse(cls, text: int | str) -> AuditBudget:
        """Return the budget that a user wrote: ``10m``, ``90s``, ``50000``, ``50000 queries``.

        Raises:
            ConfigError: It is neither time nor a number of queries, or nothing.
        """
        word = str(text).strip().lower()
        if found := _TIME.fullmatch(word):
            seconds = float(found[1]) * _UNITS[found[2]]
            if 0 < seconds < LARGEST:
                return cls(seconds=seconds)
        elif found := _QUERIES.fullmatch(word):
            queries = int(float(found[1].replace(",", "").replace("_", "")))
            if 0 < queries < LARGEST:
                return cls(queries=queries)
        raise ConfigError(f'`budget` must be time as in 10m or 90s, or queries as in 50000, got "{word:.40}"')


class AuditOptions(EngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of an audit: of ``evofool audit`` and of :func:`evofool.audit`."""

    target: Annotated[
        str | None, option("The classifier to audit; see: evofool targets.", short="-t", default="the data's own")
    ] = None
    weights: Annotated[
        str | None, option("Weights of your own: a .safetensors file or a torch checkpoint.", path=True)
    ] = None
    data: Annotated[
        str | None,
        option(
            "Real images with labels: digits, mnist, fashionmnist, cifar10, cifar100, svhn, imagenet, a folder of "
            "pictures or an .npz archive. Without any, images are evolved and nothing else.",
            default="the target's own, if it has some",
            path=True,
        ),
    ] = None
    data_dir: images.DataDir = "data"
    profile: Annotated[
        str,
        option("How thorough it is: quick (2 minutes), standard (10) or full (60).", identity=True),
    ] = "standard"
    budget: Annotated[
        Positive | str | None,
        option(
            "How much it may take: time as in 10m or 90s, which becomes a number of queries by the speed that is "
            "measured at the start, or queries as in 50000.",
            default="the profile's",
            identity=True,
        ),
    ] = None
    others: Annotated[
        str | tuple[str, ...] | None,
        option(
            "Images of other classes, which the network should not be sure about: a data set's name, a folder of "
            "pictures or an .npz archive. Rejection is judged against them as well.",
            path=True,
            repeated=True,
            identity=True,
        ),
    ] = None
    skip: Annotated[
        tuple[str, ...],
        option(f"Parts to leave out: {', '.join(SKIPPABLE)}.", default="none", identity=True),
    ] = ()
    seed: images.Seed = 0
    device: images.Device = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.profile not in PROFILES:
            raise ConfigError(
                f'`profile` must be {", ".join(PROFILES)}, got "{self.profile:.40}"{suggestion(self.profile, PROFILES)}'
            )
        for name in parse_names(self.skip, "skip", SKIPPABLE) if self.skip else ():
            if name not in SKIPPABLE:
                raise ConfigError(
                    f'`skip`: there is no part "{name:.40}"{suggestion(name, SKIPPABLE)}; choose {", ".join(SKIPPABLE)}'
                )
        if self.others is not None:
            self._check_others()
        if set(SKIPPABLE) <= set(self.skip):
            raise ConfigError("`skip` names every part of an audit; leave one of them in")
        self.limits  # noqa: B018 - a budget that can't be is refused

    @property
    def other_data(self) -> tuple[str, ...]:
        """The names of other data."""
        return (self.others,) if isinstance(self.others, str) else self.others or ()

    def _check_others(self) -> None:
        """Check that other data are different ones, and have a part that they are for.

        Raises:
            ConfigError: They aren't, or it is left out.
        """
        if not 1 <= len(set(self.other_data)) == len(self.other_data) <= MOST_OTHERS:
            raise ConfigError(f"`others` must be at most {MOST_OTHERS} different data sets, got {self.others!r:.60}")
        if self.data in self.other_data:
            raise ConfigError(f"`others={self.data}` are the real images themselves; give images of other classes")
        if "rejection" in self.skip:
            raise ConfigError("`others` are for rejection, which `skip` leaves out; give one of them up")

    @property
    def limits(self) -> AuditBudget:
        """How much it may take.

        Raises:
            ConfigError: The budget can't be.
        """
        return AuditBudget.parse(PROFILES[self.profile] if self.budget is None else self.budget)


class AuditPlan(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many queries each part of an audit has.

    Attributes:
        queries: Those of all parts together, at most.
        cppn, direct: Images to score while evolving each encoding.
        real: Most real images that are scored.
        noise: Images of noise that are scored.
        others: Most images of each other data set that are scored.
        attacked: Real images whose pixels are changed, at least; queries that are left over go to more images.
        attempt: Most queries for one of these and one number of pixels.
        corrupted: Real images that are scored under every corruption.
        perturbed: Real images that gradients are taken of.
    """

    queries: Count
    cppn: Count
    direct: Count
    real: Count
    noise: Count
    others: Count
    attacked: Count
    attempt: Count
    corrupted: Count
    perturbed: Count


class OtherRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where images of other data come from.

    Attributes:
        name: The data set, folder or archive, as the user called it.
        path: The whole path of a folder or archive; None for a named data set.
        images: How many it has.
    """

    name: str
    path: str | None
    images: Count


class AuditConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of an audit.

    Attributes:
        options: The options.
        target: The target.
        classes: Its class names.
        differentiable: Whether it gives logits and gradients.
        resize, interpolation: How pictures become its images.
        data: Where the real images came from; None where there are none.
        no_data: Why there are none; else empty.
        others: The other data that rejection is judged against.
        plan: How many queries each part has.
        speed: Images a second, as measured for the plan; None where the budget is in queries.
    """

    kind: ClassVar[str] = "audit"

    options: AuditOptions
    target: TargetRecord
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    differentiable: bool
    resize: Count
    interpolation: str
    data: DataRecord | None
    no_data: str
    others: Annotated[tuple[OtherRecord, ...], msgspec.Meta(max_length=MOST_OTHERS)]
    plan: AuditPlan
    speed: float | None

    def __post_init__(self) -> None:
        if len(self.classes) != self.target.classes:
            raise ValueError(f"classes must be {self.target.classes} names")

    def identity(self) -> dict[str, Any]:
        """Return what the results depend on besides the images, which are named by their hashes."""
        plan: dict[str, Any] = msgspec.to_builtins(self.plan)
        return {**self.options.identity(), **plan, **self.target.identity(), "classes": self.classes}
