"""A campaign from options to result; stopped wherever, it ends with the outcomes of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import archive, assert_same_campaign, outcome_lines, small_attack
from PIL import Image
from runs import Killed, interrupt, json_lines, kill, save_weights, tree
from support import global_random_untouched, random_images, tiny_target

import evofool
from evofool import Target
from evofool.attacks.outcome import Outcome
from evofool.attacks.statistics import statistics_by_strategy
from evofool.cli import app as cli
from evofool.errors import ConfigError, RunError
from evofool.jobs.campaign import CampaignStep
from evofool.jobs.result import CampaignResult
from evofool.store.campaign import CampaignFolder
from evofool.targets import networks

SETUPS: dict[str, dict[str, Any]] = {
    "untargeted": {"include_misclassified": True, "count": 12},
    "all": {"criterion": "all", "queries": 60},
    "corners all": {
        "criterion": "all",
        "strategy": "corners",
        "queries": None,
        "include_misclassified": True,
        "count": 10,
    },
    "corners all baseline": {"criterion": "all", "strategy": "corners", "queries": 256, "baseline": True},
    "auto": {"pixels": "auto", "max_pixels": 3, "queries": 40},
    "auto all": {"pixels": "auto", "max_pixels": 2, "queries": 30, "criterion": "all"},
    "baseline": {"baseline": True, "queries": 100},
    "rand1 list": {"strategy": "rand1", "queries": 220, "criterion": "class 0, class 2"},
}


def resume(path: Path, **options: Any) -> CampaignResult:
    """Go on with a campaign against the tests' tiny network."""
    result: CampaignResult = evofool.resume(path, target=tiny_target(), **options)
    return result


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a setup's campaign that nobody stopped; each runs once."""
    parent, finished = tmp_path_factory.mktemp("undisturbed"), dict[str, Path]()

    def folder(name: str) -> Path:
        if name not in finished:
            finished[name] = parent / name
            small_attack(parent / name, **SETUPS[name])
        return finished[name]

    return folder


def after(calls: int, act: Callable[[], object]) -> Callable[[CampaignStep], None]:
    """Return an observer that acts at its n-th call."""
    left = [calls]

    def observe(_: CampaignStep) -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    return observe


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SETUPS)
def test_killed_again_and_again_it_ends_with_the_same_outcomes(
    name: str, seed: int, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    rng, kills, finished = np.random.default_rng(seed), 0, False
    while not finished:
        observer = after(int(rng.integers(1, 6)), kill)
        try:
            if kills:
                resume(tmp_path / "a", observer=observer)
            else:
                small_attack(tmp_path / "a", observer=observer, **SETUPS[name])
            finished = True
        except Killed:
            kills += 1
        if kills > 12:  # A session shorter than its longest attempt gets nowhere.
            resume(tmp_path / "a")
            finished = True
    assert kills > 0
    assert_same_campaign(tmp_path / "a", undisturbed(name))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SETUPS)
