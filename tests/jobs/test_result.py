"""What results look like when they are printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from configs import campaign_config
from fake_results import campaign_result, run_result

from evofool.attacks.statistics import Statistics


def test_a_run_s_result_is_three_lines() -> None:
    assert str(run_result()).splitlines() == [
        "done: tiny, direct, 24,000 evaluations + 843 confirmations in 1:00",
        "median 75.00 %, lowest [red]deer 25.00 %, 1 of 3 classes at 99 % or more",
        "run runs/a, gallery runs/a/index.html; .images (4, 3, 8, 8), .classes, .confidence",
    ]


def test_a_result_in_memory_says_so() -> None:
    lines = str(run_result(run=None, gallery=None, interrupted=True)).splitlines()
    assert lines[0].startswith("stopped: ")
    assert lines[2] == "nothing was written; .images (4, 3, 8, 8), .classes, .confidence"


def test_images_are_decoded_when_they_are_asked_for_and_once() -> None:
    calls = []
    result = run_result(decode=lambda: calls.append(0) or np.ones((4, 3, 8, 8), np.uint8))
    assert ".images (4, 3, 8, 8)" in str(result)
    result.summary()
    assert calls == []
    assert result.images is result.images
    assert result.images.all()
    assert calls == [0]


def test_a_campaign_s_result_is_three_lines() -> None:
    result = campaign_result(Statistics(1, successes=2, failures=2))
    assert str(result).splitlines() == [
        "done: tiny on some, untargeted, local",
        "2 of 4 attempts succeeded: 50.0 % (95 % interval 15.0 – 85.0 %)",
        f"campaign {Path('attacks/a')}, report {Path('attacks/a/report.html')}",
    ]


def test_a_campaign_that_settled_nothing_has_no_rate() -> None:
    assert "0 of 0 attempts succeeded\n" in str(campaign_result(Statistics(1)))


def test_notebooks_show_the_same_as_print() -> None:
    for result in (run_result(), campaign_result(Statistics(1))):
        assert repr(result) == str(result)


def test_a_campaign_s_result_tells_what_class_names_were_taken_for_and_what_looks_wrong() -> None:
    data = {"mapping": (("Hund", 1), ("Katze", 0)), "reason": "in order", "looked": 100, "correct": 1}
    lines = str(campaign_result(Statistics(1), config=campaign_config(data=data))).splitlines()
    assert len(lines) == 5
    assert lines[2].startswith("warning: only 1 of 100 images looked at are classified correctly")
    assert lines[3].startswith("classes: in order: Hund → ")
