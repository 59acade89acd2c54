"""How a target runs fastest: tried once, kept for the machine, recorded, and never at the cost of its scores."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from runs import Capture, assert_refused, run_cli, small_evolve
from support import tiny_target
from torch import Tensor, nn

import evofool
from evofool.errors import ConfigError, TargetError
from evofool.jobs.recipe import recipe
from evofool.targets.execution import tuning
from evofool.targets.execution.devices import Execution
from evofool.targets.execution.tuning import SWITCH, Trial, best, retune, tune
from evofool.targets.torch_target import Target


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tuning, with a cache of its own, on a CPU without bfloat16."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH)
    Slow.clock = 0.0
    monkeypatch.setattr(tuning, "time", SimpleNamespace(perf_counter=lambda: Slow.clock, monotonic=lambda: Slow.clock))
    return tmp_path / "cache" / "tuning.json"


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """For networks that do not say how long they take."""
    monkeypatch.setattr(tuning, "time", time)
    monkeypatch.setattr(tuning, "SECONDS", 0.0)


class Slow(nn.Module):
    """A pass takes as long whatever its rows are, so that the largest micro-batch is fastest; counts its passes."""

    clock = 0.0

    def __init__(self, seconds: float = 0.002, error: float = 0.0) -> None:
        super().__init__()
        self.layer, self.seconds, self.error = nn.Linear(12, 4), seconds, error
        self.rows: list[int] = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.rows.append(len(pixels))
        Slow.clock += self.seconds
        wrong = self.error if not pixels.is_contiguous() else 0.0
        return self.layer(pixels.flatten(1)) + torch.tensor([wrong, 0, 0, 0])


def target_of(module: nn.Module, **options: Any) -> Target:
    torch.manual_seed(0)
    return Target(module, classes=list("abcd"), image_shape=(3, 2, 2), device="cpu", **options)


def trial(rows: int, speed: float, error: float = 0.0, precision: str = "float32") -> Trial:
    return Trial(Execution(precision, "channels_last", rows), speed, error)


def test_the_fastest_is_chosen_and_used() -> None:
    target = target_of(Slow())
    assert target.micro_batch == 256
    found = retune(target)
    assert target.setting == Execution("float32", "channels_last", 1024)
    assert {each.setting.micro_batch for each in found} == {64, 128, 256, 512, 1024}
    assert found[0].setting == Execution("float32", "channels_last", 256)


def test_what_was_fast_for_a_moment_is_not_chosen() -> None:
    """Passes of 64 rows take a twentieth of the time for as long as they are tried first."""

    class Lucky(Slow):
        luck = 1201

        def forward(self, pixels: Tensor) -> Tensor:
            lucky = len(pixels) == 64 and self.luck > 0
            self.luck -= lucky
            self.seconds = 0.0001 if lucky else 0.002
            return super().forward(pixels)

    target = target_of(module := Lucky())
    found = {each.setting.micro_batch: each.images_per_second for each in retune(target) if each.faithful}
    assert module.luck == 0
    assert target.micro_batch == 1024
    assert found[64] == pytest.approx(64 / 0.002)


@pytest.mark.parametrize(("fast", "slow"), [(0.0005, 0.002), (0.002, 0.0005)])
def test_an_unfaithful_default_is_not_kept_however_fast_it_is(fast: float, slow: float) -> None:
    class Odd(Slow):
        def forward(self, pixels: Tensor) -> Tensor:
            self.seconds = slow if pixels.is_contiguous() else fast
            return super().forward(pixels)

    target = target_of(Odd(error=1.0), micro_batch=8)
    exact = tuning.Target.confirm
    with pytest.MonkeyPatch.context() as patch:  # confirmations are right, and channels_last is not

        def right(self: Target, images: Tensor, *, rows: int | None = None) -> Tensor:
            self.use(Execution("float32", "contiguous", 8))
            scores = exact(self, images, rows=rows)
            self.use(Execution("float32", "channels_last", 8))
            return scores

        patch.setattr(Target, "confirm", right)
        retune(target)
    assert target.memory_format == "contiguous"


def test_what_fails_when_tried_again_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    target, again = target_of(Slow()), tuning.again

    def failing(*arguments: Any) -> list[Trial]:
        use = target.use

        def fails(setting: Execution) -> None:
            if setting.micro_batch == 1024:
                raise TargetError("no more")
            use(setting)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, "use", fails)
            return again(*arguments)

    monkeypatch.setattr(tuning, "again", failing)
    found = retune(target)
    assert target.micro_batch == 256  # half of the rows are not close to the fastest
    assert {each.setting.micro_batch: each.images_per_second for each in found if each.faithful}[1024] == 0


def test_no_setting_is_tried_twice() -> None:
    found = retune(target_of(Slow(), precision="float32", memory_format="contiguous"))
    settings = [each.setting for each in found]
    assert len(set(settings)) == len(settings)
    target = target_of(Slow())
    target.micro_batch = 1
    settings = [each.setting for each in tuning.trials(target, tuning._images(target))]
    assert len(set(settings)) == len(settings)


def test_what_was_not_tried_again_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine is slower by then."""
    target, again = target_of(module := Slow()), tuning.again

    def tired(*arguments: Any) -> list[Trial]:
        module.seconds = 0.02
        return again(*arguments)

    monkeypatch.setattr(tuning, "again", tired)
    found = retune(target)
    speeds = {each.setting.micro_batch: each.images_per_second for each in found if each.faithful}
    assert speeds[64] == pytest.approx(64 / 0.002)  # not close to the fastest
    assert speeds[1024] == pytest.approx(1024 / 0.02)
    assert target.micro_batch == 1024


