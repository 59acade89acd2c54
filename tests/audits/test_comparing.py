"""Audits compared: intervals against Newcombe's published ones, verdicts, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audit_records import figure, record
from pages import Page

from evofool.audits.comparing import differences, lead, warnings, worsened
from evofool.audits.comparison import compare_audits, write_comparison
from evofool.audits.measured import share
from evofool.audits.record import AuditRecord
from evofool.errors import ConfigError, RunError


def of(name: str, successes: int, n: int) -> AuditRecord:
    """An audit with one figure."""
    return record({name: share(successes, n)})


def row(before: AuditRecord, after: AuditRecord, name: str):  # type: ignore[no-untyped-def]
    """The difference of one figure."""
    return next(one for one in differences(before, after) if one.name == name)


def test_intervals_of_differences_are_newcombes() -> None:
    """56 of 70 against 48 of 80: Newcombe 1998, table II, method 10, example (a)."""
    found = row(of("pixels_1", 48, 80), of("pixels_1", 56, 70), "pixels_1")
    assert (found.difference, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("name", "before", "after", "verdict"),
    [
        ("fooled_at_99", (10, 100), (60, 100), "worse"),
        ("fooled_at_99", (60, 100), (10, 100), "better"),
        ("auroc_msp", (60, 100), (10, 100), "worse"),
        ("accuracy", (10, 100), (60, 100), "better"),
        ("accuracy", (50, 100), (52, 100), "none"),
        ("accuracy", (0, 0), (52, 100), "unknown"),
    ],
)
def test_a_verdict_knows_which_way_is_worse(
    name: str, before: tuple[int, int], after: tuple[int, int], verdict: str
) -> None:
    assert row(of(name, *before), of(name, *after), name).verdict == verdict


def test_among_many_figures_a_difference_that_chance_may_make_is_no_sure_one() -> None:
    names = ["fooled_at_50", "pixels_1", "pixels_3", "pixels_5", "ece", "accuracy"]
    before, after = ({name: share(n if name == "ece" else 50, 100) for name in names} for n in (35, 50))
    assert row(of("ece", 35, 100), of("ece", 50, 100), "ece").verdict == "worse"
    assert row(record(before), record(after), "ece").verdict == "perhaps worse"
    assert not worsened(differences(record(before), record(after)))


def test_equal_networks_are_seldom_called_different() -> None:
    rng, names = np.random.default_rng(0), ("fooled_at_50", "pixels_1", "accuracy", "ece")
    wrong = 0
    for _ in range(100):
        two = [record({name: share(int(rng.binomial(80, 0.3)), 80) for name in names}) for _ in range(2)]
        wrong += any(one.verdict in ("worse", "better") for one in differences(*two))
    assert wrong <= 9


def test_the_finding_says_where_nothing_can_be_shown() -> None:
    same = of("ece", 10, 100)
    assert lead(differences(same, same)) == "No difference that this budget can show."
    assert lead(differences(same, of("accuracy", 1, 2))) == "They have no figure in common."
    assert lead(differences(of("ece", 1, 100), of("ece", 80, 100))) == "Surely worse: ece."


def test_what_else_differs_is_said() -> None:
    said = " ".join(warnings(record({}), record({}, profile="full", queries=9000, data=None)))
    for word in ("profiles", "queries", "data", "same weights"):
        assert word in said


def test_the_page_and_json_of_a_comparison(tmp_path: Path) -> None:
    paths = []
    for name, count in (("<b>before", 5), ("after", 90), ("later", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "audit.json").write_bytes(of("fooled_at_99", count, 100).to_json())
        paths.append(tmp_path / name)
    found = compare_audits(paths)
    assert found.worse
    assert [one["finding"] for one in found.figures()["comparisons"]] == [
        "Surely worse: fooled_at_99.",
        "No difference that this budget can show.",
    ]
    page = Page(write_comparison(found, tmp_path / "page.html").read_text(encoding="utf-8"))
    assert page.problems == []
    assert "+85.0" in page.words
    assert "<b>before" in page.words
    assert not compare_audits([paths[0], paths[2]]).worse


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_bytes(record({"ece": figure(0.1, 0, 0.2)}).to_json())
    with pytest.raises(ConfigError, match="two audits or more"):
        compare_audits([tmp_path])
    with pytest.raises(ConfigError, match="given twice"):
        compare_audits([tmp_path, tmp_path])
    with pytest.raises(RunError, match=r"no audit\.json"):
        compare_audits([tmp_path, tmp_path / "gone"])
