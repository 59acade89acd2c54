"""Runs and campaigns against several targets at once: recorded by member, resumed, shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from campaigns import NAMES
from plain import PlainTarget
from runs import Capture, Killed, assert_refused, assert_same_run, json_lines, kill, run_cli, succeed
from support import random_images, tiny_network, tiny_target

import evofool
from evofool import Ensemble, Target
from evofool.errors import RunError
from evofool.jobs.run import RunStep
from evofool.text import percent

TWO = """
from support import tiny_network, tiny_target
from evofool import Target

one = tiny_target(name="one")
two = Target(tiny_network(seed=1), classes=one.classes[::-1], image_shape=(3, 8, 8), name="two", device="cpu",
             precision="float32")
"""


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """The names of two targets of a Python file."""
    (tmp_path / "mine.py").write_text(TWO)
    return [f"{tmp_path / 'mine.py'}:{name}" for name in ("one", "two")]


def own(seed: int = 1) -> Ensemble:
    """An ensemble of the user's own."""
    other = Target(tiny_network(seed=seed), classes=NAMES, image_shape=(3, 8, 8), name="other", device="cpu")
    return Ensemble([tiny_target(), other])


def kill_after_two(step: RunStep) -> None:
    if step.progress.generation == 2:
        kill()


def test_a_run_against_two_goes_on_after_a_kill_with_the_same_bytes(two: list[str], tmp_path: Path) -> None:
    whole = evofool.evolve(two, "cppn", generations=4, batch=20, out=tmp_path / "a", device="cpu")
    with pytest.raises(Killed):
        evofool.evolve(two, "cppn", generations=4, batch=20, out=tmp_path / "b", device="cpu", observer=kill_after_two)
    evofool.resume(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")
    lines = json_lines(tmp_path / "a" / "elites.jsonl")
    assert all(min(line["networks"].values()) == pytest.approx(line["score"], abs=1e-5) for line in lines)
    assert whole.config.target.spec == tuple(two)
    facts = evofool.inspect(tmp_path / "a")
    assert (list(facts["networks"]), facts["combine"]) == (["one", "two"], "min")


def test_an_elite_says_what_each_network_gives_it_and_its_command_scores_it(
    two: list[str], tmp_path: Path, capsys: Capture
) -> None:
    words = ["--target", two[0], "--target", two[1], "--combine", "mean"]
    succeed(capsys, "evolve", *words, "--generations", 2, "--batch", 20, "--out", tmp_path / "a")
    line = json_lines(tmp_path / "a" / "elites.jsonl")[0]
    assert sum(line["networks"].values()) / 2 == pytest.approx(line["score"], abs=1e-5)
    page = (tmp_path / "a" / "index.html").read_text()
    assert f"--target {two[0]} --target {two[1]} --combine mean" in page
    outcome = succeed(capsys, "score", tmp_path / "a" / line["genome"], *words, "--json")
    image = json.loads(outcome.out)["images"][0]
    assert image["recorded"]["same_network"]
    assert image["recorded"]["confidence"] == pytest.approx(
        next(guess["confidence"] for guess in image["top5"] if guess["class"] == line["class"]), abs=1e-5
    )


def test_a_recorded_run_against_two_is_made_again_from_its_config(
    two: list[str], tmp_path: Path, capsys: Capture
) -> None:
    evofool.evolve(two, "cppn", generations=2, batch=20, out=tmp_path / "a", device="cpu")
    succeed(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_an_ensemble_of_ones_own_is_given_again(tmp_path: Path) -> None:
    evofool.evolve(own(), "direct", generations=2, batch=20, out=tmp_path / "a")
    with pytest.raises(RunError, match="made with another target"):
        evofool.resume(tmp_path / "a", target=own(seed=2), generations=3)
    assert evofool.resume(tmp_path / "a", target=own(), generations=3).generations == 3


def test_every_attempt_records_what_each_network_gives_its_image(tmp_path: Path) -> None:
    import numpy as np

    images = random_images(6)
    labels = own().confirm(images).argmax(1).numpy()
    np.savez(tmp_path / "data.npz", images=images.numpy().transpose(0, 2, 3, 1), labels=labels)
    evofool.attack(own(), tmp_path / "data.npz", out=tmp_path / "a", queries=300, count=4, pixels=6)
    ran = [outcome for outcome in json_lines(tmp_path / "a" / "outcomes.jsonl") if not outcome["already"]]
    assert ran
    for outcome in ran:
        assert list(outcome["networks"]) == ["tiny", "other"]
        assert min(outcome["networks"].values()) == pytest.approx(outcome["top5"][0][1], abs=1e-5)
    won = next(outcome for outcome in ran if outcome["success"])
    assert f"tiny {percent(won['networks']['tiny'])}, other" in (tmp_path / "a" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--target digits --target mnist", ["digits takes images of 8 x 8 pixels", "mnist of 28 x 28"]),
        ("--target digits --target digits", ["digits is there twice"]),
        ("--target cifar10 --target cifar10:resnet32 --weights x", ["--weights cifar10=FILE", "got x"]),
        ("--target cifar10 --target cifar10:resnet32 --mean 0.5", ["--mean would hold for every", "evofool.Ensemble"]),
        ("--target digits --combine mean", ["--combine says how scores of several targets become one"]),
    ],
)  # fmt: skip
def test_what_several_targets_can_not_have_is_refused(
    options: str, parts: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert_refused(run_cli(capsys, "evolve", *options.split(), "--out", tmp_path / "a"), *parts)
    assert not (tmp_path / "a").exists()


def test_the_size_of_images_is_for_those_networks_that_do_not_say_it(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.py").write_text("def mean(images):\n    return images.reshape(len(images), -1)[:, :10] / 255.0")
    command = ["evolve", "--target", "digits", "--target", tmp_path / "mine.py:mean", "--encoding", "direct"]
    assert_refused(run_cli(capsys, *command, "--out", tmp_path / "a"), "mine.py:mean doesn't say how large")
    succeed(capsys, *command, "--image-size", 8, "--colours", 1, "--generations", 1, "--out", tmp_path / "b")
    again = evofool.resume(tmp_path / "b", generations=2)
    assert [member.name for member in again.config.target.members] == ["digits", "mine.py:mean"]


def test_all_networks_pay_from_one_budget_which_a_resumed_run_goes_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    members = [PlainTarget("one"), PlainTarget("other")]
    both = Ensemble(members)
    stopped = evofool.evolve(both, "direct", generations=9, batch=20, max_queries=110, out=tmp_path / "a", seed=1)
    assert stopped.interrupted
    assert sum(member.queries for member in members) <= 110
    assert evofool.inspect(tmp_path / "a")["queries_paid"] == sum(member.queries for member in members)
    evofool.resume(tmp_path / "a", target=both, max_queries=1000, generations=4)
    paid = sum(member.queries for member in members)
    assert evofool.inspect(tmp_path / "a")["queries_paid"] == paid
    assert all(line["networks"] for line in json_lines(tmp_path / "a" / "elites.jsonl"))
    evofool.evolve(members[0], "direct", generations=1, batch=20, count_queries=True, seed=1)
    assert sum(member.queries for member in members) == paid  # the first generation was paid by the ensemble