@pytest.mark.parametrize(("seconds", "passes"), [(1.5, 16), (9.0, 5)])
def test_it_does_not_go_on_for_long(seconds: float, passes: int, cache: Path) -> None:
    target = target_of(module := Slow(seconds))
    found = retune(target)
    assert len(module.rows) < passes
    assert found
    assert cache.exists()


def test_what_was_found_is_kept_for_the_machine(cache: Path) -> None:
    tune(target_of(Slow()))
    kept = cache.read_bytes()
    again = target_of(module := Slow())
    again.network.load_state_dict(target_of(Slow()).network.state_dict())
    tune(again)
    tune(again)
    assert again.micro_batch == 1024
    assert module.rows == []  # nothing was tried
    assert cache.read_bytes() == kept


def test_another_network_other_weights_and_other_freedom_are_tried_anew(cache: Path) -> None:
    tune(target_of(Slow()))
    tune(target_of(nn.Sequential(Slow(), nn.ReLU())))
    weights = target_of(Slow())
    with torch.no_grad():
        next(weights.network.parameters()).add_(1)
    tune(weights)
    tune(target_of(Slow(), micro_batch=32))
    assert len(json.loads(cache.read_text())) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "[" * 100_000, '{"a": 1}'])
def test_a_damaged_cache_is_made_anew(content: str, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text(content)
    tune(target_of(Slow()))
    assert any(value == {"precision": "float32", "memory_format": "channels_last", "micro_batch": 1024, "fold": False}
               for value in json.loads(cache.read_text()).values() if isinstance(value, dict))  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        None, 5, {}, {"precision": "float32", "memory_format": "channels_last"},
        {"precision": "float32", "memory_format": "channels_last", "micro_batch": 8},  # before 0.5.0
        {"precision": "float8", "memory_format": "channels_last", "micro_batch": 8, "fold": False},
        {"precision": "float32", "memory_format": "rows", "micro_batch": 8, "fold": False},
        {"precision": "float32", "memory_format": "channels_last", "micro_batch": 0, "fold": False},
        {"precision": "float32", "memory_format": "channels_last", "micro_batch": True, "fold": False},
        {"precision": "float32", "memory_format": "channels_last", "micro_batch": 8, "fold": 1},
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_tried_anew(entry: Any, cache: Path) -> None:
    tune(target_of(Slow()))
    [key] = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: entry}))
    target = target_of(Slow())
    tune(target)
    assert target.micro_batch == 1024


def test_a_machine_that_keeps_nothing_tries_again(cache: Path) -> None:
    cache.parent.write_text("a file where the folder should be")
    target = target_of(Slow())
    tune(target)
    assert target.micro_batch == 1024


