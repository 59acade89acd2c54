"""Every kind of job has a view, its own or the plain one; that of a run says what it goes back to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from configs import edit_config
from fake_steps import progress, run_step
from runs import json_lines, small_evolve

from evofool.console.campaign_view import CampaignView
from evofool.console.live import StepView
from evofool.console.run_view import RunView
from evofool.console.views import view_of_job


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of three generations, 20 evaluations each, that is copied and never changed."""
    path = tmp_path_factory.mktemp("views") / "run"
    small_evolve(path, gallery=False)
    return path


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def folder_of(kind: str, path: Path) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"format": 2, "job": kind}))
    return path


def test_other_kinds_have_their_views_or_are_described_by_their_steps(tmp_path: Path) -> None:
    assert isinstance(view_of_job(folder_of("campaign", tmp_path / "a")), CampaignView)
    view = view_of_job(folder_of("probe", tmp_path / "b"))
    assert isinstance(view, StepView)
    assert view.describe("batch 1").title == "probe"
    assert view.notes == ()


def test_the_view_of_a_run_goes_on_from_its_medians_and_has_nothing_to_say(run: Path) -> None:
    view = view_of_job(run)
    assert isinstance(view, RunView)
    assert view.medians == [line["median"] for line in json_lines(run / "metrics.jsonl")]
    assert view.notes == []
    step = run_step(progress(4, 1.0, median=0.97))
    view.note(step)
    assert len(dict(view.describe(step).rows)["median"]) == 4


def test_a_killed_run_says_what_it_goes_back_to_and_forgets_the_medians_after_it(run: Path) -> None:
    lines = json_lines(run / "metrics.jsonl")
    later = [lines[-1] | {"generation": 3 + more, "evaluations": 60 + 20 * more} for more in (1, 2)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines + later))
    view = view_of_job(run)
    assert view.notes == [
        "it goes back to generation 3 with 60 evaluations, the last saved; 40 evaluations after it are made again"
    ]
    assert isinstance(view, RunView)
    assert len(view.medians) == 3


def test_a_run_of_another_version_says_so(run: Path) -> None:
    edit_config(run, {"versions": {"evofool": "0.0.9"}})
    [note] = view_of_job(run).notes
    assert note.startswith("evofool 0.0.9 began this run")
