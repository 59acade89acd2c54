"""What a checkup found, as data and as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..text import between, counted, percent

ORDER_SHOWN = 40
"""How many class names are told in the order that images tell."""


@dataclass(frozen=True)
class Finding:
    """A mistake in how a classifier is understood, or in the classifier.

    Attributes:
        what: The mistake, in a few words.
        evidence: What was measured.
        fix: What mends it. Options stand in backticks by their Python names.
    """

    what: str
    evidence: str
    fix: str


@dataclass(frozen=True)
class Guess:
    """The best guess for a picture.

    Attributes:
        picture: What is on it.
        label: The name of the class.
        confidence: Its score, in [0, 1].
    """

    picture: str
    label: str
    confidence: float


@dataclass(frozen=True)
class Accuracy:
    """How many labelled images are classified correctly, where the classifier is read in one way.

    Attributes:
        reading: The way, in words.
        right: Images that are classified correctly.
        own: Mean score of the images' own classes, in [0, 1].
        p_value: Of the exact McNemar test against the way it is understood; None for that way itself.
    """

    reading: str
    right: int
    own: float
    p_value: float | None = None


@dataclass(frozen=True)
class Images:
    """What real images were used, and how they are scored.

    Attributes:
        name: What they are called.
        count: How many were scored.
        labelled: Whether their classes are known.
        confidence: Mean confidence of the best guesses, in [0, 1].
        interval: 95 % interval of the accuracy (Wilson 1927); None where they have no labels.
        matching: How the data's own class names were understood, where they are not the classifier's.
        one_class: Whether all of them are of the same class.
        skipped: Files that could not be read.
        left: Images that there are beside these.
    """

    name: str
    count: int
    labelled: bool
    confidence: float
    interval: tuple[float, float] | None = None
    matching: str = ""
    one_class: bool = False
    skipped: int = 0
    left: int = 0


@dataclass(frozen=True, repr=False)
class Checkup:
    """What ``evofool targets check`` and :func:`evofool.check_target` found. As text it is what the command prints.

    Attributes:
        target: The target's name.
        facts: What was understood, by name.
        findings: The mistakes; empty where nothing is wrong.
        notes: What can't be told, such as which of two ways to normalise is right. They are no mistakes.
        guesses: The best guesses for noise and flat pictures.
        images: The real images, where there were some.
        accuracies: How many of them are right: as understood, then in other ways.
        order: Where the class names stand in another order, the order that the images tell.
        queries: Queries that were paid; None where nobody counts them.
    """

    target: str
    facts: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    images: Images | None = None
    accuracies: tuple[Accuracy, ...] = ()
    order: tuple[str, ...] = ()
    queries: int | None = None

    def with_words(self, words: Callable[[str], str]) -> Checkup:
        """Return the checkup with what mends a mistake in other words, such as the command line's."""
        findings = tuple(replace(finding, fix=words(finding.fix)) for finding in self.findings)
        return replace(self, findings=findings, notes=tuple(map(words, self.notes)))

    def json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {"ok": not self.findings, **asdict(self)}

    def __repr__(self) -> str:
        found = counted(len(self.findings), "mistake") if self.findings else "nothing wrong was found"
        blocks = [[f"{self.target}: {found}", *_columns(self.facts)]]
        guesses = {guess.picture: f"{percent(guess.confidence):>10}  {guess.label}" for guess in self.guesses}
        blocks.append(_columns(guesses))
        if self.images is not None:
            blocks.append(self._image_lines(self.images))
        if self.queries is not None:
            blocks.append(_columns({"queries": f"{self.queries:,}"}))
        for finding in self.findings:
            rows = {"evidence": finding.evidence, "do": finding.fix.replace("`", "")}
            blocks.append([f"wrong: {finding.what}", *_columns(rows)])
        if self.order:
            shown = self.order[:ORDER_SHOWN]
            more = (
                [f"… {len(self.order) - len(shown):,} more; as JSON all are there"] if self.order[ORDER_SHOWN:] else []
            )
            blocks.append(["the class names in the order of the outputs, one a line in FILE:", *shown, *more])
        blocks += [["can't be told: " + note.replace("`", "")] for note in self.notes]
        return "\n\n".join("\n".join(lines) for lines in blocks if lines)

    def _image_lines(self, images: Images) -> list[str]:
        rows = {"images": f"{images.count:,} of {images.name}, mean confidence {percent(images.confidence)}"}
        if images.labelled and images.left:
            rows["images"] += f" ({images.left:,} more would tell smaller differences)"
        if images.skipped:
            rows["left out"] = f"{counted(images.skipped, 'file')} that can't be read"
        if images.matching:
            rows["labels"] = images.matching
        if images.labelled and images.one_class:
            rows["classes"] = "all images are of one class, so their accuracy tells little: give images of several"
        if not images.labelled:
            rows["labels"] = "none, so nothing is said of accuracy; put the images into a folder for each class"
        for accuracy in self.accuracies:
            share = f"{accuracy.right:,} of {images.count:,} right, own class {percent(accuracy.own)}"
            if accuracy.p_value is not None:
                share += f" (p = {accuracy.p_value:.2g})"
            elif images.interval is not None:
                share += f" ({between(*images.interval)} with 95 % confidence)"
            rows[accuracy.reading] = share
        return _columns(rows)


def _columns(rows: Mapping[str, str]) -> list[str]:
    width = max(map(len, rows), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in rows.items()]
