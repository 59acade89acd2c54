"""Rules that an audit must keep, such as ``fooled_at_99 > 0.5``, and JUnit's XML of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from xml.etree import ElementTree

from ..errors import ConfigError, suggestion
from .figure_table import FIGURES, PARTS
from .record import AuditRecord

SIGNS: dict[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}
"""How a figure is compared with a rule's limit."""

ENDS = ("", "_low", "_high")
"""What follows a figure's name: nothing, or an end of its 95 % interval."""

BROKEN = 3
"""Exit code where a rule is broken."""

_RULE = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|==|!=|>|<)\s*([-+.\deE]+)\s*(%?)\s*")


@dataclass(frozen=True)
class Rule:
    """What must not be true of an audit.

    Attributes:
        text: The rule as the user wrote it.
        name: A figure, with ``_low`` or ``_high`` for an end of its interval.
        sign: One of ``SIGNS``.
        limit: The number that it is compared with.
    """

    text: str
    name: str
    sign: str
    limit: float

    @property
    def figure(self) -> str:
        """The name of the figure itself."""
        return self.name if self.name in FIGURES else self.name.rpartition("_")[0]


@dataclass(frozen=True)
class Verdict:
    """What came of a rule.

    Attributes:
        rule: The rule.
        value: What the figure is; None where it was not measured.
        broken: Whether the rule is broken. One that can't be checked is.
        why: What is said of it.
    """

    rule: Rule
    value: float | None
    broken: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {"rule": self.rule.text, "value": self.value, "broken": self.broken, "why": self.why}


def parse_rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """Return rules from their texts: ``NAME SIGN NUMBER``, with ``%`` behind the number for shares.

    Raises:
        ConfigError: A text is no rule, or names no figure.
    """
    return tuple(_rule(text) for text in texts)


def check_rules(rules: Sequence[Rule], record: AuditRecord) -> list[Verdict]:
    """Return what comes of each rule. One whose figure was not measured counts as broken: nobody knows."""
    known, verdicts = record.flat(), []
    for rule in rules:
        value = known[rule.name]
        if value is None:
            part = FIGURES[rule.figure].part
            reason = record.parts[part].why if part else ""
            verdicts.append(Verdict(rule, None, True, f"{rule.name} was not measured{': ' + reason if reason else ''}"))
            continue
        broken = SIGNS[rule.sign](value, rule.limit)
        verdicts.append(Verdict(rule, value, broken, f"{rule.name} is {_number(value)}"))
    return verdicts


def junit(record: AuditRecord, verdicts: Sequence[Verdict]) -> str:
    """Return an audit as JUnit's XML: a test case for each part, and one for each rule."""
    failures = sum(verdict.broken for verdict in verdicts)
    skipped = [name for name, part in record.parts.items() if part.status == "skipped"]
    counts = {"tests": len(PARTS) + len(verdicts), "failures": failures, "errors": 0, "skipped": len(skipped)}
    facts = {"name": f"evofool audit of {record.target.name}", "time": f"{record.seconds:.1f}"}
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", _clean(facts | {k: str(n) for k, n in counts.items()}))
    figures = ElementTree.SubElement(suite, "properties")
    for name, value in record.flat().items():
        if value is not None:
            ElementTree.SubElement(figures, "property", {"name": name, "value": _number(value)})
    for name, part in record.parts.items():
        about = {"classname": "evofool.audits.parts", "name": name, "time": f"{part.seconds:.1f}"}
        case = ElementTree.SubElement(suite, "testcase", about)
        if part.status == "skipped":
            ElementTree.SubElement(case, "skipped", _clean({"message": part.why}))
    for verdict in verdicts:
        about = _clean({"classname": "evofool.audits.rules", "name": verdict.rule.text, "time": "0"})
        case = ElementTree.SubElement(suite, "testcase", about)
        if verdict.broken:
            ElementTree.SubElement(case, "failure", _clean({"message": verdict.why, "type": "rule"}))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _rule(text: str) -> Rule:
    found = _RULE.fullmatch(str(text))
    if not found:
        raise ConfigError(
            f'`fail_on` takes a figure, a sign ({" ".join(SIGNS)}) and a number, such as "fooled_at_99 > 0.5"; '
            f'got "{text!s:.60}"'
        )
    name, sign, digits, percent = found.groups()
    rule = Rule(" ".join(str(text).split()), name, sign, _limit(text, digits, percent))
    if rule.figure not in FIGURES or name.removeprefix(rule.figure) not in ENDS:
        names = [figure + end for end in ENDS for figure in FIGURES]
        hint = suggestion(name, names) or f"; there are {', '.join(FIGURES)}, each also with _low and _high"
        raise ConfigError(f'`fail_on`: no figure is called "{name:.40}"{hint}')
    if FIGURES[rule.figure].share and not 0 <= rule.limit <= 1:
        raise ConfigError(f'`fail_on`: {name} is a share from 0 to 1, got "{rule.text:.60}"; write 0.5 or 50 %')
    return rule


def _limit(text: str, digits: str, percent: str) -> float:
    try:
        return float(digits) / (100 if percent else 1)
    except ValueError as error:
        raise ConfigError(f'`fail_on` takes a number behind the sign, got "{digits:.40}" in "{text:.60}"') from error


def _number(value: float) -> str:
    """Return a number as it is read: six digits are more than any audit knows."""
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    """Return texts without the characters that no XML may have."""
    allowed = "".maketrans(dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535], "�"))
    without = {name: value.translate(allowed) for name, value in attributes.items()}
    return {name: value.encode("utf-8", "replace").decode() for name, value in without.items()}