def test_what_was_given_stays() -> None:
    target = target_of(Slow(), micro_batch=32)
    tune(target)
    assert target.micro_batch == 32
    fixed = target_of(module := Slow(), micro_batch=32, precision="float32", memory_format="contiguous")
    tune(fixed)
    assert fixed.setting == Execution("float32", "contiguous", 32)
    assert module.rows == []


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "off")
    target = target_of(module := Slow())
    tune(target)
    assert target.micro_batch == 256
    assert module.rows == []


def test_a_target_that_cannot_score_noise_stays_as_it_is(cache: Path) -> None:
    class Fails(Slow):
        def forward(self, pixels: Tensor) -> Tensor:
            return super().forward(pixels) * float("nan")

    target = target_of(Fails())
    before = target.setting
    tune(target)
    assert target.setting == before
    assert not cache.exists()


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        ([trial(1, 100), trial(2, 104)], 1),  # noise
        ([trial(1, 100), trial(2, 106)], 2),
        ([trial(1, 100), trial(2, 106), trial(3, 107)], 2),
        ([trial(1, 100), trial(2, 500, error=0.01)], 1),
        ([trial(1, 100), trial(2, 500, 0.01, "bfloat16")], 2),
        ([trial(1, 100), trial(2, 500, 0.2, "bfloat16")], 1),
        ([trial(1, 100, 0.2, "bfloat16"), trial(2, 50)], 2),  # slower, and right
        ([trial(1, 100), trial(2, 500, float("nan"))], 1),
    ],
)
def test_the_best_is_faster_by_more_than_noise_and_faithful(found: list[Trial], rows: int) -> None:
    assert best(found).micro_batch == rows


def test_a_format_that_changes_the_scores_is_not_chosen() -> None:
    class Odd(Slow):
        def forward(self, pixels: Tensor) -> Tensor:
            self.seconds = 0.02 if not pixels.is_contiguous() else 0.001
            return super().forward(pixels)

    target = target_of(Odd(error=1.0), micro_batch=8)
    assert target.memory_format == "channels_last"
    found = retune(target)
    faster = next(each for each in found if each.setting.memory_format == "contiguous")
    assert not faster.faithful
    assert target.memory_format == "channels_last"


def timed(module: nn.Module, seconds: float) -> nn.Module:
    """Counts on the clock each time it is called."""

    def passes(*_: object) -> None:
        Slow.clock += seconds

    module.register_forward_pre_hook(passes)
    return module


def normalised(slow: float = 0.001) -> nn.Sequential:
    """A network with a batch normalisation that takes so long."""
    norm = nn.BatchNorm2d(4).eval()
    nn.init.uniform_(norm.running_mean)  # type: ignore[arg-type]
    return nn.Sequential(
        timed(nn.Conv2d(3, 4, 1), 0.001), timed(norm, slow), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )


def test_batch_normalisations_are_folded_where_that_is_faster(cache: Path) -> None:
    target = target_of(normalised(), micro_batch=8, memory_format="channels_last")
    found = retune(target)
    assert target.setting == Execution("float32", "channels_last", 8, fold=True)
    assert [each.setting.fold for each in found] == [False, True]
    assert json.loads(cache.read_text()).popitem()[1]["fold"] is True
    again = target_of(normalised(), micro_batch=8, memory_format="channels_last")
    again.network.load_state_dict(target.network.state_dict())
    tune(again)
    assert again.fold


def test_batch_normalisations_stay_where_that_is_as_fast_or_was_asked() -> None:
    target = target_of(normalised(slow=0.00001))
    retune(target)
    assert not target.fold
    target = target_of(normalised(), fold=False)
    assert not any(each.setting.fold for each in retune(target))
    assert not target.fold


# Runs


