"""Experiments on a cluster have the bytes of those in one process: parts are dealt, and come back in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from campaigns import archive
from clusters import ON_RAY, kill, without_engine
from runs import assert_refused, run_cli, tree
from support import tiny_network, tiny_target

import evofool
from evofool.errors import ConfigError
from evofool.lab.job import ExperimentStep

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(600)]

GENOME = {
    "format": 2, "encoding": "cppn", "image_shape": [3, 8, 8], "coordinates": "unit", "colour": "rgb",
    "nodes": [
        {"id": number, "activation": name, "position": place}
        for number, (name, place) in enumerate(
            [("linear", 0)] * 4 + [("sigmoid", 1)] * 3 + [("sin", 0.4), ("gauss", 0.6)]
        )
    ],
    "connections": [
        {"from": a, "to": b, "weight": weight}
        for a, b, weight in [(0, 7, 6.5), (1, 8, 1.5), (7, 4, 2.5), (8, 5, 0.3), (7, 6, 1.0), (3, 6, 0.5)]
    ],
}  # fmt: skip

SMALL: dict[str, dict[str, Any]] = {
    "perturb": {"count": 3, "steps": 4, "methods": ("fgsm", "pgd"), "epsilon": (0.03,)},
    "ascend": {"classes": [0, 2, 3], "steps": 12},
    "occlude": {"patch": 3, "stride": 2},
    "probe": {"count": 6, "samples": 20, "directions": 3, "queries": 60, "evaluations": 100, "sources": "pixel"},
    "detect": {"count": 4, "runs": 2, "evaluations": 100, "queries": 60, "kinds": ("direct", "fgsm")},
    "transfer": {"count": 2, "runs": 1, "evaluations": 100, "queries": 60, "kinds": ("direct", "pixel")},
}
"""Small experiments of several parts each."""


def pair() -> list[Any]:
    """The tests' tiny network, and one of another seed."""
    options: dict[str, Any] = {"image_shape": (3, 8, 8), "mean": 0.5, "std": 0.25, "device": "cpu"}
    names = [f"class {index}" for index in range(4)]
    return [tiny_target(), evofool.Target(tiny_network(seed=1), classes=names, name="other", **options)]


def genome_files(folder: Path, count: int) -> list[Path]:
    """Write the genome into several files, which differ in where it is said to come from."""
    files = [folder / f"{number}.json" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text(json.dumps({**GENOME, "provenance": {"number": number}}))
    return files


def assert_same(there: Path, here: Path) -> None:
    """Check that two folders have the same files with the same bytes, wherever the work was done."""
    for run in (there, here):
        without_engine(run)
    ours, theirs = tree(there), tree(here)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name] and name != "index.html"] == []  # It names its folder.


@pytest.mark.usefixtures("kept_workers")
@pytest.mark.parametrize("name", SMALL)
def test_an_experiment_on_two_workers_has_the_bytes_of_one_in_this_process(name: str, tmp_path: Path) -> None:
    begin: Callable[..., Any] = getattr(evofool, name)
    options = {**SMALL[name], "batch": 1, "target": pair() if name == "transfer" else tiny_target()}
    if name == "occlude":
        options["genomes"] = genome_files(tmp_path, 3)
    elif name != "ascend":
        options["data"] = archive(tmp_path / "images.npz")
    begin(out=tmp_path / "here", **options)
    seen: list[ExperimentStep] = []
    begin(out=tmp_path / "there", **options, **ON_RAY, observer=seen.append)
    assert seen[-1].engine.facts().workers  # type: ignore[attr-defined]
    assert_same(tmp_path / "there", tmp_path / "here")


def test_evolved_images_are_taken_apart_on_workers_whoever_dies_and_a_stopped_experiment_goes_on_elsewhere(
    tmp_path: Path,
) -> None:
    files = genome_files(tmp_path, 6)
    killed: list[int] = []

    def disturb(step: ExperimentStep) -> None:
        if step.part and not killed:
            killed.append(step.done)
            kill(step.engine)
        elif step.done >= 3:
            raise KeyboardInterrupt

    evofool.ablate(files, tiny_target(), out=tmp_path / "here")
    with pytest.raises(KeyboardInterrupt):
        evofool.ablate(files, tiny_target(), out=tmp_path / "there", **ON_RAY, observer=disturb)
    assert evofool.inspect(tmp_path / "there")["done"] == 3
    assert evofool.resume(tmp_path / "there", target=tiny_target(), engine="local").summary()["images"] == 6
    assert_same(tmp_path / "there", tmp_path / "here")


@pytest.mark.parametrize("name", ["harden", "features"])
def test_what_trains_networks_says_that_workers_cant_share_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = run_cli(capsys, "lab", name, "--engine", "ray", "--out", tmp_path / "lab")
    assert_refused(refused, f"{name} trains", "epoch after epoch, which workers can't share; leave --engine ray out")
    assert not (tmp_path / "lab").exists()


def test_an_experiment_goes_on_with_another_engine_but_has_no_limits(tmp_path: Path) -> None:
    evofool.ascend(tiny_target(), out=tmp_path / "lab", **SMALL["ascend"])
    evofool.resume(tmp_path / "lab", target=tiny_target(), engine="local")
    with pytest.raises(ConfigError, match="it ends when all its parts are done"):
        evofool.resume(tmp_path / "lab", target=tiny_target(), max_queries=3)