def test_killed_in_the_middle_of_writing_outcomes_it_ends_with_the_same_outcomes(
    name: str, seed: int, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    rng, file = np.random.default_rng(seed), tmp_path / "a" / "outcomes.jsonl"
    left = [int(rng.integers(1, 5))]

    def observe(step: CampaignStep) -> None:
        left[0] -= bool(step.new)
        if not left[0]:
            raise Killed

    with pytest.raises(Killed):
        small_attack(tmp_path / "a", observer=observe, **SETUPS[name])
    written = file.read_bytes()
    file.write_bytes(written[: rng.integers(len(written))])  # What was to follow was not written yet.
    assert outcome_lines(tmp_path / "a") != outcome_lines(undisturbed(name))
    resume(tmp_path / "a")
    assert_same_campaign(tmp_path / "a", undisturbed(name))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_session_with_a_report_and_resume_goes_on(
    stop: int, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    handler = signal.getsignal(stop)
    result = small_attack(tmp_path / "a", observer=after(2, lambda: signal.raise_signal(stop)), **SETUPS["all"])
    assert result.interrupted
    assert result.summary()["interrupted"] is True
    assert signal.getsignal(stop) is handler
    assert result.report.exists()
    assert 0 <= result.statistics.settled < result.total
    again = resume(tmp_path / "a")
    assert not again.interrupted
    assert again.statistics.done == again.total
    assert_same_campaign(tmp_path / "a", undisturbed("all"))


def test_a_second_signal_stops_at_once(tmp_path: Path, undisturbed: Callable[[str], Path]) -> None:
    with pytest.raises(KeyboardInterrupt):
        small_attack(tmp_path / "a", observer=after(2, lambda: (interrupt(), interrupt())), **SETUPS["all"])
    resume(tmp_path / "a")
    assert_same_campaign(tmp_path / "a", undisturbed("all"))


@pytest.mark.parametrize("name", SETUPS)
def test_the_statistics_go_on_where_they_were(name: str, tmp_path: Path, undisturbed: Callable[[str], Path]) -> None:
    result = small_attack(tmp_path / "a", observer=after(2, interrupt), **SETUPS[name])
    result = resume(tmp_path / "a")
    folder = CampaignFolder.open(undisturbed(name))
    plan = folder.config.plan
    counts = statistics_by_strategy(folder.outcomes(), plan.pixels[-1])
    expected = counts[plan.strategy].figures()
    assert result.statistics.figures() == expected
    assert {key: result.summary()[key] for key in expected} == expected
    if plan.baseline:
        assert result.baseline is not None
        assert result.baseline.figures() == counts["random"].figures()
        assert result.baseline.settled == result.statistics.settled
    else:
        assert result.baseline is None
    assert result.total == result.statistics.done == folder.pairs()


@pytest.mark.parametrize("name", SETUPS)
def test_resuming_a_finished_campaign_changes_nothing(name: str, tmp_path: Path) -> None:
    small_attack(tmp_path / "a", **SETUPS[name])
    before = tree(tmp_path / "a")
    result = resume(tmp_path / "a")
    assert (result.scored, result.interrupted) == (0, False)
    assert tree(tmp_path / "a") == before


def test_attempts_whose_outcomes_are_lost_run_again(tmp_path: Path, undisturbed: Callable[[str], Path]) -> None:
    small_attack(tmp_path / "a", **SETUPS["auto all"])
    file = tmp_path / "a" / "outcomes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]))
    resume(tmp_path / "a")
    assert_same_campaign(tmp_path / "a", undisturbed("auto all"))
    file.unlink()
    resume(tmp_path / "a")
    assert_same_campaign(tmp_path / "a", undisturbed("auto all"))


def test_two_campaigns_are_the_same_and_global_generators_are_left_alone(
    tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    with global_random_untouched():
        small_attack(tmp_path / "a", **SETUPS["baseline"])
    assert_same_campaign(tmp_path / "a", undisturbed("baseline"))
    small_attack(tmp_path / "b", **SETUPS["baseline"], seed=1)
    assert outcome_lines(tmp_path / "b") != outcome_lines(tmp_path / "a")


def test_the_observer_sees_every_outcome_once_when_it_is_written(tmp_path: Path) -> None:
    seen: list[Outcome] = []

    def observe(step: CampaignStep) -> None:
        seen.extend(step.new)
        assert json.loads(json.dumps(seen)) == list(CampaignFolder.open(tmp_path / "a").outcomes())
        assert step.statistics.attempts == len(seen) == step.done
        assert (step.total, step.expected) == (18, 18)
        assert step.campaign.target.classes == [f"class {index}" for index in range(4)]

    result = small_attack(tmp_path / "a", criterion="all", queries=60, observer=observe)
    assert len(seen) == result.statistics.attempts == 18
    assert result.scored == sum(outcome["queries"] for outcome in seen)


def test_a_moved_campaign_goes_on(tmp_path: Path, undisturbed: Callable[[str], Path]) -> None:
    small_attack(tmp_path / "a", observer=after(2, interrupt), **SETUPS["all"])
    (tmp_path / "images.npz").unlink()  # What is needed lies in the folder.
    (tmp_path / "a").rename(tmp_path / "moved")
    resume(tmp_path / "moved")
    assert outcome_lines(tmp_path / "moved") == outcome_lines(undisturbed("all"))


DIGITS = {"count": 4, "criterion": "all", "queries": 120, "device": "cpu", "precision": "float32"}


def start(path: Path) -> int:
    """Run the command line with a campaign against the digits network in a process of its own; return its number.

    It is forked, for importing torch once more takes longer than all campaigns here together. It pauses at every
    batch, so that a signal finds it at work.
    """
    words = [word for name, value in DIGITS.items() for word in (f"--{name}", str(value))]
    number = os.fork()
    if number:
        return number
    code = 99
    try:
        for stream in (1, 2):
            os.dup2(os.open(f"{path}.{stream}", os.O_CREAT | os.O_WRONLY), stream)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = ["evofool", "attack", "--target", "digits", *words, "--out", str(path)]
        scores = Target.scores
        Target.scores = lambda *given: (time.sleep(0.05), scores(*given))[1]  # type: ignore[method-assign]
        cli.main()
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def lines_in(path: Path) -> int:
    file = path / "outcomes.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits") / "a"
    evofool.attack("digits", "digits", out=path, **DIGITS)
    return path


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_stopped_leaves_a_campaign_that_goes_on(stop: int, tmp_path: Path, digits: Path) -> None:
    path = tmp_path / "a"
    number, deadline = start(path), time.monotonic() + 120
    try:
        while lines_in(path) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        os.kill(number, stop if lines_in(path) >= 3 else signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    out, err = (Path(f"{path}.{stream}").read_text() for stream in (1, 2))
    if stop == signal.SIGINT:
        assert (code, err) == (130, "")  # stopped, and saved
        assert any(line.rstrip().endswith(f"evofool resume {path}") for line in out.splitlines())
        assert (path / "report.html").exists()
    else:
        assert code == -signal.SIGKILL
    assert 3 <= lines_in(path) < len(outcome_lines(digits))
    result = evofool.resume(path)
    assert not result.interrupted
    assert_same_campaign(path, digits)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    weights = save_weights(networks.DigitsNet(), tmp_path / "w.safetensors")
    options = {**DIGITS, "count": 2, "weights": weights, "include_misclassified": True}
    evofool.attack("digits", "digits", out=tmp_path / "a", observer=after(1, interrupt), **options)
    before = tree(tmp_path / "a")
    save_weights(networks.DigitsNet(), weights, scale=1.5)
    with pytest.raises(RunError, match="the weights of digits are not those"):
        evofool.resume(tmp_path / "a")
    assert tree(tmp_path / "a") == before


def test_another_target_is_refused(tmp_path: Path, digits: Path) -> None:
    small_attack(tmp_path / "a", observer=after(1, interrupt))
    before = tree(tmp_path / "a")
    with pytest.raises(RunError, match="your own Target tiny"):
        evofool.resume(tmp_path / "a")
    for other in (tiny_target(classes=5), tiny_target(channels=1)):
        with pytest.raises(RunError, match="give the same one"):
            evofool.resume(tmp_path / "a", target=other)
    renamed = tiny_target()
    renamed.classes = renamed.classes[::-1]
    with pytest.raises(RunError, match="its classes have the name class 0, not class 3; give the same one"):
        evofool.resume(tmp_path / "a", target=renamed)
    assert tree(tmp_path / "a") == before
    with pytest.raises(RunError, match="leave `target` out"):
        evofool.resume(digits, target=tiny_target())


def test_the_hint_for_an_own_target_names_the_function_that_goes_on(tmp_path: Path) -> None:
    small_attack(tmp_path / "a", observer=after(1, interrupt))
    with pytest.raises(RunError, match=r"evofool\.resume\(.*target="):
        evofool.resume(tmp_path / "a")


def test_a_folder_that_is_there_is_refused(tmp_path: Path) -> None:
    small_attack(tmp_path / "a")
    before = tree(tmp_path / "a")
    with pytest.raises(RunError, match="exists already"):
        small_attack(tmp_path / "a")
    assert tree(tmp_path / "a") == before


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        ({"queries": 0}, "`queries` must be a whole number of at least 1, got 0"),
        ({"count": 0}, "`count` must be a whole number of at least 1, got 0"),
        ({"pixels": 0}, "`pixels` must be .*, got 0"),
        ({"pixels": 65}, "`pixels` must be 1 to 64"),
        ({"pixels": "many"}, '`pixels` must be a number or auto, got "many"'),
        ({"pixels": 2, "max_pixels": 3}, "`max_pixels`"),
        ({"pixels": "auto", "max_pixels": 65}, "`max_pixels` must be 1 to 64"),
        ({"pixels": "auto", "baseline": True}, "`baseline`"),
        ({"pixels": 2, "strategy": "corners"}, "corners.*`pixels=1`"),
        ({"strategy": "magic"}, 'unknown strategy "magic"'),
        ({"preset": "magic"}, 'unknown preset "magic"'),
        ({"preset": "su2019", "strategy": "local"}, "`preset=su2019`"),
        ({"criterion": "cat"}, "cat"),
        ({"criterion": ""}, "`criterion`"),
        ({"device": "cpu"}, "belong to a named target"),
        ({"data": "nowhere"}, "no data at"),
        ({"data": None}, "needs `data`"),
        ({"quereis": 3}, 'there is no option `quereis` .*"queries"'),
    ],
    ids=str,
)
def test_bad_options_are_refused_before_anything_is_made(options: dict[str, Any], match: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=match):
        small_attack(tmp_path / "a", **options)
    assert not (tmp_path / "a").exists()


def test_images_of_the_only_criterion_s_class_are_not_chosen(tmp_path: Path) -> None:
    result = small_attack(tmp_path / "a", criterion=2, count=30, queries=20)
    lines = json_lines(tmp_path / "a" / "images.jsonl")
    assert result.total == len(lines) > 0
    assert all(line["label"] != 2 for line in lines)
    assert {outcome["criterion_index"] for outcome in json_lines(tmp_path / "a" / "outcomes.jsonl")} == {2}


def test_what_an_image_is_called_in_bytes_that_are_no_text_stops_nothing(tmp_path: Path) -> None:
    """A file name on Linux is any bytes."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    image = random_images(1).numpy()[0].transpose(1, 2, 0)
    with open(os.fsencode(pictures) + b"/caf\xe9.png", "wb") as file:
        Image.fromarray(image).save(file, "PNG")
    result = small_attack(tmp_path / "a", data=pictures, count=1)
    assert result.statistics.settled == 1


def test_class_names_of_any_script_survive_a_torn_line(tmp_path: Path) -> None:
    """Every byte is a place where a power cut may end a line."""
    target = tiny_target()
    target.classes = ["猫", "café", "犬", "naïve"]
    data = archive(tmp_path / "images.npz", target=target)
    small_attack(tmp_path / "b", target=target, data=data, count=2)
    whole = (tmp_path / "b" / "outcomes.jsonl").read_bytes()
    for cut in [place for place, byte in enumerate(whole) if byte >= 0x80][:4]:
        (tmp_path / "b" / "outcomes.jsonl").write_bytes(whole[:cut])
        evofool.resume(tmp_path / "b", target=target)
        assert (tmp_path / "b" / "outcomes.jsonl").read_bytes() == whole
