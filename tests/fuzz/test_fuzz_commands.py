"""The command line with files from strangers: it does its work, or ends with code 2 and one line that names them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import possible_jobs as possible
import pytest
import torch
from campaigns import archive, sealed_bytes
from file_fates import archive_can_be, arrays_of, damaged_fate, picture_fate, weights_fate
from hostile import Fate, Sandbox, fuzz, instead
from hypothesis import given
from hypothesis import strategies as st
from job_fates import elites_fate, outcomes_fate
from mutations import damaged, json_files, line_files
from possible_genomes import use_fate
from runs import Capture, json_lines, run_cli, save_weights, small_evolve
from support import build

import evofool
from evofool.encodings import genome_file
from evofool.errors import EvofoolError
from evofool.io.png import png
from evofool.rng import Rng
from evofool.targets.networks import DigitsNet

EVOLVE = "evolve --generations 1 --batch 2 --classes 0 --device cpu --out out/run --quiet"
ATTACK = "attack --count 2 --queries 8 --device cpu --out out/campaign --target digits --quiet"
SCORE = "score sound.png --target digits --device cpu"

Tell = Callable[[bytes, Path], Fate]
"""Returns what has to become of a command, given the content of the file and the file as it was."""


def genome(what: str, size: int = 16) -> Tell:
    return lambda content, file: use_fate(content, json.loads(file.read_bytes()), what, size)


def config(*, sealed: bool = True) -> Tell:
    return lambda content, file: possible.config_fate(content, json.loads(file.read_bytes()), sealed=sealed)


def elites(what: str) -> Tell:
    return lambda content, file: elites_fate(content, file.parent, what)


def outcomes(what: str) -> Tell:
    return lambda content, file: outcomes_fate(content, file.parent, what)


def picture(content: bytes, file: Path) -> Fate:
    with instead(file, content):
        return picture_fate(file)


def checkpoint(content: bytes, file: Path) -> Fate:
    return damaged_fate(content, file.read_bytes())


def repaired(content: bytes, file: Path) -> Fate:
    return Fate.LOADS


def weights(content: bytes, file: Path) -> Fate:
    """What fits the network may be values that no network works with."""
    fate = weights_fate(file.name, content, DigitsNet().state_dict())
    return Fate.MAY_LOAD if fate is Fate.LOADS and content != file.read_bytes() else fate


def data(content: bytes, file: Path) -> Fate:
    """What can be attacked may be images that the network gets wrong."""
    arrays = arrays_of(content)
    sound = arrays is not None and archive_can_be(arrays, (1, 8, 8), [str(index) for index in range(10)])
    return Fate.MAY_LOAD if sound else Fate.REFUSED


COMMANDS: dict[str, tuple[str, str, Tell]] = {
    "render": ("genome.json", "render genome.json --size 12 --out out/a.png", genome("render", 12)),
    "render a picture": ("picture.png", "render picture.png --size 12 --out out/a.png", picture),
    "score": ("picture.png", "score picture.png --target digits --device cpu", picture),
    "gallery": ("genome.json", "gallery genome.json --out out/page.html", genome("show")),
    "gallery of a run": ("run/elites.jsonl", "gallery run --out out/page.html", elites("show")),
    "gallery of a config": ("run/config.json", "gallery run", config()),
    "inspect": ("run/elites.jsonl", "inspect run", elites("inspect")),
    "inspect a config": ("run/config.json", "inspect run", config()),
    "inspect a campaign": ("campaign/config.json", "inspect campaign", config()),
    "repair": ("campaign/outcomes.jsonl", "inspect --repair campaign", repaired),
    "repair a run": ("run/checkpoint/state.npz", "inspect --repair run", repaired),
    "resume": ("run/config.json", "resume run --generations 4 --quiet", config()),
    "resume a checkpoint": ("run/checkpoint/state.npz", "resume run --generations 4 --quiet", checkpoint),
    "resume a campaign": ("campaign/outcomes.jsonl", "resume campaign --quiet", outcomes("resume")),
    "report": ("campaign/outcomes.jsonl", "report campaign", outcomes("report")),
    "report of a config": ("campaign/config.json", "report campaign", config()),
    "start": ("genome.json", f"{EVOLVE} --target cifar10 --init genome.json", genome("start")),
    "weights": ("weights.pth", f"{SCORE} --weights weights.pth", weights),
    "safe weights": ("weights.safetensors", f"{SCORE} --weights weights.safetensors", weights),
    "evolve weights": (
        "weights.safetensors", f"{EVOLVE} --target digits -e direct --weights weights.safetensors", weights,
    ),
    "attack": ("data.npz", f"{ATTACK} --data data.npz", data),
    "attack weights": ("weights.pth", f"{ATTACK} --data data.npz --weights weights.pth", weights),
}  # fmt: skip
"""What is done: the file that is changed, the command, and what has to become of it."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A folder with one of everything."""
    box = Sandbox(tmp_path_factory.mktemp("commands") / "box")
    home = box.inside
    (home / "out").mkdir(parents=True)
    encoding = build("cppn", "default", (3, 32, 32))
    content = genome_file.to_json(encoding, encoding.random(1, Rng(0)), 0, {"class": "cat"})
    (home / "genome.json").write_text(genome_file.dumps(content))
    (home / "picture.png").write_bytes(png(np.full((3, 9, 9), 7, np.uint8)))
    shutil.copy(home / "picture.png", home / "sound.png")
    target = evofool.load_target("digits", device="cpu")
    save_weights(target.network, home / "weights.safetensors")
    torch.save(target.network.state_dict(), home / "weights.pth")
    archive(home / "data.npz", 4, target)
    small_evolve(home / "run", classes="0,1", gallery=False)
    options: dict[str, Any] = {"target": "digits", "device": "cpu", "count": 2, "queries": 30}
    evofool.attack(data=home / "data.npz", out=home / "campaign", **options)
    box.remember()
    return box


