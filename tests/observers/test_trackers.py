"""TensorBoard, MLflow and Weights & Biases: what they have of a job, also of one that goes on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from runs import Killed, assert_same_run, json_lines, small_evolve

import evofool
from evofool.observers import tracking
from evofool.observers.tracking import Tracking

FIGURES = ("median", "mean", "max", "at_99", "coverage", "evaluations", "images_per_second")


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have all steps sent, and nothing kept in the user's cache."""
    monkeypatch.setattr(Tracking.__init__, "__defaults__", (_Ticking(),))
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


class _Ticking:
    """A clock that moves on by ten seconds at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def killed_then_resumed(out: Path, observer: str) -> None:
    """Evolve five generations, whose third is the last that was saved when it was killed."""
    small_evolve(out, generations=3)
    saved = shutil.copytree(out, out.with_name("saved"))
    shutil.rmtree(out)

    def kill(step: Any) -> None:
        if step.progress.generation == 4:
            raise Killed

    with pytest.raises(Killed):
        small_evolve(out, generations=5, observer=[kill, observer])
    shutil.rmtree(out)
    shutil.copytree(saved, out)
    evofool.resume(out, generations=5, observer=observer)


# TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows: steps and values by name."""
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="an extra")
    accumulator = accumulators.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    shown = {name: [(event.step, event.value) for event in accumulator.Scalars(name)] for name in tags["scalars"]}
    shown["pictures"] = [(event.step, event.width) for event in accumulator.Images("pictures")]
    shown["texts"] = [(0, tag) for tag in tags["tensors"]]
    return shown


def test_tensorboard_shows_the_figures_of_a_run_its_pictures_options_and_end(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    small_evolve(tmp_path / "alone")
    small_evolve(tmp_path / "runs" / "a", observer="tensorboard")
    shown = scalars(tmp_path / "tensorboard" / "runs" / "a")
    assert set(FIGURES) <= set(shown)
    lines = json_lines(tmp_path / "runs" / "a" / "metrics.jsonl")
    assert shown["median"] == [(line["generation"], pytest.approx(line["median"])) for line in lines]
    assert shown["pictures"][-1][0] == 3
    assert {tag for _, tag in shown["texts"]} >= {"config/text_summary", "summary/text_summary"}
    assert_same_run(tmp_path / "runs" / "a", tmp_path / "alone")


def test_in_tensorboard_a_killed_run_goes_on_without_doubled_steps(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    killed_then_resumed(tmp_path / "run", f"tensorboard:{tmp_path / 'logs'}")
    assert [folder.name for folder in (tmp_path / "logs").iterdir()] == ["run"]
    shown = scalars(tmp_path / "logs" / "run")
    assert [step for step, _ in shown["median"]] == [1, 2, 3, 4, 5]


def test_in_tensorboard_a_new_job_of_an_old_name_is_another_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    for _ in range(2):
        small_evolve(tmp_path / "run", generations=2, observer="tensorboard:logs")
        shutil.rmtree(tmp_path / "run")
    small_evolve(tmp_path / "else" / "run", generations=2)
    evofool.resume(tmp_path / "else" / "run", generations=3, observer="tensorboard:logs")
    evofool.resume(tmp_path / "else" / "run", generations=4, observer="tensorboard:logs")
    logs = sorted(str(folder.parent.relative_to(tmp_path / "logs")) for folder in (tmp_path / "logs").rglob("*.json"))
    assert logs == ["else/run", "run", "run-2"]
    assert [step for step, _ in scalars(tmp_path / "logs" / "else" / "run")["median"]] == [3, 4]


# MLflow


def test_mlflow_has_figures_parameters_pictures_and_no_step_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is an extra")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    place = (tmp_path / "store").as_uri()
    killed_then_resumed(tmp_path / "run", f"mlflow:{place}")
    client = mlflow.MlflowClient(place)
    (run,) = client.search_runs([client.get_experiment_by_name("evofool").experiment_id])
    assert run.info.status == "FINISHED"
    assert set(FIGURES) <= set(run.data.metrics)
    history = client.get_metric_history(run.info.run_id, "median")
    assert sorted(metric.step for metric in history) == [1, 2, 3, 4, 5]
    assert (run.data.params["seed"], run.data.params["batch"]) == ("0", "20")
    assert run.data.metrics["summary.generations"] == 5
    assert {each.path for each in client.list_artifacts(run.info.run_id)} == {"images", "summary.json"}


def test_a_server_that_is_gone_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow", reason="mlflow is an extra")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(tracking, "END_SECONDS", 5.0)
    with pytest.warns(UserWarning, match="observer mlflow failed and is told of no more") as told:
        result = small_evolve(tmp_path / "run", observer="mlflow:http://127.0.0.1:9")
    assert len([each for each in told if "observer mlflow" in str(each.message)]) == 1
    assert result.generations == 3


# Weights & Biases


class FakeRun:
    """A run of a server that keeps everything."""

    def __init__(self, name: str) -> None:
        self.id, self.step, self.exit_code = name, 0, -1
        self.logged = list[tuple[int, dict[str, Any]]]()
        self.summary = dict[str, Any]()

    def log(self, figures: dict[str, Any], step: int) -> None:
        self.logged.append((step, figures))
        self.step = step + 1

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A package that records what it is asked."""
    server = SimpleNamespace(runs=dict[str, FakeRun](), asked=list[dict[str, Any]]())

    def init(**options: Any) -> FakeRun:
        server.asked.append(options)
        name = options["id"] or f"id-{len(server.runs)}"
        return server.runs.setdefault(name, FakeRun(name))

    package: Any = ModuleType("wandb")
    package.init, package.Image, package.Settings = init, lambda picture: picture, lambda **settings: settings
    monkeypatch.setitem(sys.modules, "wandb", package)
    monkeypatch.delitem(sys.modules, "evofool.observers.wandb", raising=False)
    return server


def test_weights_and_biases_has_figures_config_pictures_and_no_step_twice(
    wandb: SimpleNamespace, tmp_path: Path
) -> None:
    killed_then_resumed(tmp_path / "run", "wandb:fooling")
    (run,) = wandb.runs.values()
    figures = [(step, logged) for step, logged in run.logged if "median" in logged]
    assert [step for step, _ in figures] == [1, 2, 3, 4, 5]
    assert set(FIGURES) <= set(figures[0][1])
    assert any("pictures" in logged for _, logged in run.logged)
    assert [asked["id"] for asked in wandb.asked] == [None, run.id]
    assert {asked["project"] for asked in wandb.asked} == {"fooling"}
    assert wandb.asked[0]["config"]["batch"] == 20
    assert wandb.asked[0]["settings"]["console"] == "off"  # Standard output stays the command's own.
    assert (run.summary["final/generations"], run.summary["status"], run.exit_code) == (5, "finished", 0)


def test_a_new_job_in_the_same_place_is_another_run_of_weights_and_biases(
    wandb: SimpleNamespace, tmp_path: Path
) -> None:
    for _ in range(2):
        small_evolve(tmp_path / "run", generations=1, observer="wandb")
        shutil.rmtree(tmp_path / "run")
    assert list(wandb.runs) == ["id-0", "id-1"]
