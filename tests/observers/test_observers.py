"""Observers of jobs: what they are told, and that none of them can change or end a job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from runs import assert_same_run, json_lines, kill, small_evolve

import evofool
from evofool.console.progress import ObserverWarning
from evofool.errors import ConfigError
from evofool.jobs import session
from evofool.observers import registry
from evofool.observers.events import JobEnded, JobProgress, JobStarted


class Noting:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[JobStarted] = []
        self.steps: list[JobProgress] = []
        self.ended: list[JobEnded] = []

    def start(self, job: JobStarted) -> None:
        self.started.append(job)

    def progress(self, progress: JobProgress) -> None:
        self.steps.append(progress)

    def end(self, ended: JobEnded) -> None:
        self.ended.append(ended)


class Failing(Noting):
    """Fails at a step."""

    def progress(self, progress: JobProgress) -> None:
        super().progress(progress)
        raise ConnectionError("the server is gone\nand more lines")


def test_an_observer_is_told_what_a_run_s_own_records_say(tmp_path: Path) -> None:
    noting = Noting()
    result = small_evolve(tmp_path / "run", observer=noting, classes=["3", "8"])
    (started,), (ended,) = noting.started, noting.ended
    assert (started.kind, started.path, started.target, started.step) == ("run", tmp_path / "run", "digits", 0)
    assert not started.resumed
    assert started.options == json.loads((tmp_path / "run" / "config.json").read_text())["options"]
    assert started.versions["evofool"] == evofool.__version__
    lines = json_lines(tmp_path / "run" / "metrics.jsonl")
    for line, step in zip(lines, noting.steps, strict=True):
        assert step.figures.items() >= line.items()
        assert (step.step, step.done, step.total, step.unit) == (
            line["generation"],
            line["generation"],
            3,
            "generations",
        )
        assert step.figures["coverage"] == 1.0
    assert (ended.status, ended.error) == ("finished", "")
    assert ended.summary == result.summary()


def test_pictures_are_those_of_the_elites(tmp_path: Path) -> None:
    drawn = list[Image.Image | None]()

    class Drawing(Noting):
        def progress(self, progress: JobProgress) -> None:
            drawn.append(progress.pictures())

    small_evolve(observer=Drawing(), classes=["3", "8"], generations=1)
    (picture,) = drawn
    assert picture is not None
    assert picture.width > picture.height > 100  # two tiles side by side
    assert len(picture.convert("RGB").getcolors(2**24) or ()) > 50


def test_a_resumed_run_tells_where_it_goes_on(tmp_path: Path) -> None:
    noting = Noting()
    small_evolve(tmp_path / "run")
    evofool.resume(tmp_path / "run", generations=5, observer=[noting])
    assert [(job.step, job.resumed) for job in noting.started] == [(3, True)]
    assert [step.step for step in noting.steps] == [4, 5]


def test_a_campaign_tells_attempts_and_draws_successes(tmp_path: Path) -> None:
    noting = Noting()
    result = evofool.attack(out=tmp_path / "a", count=5, pixels=3, queries=200, device="cpu", observer=noting)
    last = noting.steps[-1]
    assert noting.started[0].kind == "campaign"
    assert (last.done, last.total, last.unit, last.eta) == (5, 5, "attempts", 0.0)
    assert last.figures["successes"] == result.statistics.successes > 0
    assert last.figures["success_rate"] == result.statistics.rate
    assert last.figures["queries"] == result.statistics.queries
    picture = last.pictures()
    assert picture is not None
    assert picture.height > 100


def test_an_experiment_and_an_audit_tell_parts_and_tasks(tmp_path: Path) -> None:
    parts, tasks = Noting(), Noting()
    options: dict[str, Any] = {"count": 4, "methods": "fgsm", "device": "cpu"}
    evofool.perturb("digits", out=tmp_path / "lab", observer=parts, **options)
    assert [step.step for step in parts.steps] == list(range(1, len(parts.steps) + 1))
    assert (parts.steps[-1].done, parts.steps[-1].unit) == (parts.steps[-1].total, "parts")
    assert (parts.started[0].kind, parts.ended[0].status) == ("experiment", "finished")
    evofool.audit("digits", out=tmp_path / "audit", budget=1500, device="cpu", observer=tasks)
    assert tasks.started[0].kind == "audit"
    assert tasks.steps[-1].done == tasks.steps[-1].total == tasks.steps[-1].step
    assert any("median" in step.figures for step in tasks.steps)
    assert all(step.task for step in tasks.steps)
    assert [step.done for step in tasks.steps] == sorted(step.done for step in tasks.steps)


def test_an_observer_that_fails_is_told_in_one_line_and_changes_no_byte(tmp_path: Path) -> None:
    failing, noting = Failing(), Noting()
    small_evolve(tmp_path / "alone")
    with pytest.warns(ObserverWarning) as told:
        small_evolve(tmp_path / "observed", observer=[failing, noting])
    (message,) = (str(each.message) for each in told)
    assert message == "observer Failing failed and is told of no more, the job goes on: the server is gone"
    assert (len(failing.steps), failing.ended) == (1, [])
    assert (len(noting.steps), len(noting.ended)) == (3, 1)
    assert_same_run(tmp_path / "alone", tmp_path / "observed")


@pytest.mark.filterwarnings("error")
def test_where_warnings_are_errors_an_observer_that_fails_ends_no_job(capsys: pytest.CaptureFixture[str]) -> None:
    noting = Noting()
    result = small_evolve(observer=[Failing(), noting])
    assert (result.generations, len(noting.steps), len(noting.ended)) == (3, 3, 1)
    told = "warning: observer Failing failed and is told of no more, the job goes on: the server is gone\n"
    assert capsys.readouterr().err == told


def test_the_end_of_a_job_that_fails_is_told(tmp_path: Path) -> None:
    noting = Noting()

    def fail(step: Any) -> None:
        if step.progress.generation == 2:
            kill()

    with pytest.raises(BaseException):  # noqa: B017, PT011 (what kills it is no Exception)
        small_evolve(tmp_path / "run", observer=[noting, fail])
    assert [ended.status for ended in noting.ended] == ["failed"]
    assert noting.ended[0].error


def test_a_stopped_job_says_so(tmp_path: Path) -> None:
    noting = Noting()

    class Job(session.Job[int]):
        begun = True

        def steps(self) -> Any:
            yield from (1, 2)

        def result(self, interrupted: bool) -> Any:
            raise KeyboardInterrupt

    (followers,) = registry.observers_of(noting, print)
    with pytest.raises(KeyboardInterrupt):
        session.Session(Job(), followers).run()
    assert [ended.status for ended in noting.ended] == ["stopped"]
    assert [(step.done, step.total) for step in noting.steps] == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("observer", "message"),
    [
        (3, "`observer` must be a function that takes a step, an object with the methods start, progress and end"),
        (Noting, "`observer` must be a function"),
        ("tensorbord", 'got "tensorbord" (did you mean "tensorboard"?)'),
        ("mlflow:", "names no place after the colon"),
        ([print, None], "`observer` must be a function"),
    ],
)
def test_what_is_no_observer_is_refused_before_anything_begins(observer: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        small_evolve(tmp_path / "run", observer=observer)
    assert message in str(refused.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_package_is_told_with_its_extra_and_the_job_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [module for module in sys.modules if module.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"evofool.observers.{name}", raising=False)
    with pytest.warns(ObserverWarning) as told:
        result = small_evolve(tmp_path / "run", observer=name, generations=1)
    assert [str(each.message) for each in told] == [
        f"observer {name} needs a package that is missing: pip install 'evofool[{name}]'; the job goes on"
    ]
    assert result.generations == 1
