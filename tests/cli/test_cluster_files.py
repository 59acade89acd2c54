"""Example files of docs/SCALING.md are what Ray, bash and evofool take, as far as that can be seen without clusters."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from evofool.cli.app import app

FILES = Path(__file__).parents[2] / "docs" / "cluster"


def parsed(program: Any, words: list[str]) -> dict[str, Any]:
    """The options that a command of a program is given; nothing runs."""
    while words and words[0] in getattr(program, "commands", {}):
        program = program.commands[words.pop(0)]
    given: dict[str, Any] = program.make_context("program", words).params
    return given


def test_the_autoscalers_file_fits_rays_schema() -> None:
    yaml: Any = pytest.importorskip("yaml")
    util: Any = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load((FILES / "autoscaler.yaml").read_text())
    util.validate_config(util.prepare_config(config))
    kinds = config["available_node_types"]
    assert config["head_node_type"] in kinds
    assert kinds["worker"]["min_workers"] >= 1
    assert kinds["worker"]["max_workers"] <= config["max_workers"]


def test_the_file_for_kuberay_gives_a_command_that_there_is_and_machines_with_one_volume() -> None:
    yaml: Any = pytest.importorskip("yaml")
    job = yaml.safe_load((FILES / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    name, *words = shlex.split(job["spec"]["entrypoint"])
    given = parsed(typer.main.get_command(app), words)
    assert (name, given["engine"], given["address"]) == ("evofool", "ray", "auto")
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        mounts = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}


def test_the_file_for_slurm_is_bash_whose_commands_have_the_options_that_it_gives() -> None:
    file = FILES / "slurm.sh"
    subprocess.run(["bash", "-n", file], check=True)
    text = re.sub(r"\\\n\s*", " ", file.read_text())
    commands = [line.strip() for line in text.splitlines() if re.match(r"\s*evofool ", line)]
    assert [line.split()[1] for line in commands] == ["resume", "evolve"]
    for line in commands:
        assert parsed(typer.main.get_command(app), shlex.split(line)[1:])
    ray: Any = pytest.importorskip("ray.scripts.scripts")
    started = re.findall(r"srun .* ray (start .*) &", text)
    assert len(started) == 2
    for words in map(shlex.split, started):
        cpus = [word.replace("$SLURM_CPUS_PER_TASK", "32").replace("$head", "node") for word in words]
        given = parsed(ray.cli, cpus)
        assert (given["num_cpus"], given["block"]) == (32, True)
