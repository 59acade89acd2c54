"""Rules: parsed, refused in one line, and judged; their JUnit read by another reader."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from audit_records import figure, record

from evofool.audits.record import AuditedTarget
from evofool.audits.rules import check_rules, junit, parse_rules
from evofool.errors import ConfigError

AUDIT = record(
    {"fooled_at_99": figure(0.6, 0.4, 0.8), "auroc_msp": figure(0.9, 0.85, 0.95)}, {"fooling": {}, "rejection": {}}
)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("fooled_at_99 > 0.5", True),
        ("fooled_at_99>60%", False),
        ("fooled_at_99 >= 60 %", True),
        ("fooled_at_99_low > 0.5", False),
        ("  fooled_at_99_high  >  0.5 ", True),
        ("auroc_msp < 0.9", False),
        ("auroc_msp <= .9", True),
        ("queries > 1e3", False),
        ("queries >= 1000", True),
        ("queries != 1000", False),
    ],
)
def test_a_rule_says_what_must_not_be(rule: str, broken: bool) -> None:
    assert [verdict.broken for verdict in check_rules(parse_rules([rule]), AUDIT)] == [broken]


def test_a_rule_of_what_was_not_measured_counts_as_broken_and_says_why() -> None:
    (verdict,) = check_rules(parse_rules(["pixels_1 > 0.2"]), AUDIT)
    assert verdict.broken
    assert verdict.why == "pixels_1 was not measured: no data were given"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("fooled_at_9 > 0.5", 'did you mean "fooled_at_99"'),
        ("foold_at_99_low > 0.5", 'did you mean "fooled_at_99_low"'),
        ("grade > 0.5", "there are fooled_at_50"),
        ("fooled_at_99_mid > 0.5", "no figure"),
        ("fooled_at_99", "a figure, a sign"),
        ("fooled_at_99 > ", "a figure, a sign"),
        ("fooled_at_99 > 1.2.3", "takes a number"),
        ("fooled_at_99 > 50", "write 0.5 or 50 %"),
        ("fooled_at_99 > 0.5 or true", "a figure, a sign"),
        ("", "a figure, a sign"),
    ],
)
def test_what_is_no_rule_is_refused_in_one_line(rule: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^`fail_on`") as refused:
        parse_rules([rule])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_junit_has_a_case_for_each_part_and_rule() -> None:
    verdicts = check_rules(parse_rules(["fooled_at_99 > 0.5", "auroc_msp < 0.5"]), AUDIT)
    suite = ElementTree.fromstring(junit(AUDIT, verdicts)).find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert int(suite.get("tests", 0)) == len(cases) == 8
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "4")
    failure = cases["fooled_at_99 > 0.5"].find("failure")
    assert failure is not None
    assert failure.get("message") == "fooled_at_99 is 0.6"
    assert cases["auroc_msp < 0.5"].find("failure") is None
    assert cases["pixels"].find("skipped") is not None


def test_junit_of_a_name_with_control_characters_can_be_read() -> None:
    target = {"name": "a\x00<b>\x1b&\ud800", "weights_sha256": None, "classes": 2, "image_shape": (1, 2, 2)}
    text = junit(record({}, target=AuditedTarget(**target)), [])
    assert "<b>" in ElementTree.fromstring(text.encode())[0].get("name", "")
