"""What ``config.json`` holds: a job's options, what its target was, and the versions that made it."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Protocol

import msgspec

from ..errors import ConfigError, suggestion
from .attack import AttackOptions
from .evolve import EvolveOptions
from .model import ModelOptions
from .options import LARGEST
from .scoring import COMBINE, ROBUST, TRANSFORMATIONS, Draws

FORMAT = 2
"""Version of the formats of folders and of the files in them."""

MAX_EDGE = 8192
"""Largest height or width of a target's images, in pixels."""

Edge = Annotated[int, msgspec.Meta(ge=1, le=MAX_EDGE)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST - 1)]
Rows = Annotated[int, msgspec.Meta(ge=1, le=2**14)]
ClassIndex = Annotated[int, msgspec.Meta(ge=0, le=LARGEST - 1)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is recorded: frozen, and nothing that isn't declared."""


class RobustOptions(Protocol):
    """A job's options, as far as they say what images are scored under."""

    @property
    def robust(self) -> str | None: ...
    @property
    def robust_to(self) -> tuple[str, ...] | None: ...
    @property
    def robust_draws(self) -> int: ...
    @property
    def seed(self) -> int: ...


class RobustRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The transformations that images are scored under.

    Attributes:
        how: How their scores become one, ``worst`` or ``mean``.
        to: The transformations.
        draws: In how many strengths each is scored.
        seed: Random seed of the strengths.
    """

    how: str
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    draws: Draws
    seed: Count

    def __post_init__(self) -> None:
        if self.how not in ROBUST:
            raise ValueError(f"robust.how must be {' or '.join(ROBUST)}")
        if list(self.to) != [name for name in TRANSFORMATIONS if name in self.to]:
            raise ValueError(f"robust.to must be some of {', '.join(TRANSFORMATIONS)}, in this order")

    @classmethod
    def of(cls, options: RobustOptions) -> RobustRecord | None:
        """Return what a job's options say, None where images are scored as they are.

        Raises:
            ConfigError: They name what doesn't exist, or don't go together.
        """
        how, names = options.robust, options.robust_to
        if how is None:
            for name, said in (("robust_to", names is not None), ("robust_draws", options.robust_draws != 1)):
                if said:
                    raise ConfigError(f"`{name}` belongs to `robust=worst` or `robust=mean`; say one of them as well")
            return None
        if how not in ROBUST:
            raise ConfigError(f'`robust` must be {" or ".join(ROBUST)}, got "{how}"{suggestion(how, ROBUST)}')
        for name in names or ():
            if name not in TRANSFORMATIONS:
                hint = suggestion(name, TRANSFORMATIONS)
                raise ConfigError(
                    f'`robust_to`: no transformation is called "{name}"{hint}; there are {", ".join(TRANSFORMATIONS)}'
                )
        chosen = tuple(name for name in TRANSFORMATIONS if names is None or name in names)
        if not chosen:
            raise ConfigError(f"`robust_to` names no transformation; there are {', '.join(TRANSFORMATIONS)}")
        return cls(how=how, to=chosen, draws=options.robust_draws, seed=options.seed)


class TargetRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is needed to have a target again.

    Attributes:
        name: What it is called.
        spec: What it is loaded by: the name, or a file's whole path, or a URL; of several targets, those of each.
        model: How a classifier that the user brings was understood.
        own: Whether it is the user's own object, which has to be given again.
        weights: The user's weights file, or None; of several targets, those that were given, as ``NAME=FILE``.
        weights_sha256: Digest of the weights: of the file, or of the tensors of the user's own network. None where
            torch knows of none. Of several targets, the digest of what identifies each.
        fingerprint: What the user's own object says that it is, or None.
        spare_tensors: Tensors of the weights file that the network has no place for.
        device, precision, micro_batch, memory_format, fold, parallel: How its forward passes are run.
        image_shape: (C, H, W) of its images.
        classes: How many classes it has.
        class_names: Their names, for the user's own object.
        mean, std: How its images are normalised, by channel; None where that is not known.
        outputs: What the network returns, ``logits`` or ``probabilities``; None where that is not known.
        members: Of several targets that are fooled together, what is needed to have each again.
        combine: How their scores become one, ``min`` or ``mean``; None for a single target.
        robust: The transformations that images are scored under, or None.
    """

    name: str
    spec: str | tuple[str, ...]
    model: ModelOptions
    own: bool
    weights: str | tuple[str, ...] | None
    weights_sha256: str | None
    fingerprint: str | None
    spare_tensors: tuple[str, ...]
    device: str
    precision: str
    micro_batch: Annotated[int, msgspec.Meta(ge=1)]
    memory_format: str
    fold: bool
    parallel: bool
    image_shape: tuple[Edge, Edge, Edge]
    classes: Annotated[int, msgspec.Meta(ge=1)]
    class_names: tuple[str, ...] | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    outputs: str | None
    members: tuple[TargetRecord, ...]
    combine: str | None
    robust: RobustRecord | None

    def __post_init__(self) -> None:
        channels = self.image_shape[0]
        if channels not in (1, 3):
            raise ValueError(f"image_shape must have 1 or 3 channels, got {channels}")
        if self.class_names is not None and len(self.class_names) != self.classes:
            raise ValueError(f"class_names must be {self.classes} names")
        if any(values is not None and len(values) != channels for values in (self.mean, self.std)):
            raise ValueError(f"mean and std must have {channels} values")
        if bool(self.members) != (self.combine in COMBINE) or (self.combine and self.combine not in COMBINE):
            raise ValueError("members and combine must be there together")
        if len(self.members) == 1 or any(
            member.members or member.robust or (member.classes, member.image_shape) != (self.classes, self.image_shape)
            for member in self.members
        ):
            raise ValueError("members must be two or more single targets of the same classes and images")

    @property
    def identified(self) -> bool:
        """Whether it is known what tells this network from others of its name."""
        return bool(self.weights_sha256 or self.fingerprint)

    @property
    def label(self) -> str:
        """The name, with what tells this network from others of its name, as far as that is known."""
        mark = self.weights_sha256[:8] if self.weights_sha256 else self.fingerprint
        return f"{self.name} ({mark or 'not identified'})"

    @property
    def scoring(self) -> str:
        """What gives a recorded score, in words: the name, and that it is one under transformations."""
        if self.robust is None:
            return self.name
        return f"{self.name}, {'lowest' if self.robust.how == 'worst' else 'mean'} under transformations"

    def facts(self) -> dict[str, Any]:
        """Return what the target of a job is, as plain JSON values."""
        facts: dict[str, Any] = {"target": self.name, "weights_sha256": self.weights_sha256}
        if self.members:
            networks = {member.name: member.weights_sha256 for member in self.members}
            facts |= {"networks": networks, "combine": self.combine}
        return facts | ({"robust": msgspec.to_builtins(self.robust)} if self.robust else {})

    def identity(self) -> dict[str, Any]:
        """Return what makes another target of it."""
        return {
            "target": self.name,
            "model": msgspec.to_builtins(self.model.understood),
            **{name: getattr(self, name) for name in ("weights_sha256", "fingerprint", "mean", "std", "outputs")},
            "classes": self.classes,
            "class_names": self.class_names,
            "image_shape": list(self.image_shape),
            "members": [member.identity() for member in self.members],
            "combine": self.combine,
            "robust": msgspec.to_builtins(self.robust),
        }


class JobConfig(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every job's ``config.json`` holds."""

    kind: ClassVar[str]
    """The kind of job, which ``config.json`` names as ``job``."""

    versions: dict[str, str]

    def identity(self) -> dict[str, Any]:
        """Return what makes another job of it; files of one job are refused in the folder of another."""
        raise NotImplementedError

    def digest(self) -> bytes:
        """Return the SHA-256 of :meth:`identity`."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).digest()


FOUND_FOR_TARGET = (
    "weights", "weights_sha256", "device", "precision", "micro_batch", "memory_format", "fold", "parallel",
)  # fmt: skip
"""Options of a run that are recorded as they were found for its target, so that the same run can be made again."""


class RunConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of a run: its options with nothing left open. Budgets may change; they are not its identity.

    Attributes:
        options: The options.
        target: The target.
        class_indices: The classes that have niches.
        swapped: Names of the operators that the user swapped, by alias.
    """

    kind: ClassVar[str] = "run"

    options: EvolveOptions
    target: TargetRecord
    class_indices: Annotated[tuple[ClassIndex, ...], msgspec.Meta(min_length=1)]
    swapped: dict[str, str]

    def __post_init__(self) -> None:
        if list(self.class_indices) != sorted(set(self.class_indices)) or self.class_indices[-1] >= self.target.classes:
            raise ValueError(f"class_indices must rise and be below {self.target.classes}")
        for name in ("settings", "selector", "emitters", "batch"):
            if getattr(self.options, name) is None:
                raise ValueError(f"options.{name} must not be null")
        if self.options.target != self.target.spec:
            raise ValueError("the target's name is not the same in options and target")
        if self.options.classes != self.class_indices:
            raise ValueError("options.classes are not class_indices")
        if wrong := [name for name in FOUND_FOR_TARGET if getattr(self.options, name) != getattr(self.target, name)]:
            raise ValueError(f"{wrong[0]} is not the same in options and target")

    @property
    def niches(self) -> int:
        """How many niches there are, empty ones included."""
        per_class: int = (self.options.bins or 1) ** max(1, len(self.options.descriptors or ()))
        return len(self.class_indices) * per_class

    def identity(self) -> dict[str, Any]:
        """Return what the bytes of a run depend on."""
        chosen = {
            "class_indices": self.class_indices,
            "precision": self.target.precision,
            "swapped": self.swapped,
        }
        return {**self.options.identity(), **self.target.identity(), **chosen}


class DataRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a campaign's images came from.

    Attributes:
        name: The data set, folder or archive.
        path: The whole path of a folder or archive; None for a named data set.
        dir: Where named data sets are.
        asked, chosen: How many images were asked for, and how many there are.
        looked, correct: How many were scored, and how many of them the target classifies correctly.
        labelled: Whether somebody labelled them.
        mapping: Names of classes in the data, each with the class that it was taken for; empty where all have the
            names of the target's classes, or the data have no names.
        reason: Why they were taken so; empty where there is no mapping.
        skipped: Files that could not be used, with the reason.
    """

    name: str
    path: str | None
    dir: str
    asked: Count
    chosen: Count
    looked: Count
    correct: Count
    labelled: bool
    mapping: tuple[tuple[str, ClassIndex], ...]
    reason: str
    skipped: dict[str, str]


class PlanRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a campaign does with every image, as its options were understood.

    Attributes:
        criterion: The criteria in words.
        criteria: Target classes, None among them for untargeted; ``"all"`` for every class but the image's own.
        pixels: Numbers of pixels, tried in this order until one succeeds.
        strategy: How it searches.
        queries: Budget of an attempt, the strategy's own where the options leave that open.
        baseline: Whether random search follows each attempt.
        seed: Random seed.
        rows: Rows of a batch.
    """

    criterion: str
    criteria: tuple[ClassIndex | None, ...] | str
    pixels: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(min_length=1)]
    strategy: str
    queries: Annotated[int, msgspec.Meta(ge=1)]
    baseline: bool
    seed: Count
    rows: Rows


class CampaignConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of a campaign.

    Attributes:
        options: The options.
        target: The target.
        classes: The target's class names.
        data: Where the images came from.
        plan: What is done with every image.
        swapped: Names of the operators that the user swapped, by alias.
    """

    kind: ClassVar[str] = "campaign"

    options: AttackOptions
    target: TargetRecord
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    data: DataRecord
    plan: PlanRecord
    swapped: dict[str, str]

    def __post_init__(self) -> None:
        plan, (_, height, width) = self.plan, self.target.image_shape
        if len(self.classes) != self.target.classes:
            raise ValueError(f"classes must be {self.target.classes} names")
        if isinstance(plan.criteria, str):
            if plan.criteria != "all":
                raise ValueError('criteria must be "all" or class indices')
        elif (
            not plan.criteria
            or len(set(plan.criteria)) < len(plan.criteria)
            or any(index is not None and index >= len(self.classes) for index in plan.criteria)
        ):
            raise ValueError(f"criteria must be different class indices below {len(self.classes)}")
        if any(index >= len(self.classes) for _, index in self.data.mapping):
            raise ValueError(f"data.mapping must be of class indices below {len(self.classes)}")
        if list(plan.pixels) != sorted(set(plan.pixels)) or plan.pixels[-1] > height * width:
            raise ValueError(f"pixels must rise and be at most {height * width}")

    def identity(self) -> dict[str, Any]:
        """Return what an outcome depends on besides its image, which it names by its hash."""
        plan = msgspec.to_builtins(self.plan)
        del plan["criterion"], plan["rows"]
        return {**plan, **self.target.identity(), "classes": self.classes, "swapped": self.swapped}
