"""Every kind of job has a view, its own or the plain one."""

from __future__ import annotations

from fake_steps import progress, run_step

from evofool.console.campaign_view import CampaignView
from evofool.console.live import StepView
from evofool.console.run_view import RunView
from evofool.console.views import VIEWS, view_of
from evofool.jobs.life import KINDS


def test_views_are_of_kinds_of_jobs_that_exist() -> None:
    assert set(VIEWS) <= set(KINDS)


def test_views_belong_to_their_kinds() -> None:
    assert isinstance(view_of("run"), RunView)
    assert isinstance(view_of("campaign"), CampaignView)


def test_a_run_s_view_goes_on_from_former_medians() -> None:
    view = view_of("run", [0.1, 0.2])
    step = run_step(progress(1, 1.0, median=0.97))
    view.note(step)
    assert dict(view.describe(step).rows)["median"] == "▁▂█"


def test_a_kind_without_a_view_is_described_by_its_steps() -> None:
    view = view_of("probe")
    assert isinstance(view, StepView)
    assert view.describe("batch 1").title == "probe"
