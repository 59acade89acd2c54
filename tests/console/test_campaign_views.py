"""How the progress and the outcome of a campaign are told, in a terminal and piped."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console as Rich

from evofool.attacks.outcome import Outcome
from evofool.attacks.statistics import Statistics
from evofool.console import campaign_view as campaign_views
from evofool.console.campaign_view import (
    NEWS,
    CampaignPace,
    PlainCampaign,
    images_text,
    queries_text,
    success_text,
    told_success,
)
from evofool.console.console import Console
from evofool.console.run_view import PLAIN_SECONDS
from evofool.jobs.campaign import Standing


def outcome(image: int = 0, **changes: Any) -> Outcome:
    """A success at (14, 9) after 23 queries, with some of it changed."""
    record = {
        "image": image, "criterion_index": None, "pixels": 1, "strategy": "local", "success": True, "already": False,
        "queries": 30, "queries_to_success": 23, "shared": 1, "class": "cat", "final": "dog",
        "edits": [{"x": 14, "y": 9, "colour": [1, 2, 3]}],
    }  # fmt: skip
    return record | changes


def failure(image: int = 0, **changes: Any) -> Outcome:
    return outcome(image, success=False, queries_to_success=None, **changes)


def statistics_of(*outcomes: Outcome, last_k: int = 1) -> Statistics:
    statistics = Statistics(last_k)
    for one in outcomes:
        statistics.add(one)
    return statistics


class Clock:
    """The time, where a test sets it."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(campaign_views, "time", clock)
    return clock


class Course:
    """A campaign of ten pairs that ends with these outcomes, as its observer sees it."""

    def __init__(self, total: int = 10, last_k: int = 1, baseline: bool = False, name: str = "tiny") -> None:
        self.statistics, self.total, self.begun = Statistics(last_k), total, 0
        self.baseline = Statistics(last_k) if baseline else None
        self.campaign: Any = SimpleNamespace(
            running=3, scored=0, target=SimpleNamespace(name=name), plan=SimpleNamespace(strategy="local")
        )

    def after(self, *new: Outcome, scored: int = 0) -> Standing:
        for one in new:
            (self.statistics if one["strategy"] == "local" else self.baseline or self.statistics).add(one)
        self.campaign.scored += scored
        return Standing(self.campaign, self.statistics, self.baseline, self.total, self.begun, new)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "cat → dog at (14, 9), 23 queries"),
        ({"queries_to_success": 1}, "cat → dog at (14, 9), 1 query"),
        ({"queries_to_success": 2}, "cat → dog at (14, 9), 2 queries"),
        ({"queries_to_success": 12345}, "cat → dog at (14, 9), 12,345 queries"),
    ],
)
def test_a_success_is_told_with_its_place_and_queries(changes: dict[str, Any], text: str) -> None:
    assert told_success(outcome(**changes)) == text


@pytest.mark.parametrize(
    ("edits", "places"),
    [
        (2, "(0, 5), (1, 5)"),
        (3, "(0, 5), (1, 5), (2, 5)"),
        (4, "(0, 5), (1, 5), (2, 5) …"),
        (30, "(0, 5), (1, 5), (2, 5) …"),
    ],
)
def test_three_places_are_told_and_that_there_are_more(edits: int, places: str) -> None:
    told = told_success(outcome(edits=[{"x": x, "y": 5, "colour": [0]} for x in range(edits)]))
    assert told == f"cat → dog at {places}, 23 queries"


def test_the_share_of_successes_is_told_with_its_interval() -> None:
    statistics = statistics_of(*(outcome(i) for i in range(12)), *(failure(i) for i in range(12, 40)))
    assert success_text(statistics, 40) == "12 of 40: 30.0 % (95 % interval 18.1 – 45.4 %)"


def test_nothing_is_told_of_a_share_of_nothing() -> None:
    assert success_text(Statistics(1), 0) == "none of 0 yet"
    already = outcome(success=False, already=True, queries=0, queries_to_success=None, edits=[])
    assert success_text(statistics_of(already), 1) == "none of 0 yet"  # an image that was wrong before is no success
    assert success_text(statistics_of(failure()), 1).startswith("0 of 1: 0.0 % (")


