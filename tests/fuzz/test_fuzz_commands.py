"""The command line with files from strangers: it does its work, or ends with code 2 and one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import archive, sealed_bytes
from hostile import Count, Sandbox, damaged, figures, fuzz, json_files, line_files, tried
from hypothesis import given
from hypothesis import strategies as st
from runs import Capture, json_lines, run_cli, save_weights, small_evolve
from support import build

from evofool.encodings import genome_file
from evofool.io.png import png
from evofool.jobs import campaign as campaigning
from evofool.rng import Rng
from evofool.targets import registry as zoo
from evofool.targets.networks import DigitsNet

EVOLVE = "evolve --generations 1 --batch 2 --classes 0 --device cpu --out out/run"
ATTACK = "attack --count 2 --queries 8 --device cpu --out out/campaign --target digits"
SCORE = "score sound.png --target digits --device cpu"
COMMANDS: dict[str, tuple[str, str]] = {
    "render": ("genome.json", "render genome.json --size 12 --out out/a.png"),
    "render a picture": ("picture.png", "render picture.png --size 12 --out out/a.png"),
    "score": ("picture.png", "score picture.png --target digits --device cpu"),
    "gallery": ("genome.json", "gallery genome.json --out out/page.html"),
    "gallery of a run": ("run/elites.jsonl", "gallery run --out out/page.html"),
    "gallery of a config": ("run/config.json", "gallery run"),
    "inspect": ("run/elites.jsonl", "inspect run"),
    "inspect a config": ("run/config.json", "inspect run"),
    "inspect a campaign": ("campaign/config.json", "inspect campaign"),
    "repair": ("campaign/outcomes.jsonl", "inspect --repair campaign"),
    "repair a run": ("run/checkpoint/state.npz", "inspect --repair run"),
    "resume": ("run/config.json", "resume run --generations 1"),
    "resume a checkpoint": ("run/checkpoint/state.npz", "resume run --generations 1"),
    "resume a campaign": ("campaign/outcomes.jsonl", "resume campaign --quiet"),
    "report": ("campaign/outcomes.jsonl", "report campaign"),
    "report of a config": ("campaign/config.json", "report campaign"),
    "start": ("genome.json", f"{EVOLVE} --target cifar10 --init genome.json"),
    "weights": ("weights.pth", f"{SCORE} --weights weights.pth"),
    "safe weights": ("weights.safetensors", f"{SCORE} --weights weights.safetensors"),
    "evolve weights": ("weights.safetensors", f"{EVOLVE} --target digits -e direct --weights weights.safetensors"),
    "attack": ("data.npz", f"{ATTACK} --data data.npz"),
    "attack weights": ("weights.pth", f"{ATTACK} --data data.npz --weights weights.pth"),
}
"""what is done: the file that is changed, and the command"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A folder with one of everything."""
    import torch

    box = Sandbox(tmp_path_factory.mktemp("commands") / "box")
    home = box.inside
    home.mkdir()
    encoding = build("cppn", "default", (3, 32, 32))
    genome = genome_file.to_json(encoding, encoding.random(1, Rng(0)), 0, {"class": "cat"})
    (home / "genome.json").write_text(genome_file.dumps(genome))
    (home / "picture.png").write_bytes(png(np.full((3, 9, 9), 7, np.uint8)))
    shutil.copy(home / "picture.png", home / "sound.png")
    network = DigitsNet()
    save_weights(network, home / "weights.safetensors")
    torch.save(network.state_dict(), home / "weights.pth")
    target = zoo.load_target("digits", device="cpu")
    archive(home / "data.npz", 4, target)
    small_evolve(home / "run", classes="0,1", gallery=False)
    options: dict[str, Any] = {"target": "digits", "device": "cpu", "count": 2, "queries": 30}
    campaigning.attack(data=home / "data.npz", out=home / "campaign", **options)
    box.remember()
    return box


@st.composite
def changed(draw: Any, file: Path) -> bytes:
    content, name = file.read_bytes(), file.name
    if name.endswith(".jsonl"):
        lines = bytes(draw(line_files(json_lines(file))))
        return sealed_bytes(lines, file.parent) if name == "outcomes.jsonl" else lines
    if name.endswith(".json") and draw(st.booleans()):
        return bytes(draw(json_files(json.loads(content))))
    return bytes(draw(damaged(content)))


@fuzz(0.06)
@given(data=st.data(), what=st.sampled_from(sorted(COMMANDS)))
def test_a_command_does_its_work_or_ends_with_one_line(
    data: Any, what: str, box: Sandbox, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, words = COMMANDS[what]
    monkeypatch.chdir(box.inside)
    file = box.inside / name
    content = data.draw(changed(file))
    outcome: list[Any] = []
    file.write_bytes(content)
    ended = tried("commands", lambda: outcome.append(run_cli(capsys, *words.split())))
    box.assert_untouched()
    box.restore()
    if ended == "known":
        return
    code, err = outcome[0].code, outcome[0].err
    figures.setdefault("commands", Count()).refused[f"code {code}"] += 1
    assert code in (0, 2), outcome
    if code == 2:
        assert err.startswith("error: ")
        assert err.count("\n") == 1, err
    elif "resume" not in words and "attack" not in words and "evolve" not in words:
        assert err == ""