@st.composite
def changed(draw: Any, file: Path) -> bytes:
    """Draw the content of a file of any kind, damaged or with lies in it."""
    content, name = file.read_bytes(), file.name
    if name.endswith(".jsonl"):
        lines = bytes(draw(line_files(json_lines(file))))
        return sealed_bytes(lines, file.parent) if name == "outcomes.jsonl" else lines
    if name.endswith(".json") and draw(st.booleans()):
        return bytes(draw(json_files(json.loads(content))))
    return bytes(draw(damaged(content)))


class Ended(EvofoolError):
    """A command ended with code 2."""


def run(words: str, home: Path, capsys: Capture) -> None:
    """Run a command on files of a folder, which works in silence or ends with code 2 and one line on standard error.

    Raises:
        Ended: It ended so; with the line.
    """
    names = {path.name for path in home.iterdir()}
    outcome = run_cli(capsys, *(home / word if word in names or "/" in word else word for word in words.split()))
    assert outcome.code in (0, 2), outcome
    if outcome.code == 0:
        assert outcome.err == ""
        return
    assert outcome.out == "" or words.startswith("inspect ")  # It tells what it knows of a damaged job.
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
    raise Ended(outcome.err)


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_with_its_sound_file_works(what: str, box: Sandbox, capsys: Capture) -> None:
    name, words, _ = COMMANDS[what]
    content = (box.inside / name).read_bytes()
    box.held("commands", name, content, lambda: run(words, box.inside, capsys), Fate.LOADS)


@fuzz(0.06)
@given(data=st.data(), what=st.sampled_from(sorted(COMMANDS)))
def test_a_command_does_its_work_or_ends_with_one_line(data: Any, what: str, box: Sandbox, capsys: Capture) -> None:
    name, words, tell = COMMANDS[what]
    file = box.inside / name
    content = data.draw(changed(file))
    fields = possible.changed_fields(possible.parsed(content), possible.parsed(file.read_bytes()))
    named = (
        box.inside / name.partition("/")[0],
        f"{file.stem}:",
        f"images of {file.stem} ",
        "--size",
        "its weights",
        *fields,
    )
    box.held("commands", name, content, lambda: run(words, box.inside, capsys), tell(content, file), *named)