def test_large_counts_have_commas() -> None:
    statistics = Statistics(1, successes=1234, failures=4321)
    assert success_text(statistics, 5555).startswith("1,234 of 5,555: 22.2 % (")


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "0 in all"),
        ([failure(queries=1500)], "1,500 in all, 1,500 an attempt (mean)"),
        (
            [outcome(0), outcome(1, queries=1000, queries_to_success=26), failure(2, queries=5000)],
            "6,030 in all, 2,010 an attempt (mean), 24 to a success (median)",
        ),
    ],
)
def test_queries_are_told_as_far_as_they_are_known(outcomes: list[Outcome], text: str) -> None:
    assert queries_text(statistics_of(*outcomes).figures()) == text


def test_images_are_told_with_how_many_there_were() -> None:
    known = {"images": 100, "asked": 100, "looked": 1234, "correct": 1111, "labelled": True}
    assert images_text(known) == "100; 1,111 of 1,234 looked at are classified correctly"
    told = images_text(known | {"asked": 2000})
    assert told == "100 (there are no more, 2,000 were asked for); 1,111 of 1,234 looked at are classified correctly"


def test_the_pace_of_a_campaign_gives_its_remaining_time(clock: Clock) -> None:
    course, pace = Course(total=10), CampaignPace()
    clock.now += 2
    pace.note(course.after(scored=40))
    assert (pace.elapsed, pace.rate, pace.remaining) == (2, 20, None)  # no attempt has ended yet
    clock.now += 2
    pace.note(course.after(outcome(0), failure(1), scored=60))
    assert (pace.elapsed, pace.rate, pace.remaining) == (4, 25, 16)  # 2 s an attempt, 8 to come
    clock.now += 6
    pace.note(course.after(*(failure(i) for i in range(2, 10))))
    assert pace.remaining == 0


def test_the_pace_is_this_sitting_s_only(clock: Clock) -> None:
    course = Course(total=10)
    course.after(*(failure(i) for i in range(6)))  # in a sitting before
    course.begun = 6
    pace = CampaignPace()
    clock.now += 3
    pace.note(course.after(failure(6), scored=30))
    assert (pace.rate, pace.remaining) == (10, 9)  # 3 s an attempt, 3 to come


def test_images_that_were_wrong_before_are_done_as_well(clock: Clock) -> None:
    course, pace = Course(total=4), CampaignPace()
    clock.now += 2
    pace.note(course.after(outcome(0), failure(1, already=True)))
    assert pace.remaining == 2


def test_no_time_has_no_speed(clock: Clock) -> None:
    pace = CampaignPace()
    pace.note(Course().after(outcome(0), scored=40))
    assert (pace.rate, pace.remaining) == (0, 0)


def test_attempts_that_settle_nothing_are_no_progress(clock: Clock) -> None:
    course, pace = Course(total=10, last_k=2), CampaignPace()
    clock.now += 2
    pace.note(course.after(failure(0), failure(1)))
    assert pace.remaining is None  # two pixels are to be tried for each


def test_the_baseline_s_attempts_are_no_progress(clock: Clock) -> None:
    course, pace = Course(total=10, baseline=True), CampaignPace()
    clock.now += 2
    pace.note(course.after(failure(0), failure(0, strategy="random")))
    assert pace.remaining == 18


def test_piped_lines_come_at_first_now_and_then_and_at_last(clock: Clock) -> None:
    lines: list[str] = []
    course, view = Course(total=8), PlainCampaign(lines.append)
    for image in range(8):
        view(course.after(outcome(image) if image == 2 else failure(image), scored=50))
        clock.now += PLAIN_SECONDS / 3
    view.close()
    assert [line.split("  ")[0] for line in lines] == ["attempts 1/8", "attempts 4/8", "attempts 7/8", "attempts 8/8"]
    assert lines[0].endswith("last –")
    assert all(line.endswith("last cat → dog at (14, 9), 23 queries") for line in lines[1:])
    view.close()
    assert len(lines) == 4  # the last one is told once


def test_a_line_tells_all_there_is_to_know(clock: Clock) -> None:
    lines: list[str] = []
    view = PlainCampaign(lines.append)
    clock.now += 60
    view(Course(total=4000).after(outcome(0), failure(1), scored=72_000))
    assert lines == [
        "attempts 2/4,000  running 3  success 1 of 2: 50.0 % (95 % interval 9.5 – 90.5 %); 0.0 – 100.0 % when "
        "all have ended  1,200 queries/s  "
        "elapsed 1:00  remaining 33:19:00  last cat → dog at (14, 9), 23 queries"
    ]


