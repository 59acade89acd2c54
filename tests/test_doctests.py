"""The examples in docstrings and in the docs run."""

from __future__ import annotations

import doctest
import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from peer_models import ArtClassifier, FoolboxModel
from support import random_images, tiny_network
from torch import nn

import evofool

ROOT = Path(evofool.__file__).parent

MODULES = [
    ".".join(("evofool", *path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
"""Modules with examples."""


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted > 0
    assert failed == 0


def python_of(page: str) -> list[str]:
    """The blocks of Python on a page of the docs."""
    text = (Path(__file__).parents[1] / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_ways_in_have_examples() -> None:
    assert {"evofool.api.jobs", "evofool.targets.torch_target", "evofool.targets.registry"} <= set(MODULES)


def test_the_page_of_functions_has_every_public_name() -> None:
    page = (Path(__file__).parents[1] / "docs" / "API.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"\.\. auto\w+:: (\w+)", page))
    options = {name for name in evofool.__all__ if name.endswith("Options")}  # docs/OPTIONS.md has these
    assert documented == set(evofool.__all__) - options - {"__version__"}


def test_the_python_of_the_page_on_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is an extra")
    monkeypatch.setattr(pandas.DataFrame, "plot", lambda *_, **__: None)  # It needs matplotlib.
    monkeypatch.chdir(tmp_path)
    names = {"my_module": nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(3 * 4 * 4, 2))}
    for block in python_of("PYTHON"):
        exec(block.replace("20_000", "100").replace("000", "00"), names)
    assert (tmp_path / "growth.svg").exists()
    assert (tmp_path / "runs" / "mine" / "config.json").exists()
    result = capsys.readouterr().out.splitlines()
    assert len(result) == 3
    assert result[0].startswith("done: custom, cppn, 100 evaluations ")


def test_the_python_of_the_page_for_research_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = python_of("RESEARCH")
    exec(block.replace("generations=50", "generations=2").replace("generations=60", "generations=3"), {})
    assert capsys.readouterr().out == "deap.tools.selection:selTournament(tournsize=3)\n"


LIBRARIES = ("torchattacks", "foolbox", "art", "ribs")


def test_the_python_of_the_page_for_users_of_other_tools_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images, network = random_images(3).float() / 255, tiny_network()
    names: dict[str, Any] = {"torch": torch, "network": network, "images": images}
    names |= {"labels": network(images).argmax(1), "model": FoolboxModel(), "classifier": ArtClassifier()}
    ran = 0
    for block in python_of("COMING_FROM"):
        library = next((name for name in LIBRARIES if re.match(rf"(import|from) {name}\b", block)), None)
        if library is None or find_spec(library):
            exec(block.replace("2_000", "200"), names)
            ran += library is None
    assert ran == 6
    assert (tmp_path / "runs" / "campaign" / "report.html").exists()


def test_the_python_of_the_page_of_trackers_and_programs_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own, program = python_of("OBSERVERS")
    exec(own, {})
    printed = capsys.readouterr().out.splitlines()
    assert (printed[0], printed[-1]) == ("run digits from step 0", "finished")
    assert [line.split()[0] for line in printed[1:-1]] == ["1", "2", "3"]
    exec(program.replace("2000", "400"), {})
    *steps, end = capsys.readouterr().out.splitlines()
    assert steps[-1].startswith("400 of 400 evaluations, ")
    assert end == "finished outputs/digits-cppn-001"
    assert (tmp_path / "outputs" / "digits-cppn-001" / "index.html").exists()


def test_the_python_of_the_page_of_operators_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in python_of("OPERATORS"):
        few = block.replace("0_000", "00").replace("count=20", "count=2, queries=40")
        exec(few.replace("cifar10", "digits"), {"__name__": "mine"})
    assert evofool.inspect(tmp_path / "runs" / "weakest")["swapped"] == {"select": "mine:weakest"}
    assert evofool.inspect(tmp_path / "runs" / "scattered")["swapped"] == {"search": "mine:Scattered"}


def test_the_python_of_the_page_of_attacks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = random_images(3, (3, 32, 32))
    photos = pixels.permute(0, 2, 3, 1).numpy()
    scores = evofool.load_target("cifar10", device="cpu").scores(pixels)
    campaign, drop_in = python_of("ATTACKS")
    few = campaign.replace("queries=1000", "queries=20")
    exec(few, {"images": photos, "labels": scores.argmax(1).numpy()})
    assert evofool.open("runs/attack").statistics.attempts == 3
    mean, std = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    model, images = tiny_network(), (random_images(3).float() / 255 - mean) / std
    names = {"evofool": evofool, "model": model, "images": images, "labels": model(images).argmax(1)}
    exec(drop_in.replace("queries=2000", "queries=20"), names)
    assert names["adversarial"].shape == images.shape
