"""Every argument of every public function takes what Python users have: numpy's and torch's numbers, arrays, paths."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from plain_values import REAL, TEXT, TRUTH, WHOLE
from torch import nn

import evofool
from evofool import AttackOptions, AuditOptions, EvolveOptions
from evofool.config.ascend import AscendOptions
from evofool.config.check import CheckOptions
from evofool.config.detect import DetectOptions
from evofool.config.elites import AblateOptions, OccludeOptions
from evofool.config.engine import ENGINE_OPTIONS
from evofool.config.features import FeaturesOptions
from evofool.config.harden import HardenOptions
from evofool.config.model import ModelOptions
from evofool.config.options import Options, declarations
from evofool.config.perturb import PerturbOptions
from evofool.config.probe import ProbeOptions
from evofool.config.transfer import TransferOptions
from evofool.errors import ConfigError, TargetError
from evofool.gallery.prints.render import render_genome


def several_ways(values: list[Any]) -> list[Any]:
    """A list as other containers and arrays."""
    ways: list[Any] = [tuple(values), np.array(values), iter(values), [np.array(value) for value in values]]
    return ways if isinstance(values[0], str) else [*ways, torch.tensor(values), [torch.tensor(one) for one in values]]


def ways_of(options: type[Options]) -> list[Any]:
    """Every option with plain values of each of its types, and the same values as users have them."""
    cases = []
    for name, one in declarations(options).items():
        for kind in one.kinds:
            if kind is int:
                value = 3 if name != "bins" else 4
                cases += [(name, value, way, make(value)) for way, make in WHOLE.items()]
            elif kind is float:
                cases += [(name, 1.0, way, make(1.0)) for way, make in REAL.items()]
            elif kind is bool:
                cases += [(name, True, way, make(True)) for way, make in TRUTH.items()]
            elif kind is str:
                word = "word" if name != "engine" else "ray"
                cases += [(name, word, way, make(word)) for way, make in TEXT.items()]
                if one.extra("path"):
                    cases += [(name, "word", "Path", Path("word"))]
        if one.several:
            several = [0.25, 0.5] if one.expected() == "one or more numbers" else ["a", "b"]
            cases += [(name, tuple(several), f"names {at}", way) for at, way in enumerate(several_ways(several))]
        if one.several and "int" in str(one.type):
            cases += [(name, (1, 2), f"indices {at}", way) for at, way in enumerate(several_ways([1, 2]))]
            cases += [(name, (1,), way, make(1)) for way, make in WHOLE.items()]
    return [pytest.param(options, *case[:2], case[3], id=f"{case[0]} {case[2]}") for case in cases]


@pytest.mark.parametrize(("options", "name", "value", "given"), [*ways_of(EvolveOptions), *ways_of(AttackOptions)])
def test_every_option_takes_values_as_users_have_them(
    options: type[Options], name: str, value: Any, given: Any
) -> None:
    needed = {"engine": "ray"} if name in ENGINE_OPTIONS else {}
    taken = options.of({**needed, name: given})
    assert getattr(taken, name) == value
    assert type(getattr(taken, name)) is type(value)
    assert msgspec.json.decode(msgspec.json.encode(taken), type=options) == taken
    assert options(**{**needed, name: getattr(taken, name)}) == taken


@pytest.mark.parametrize("options", [EvolveOptions, AttackOptions])
def test_options_are_checked_however_they_are_made(options: type[Options]) -> None:
    assert type(options(seed=np.int64(3)).seed) is int  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"`seed` must be a whole number of at least 0, got 3\.0"):
        options(seed=3.0)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"`seed` must be a whole number of at least 0, got \[3\]"):
        options(seed=np.array([3]))  # type: ignore[call-arg]


@pytest.mark.parametrize("options", [EvolveOptions, AttackOptions])
def test_torch_s_devices_and_dtypes_are_known_by_name(options: type[Options]) -> None:
    taken: Any = options.of({"device": torch.device("cuda", 1), "precision": torch.bfloat16})
    assert (taken.device, taken.precision) == ("cuda:1", "bfloat16")


# The home folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, and an empty folder to work in."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # what is compiled and tuned stays where it is
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


PATHS = [(one, name) for one in (EvolveOptions, AttackOptions) for name in declarations(one)]


@pytest.mark.parametrize(
    ("options", "name"), [(one, name) for one, name in PATHS if declarations(one)[name].extra("path")]
)
def test_options_that_are_paths_know_the_home_folder(options: type[Options], name: str, home: Path) -> None:
    assert getattr(options.of({name: "~/some/file"}), name) == str(home / "some" / "file")
    assert getattr(options.of({name: Path("~") / "file"}), name) == str(home / "file")
    with pytest.raises(ConfigError, match=f"`{name}=~nobody-has-this-name/x` begins with a home folder"):
        options.of({name: "~nobody-has-this-name/x"})


def test_what_is_written_and_read_may_begin_with_the_home_folder(home: Path) -> None:
    result = evofool.evolve("digits", "direct", generations=1, batch=4, device="cpu", out="~/run", gallery=np.False_)
    assert result.run == home / "run"
    assert evofool.resume("~/run", generations=np.int64(2)).generations == 2
    assert evofool.inspect(Path("~/run"))["generation"] == 2
    assert evofool.repair("~/run") == []
    campaign = evofool.attack("digits", count=np.int64(1), queries=np.array(8), out="~/attack", device="cpu")
    assert campaign.path == home / "attack"
    assert os.listdir() == []


def test_a_file_that_begins_with_a_tilde_is_found(home: Path) -> None:
    Path("~mine").mkdir()
    assert AttackOptions.of({"data": "~mine"}).data == "~mine"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: evofool.inspect(3), "path"),  # type: ignore[arg-type]
        (lambda: evofool.repair(b"run"), "path"),  # type: ignore[arg-type]
        (lambda: evofool.resume(None), "path"),  # type: ignore[arg-type]
        (lambda: evofool.evolve("digits", out=3), "out"),  # type: ignore[arg-type]
        (lambda: evofool.evolve_seeds("digits", seeds=2, out=3), "out"),  # type: ignore[arg-type]
        (lambda: evofool.sweep(3), "plan"),  # type: ignore[arg-type]
        (lambda: evofool.attack("digits", out=["a"]), "out"),  # type: ignore[arg-type]
        (lambda: evofool.load_target("digits", weights=3), "weights"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_path_is_named(call: Callable[[], object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` must be (a path|text|one or more names), got"):
        call()


# Functions


WALKED = {
    "evolve": {"target", "encoding", "out", "gallery", "progress", "observer", "profiler", "toolbox"},
    "attack": {"target", "data", "out", "progress", "observer", "toolbox"},
    "audit": {"target", "data", "out", "progress", "observer"},
    "perturb": {"target", "data", "out", "progress", "observer"},
    "probe": {"target", "data", "out", "progress", "observer"},
    "transfer": {"target", "data", "out", "progress", "observer"},
    "detect": {"target", "data", "out", "progress", "observer"},
    "occlude": {"genomes", "target", "out", "progress", "observer"},
    "ablate": {"genomes", "target", "out", "progress", "observer"},
    "ascend": {"target", "out", "progress", "observer"},
    "features": {"target", "out", "progress", "observer"},
    "harden": {"target", "out", "progress", "observer"},
    "evolve_seeds": {"target", "encoding", "seeds", "out", "gallery", "progress", "observer", "toolbox"},
    "sweep": {"plan", "target", "out", "gallery", "progress", "observer", "toolbox"},
    "score": {"files", "target", "weights", "device", "top", "options"},
    "resume": {"path", "target", "toolbox", "gallery", "progress", "observer", "limits"},
    "inspect": {"path"},
    "open": {"path"},
    "breed": {"target", "out", "init", "seed"},
    "repair": {"path"},
    "show": {"images", "captions", "edge"},
    "load_genome": {"path"},
    "load_target": {"name", "weights", "device", "precision", "micro_batch"},
    "check_target": {"target", "data"},
}
"""The arguments of public functions, beside declared options. Those that are no objects are tried above."""


def test_no_public_function_is_left_untried() -> None:
    functions = {name for name in evofool.__all__ if inspect.isfunction(getattr(evofool, name))}
    assert functions == WALKED.keys() | {"per_elite", "per_genome", "ribs_archive"}  # these take operators, or a result


@pytest.mark.parametrize("name", WALKED)
def test_no_argument_is_left_untried(name: str) -> None:
    evolving, reading = dict.fromkeys(("evolve", "evolve_seeds"), EvolveOptions), {"load_target": ModelOptions}
    own = {
        "attack": AttackOptions,
        "audit": AuditOptions,
        "ascend": AscendOptions,
        "features": FeaturesOptions,
        "harden": HardenOptions,
        "perturb": PerturbOptions,
        "probe": ProbeOptions,
        "transfer": TransferOptions,
        "detect": DetectOptions,
        "occlude": OccludeOptions,
        "ablate": AblateOptions,
        "check_target": CheckOptions,
    }
    options = {**evolving, **reading, **own}.get(name)
    declared = declarations(options).keys() if options else set()
    assert inspect.signature(getattr(evofool, name)).parameters.keys() - declared == WALKED[name] - declared


def test_experiments_on_evolved_images_take_values_as_users_have_them(home: Path) -> None:
    render_genome("mnist-cppn#7", "28", Path("~/seven.json"))
    options: dict[str, Any] = {"classes": np.array([7]), "patch": np.int64(14), "device": torch.device("cpu")}
    for number, given in enumerate(("mnist-cppn#7", np.str_("mnist-cppn#7"), [Path("~/seven.json")])):
        result = evofool.occlude(given, np.str_("mnist"), out=Path("~/lab") / str(number), **options)
        assert result.summary()["images"] == 1


def test_scoring_takes_values_as_users_have_them(home: Path) -> None:
    assert render_genome("mnist-cppn#7", "28", Path("~/seven.png")) == (28, 28)
    for target in ("mnist", np.str_("mnist")):
        scored = evofool.score([Path("~/seven.png")], target, device=torch.device("cpu"), top=np.int64(1))  # type: ignore[arg-type, list-item]
        ((guess,),) = (image["top5"] for image in scored["images"])
        assert guess["class"] == "7"
    assert os.listdir() == []
    for given in ({"top": 0}, {"top": 1.5}, {"device": 0}, {"weights": 3}, {"files": [3]}):
        with pytest.raises(ConfigError, match=f"`{next(iter(given))}` must be"):
            evofool.score(**{"files": "~/seven.png", "target": "mnist", **given})  # type: ignore[arg-type]


def test_a_module_and_other_objects_are_no_targets() -> None:
    with pytest.raises(TargetError, match="wrap it"):
        evofool.attack(nn.Linear(1, 1), out="never")  # type: ignore[arg-type]
    with pytest.raises(TargetError, match="`target` must be a name"):
        evofool.evolve(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (np.zeros((5, 8, 8), np.uint8), "ndarray (5, 8, 8) uint8"),
        (torch.zeros(5, 1, 8, 8), "Tensor (5, 1, 8, 8) torch.float32"),
        ((np.zeros((5, 8, 8), np.uint8), np.zeros(5)), "tuple"),
    ],
)
def test_arrays_as_data_are_refused_with_what_writes_an_archive_of_them(data: Any, found: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        evofool.attack("digits", data, out=tmp_path / "out")
    assert f"got {found}; save arrays by np.savez(" in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_arrays_as_files_to_score_are_refused_with_what_scores_them() -> None:
    images: Any = np.zeros((8, 8), np.uint8)
    with pytest.raises(ConfigError, match=r"`files` must be paths, got ndarray \(8, 8\) uint8; .*target\.scores"):
        evofool.score(images)


def test_a_page_to_breed_in_takes_values_as_users_have_them(home: Path) -> None:
    page = evofool.breed(np.str_("digits"), out=Path("~/page.html"), seed=np.int64(3))  # type: ignore[arg-type]
    assert page == home / "page.html"
    assert page.exists()
