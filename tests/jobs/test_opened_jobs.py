"""Results that are opened from their folders: the same as those that a session ended with, and what they show."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import small_evolve
from support import tiny_target

import evofool
from evofool.errors import ConfigError, RunError
from evofool.gallery.pages.notebook import EDGE, MOST_CARDS, fragment
from evofool.io.lock import locked
from evofool.store.folder import go_on


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A result of every kind of job, by the name of its folder."""
    home = tmp_path_factory.mktemp("opened")
    small: dict[str, Any] = {"device": "cpu", "batch": 20}
    return {
        "run": evofool.evolve("digits", "direct", generations=3, out=home / "run", **small),
        "several": small_evolve(home / "several", descriptors="brightness", bins=2),
        "campaign": evofool.attack(out=home / "campaign", count=4, pixels=3, queries=200, device="cpu"),
        "experiment": evofool.perturb(
            "digits", count=3, methods="fgsm", epsilon=0.3, out=home / "experiment", device="cpu"
        ),
        "sweep": evofool.evolve_seeds("digits", "direct", seeds=range(2), generations=1, out=home / "sweep", **small),
        "audit": evofool.audit(
            "digits", budget=1500, skip="pixels,corruptions,perturb", out=home / "audit", device="cpu"
        ),
    }


def test_an_opened_run_is_what_the_session_ended_with(jobs: dict[str, Any]) -> None:
    for name in ("run", "several"):
        ours, again = jobs[name], evofool.open(jobs[name].run)
        assert repr(again) == repr(ours)
        assert again.summary() == ours.summary() | {"seconds": again.summary()["seconds"]} | {
            "images_per_second": again.summary()["images_per_second"]
        }
        np.testing.assert_array_equal(again.images, ours.images)
        assert again.places == ours.places


@pytest.mark.parametrize("name", ["campaign", "experiment", "sweep", "audit"])
def test_another_opened_job_says_what_the_session_said(name: str, jobs: dict[str, Any]) -> None:
    again = evofool.open(jobs[name].path)
    assert type(again) is type(jobs[name])
    assert repr(again) == repr(jobs[name])
    assert again.to_dataframe().equals(jobs[name].to_dataframe())