def test_a_run_records_how_it_was_scored_and_goes_on_so(tmp_path: Path, cache: Path, real_time: None) -> None:
    options: dict[str, Any] = {"device": "cpu", "batch": 20, "gallery": False}
    evofool.evolve("digits", "direct", generations=2, out=tmp_path / "run", **options)
    evofool.evolve("digits", "direct", generations=4, out=tmp_path / "whole", **options)
    kept = json.loads(cache.read_text())
    [key] = kept
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["target"]
    assert {name: recorded[name] for name in kept[key]} == kept[key]
    cache.write_text(json.dumps({key: {"precision": "float32", "memory_format": "contiguous", "micro_batch": 3}}))
    evofool.resume(tmp_path / "run", generations=4, gallery=False)
    again = json.loads((tmp_path / "run" / "config.json").read_text())["target"]
    assert again == recorded
    assert (tmp_path / "run" / "elites.jsonl").read_bytes() == (tmp_path / "whole" / "elites.jsonl").read_bytes()
    told = recipe(tmp_path / "run", {})
    assert {name: told[name] for name in kept[key]} == kept[key]
    assert not recipe(tmp_path / "run", {"device": "cpu"}).keys() & kept[key].keys()


def test_a_target_of_ones_own_goes_on_as_it_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_evolve(tmp_path / "run", target=target_of(Slow(0.001)), device="auto", precision="auto", gallery=False)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["target"]["micro_batch"] == 1024
    monkeypatch.setenv(SWITCH, "off")
    own = target_of(Slow(0.001))
    evofool.resume(tmp_path / "run", target=own, generations=6, gallery=False)
    assert own.micro_batch == 1024


def test_a_run_with_folded_normalisations_goes_on_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"device": "auto", "precision": "auto", "gallery": False}
    small_evolve(tmp_path / "run", target=target_of(normalised()), **options)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["target"]["fold"] is True
    monkeypatch.setenv(SWITCH, "off")
    own = target_of(normalised())
    assert not own.fold
    evofool.resume(tmp_path / "run", target=own, generations=6, gallery=False)
    assert own.fold


def test_an_older_run_goes_on_without_folding(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", target=target_of(normalised(), fold=False), device="auto", precision="auto")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["target"].pop("fold") is False
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    own = target_of(normalised())
    tune(own)
    assert own.fold
    evofool.resume(tmp_path / "run", target=own, generations=6)
    assert not own.fold


# The command


def test_the_command_shows_what_was_tried(capsys: Capture, cache: Path, real_time: None) -> None:
    told = run_cli(capsys, "targets", "digits", "--tune", "--device", "cpu")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("digits on cpu")
    assert told.out.count("chosen") == 1
    outcome = json.loads(run_cli(capsys, "targets", "digits", "--tune", "--device", "cpu", "--json").out)
    assert outcome["chosen"] == next(iter(json.loads(cache.read_text()).values()))
    assert outcome["chosen"] in [{name: each[name] for name in outcome["chosen"]} for each in outcome["trials"]]
    assert all(each["images_per_second"] > 0 and each["error"] < 1e-3 for each in outcome["trials"])


def test_options_that_tell_nothing_are_refused(capsys: Capture) -> None:
    assert_refused(run_cli(capsys, "targets", "--tune"), "evofool targets cifar10 --tune")
    assert_refused(run_cli(capsys, "targets", "digits", "--device", "cpu"), "add --tune")
    assert_refused(run_cli(capsys, "targets", "digit", "--tune"), "digits")


# Confirming


def test_a_confirmation_does_not_depend_on_what_is_confirmed_beside_it() -> None:
    target = tiny_target()
    images = torch.randint(0, 256, (21, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    together = target.confirm(images, rows=8)
    alone = torch.cat([target.confirm(image[None], rows=8) for image in images])
    assert torch.equal(together, alone)


def test_confirming_passes_have_one_size() -> None:
    target = target_of(module := Slow(0.0))
    target.confirm(torch.zeros(21, 3, 2, 2, dtype=torch.uint8), rows=8)
    assert module.rows == [8, 8, 8]


@pytest.mark.parametrize(
    "change", [{"micro_batch": 0}, {"micro_batch": "4"}, {"precision": "int8"}, {"memory_format": "x"}]
)
def test_a_setting_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    setting = {"precision": "float32", "memory_format": "contiguous", "micro_batch": 4} | change
    with pytest.raises(ConfigError):
        tiny_target().use(Execution(**setting))