def test_nothing_is_told_of_a_campaign_that_never_began() -> None:
    lines: list[str] = []
    PlainCampaign(lines.append).close()
    assert lines == []


def test_a_name_in_a_line_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().watch_campaign() as view:
        assert view is not None
        view(Course().after(outcome(final="[red]dog[/]")))
    out, err = capsys.readouterr()
    assert "cat → [red]dog[/] at" in out
    assert (out.count("\n"), err) == (1, "")


def test_a_quiet_console_watches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(quiet=True).watch_campaign() as view:
        assert view is None
    assert tuple(capsys.readouterr()) == ("", "")


def live(*batches: list[Outcome], width: int = 100, **options: Any) -> str:
    """What a terminal is sent while these batches end, a second apart."""
    console, out, course = Console(), io.StringIO(), Course(**options)
    console.rich = Rich(file=out, force_terminal=True, width=width, height=50, highlight=False, color_system=None)
    with console.watch_campaign() as view:
        assert view is not None
        for batch in batches:
            view.drawn = float("-inf")  # type: ignore[attr-defined]
            view(course.after(*batch, scored=1000))
    return out.getvalue()


def plain(shown: str) -> list[str]:
    """The lines of a terminal's output without its control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").split("\n")


def test_the_live_view_tells_all_there_is_to_know() -> None:
    shown = live([outcome(0), failure(1)], name="[bold]tiny")
    parts = [
        "[bold]tiny · local", "attempts", "2 of 10 done   3 running", "success", "1 of 2: 50.0 % (95 % interval",
        "queries", "60 in ended attempts", "a second", "elapsed", "remaining", "last", "cat → dog at (14, 9), 23 queries",
    ]  # fmt: skip
    assert [part for part in parts if part not in shown] == []
    assert "random" not in shown


def test_the_live_view_tells_the_baseline() -> None:
    shown = live([outcome(0), failure(0, strategy="random")], baseline=True)
    (line,) = {line.strip() for line in plain(shown) if line.strip().startswith("random")}
    assert line.split("random")[1].strip().startswith("0 of 1: 0.0 %")


def test_the_last_successes_are_told_newest_first() -> None:
    batches = [[outcome(image, final=f"class-{image}"), failure(50 + image)] for image in range(NEWS + 2)]
    last = live(*batches, total=100).rsplit("tiny · local", 1)[1]
    assert re.findall(r"class-(\d)", last) == [str(image) for image in range(NEWS + 1, 1, -1)]


def test_a_success_between_two_drawings_is_told_with_the_next(clock: Clock) -> None:
    console, out, course = Console(), io.StringIO(), Course()
    console.rich = Rich(file=out, force_terminal=True, width=100, highlight=False, color_system=None)
    with console.watch_campaign() as view:
        assert view is not None
        view(course.after(failure(0)))
        view(course.after(outcome(1)))  # in no time
        clock.now += 1
        view(course.after(failure(2)))
    assert "cat → dog" in out.getvalue()
    assert "2 of 10 done" not in out.getvalue()


LONG = ["w" * 300, "many words " * 40, "猫" * 120, "[red]x[/] " * 30, ""]


@pytest.mark.parametrize("name", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize("width", [40, 100])
def test_the_live_view_keeps_to_its_width(name: str, width: int) -> None:
    edits = [{"x": 100 + x, "y": 200, "colour": [1]} for x in range(9)]
    shown = live([outcome(0, final=name, edits=edits)], [outcome(1, **{"class": name})], width=width, name=name)
    assert max(cell_len(line) for line in plain(shown)) <= width
    assert "attempts" in shown


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_count_has_its_words(successes: int, failures: int) -> None:
    text = success_text(Statistics(1, successes=successes, failures=failures), successes + failures)
    if successes + failures:
        assert text.startswith(f"{successes:,} of {successes + failures:,}: ")
        low, high = map(float, re.findall(r"([0-9.]+) – ([0-9.]+) %", text)[0])
        assert 0 <= low <= float(re.findall(r": ([0-9.]+) %", text)[0]) <= high <= 100
