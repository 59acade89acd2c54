"""The experiment ``occlude``: what it finds on which images, that any target will do, and that it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from plain import PlainTarget
from runs import Capture, Killed, assert_refused, interrupt, kill, run_cli, small_evolve, succeed, tree
from support import tiny_target

import evofool
from evofool.errors import ConfigError, EvofoolError, RunError
from evofool.jobs import life
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.store.ledger import FolderLedger
from evofool.store.records import OccludeResult


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five random pictures of the tiny network's size."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(3)
    files = [folder / f"{number}.png" for number in range(5)]
    for file in files:
        Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).save(file)
    return files


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs against the embedded digits network."""
    folder = tmp_path_factory.mktemp("evolved") / "run"
    small_evolve(folder, encoding="cppn", gallery=False)
    return folder


def occluded(files: list[Path], out: Path, **options: Any) -> ExperimentResult:
    return evofool.occlude(files, options.pop("target", None) or tiny_target(), out=out, **{"batch": 7, **options})


@pytest.fixture(scope="module")
def whole(pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return occluded(pictures, tmp_path_factory.mktemp("whole") / "lab", patch=3, stride=2)


def test_what_stays_is_counted_square_by_square(whole: ExperimentResult, pictures: list[Path]) -> None:
    target = tiny_target()
    edges = [0, 2, 4, 5]  # The last square touches the edge.
    means, lowest = [], []
    for part, (result,) in ExperimentFolder.open(whole.path).results(OccludeResult):
        image = np.asarray(Image.open(pictures[part])).transpose(2, 0, 1)
        scores = target.confirm(torch.from_numpy(image[None].copy()))[0]
        label, shares, changed = int(scores.argmax()), [], 0
        colour = [round(float(channel.mean())) for channel in image]
        for row, y in enumerate(edges):
            for column, x in enumerate(edges):
                covered = image.copy()
                for channel in range(3):
                    covered[channel, y : y + 3, x : x + 3] = colour[channel]
                now = target.confirm(torch.from_numpy(covered[None]))[0]
                assert result["left"][row][column] == pytest.approx(float(now[label]), abs=1e-5)
                shares.append(min(1.0, float(now[label] / scores[label])))
                changed += int(now.argmax()) != label
        assert result["confidence"] == pytest.approx(float(scores[label]), abs=1e-5)
        assert result["changed"] == changed
        means.append(np.mean(shares))
        lowest.append(min(shares))
    summary = whole.summary()
    assert len(means) == 5
    assert summary["kept"]["mean"] == pytest.approx(np.mean(means), abs=1e-4)
    assert summary["kept"]["lowest"] == pytest.approx(np.mean(lowest), abs=1e-4)
    low, high = summary["kept_interval95"]["mean"]
    assert low <= summary["kept"]["mean"] <= high
    assert {"experiment", "target", "seconds", "seed", "run"} <= set(json.loads(json.dumps(summary)))


def test_the_saved_picture_is_that_of_the_worst_place(whole: ExperimentResult) -> None:
    folder, target = ExperimentFolder.open(whole.path), tiny_target()
    for part, (result,) in folder.results(OccludeResult):
        scores = target.confirm(torch.from_numpy(folder.pictures(part)))
        left = float(scores[0, folder.subjects[part].label])
        assert left == pytest.approx(np.min(result["left"]), abs=1e-5)


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_image_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, pictures: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 3):
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < 5:
        sessions += 1
        try:
            if sessions == 1:
                occluded(pictures, out, patch=3, stride=2, observer=observe)
            else:
                evofool.resume(out, target=tiny_target(), observer=observe)
        except Killed:
            pass
    assert sessions == 3
    assert not evofool.resume(out, target=tiny_target()).interrupted
    assert tree(out) == tree(whole.path)


