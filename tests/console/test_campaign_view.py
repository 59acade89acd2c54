"""How far a campaign is, in a terminal and piped."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from fake_steps import FakeCampaign, FakeClock, failure, lines_of, success, terminal
from rich.cells import cell_len

from evofool.attacks.outcome import Outcome
from evofool.console.campaign_view import SUCCESSES_SHOWN, CampaignRate, CampaignView
from evofool.console.console import Console
from evofool.console.live import PLAIN_SECONDS, PlainView, panel


def test_the_rate_of_a_campaign_gives_its_remaining_time_without_what_its_start_took() -> None:
    clock = FakeClock()
    campaign, rate = FakeCampaign(total=10), CampaignRate(clock)
    clock.now += 60  # the network is loaded, loops are compiled
    rate.note(campaign.step(success(0), scored=40))
    assert (rate.elapsed, rate.queries_per_second, rate.remaining) == (60, 0, None)
    clock.now += 2
    rate.note(campaign.step(scored=40))
    assert (rate.queries_per_second, rate.remaining) == (20, None)  # no further attempt has ended yet
    clock.now += 2
    rate.note(campaign.step(success(1), failure(2), scored=60))
    assert (rate.elapsed, rate.queries_per_second, rate.remaining) == (64, 25, 14)  # 2 s an attempt, 7 to come
    clock.now += 6
    rate.note(campaign.step(*(failure(image) for image in range(3, 10))))
    assert rate.remaining == 0


def test_the_rate_is_this_session_s_only() -> None:
    campaign, clock = FakeCampaign(total=10), FakeClock()
    campaign.step(*(failure(image) for image in range(6)))  # in a session before
    rate = CampaignRate(clock)
    rate.note(campaign.step())
    clock.now += 3
    rate.note(campaign.step(failure(6), scored=30))
    assert (rate.queries_per_second, rate.remaining) == (10, 9)  # 3 s an attempt, 3 to come


def test_a_campaign_of_one_batch_has_no_speed_and_nothing_remains() -> None:
    rate = CampaignRate(FakeClock())
    rate.note(FakeCampaign(total=1).step(success(0), scored=40))
    assert (rate.queries_per_second, rate.remaining) == (0, 0)


@pytest.mark.parametrize(
    ("options", "outcomes", "remaining"),
    [
        ({"total": 4}, [success(0), failure(1, already=True)], 2),  # what was wrong before is done as well
        ({"total": 10, "last_k": 2}, [failure(0), failure(1)], None),  # two pixels are to be tried for each
        ({"total": 10, "baseline": True}, [failure(0), failure(0, strategy="random")], 18),  # nine are the baseline's
    ],
    ids=["wrong before", "unsettled", "baseline"],
)
def test_only_what_ended_counts_as_work(
    options: dict[str, Any], outcomes: list[Outcome], remaining: float | None
) -> None:
    clock = FakeClock()
    campaign, rate = FakeCampaign(**options), CampaignRate(clock)
    rate.note(campaign.step())
    clock.now += 2
    rate.note(campaign.step(*outcomes))
    assert rate.remaining == remaining


def test_lines_name_the_last_success() -> None:
    clock = FakeClock()
    lines: list[str] = []
    campaign, view = FakeCampaign(total=8), PlainView(lines.append, CampaignView(clock), clock)
    for image in range(8):
        view(campaign.step(success(image) if image == 2 else failure(image), scored=50))
        clock.now += PLAIN_SECONDS / 3
    view.close()
    assert [line.split("  ")[0] for line in lines] == ["attempts 1/8", "attempts 4/8", "attempts 7/8", "attempts 8/8"]
    assert lines[0].endswith("last –")
    assert all(line.endswith("last cat → dog at (14, 9), 23 queries") for line in lines[1:])


def test_a_line_tells_all_there_is_to_know() -> None:
    clock = FakeClock()
    lines: list[str] = []
    view = PlainView(lines.append, CampaignView(clock), clock)
    campaign = FakeCampaign(total=4000)
    view(campaign.step())
    clock.now += 60
    view(campaign.step(success(0), failure(1), scored=72_000))
    assert lines == [
        "attempts 2/4,000  running 3  success 1 of 2: 50.0 % (95 % interval 9.5 – 90.5 %); 0.03 – 99.98 % when "
        "all have ended  1,200 queries/s  "
        "elapsed 1:00  remaining 33:19:00  last cat → dog at (14, 9), 23 queries"
    ]


def test_nothing_is_said_of_a_campaign_that_had_ended_before() -> None:
    lines: list[str] = []
    view = PlainView(lines.append, CampaignView())
    view(FakeCampaign().step())
    view.close()
    assert lines == []


def test_a_name_in_a_line_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().watch(CampaignView()) as observer:
        assert observer is not None
        observer(FakeCampaign().step(success(final="[red]dog[/]")))
    out, err = capsys.readouterr()
    assert "cat → [red]dog[/] at" in out
    assert (out.count("\n"), err) == (1, "")


def shown(*batches: list[Outcome], width: int = 100, **options: Any) -> str:
    """Return the panel after batches with these outcomes."""
    campaign, view, (console, output) = FakeCampaign(**options), CampaignView(), terminal(width)
    for batch in batches:
        step = campaign.step(*batch, scored=1000)
        view.note(step)
    console.show(panel(view.describe(step)))
    return output.getvalue()


def test_the_live_view_tells_all_there_is_to_know() -> None:
    text = shown([success(0), failure(1)], name="[bold]tiny")
    parts = [
        "[bold]tiny · local", "attempts", "2 of 10 done   3 running", "success", "1 of 2: 50.0 % (95 % interval",
        "queries", "60 in ended attempts", "a second", "elapsed", "remaining", "last",
        "cat → dog at (14, 9), 23 queries",
    ]  # fmt: skip
    assert [part for part in parts if part not in text] == []
    assert "random" not in text


def test_the_live_view_tells_the_baseline() -> None:
    text = shown([success(0), failure(0, strategy="random")], baseline=True)
    (line,) = {line.strip() for line in lines_of(text) if line.strip().startswith("random")}
    assert line.split("random")[1].strip().startswith("0 of 1: 0 %")


def test_the_last_successes_are_told_newest_first() -> None:
    images = range(SUCCESSES_SHOWN + 2)
    text = shown(*([success(image, final=f"class-{image}"), failure(50 + image)] for image in images), total=100)
    assert re.findall(r"class-(\d)", text) == [str(image) for image in range(SUCCESSES_SHOWN + 1, 1, -1)]


def test_the_live_view_is_what_a_terminal_shows() -> None:
    console, output = terminal(100)
    with console.watch(CampaignView()) as observer:
        assert observer is not None
        observer(FakeCampaign().step(success(0)))
    assert "1 of 10 done" in output.getvalue()


LONG = ["w" * 300, "many words " * 40, "猫" * 120, "[red]x[/] " * 30, ""]


@pytest.mark.parametrize("name", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize("width", [40, 100])
def test_the_live_view_keeps_to_its_width(name: str, width: int) -> None:
    edits = [{"x": 100 + x, "y": 200, "colour": [1]} for x in range(9)]
    text = shown([success(0, final=name, edits=edits)], [success(1, **{"class": name})], width=width, name=name)
    assert max(cell_len(line) for line in lines_of(text)) <= width
    assert "attempts" in text


def test_what_looks_wrong_with_the_labels_and_classes_taken_in_order_are_said_before_anything_else() -> None:
    view, campaign = CampaignView(FakeClock()), FakeCampaign(total=3)
    step = replace(
        campaign.step(success(0), scored=40), notes=["warning: only 6 of 100 are right", "classes: by order: a → cat"]
    )
    view.note(step)
    snapshot = view.describe(step)
    assert snapshot.rows[:2] == [("warning", "only 6 of 100 are right"), ("classes", "by order: a → cat")]
    assert snapshot.line.startswith("warning: only 6 of 100 are right\nclasses: by order: a → cat\nattempts 1/3")
    assert "warning" not in view.describe(step).line  # Once is enough where lines stay.