def test_a_job_that_was_stopped_says_so(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    assert not evofool.open(tmp_path / "run").interrupted
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["options"]["generations"] = 5
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    assert evofool.open(tmp_path / "run").interrupted
    with pytest.raises(RunError, match="nowhere"):
        evofool.open(tmp_path / "nowhere")


def test_a_run_without_elites_has_no_result_yet(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    (tmp_path / "run" / "elites.jsonl").unlink()
    with pytest.raises(RunError, match="has no elites yet; they are written soon after"):
        evofool.open(tmp_path / "run")


def test_tables_have_the_columns_of_the_files(jobs: dict[str, Any]) -> None:
    pytest.importorskip("pandas", reason="pandas is an extra")
    run, campaign = jobs["run"], jobs["campaign"]
    line = json.loads((run.run / "elites.jsonl").read_text().splitlines()[0])
    elites, history = run.to_dataframe(), run.to_dataframe("history")
    assert [*elites.columns] == [*line]
    assert elites["score"].tolist() == run.confidence.astype(float).tolist()
    assert history["evaluations"].tolist() == [20, 40, 60]
    outcomes = campaign.to_dataframe("outcomes")
    assert outcomes["success"].sum() == campaign.statistics.successes
    assert {"image", "class", "final", "queries", "edits"} <= {*outcomes.columns}
    assert [*jobs["audit"].to_dataframe().columns][:2] == ["figure", "value"]
    with pytest.raises(ConfigError, match=r'no table "elite" \(did you mean "elites"\?\); there are elites, history'):
        run.to_dataframe("elite")


def test_a_run_in_memory_has_a_table_of_elites_and_no_history() -> None:
    pytest.importorskip("pandas", reason="pandas is an extra")
    result = evofool.evolve(tiny_target(), "direct", generations=1, batch=10)
    assert [*result.to_dataframe().columns] == ["class", "index", "score"]
    for call in (result.plot, lambda: result.to_dataframe("history")):
        with pytest.raises(ConfigError, match="made in memory, and its history was not kept; give it a folder"):
            call()


def test_figures_are_shown_and_saved(jobs: dict[str, Any], tmp_path: Path) -> None:
    for name in ("run", "campaign", "experiment", "sweep"):
        figure = jobs[name].plot()
        assert figure._repr_svg_().startswith("<svg")
        assert figure.save(tmp_path / f"{name}.svg").read_text() == figure.svg
    assert jobs["sweep"].plot().svg.count("seed ") == 2
    with pytest.raises(ConfigError, match=r'no figure "succes" \(did you mean "success"'):
        jobs["campaign"].plot("succes")
    for name in ("run", "sweep"):
        assert jobs[name].plot("growth") == jobs[name].plot()
        with pytest.raises(ConfigError, match=r'has no figure "grwth" \(did you mean "growth"\?\); it has growth'):
            jobs[name].plot("grwth")
    with pytest.raises(ConfigError, match=r"a name that ends with \.svg"):
        jobs["run"].plot().save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="`path` must be a path, got 5"):
        jobs["run"].plot().save(5)


def test_results_show_their_pictures_in_a_notebook(jobs: dict[str, Any]) -> None:
    run, campaign = jobs["run"]._repr_html_(), jobs["campaign"]._repr_html_()
    assert run.count("<img") == 10
    assert campaign.count("<img") == 2 * jobs["campaign"].statistics.successes
    assert jobs["experiment"]._repr_html_().count("<img") >= 2
    for result in jobs.values():
        assert len(result._repr_html_()) < 60_000


def test_what_a_notebook_shows_is_escaped_few_and_small() -> None:
    from evofool.gallery.pages.experiment_page import Card

    noise = np.random.default_rng(0).integers(0, 256, (3, 300, 200), np.uint8)
    cards = [Card([(noise, "<b>")], "<script>", "x")] * 40
    html = fragment("a <i>", [("<u>", "<s>")], cards, Path("<p>.html"))
    assert re.findall("<(script|b|i|u|s|p)>", html.replace("<b>&lt;script&gt;</b>", "")) == []
    assert html.count("<img") == MOST_CARDS
    assert len(html) < MOST_CARDS * EDGE * EDGE * 3 * 4 / 3


@pytest.mark.parametrize("name", ["run", "campaign", "experiment", "audit", "sweep"])
def test_a_job_that_another_process_works_on_says_that_it_runs(name: str, jobs: dict[str, Any]) -> None:
    path = jobs[name].run if name == "run" else jobs[name].path
    with locked(path):
        opened = evofool.open(path)
    assert opened.running
    unfinished = replace(opened, interrupted=True)
    assert repr(unfinished).startswith("running: ")
    assert "evofool.resume(" not in unfinished._repr_html_()
    stopped = replace(unfinished, running=False)._repr_html_()
    assert f"evofool.resume(&#34;{path.as_posix()}&#34;)" in stopped


@pytest.mark.parametrize(("name", "record"), [("run", "target"), ("experiment", "targets")])
def test_the_way_on_says_what_of_the_user_s_own_is_given_again(
    name: str, record: str, jobs: dict[str, Any], tmp_path: Path
) -> None:
    place = "run" if name == "run" else "path"
    path = Path(shutil.copytree(getattr(jobs[name], place), tmp_path / name))
    config = json.loads((path / "config.json").read_text())
    target = config[record][0] if record == "targets" else config[record]
    target["own"] = True
    (path / "config.json").write_text(json.dumps(config))
    stopped = replace(jobs[name], interrupted=True, **{place: path})
    assert f"evofool.resume(&#34;{path.as_posix()}&#34;, target=…)" in stopped._repr_html_()
    assert go_on(path).startswith(f"go on with, in Python: evofool.resume({str(path)!r}, target=…)")


def test_an_audit_shows_what_it_is_surest_about_and_its_figures(jobs: dict[str, Any]) -> None:
    audit = jobs["audit"]
    assert 1 <= audit._repr_html_().count("<img") <= 10
    assert audit.plot().name == "fooling"
    assert audit.plot("reliability").svg.count("<svg") == 1
    with pytest.raises(ConfigError, match=r'no figure "mps" \(did you mean "msp"\?\); it has fooling, '):
        audit.plot("mps")