def test_a_target_that_gives_nothing_but_scores_will_do_and_its_queries_are_counted(
    pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    out, budget = tmp_path / "lab", 5 + 16 + 9
    result = occluded(pictures, out, target=PlainTarget("paid"), patch=2, stride=2, max_queries=budget)
    assert (result.interrupted, result.summary()["max_queries"]) == (True, budget)
    assert "queries" in str(result.note)
    assert FolderLedger(out).spent == budget == evofool.inspect(out)["queries_paid"]
    finished = evofool.resume(out, target=PlainTarget("paid"), max_queries=1000)
    assert (finished.interrupted, finished.note) == (False, None)
    assert finished.summary()["queries_paid"] == 5 * 17  # The whole pictures are asked about once.
    free = occluded(pictures, tmp_path / "free", target=PlainTarget("paid"), patch=2, stride=2)
    assert tree(out)["results.jsonl"] == tree(free.path)["results.jsonl"]


def test_beside_a_target_that_does_not_run_in_torch_torch_uses_one_thread(
    pictures: list[Path], threads: Callable[[int], None], tmp_path: Path
) -> None:
    class Outside(PlainTarget):
        in_torch = False

    threads(2)
    during = set[int]()
    occluded(
        pictures,
        tmp_path / "lab",
        target=Outside("outside"),
        observer=lambda step: during.add(torch.get_num_threads()),
    )
    assert (during, torch.get_num_threads()) == ({1}, 2)


def test_a_function_in_a_file_will_do(pictures: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import numpy as np\n"
        "def bright(images):\n"
        "    light = images.reshape(len(images), -1).mean(1) / 255\n"
        "    return np.stack([light, 1 - light], 1)\n"
    )
    brought: dict[str, Any] = {"image_size": 8, "layout": "NHWC", "range": "0-255", "outputs": "probabilities"}
    result = evofool.occlude(pictures, f"{file}:bright", out=tmp_path / "lab", fill="black", **brought)
    folder = ExperimentFolder.open(result.path)
    for part, (found,) in folder.results(OccludeResult):
        image = folder.subjects[part].image.astype(float)
        light = image.mean() / 255
        assert found["confidence"] == pytest.approx(max(light, 1 - light), abs=1e-5)
        darker = light - image[:, :2, :2].sum() / image.size / 255
        assert found["left"][0][0] == pytest.approx(darker if light > 0.5 else 1 - darker, abs=1e-5)


def test_a_runs_own_target_and_classes_are_taken(run: Path, tmp_path: Path) -> None:
    result = evofool.occlude(run, out=tmp_path / "lab", classes=["3", "7"], device="cpu")
    lines = {line["class"]: line for line in map(json.loads, (run / "elites.jsonl").read_text().splitlines())}
    assert result.summary()["target"] == "digits"
    told = {elite["class"]: elite["confidence"] for elite in result.summary()["elites"]}
    assert told == {name: pytest.approx(lines[name]["score"], abs=1e-4) for name in ("3", "7")}


def test_a_genome_of_another_size_is_drawn_at_the_targets(tmp_path: Path) -> None:
    result = evofool.occlude("mnist-cppn#7", "digits", out=tmp_path / "lab", device="cpu")
    folder = ExperimentFolder.open(result.path)
    assert folder.subjects[0].image.shape == (1, 8, 8)
    assert folder.config.classes[folder.subjects[0].label] == "7"


def test_of_more_images_than_are_asked_for_the_seed_chooses(run: Path, tmp_path: Path) -> None:
    chosen = []
    for number, seed in enumerate((0, 0, 1)):
        out = tmp_path / str(number)
        evofool.occlude(run, out=out, count=3, seed=seed, patch=8, device="cpu")
        chosen.append([subject.label for subject in ExperimentFolder.open(out).subjects])
    assert chosen[0] == chosen[1] != chosen[2]
    assert [len(each) for each in chosen] == [3, 3, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 9}, "`patch` must be at most the 8 pixels"),
        ({"patch": 2, "stride": 3}, "`stride` must be at most the 2 pixels"),
        ({"fill": "gray"}, r'`fill`: there is no "gray" \(did you mean "grey"\?\)'),
        ({"classes": ["class 1"]}, "none of 5 images is of `classes="),
        ({"count": 0}, "`count` must be a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be_are_named(
    options: dict[str, Any], message: str, pictures: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        occluded(pictures, tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_a_folder_of_pictures_is_its_pictures(whole: ExperimentResult, pictures: list[Path], tmp_path: Path) -> None:
    result = occluded([pictures[0].parent], tmp_path / "lab", patch=3, stride=2)
    assert tree(result.path)["results.jsonl"] != b""
    assert result.summary()["elites"] == whole.summary()["elites"]


def test_one_image_alone_tells_nothing_of_the_mean(pictures: list[Path], tmp_path: Path) -> None:
    assert occluded(pictures[:1], tmp_path / "lab").summary()["kept_interval95"] == {"mean": (0, 1), "lowest": (0, 1)}


def test_what_holds_no_images_is_named(whole: ExperimentResult, tmp_path: Path) -> None:
    for place, message in [
        (tmp_path / "nowhere", "nothing at"),
        (tmp_path, "holds neither a run"),
        (whole.path, "is an experiment"),
    ]:
        with pytest.raises(EvofoolError, match=message):
            occluded([place], tmp_path / "lab")
    assert not (tmp_path / "lab").exists()


def test_results_that_lie_are_found(whole: ExperimentResult, pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "lab"
    folder = ExperimentFolder.open(occluded(pictures[:1], out, patch=4, stride=4).path)
    (_, (good,)), picture = next(iter(folder.results(OccludeResult))), folder.pictures(0)
    for wrong in ({"left": [[0.5, 0.5], [0.5]]}, {"left": [[0.5]]}):
        (out / "results.jsonl").unlink()
        folder = ExperimentFolder.open(out)
        folder.append([{**good, **wrong}], picture)
        with pytest.raises(RunError, match="tells of other images than it must"):
            evofool.resume(out, target=tiny_target())


def test_a_square_that_no_image_has_room_for_is_refused_in_a_folder_too(
    pictures: list[Path], tmp_path: Path, capsys: Capture
) -> None:
    out = occluded(pictures[:1], tmp_path / "lab", patch=4, stride=4).path
    config = out / "config.json"
    config.write_text(config.read_text().replace('"patch": 4', '"patch": 4000000000'))
    assert_refused(run_cli(capsys, "gallery", out))


def test_the_command_line_takes_what_people_have(run: Path, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    told = json.loads(succeed(capsys, "lab", "occlude", run, "--patch", 4, "--out", out, "--json").out)
    assert (told["experiment"], told["target"], told["images"], told["patch"]) == ("occlude", "digits", 10, 4)
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert {**again, "seconds": 0} == {**told, "seconds": 0}
    assert "of the confidence on average" in succeed(capsys, "resume", out).out
    assert f"evofool lab occlude {run} --target digits" in (out / "report.html").read_text()
    assert_refused(run_cli(capsys, "lab", "occlude", run, "--patch", 9, "--out", tmp_path / "a"), "--patch must be")
    assert_refused(
        run_cli(capsys, "lab", "occlude", "cifar10-ccpn", "--out", tmp_path / "a"), "nothing at cifar10-ccpn"
    )
    assert not (tmp_path / "a").exists()
