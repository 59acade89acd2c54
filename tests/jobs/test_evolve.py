"""``evofool.evolve``: from options to a run and its result, in memory or in a folder."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from pages import data_of
from PIL import Image
from runs import json_lines, small_evolve, tree
from support import PRESETS, global_random_untouched, tiny_target

import evofool
from evofool import Result, encodings
from evofool.config import budget
from evofool.errors import ConfigError, EvofoolError, GenomeError, RunError
from evofool.jobs.run import RunStep
from evofool.targets.execution.devices import choose_precision


def own_evolve(out: Path | None = None, **options: Any) -> Result:
    """Evolve as ``small_evolve`` does, for the small RGB network of the tests."""
    return small_evolve(out, **{"target": tiny_target(), "device": "auto", "precision": "auto", **options})


def assert_same_result(ours: Result, theirs: Result) -> None:
    assert ours.classes == theirs.classes
    np.testing.assert_array_equal(ours.confidence, theirs.confidence)
    np.testing.assert_array_equal(ours.images, theirs.images)


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_in_memory_nothing_is_written_and_no_thread_starts(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, during = threading.enumerate(), set[threading.Thread]()
    result = small_evolve(encoding=encoding, observer=lambda _: during.update(threading.enumerate()))
    assert os.listdir(tmp_path) == []
    assert during == set(before)
    assert (result.run, result.gallery, result.sheet) == (None, None, None)
    assert result.images.shape == (10, 1, 8, 8)
    assert result.images.dtype == np.uint8
    assert result.classes == list("0123456789")
    assert (result.generations, result.evaluations, result.interrupted) == (3, 60, False)
    assert result.summary()["run"] is None


@pytest.mark.parametrize(
    ("options", "emitters"),
    [
        ({"encoding": "cppn"}, ["vary", "tweak@450", "restart@600"]),
        ({"encoding": "cppn", "descriptors": "size", "bins": 2}, ["vary", "tweak@900", "restart@1200"]),
        ({"encoding": "cppn", "preset": "nguyen2015"}, ["vary"]),
        ({"encoding": "direct"}, ["vary"]),
        ({"encoding": "cppn", "emitters": "vary,tweak"}, ["vary", "tweak"]),
    ],
)
def test_emitters_begin_by_default_after_so_many_evaluations_a_niche(
    options: dict[str, Any], emitters: list[str], tmp_path: Path
) -> None:
    small_evolve(tmp_path / "run", classes="1,2,3", generations=1, gallery=False, **options)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["options"]["emitters"] == emitters


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize(("encoding", "preset"), PRESETS)
def test_result_images_rescore_to_the_result_s_confidence(encoding: str, preset: str) -> None:
    result = own_evolve(encoding=encoding, preset=preset)
    scores = tiny_target().confirm(torch.from_numpy(result.images)).numpy()
    np.testing.assert_allclose(scores[np.arange(4), result.indices], result.confidence, atol=1e-6)


@pytest.mark.parametrize(("encoding", "preset"), PRESETS)
def test_the_same_seed_gives_the_same_bytes_and_another_others(encoding: str, preset: str) -> None:
    with global_random_untouched():
        ours, again, others = (own_evolve(encoding=encoding, preset=preset, seed=seed) for seed in (5, 5, 6))
    assert_same_result(ours, again)
    assert not np.array_equal(ours.images, others.images)


def test_a_folder_or_an_observer_changes_nothing_in_the_result(tmp_path: Path) -> None:
    assert_same_result(small_evolve(), small_evolve(tmp_path / "run", observer=lambda _: None))


GOLDEN = {
    "cppn": [0.98891, 0.05328, 0.90725, 0.57699, 0.34434, 0.45277, 0.11069, 0.83871, 0.99996, 0.83513],
    "direct": [0.99636, 0.00014, 0.99309, 0.99794, 0.00471, 0.79466, 0.02118, 0.05058, 0.99999, 0.89768],
}


@pytest.mark.parametrize("encoding", GOLDEN)
def test_golden_trajectory(encoding: str) -> None:
    """Four generations of preset ``nguyen2015``, pinned: other values mean that what evolves has changed.

    Pin them anew only when that was meant, or when the embedded digits network was trained anew. The tolerance of
    1e-3 is for other processors' rounding; another choice of parents or mutations is far outside of it.
    """
    result = small_evolve(encoding=encoding, preset="nguyen2015", generations=4, seed=1)
    np.testing.assert_allclose(result.confidence, GOLDEN[encoding], atol=1e-3)


@pytest.mark.parametrize(
    ("wanted", "indices"), [("8,3", [3, 8]), (["3", 8], [3, 8]), ([7], [7]), (None, list(range(10)))]
)
def test_classes_are_chosen_by_name_and_index(wanted: Any, indices: list[int], tmp_path: Path) -> None:
    result = small_evolve(tmp_path / "run", generations=1, classes=wanted)
    assert result.indices.tolist() == indices
    assert [line["index"] for line in json_lines(tmp_path / "run" / "elites.jsonl")] == indices


def test_until_stops_when_the_median_is_there() -> None:
    medians: list[float] = []
    result = small_evolve(
        encoding="cppn", generations=200, until=0.9, observer=lambda step: medians.append(step.progress.median)
    )
    assert medians[-1] >= 0.9
    assert all(median < 0.9 for median in medians[:-1])
    assert result.generations == len(medians) < 200
    assert not result.interrupted


def test_a_budget_of_evaluations_ends_with_the_generation_that_reaches_it() -> None:
    assert small_evolve(generations=None, evaluations=50).evaluations == 60
    assert small_evolve(generations=None, evaluations=60).evaluations == 60


def test_a_budget_of_minutes_ends_after_it() -> None:
    result = small_evolve(generations=None, minutes=0.05 / 60)
    assert result.seconds >= 0.05
    assert not result.interrupted


def test_the_first_budget_reached_wins() -> None:
    assert small_evolve(generations=2, evaluations=1000, minutes=5, until=1.0).generations == 2


def test_the_observer_sees_every_generation() -> None:
    seen: list[tuple[int, int]] = []

    def observe(step: RunStep) -> None:
        assert np.median(step.evolution.archive.confidence) == pytest.approx(step.progress.median)
        assert step.budget.generations == 3
        seen.append((step.progress.generation, step.progress.evaluations))

    small_evolve(observer=observe)
    assert seen == [(1, 20), (2, 40), (3, 60)]


def test_an_own_target_is_evolved_and_resumed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    own_evolve(run, generations=2)
    resumed = evofool.resume(run, target=tiny_target(), generations=4)
    assert resumed.generations == 4
    assert_same_result(resumed, own_evolve(generations=4))


def test_resuming_an_own_target_without_it_names_what_to_do(tmp_path: Path) -> None:
    own_evolve(tmp_path / "run", generations=1)
    with pytest.raises(RunError, match=r"own Target tiny; give it: evofool\.resume\(…, target=…\)"):
        evofool.resume(tmp_path / "run", generations=2)


@pytest.mark.parametrize("other", [{"classes": 5}, {"channels": 1}, {"size": 9}])
def test_resuming_with_another_target_is_refused(other: dict[str, int], tmp_path: Path) -> None:
    own_evolve(tmp_path / "run", generations=1)
    before = tree(tmp_path)
    with pytest.raises(RunError, match="give the same one"):
        evofool.resume(tmp_path / "run", target=tiny_target(**other), generations=2)
    assert tree(tmp_path) == before


def test_resuming_a_named_target_with_an_own_one_is_refused(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    with pytest.raises(RunError, match="leave `target` out"):
        evofool.resume(tmp_path / "run", target=tiny_target(), generations=2)


@pytest.mark.parametrize(
    "option", [{"weights": "a.pth"}, {"device": "cpu"}, {"precision": "float32"}, {"micro_batch": 2}], ids=str
)
def test_options_that_belong_to_a_named_target_are_refused_with_an_own_one(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="set them in your Target"):
        own_evolve(**option)


@pytest.mark.parametrize("source", ["run", "run/elites", "file"])
@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_init_takes_up_what_was_evolved(encoding: str, source: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = small_evolve(run, encoding=encoding, generations=8, classes=[3])
    (file,) = (run / "elites").glob("*.json" if encoding == "cppn" else "*.png")
    init = file if source == "file" else tmp_path / source
    result = small_evolve(encoding=encoding, init=init, generations=1, classes=[3], seed=9, batch=2)
    assert result.confidence[0] >= before.confidence[0] - 1e-6
    alone = small_evolve(encoding=encoding, generations=1, classes=[3], seed=9, batch=2)
    assert alone.confidence[0] < before.confidence[0] - 0.01  # The first comparison means something.


def test_init_from_pictures_of_any_kind_and_size(tmp_path: Path) -> None:
    for name, size in (("a.png", (8, 8)), ("b.jpg", (40, 30))):
        Image.new("RGB", size, "white").save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    run = small_evolve(tmp_path / "run", init=tmp_path, generations=1, batch=2, classes=[3])
    assert bool((run.images == 255).all())  # all that there is, both of them


def test_more_first_genomes_than_the_batch_all_take_part(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    result = small_evolve(init=tmp_path / "run", generations=2, batch=3)
    assert result.evaluations == 10 + 3


def test_init_with_genomes_of_another_encoding_is_refused(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    with pytest.raises(GenomeError, match="holds no CPPN genomes"):
        small_evolve(encoding="cppn", init=tmp_path / "run")


@pytest.mark.parametrize("option", [{"out": "run"}, {}])
def test_a_wrong_option_writes_nothing(option: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvofoolError):
        small_evolve(**option, classes="eleven")
    assert os.listdir(tmp_path) == []


def test_the_config_tells_every_option_and_version(tmp_path: Path) -> None:
    result = small_evolve(tmp_path / "run", generations=1, classes=[3], seed=4)
    options, target = result.config.options, result.config.target
    assert (options.encoding, options.preset, options.batch, options.seed) == ("direct", "default", 20, 4)
    assert (options.selector, options.emitters) == ("unsure", ("vary",))
    assert options.settings == encodings.preset("direct", "default")
    assert (options.generations, options.evaluations, options.minutes, options.until) == (1, None, None, None)
    assert result.config.class_indices == (3,)
    assert result.config.versions.keys() >= {"evofool", "python", "torch", "numpy", "deap", "numba"}
    assert (target.name, target.device, target.precision) == ("digits", "cpu", "float32")
    assert target.micro_batch >= 1
    assert len(target.weights_sha256 or "") == 64
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (written.pop("format"), written.pop("job")) == (2, "run")
    assert written == json.loads(msgspec.json.encode(result.config))


def test_no_option_that_makes_the_bytes_is_left_open_in_the_config(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", encoding="cppn", batch=None, descriptors="size", classes="1,2", gallery=False)
    options = json.loads((tmp_path / "run" / "config.json").read_text())["options"]
    assert (options["batch"], options["selector"], options["bins"]) == (100, "fresh", 5)
    assert options["emitters"] == ["vary", "tweak@1500", "restart@2000"]
    assert options["init"] == "random"
    assert options["settings"]
    small_evolve(tmp_path / "other", novelty="pixels", classes="1,2", gallery=False)
    options = json.loads((tmp_path / "other" / "config.json").read_text())["options"]
    assert (options["bins"], options["apart"]) == (5, 0.3)


@pytest.mark.parametrize(
    ("options", "init", "emitters"),
    [
        ({}, "founders-cppn", ["vary", "tweak", "restart@800"]),
        ({"descriptors": "size", "bins": 2}, "founders-cppn", ["vary", "tweak", "restart@1600"]),
        ({"descriptors": "size", "bins": 3}, "founders-cppn", ["vary", "tweak@1500", "restart@2400"]),
        ({"init": "random"}, "random", ["vary", "tweak@600", "restart@800"]),
        ({"preset": "nguyen2015"}, "random", ["vary"]),
    ],
    ids=str,
)
def test_what_cppns_in_colour_begin_with_is_recorded(
    options: dict[str, Any], init: str, emitters: list[str], tmp_path: Path
) -> None:
    own_evolve(tmp_path / "run", encoding="cppn", generations=4, **options)
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["options"]
    assert (recorded["init"], recorded["emitters"]) == (init, emitters)
    assert bool(recorded["init_sha256"]) == (init != "random")


def test_without_any_limit_the_default_budget_ends_a_run_and_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "DEFAULT_EVALUATIONS", 50)
    result = small_evolve(generations=None)
    assert (result.evaluations, result.interrupted) == (60, False)
    assert result.config.options.evaluations == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, r"`batch` must be a whole number from 1 to 65,536, got 0"),
        ({"batch": 70_000}, r"`batch` must be a whole number from 1 to 65,536, got 70000"),
        ({"seed": -1}, r"`seed` must be a whole number of at least 0, got -1"),
        ({"generations": 0}, r"`generations` must be a whole number of at least 1, got 0"),
        ({"minutes": 0}, r"`minutes` must be above 0, got 0"),
        ({"until": 99}, r"`until` .* got 99.* \(did you mean 0\.99\?\)"),
        ({"selector": "newest"}, r'`selector`|unknown selector "newest"'),
        ({"sed": 1}, r'there is no option `sed` \(did you mean "seed" or "std"\?\)'),
        ({"weights_sha256": "0" * 64}, r"the weights of digits have another SHA-256 .* with `weights`"),
    ],
    ids=str,
)
def test_a_bad_option_is_named_as_python_names_it(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        small_evolve(tmp_path / "run", **options)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "precision"),
    [
        ({}, "float32"),
        ({"precision": "bfloat16"}, "bfloat16"),
        ({"precision": "auto"}, choose_precision("auto", torch.device("cpu"))),
    ],
)
def test_the_published_preset_searches_in_float32_unless_told_otherwise(given: dict[str, Any], precision: str) -> None:
    result = evofool.evolve("digits", "direct", preset="nguyen2015", generations=1, device="cpu", **given)
    assert result.config.target.precision == result.config.options.precision == precision


def test_images_that_were_scored_again_are_counted_apart_and_told_everywhere(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = small_evolve(run, precision="bfloat16", generations=4)
    assert result.evaluations == 80
    assert result.confirmations > 3 * 10  # elites in generations 1, 2 and 4, and the children that entered
    metrics, facts = json_lines(run / "metrics.jsonl")[-1], evofool.inspect(run)
    for told in (metrics, facts, result.summary(), data_of(run / "index.html")["sources"][0]["facts"]):
        assert (told["evaluations"], told["confirmations"]) == (80, result.confirmations)
    assert f"+ {result.confirmations:,} confirmations, 4 generations" in (run / "index.html").read_text("utf-8")
    assert f"80 evaluations + {result.confirmations:,} confirmations in" in repr(result)
