"""What an audit found, as ``audit.json`` holds it: read strictly, written the same for the same audit."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ..config.audit import AuditConfig
from ..config.options import fault_in_words
from ..errors import RunError
from ..io.files import open_regular
from ..io.nearby import nearby
from ..store.folder import CONFIG, kind_of, with_article
from ..store.records import Measure, Natural, NotNegative, plain_fault
from .figure_table import FIGURES, PARTS

SCHEMA: Literal[1] = 1
"""Version of the format of ``audit.json``."""

AUDIT_JSON, AUDIT_CSV = "audit.json", "audit.csv"

MAX_BYTES = 2**26
"""Largest size of an ``audit.json``; those of a thousand classes have about 200 kB."""

Edge = Annotated[int, msgspec.Meta(ge=1)]


class AuditedTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The classifier that was audited.

    Attributes:
        name: What it is called.
        weights_sha256: Digest of its weights; None where they are not known.
        classes: How many classes it has.
        image_shape: (C, H, W) of its images.
    """

    name: str
    weights_sha256: str | None
    classes: Annotated[int, msgspec.Meta(ge=1)]
    image_shape: tuple[Edge, Edge, Edge]


class AuditedData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The real images.

    Attributes:
        name: The data set, folder or archive.
        images: How many images were scored.
        labelled: Whether somebody labelled them.
        notes: What looks wrong with their labels, what class names were taken for, and what could not be read.
    """

    name: str
    images: Natural
    labelled: bool
    notes: tuple[str, ...] = ()


class AuditFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure.

    Attributes:
        value: The figure; None where its part was skipped or it does not exist.
        low, high: Ends of its 95 % interval; None where there is no value. A count's are the count itself.
        n: How many things it was counted over: classes, images.
    """

    value: Measure | None = None
    low: Measure | None = None
    high: Measure | None = None
    n: Natural = 0

    def __post_init__(self) -> None:
        if len({bound is None for bound in (self.value, self.low, self.high)}) > 1:
            raise ValueError("value, low and high must be there together")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low must not be above high")


class AuditPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one part of an audit.

    Attributes:
        status: Whether it was done.
        why: Why it was skipped, or what it could not do; empty where all was done.
        queries: Images that the target scored for it.
        seconds: Time that it took.
        details: What it found beside the figures, as plain JSON values.
    """

    status: Literal["done", "skipped"]
    why: str = ""
    queries: Natural = 0
    seconds: NotNegative = 0.0
    details: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.status == "skipped" and not self.why:
            raise ValueError("why must say for what reason the part was skipped")
        if problem := plain_fault(self.details):
            raise ValueError(f"details: {problem}")


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an audit found.

    Attributes:
        schema: Version of this format.
        evofool: Version of evofool.
        target, data: What was audited, and with which images; no data where it had none.
        profile, budget: How much was asked for, as the user wrote it; no budget where only the profile says.
        seed: Random seed.
        versions: Versions of Python and of the libraries.
        queries, seconds: What all parts took.
        figures: A figure for every name of :data:`~evofool.audits.figure_table.FIGURES`.
        parts: Every part of :data:`~evofool.audits.figure_table.PARTS`.
    """

    schema: Literal[1] = SCHEMA
    evofool: str
    target: AuditedTarget
    data: AuditedData | None
    profile: str
    budget: str | None
    seed: Natural
    versions: dict[str, str]
    queries: Natural
    seconds: NotNegative
    figures: dict[str, AuditFigure]
    parts: dict[str, AuditPart]

    def __post_init__(self) -> None:
        for what, found, expected in (("figures", self.figures, FIGURES), ("parts", self.parts, PARTS)):
            if missing := [name for name in expected if name not in found]:
                raise ValueError(f"{what} must have {missing[0]}")
            if unknown := [name for name in found if name not in expected]:
                raise ValueError(f"{what} must not have {unknown[0]:.40}")

    @classmethod
    def of(
        cls,
        *,
        figures: dict[str, AuditFigure],
        parts: dict[str, AuditPart],
        queries: int,
        seconds: float,
        **facts: Any,
    ) -> AuditRecord:
        """Return a record of some figures; those that are left out are null, and ``queries`` and ``seconds`` added."""
        totals = {"queries": float(queries), "seconds": round(float(seconds), 1)}
        known = figures | {name: AuditFigure(value=n, low=n, high=n, n=1) for name, n in totals.items()}
        return cls(
            figures={name: known.get(name, AuditFigure()) for name in FIGURES},
            parts={name: parts[name] for name in PARTS},
            queries=queries,
            seconds=round(seconds, 1),
            **facts,
        )

    def flat(self) -> dict[str, float | None]:
        """Return the figures by the names of rules and ``--json``: ``NAME``, ``NAME_low`` and ``NAME_high``."""
        flat: dict[str, float | None] = {}
        for name, figure in self.figures.items():
            flat |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
        return flat

    def to_json(self) -> bytes:
        """Return the bytes of ``audit.json``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def to_csv(self) -> str:
        """Return ``audit.csv``: a row for each figure, with its meaning."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("figure", "value", "low", "high", "n", "part", "meaning"))
        for name, kind in FIGURES.items():
            figure = self.figures[name]
            numbers = ("" if bound is None else bound for bound in (figure.value, figure.low, figure.high))
            rows.writerow((name, *numbers, figure.n, kind.part or "", kind.meaning))
        return text.getvalue()

    @property
    def labelled(self) -> bool:
        """Whether there were real images, and somebody had labelled them."""
        return self.data is not None and self.data.labelled


def read_record(path: Path) -> AuditRecord:
    """Read the record of an audit, given its folder or its ``audit.json``.

    Raises:
        RunError: There is none, or it is damaged or of another version.
    """
    file = path / AUDIT_JSON if path.is_dir() else path
    instead = f"; to audit a classifier, say `target={path}`"
    if path.is_file() and path.suffix != Path(AUDIT_JSON).suffix:
        raise RunError(f"{path} is no record of an audit{instead}")
    try:
        with open_regular(file) as source:
            content = source.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise RunError(f"no {AUDIT_JSON} at {path}{_where_else(path) or instead}") from error
    except OSError as error:
        raise RunError(f"can't read {file}: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MB, which no audit's record is")
    try:
        version = msgspec.json.decode(content, type=dict[str, Any]).get("schema")
        if version != SCHEMA:
            raise RunError(
                f"{file} has schema {version!r:.40}; this evofool reads {SCHEMA}: run the audit again with it"
            )
        return msgspec.json.decode(content, type=AuditRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{file} is damaged: {fault_in_words(error)[:120]}") from error


def _where_else(path: Path) -> str:
    """Return what a folder without a record is, and what to do, for the end of a message."""
    if not (path / CONFIG).exists():
        return nearby(path)
    try:
        kind = kind_of(path)
    except RunError as error:
        return f"; {error}"
    if kind == AuditConfig.kind:
        return f"; the audit is not finished: evofool resume {path} continues it"
    return f", which is the folder of {with_article(kind)}; give an audit's folder, or `target` for a new audit"
