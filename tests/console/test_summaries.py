"""What is said of jobs that ended, and of folders that are inspected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from configs import campaign_config
from fake_results import campaign_result, run_result
from fake_steps import failure, statistics_of, success

from evofool.attacks.data_warnings import data_facts
from evofool.console.summaries import fact_rows, finished_campaign, finished_run

RESUME = "evofool resume runs/a"


def test_a_finished_run_says_all_there_is_to_know() -> None:
    title, rows = finished_run(run_result(), RESUME)
    assert title == "done: tiny, direct"
    assert rows == [
        ("median", "75.00 %"),
        ("mean", "66.50 %"),
        ("lowest", "[red]deer 25.00 %, dog 75.00 %, cat 99.50 %"),
        ("at 99 % or more", "1 of 3 classes"),
        ("work", "1,200 generations, 24,000 evaluations + 843 confirmations in 1:00 (400 images/s)"),
        ("gallery", str(Path("runs/a/index.html"))),
        ("sheet", str(Path("runs/a/gallery.png"))),
        ("run", str(Path("runs/a"))),
        ("go further", RESUME),
    ]


def test_a_run_that_was_stopped_says_how_to_go_on() -> None:
    title, rows = finished_run(run_result(interrupted=True), RESUME)
    assert title == "stopped: tiny, direct"
    assert rows[-1] == ("go on", RESUME)


def test_a_run_in_memory_names_no_files() -> None:
    _, rows = finished_run(run_result(run=None, gallery=None, sheet=None), RESUME)
    assert [name for name, _ in rows] == ["median", "mean", "lowest", "at 99 % or more", "work"]


def test_letters_of_a_contact_sheet_that_no_font_has_are_named() -> None:
    rows = dict(finished_run(run_result(missing="猫犬"), RESUME)[1])
    assert rows["letters"].startswith("no font here has 猫 犬; install one that does")


def test_several_niches_per_class_are_counted() -> None:
    _, rows = finished_run(run_result(places=[{}] * 4, niches=1500), RESUME)
    assert ("elites", "4 of 1,500 niches   QD score 2.5") in rows


def test_a_finished_campaign_says_all_there_is_to_know() -> None:
    statistics = statistics_of(*map(success, range(2)), *map(failure, range(2, 5)))
    title, rows = finished_campaign(campaign_result(statistics), RESUME)
    assert title == "done: tiny, untargeted, local"
    assert rows == [
        ("images", "3; 2 of 3 looked at are classified correctly"),
        ("success", "2 of 5: 40.0 % (95 % interval 11.8 – 76.9 %)"),
        ("queries", "150 in ended attempts, 30 an attempt (mean), 23 to a success (median)"),
        ("report", str(Path("attacks/a/report.html"))),
        ("campaign", str(Path("attacks/a"))),
    ]


def test_a_campaign_that_was_stopped_says_how_to_go_on_and_what_the_end_can_bring() -> None:
    statistics = statistics_of(success(0), failure(1))
    title, rows = finished_campaign(campaign_result(statistics, interrupted=True), RESUME)
    assert title.startswith("stopped: ")
    assert rows[-1] == ("go on", RESUME)
    assert dict(rows)["success"].endswith("; 20.0 – 80.0 % when all have ended")


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "–"),
        ([success(0), success(1, pixels=2), success(2)], "1: 2, 2: 1"),
    ],
)
def test_successes_are_counted_by_pixels_where_several_numbers_were_tried(outcomes: list[Any], text: str) -> None:
    result = campaign_result(statistics_of(*outcomes, last_k=2), config=campaign_config({"pixels": (1, 2)}))
    assert dict(finished_campaign(result, RESUME)[1])["by pixels"] == text


def test_the_baseline_is_told_without_the_images_that_were_wrong_before() -> None:
    statistics = statistics_of(*map(success, range(4)), failure(4, already=True))
    baseline = statistics_of(success(0, strategy="random"), *(failure(i, strategy="random") for i in range(1, 4)))
    rows = dict(finished_campaign(campaign_result(statistics, baseline), RESUME)[1])
    assert rows["random"] == "1 of 4: 25.0 % (95 % interval 4.6 – 69.9 %), with equal queries"
    assert rows["wrong before"] == "1, not counted above"


def test_files_that_were_left_out_are_counted_and_named() -> None:
    config = campaign_config(data={"skipped": {"a.png": "is empty", "b.png": "is no image"}})
    rows = dict(finished_campaign(campaign_result(statistics_of(), config=config), RESUME)[1])
    assert rows["left out"] == "2 files: a.png (is empty), b.png (is no image)"


def test_what_looks_wrong_with_the_labels_stands_first() -> None:
    config = campaign_config(data={"looked": 100, "correct": 6})
    rows = finished_campaign(campaign_result(statistics_of(), config=config), RESUME)[1]
    assert rows[0][0] == "warning"
    assert rows[0][1].startswith("only 6 of 100 images looked at")


def test_what_the_names_in_the_data_were_taken_for_is_told() -> None:
    config = campaign_config(data={"mapping": (("Hund", 1), ("Katze", 0)), "reason": "no name is a class's"})
    rows = dict(finished_campaign(campaign_result(statistics_of(), config=config), RESUME)[1])
    assert rows["classes"] == f"no name is a class's: Hund → {config.classes[1]}, Katze → {config.classes[0]}"
    facts = dict(fact_rows({**data_facts(config), "baseline": None}))
    assert facts["mapping"] == rows["classes"]
    assert (facts["warnings"], facts["skipped"]) == ("–", "–")


def test_facts_are_rows() -> None:
    facts = {"run": "runs/a", "median": 0.123456789, "budget": {"generations": 20}, "preset": None}
    assert fact_rows(facts) == [
        ("run", "runs/a"), ("median", "12.34 %"), ("budget", "generations 20"), ("preset", "–"),
    ]  # fmt: skip


def test_facts_have_plain_names() -> None:
    facts = {"at_99": 3, "elites_written": True, "queries_per_attempt": 40, "finished": False}
    assert fact_rows(facts) == [
        ("at 99 % or more", "3"), ("elites in files", "yes"), ("queries per attempt", "40"), ("finished", "no"),
    ]  # fmt: skip


def test_a_baseline_s_facts_have_rows_of_their_own() -> None:
    facts = {"successes": 3, "baseline": {"successes": 1, "by_pixels": {"1": 1}}, "pending": 0}
    assert fact_rows(facts) == [
        ("successes", "3"), ("baseline", "equal queries"), ("pending", "0"), ("baseline successes", "1"),
        ("baseline by pixels", "1 1"),
    ]  # fmt: skip
    assert fact_rows({"baseline": None}) == [("baseline", "–")]
