"""How a target runs fastest: tried once, kept for the machine, recorded, and never at the cost of its scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support import tiny_target
from torch import Tensor, nn
from tuned import Slow, normalised, target_of

from evofool.errors import ConfigError, TargetError
from evofool.targets.execution import tuning, tuning_cache
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.process import SWITCH
from evofool.targets.execution.trials import Trial, best, noise_for, run_trials
from evofool.targets.execution.tuning import retune, tune
from evofool.targets.torch_target import TorchTarget

pytestmark = pytest.mark.usefixtures("cache")


SOUND = {
    "precision": "float32", "memory_format": "channels_last", "micro_batch": 8, "fold": False, "parallel": False,
}  # fmt: skip
"""An entry of the cache that can be."""


def trial(rows: int, speed: float, error: float = 0.0, precision: str = "float32") -> Trial:
    return Trial(Execution(precision, "channels_last", rows), speed, error)


def test_the_fastest_is_chosen_and_used() -> None:
    target = target_of(Slow())
    assert target.micro_batch == 256
    tried = retune(target)
    assert target.execution == Execution("float32", "channels_last", 1024)
    assert {each.execution.micro_batch for each in tried} == {64, 128, 256, 512, 1024}
    assert tried[0].execution == Execution("float32", "channels_last", 256)


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
    tried = {each.execution.micro_batch: each.images_per_second for each in retune(target) if each.faithful}
    assert module.luck == 0
    assert target.micro_batch == 1024
    assert tried[64] == pytest.approx(64 / 0.002)


@pytest.mark.parametrize(("fast", "slow"), [(0.0005, 0.002), (0.002, 0.0005)])
def test_an_unfaithful_default_is_not_kept_however_fast_it_is(fast: float, slow: float) -> None:
    class Odd(Slow):
        def forward(self, pixels: Tensor) -> Tensor:
            self.seconds = slow if pixels.is_contiguous() else fast
            return super().forward(pixels)

    target = target_of(Odd(error=1.0), micro_batch=8)
    exact = TorchTarget.confirm
    with pytest.MonkeyPatch.context() as patch:  # confirmations are right, and channels_last is not

        def right(self: TorchTarget, images: Tensor, *, rows: int | None = None) -> Tensor:
            self.apply(Execution("float32", "contiguous", 8))
            scores = exact(self, images, rows=rows)
            self.apply(Execution("float32", "channels_last", 8))
            return scores

        patch.setattr(TorchTarget, "confirm", right)
        retune(target)
    assert target.execution.memory_format == "contiguous"


def test_what_fails_when_tried_again_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    target, again = target_of(Slow()), tuning.repeat_trials

    def failing(*arguments: Any) -> list[Trial]:
        apply = target.apply

        def fails(setting: Execution) -> None:
            if setting.micro_batch == 1024:
                raise TargetError("no more")
            apply(setting)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, "apply", fails)
            return again(*arguments)

    monkeypatch.setattr(tuning, "repeat_trials", failing)
    tried = retune(target)
    assert target.micro_batch == 256  # half of the rows are not close to the fastest
    assert {each.execution.micro_batch: each.images_per_second for each in tried if each.faithful}[1024] == 0


def test_no_setting_is_tried_twice() -> None:
    tried = retune(target_of(Slow(), precision="float32", memory_format="contiguous"))
    settings = [each.execution for each in tried]
    assert len(set(settings)) == len(settings)
    target = target_of(Slow())
    target.apply(replace(target.execution, micro_batch=1))
    settings = [each.execution for each in run_trials(target, noise_for(target))]
    assert len(set(settings)) == len(settings)


def test_what_was_not_tried_again_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine is slower by then."""
    target, again = target_of(module := Slow()), tuning.repeat_trials

    def tired(*arguments: Any) -> list[Trial]:
        module.seconds = 0.02
        return again(*arguments)

    monkeypatch.setattr(tuning, "repeat_trials", tired)
    tried = retune(target)
    speeds = {each.execution.micro_batch: each.images_per_second for each in tried if each.faithful}
    assert speeds[64] == pytest.approx(64 / 0.002)  # not close to the fastest
    assert speeds[1024] == pytest.approx(1024 / 0.02)
    assert target.micro_batch == 1024


@pytest.mark.parametrize(("seconds", "passes"), [(1.5, 16), (9.0, 5)])
def test_it_does_not_go_on_for_long(seconds: float, passes: int, cache: Path) -> None:
    target = target_of(module := Slow(seconds))
    tried = retune(target)
    assert len(module.rows) < passes
    assert tried
    assert cache.exists()


def test_what_was_found_is_kept_for_the_machine(cache: Path) -> None:
    tune(target_of(Slow()))
    kept = cache.read_bytes()
    again = target_of(module := Slow())
    tune(again)
    tune(again)
    assert again.micro_batch == 1024
    assert module.rows == [2, 2] * 2  # only whether it still holds
    assert cache.read_bytes() == kept


class Edited(Slow):
    """Is fast in bfloat16, until ``forward()`` is edited, as in a cell of a notebook."""

    fault: str | None = None

    def forward(self, pixels: Tensor) -> Tensor:
        searching = pixels.dtype == torch.bfloat16
        self.seconds = 0.001 if searching else 0.002
        logits = super().forward(pixels)
        if searching and self.fault == "fails":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return logits.flip(1) if searching and self.fault == "is unfaithful" else logits


@pytest.fixture
def fast_bfloat16(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``auto`` be bfloat16, as where the hardware multiplies it."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


@pytest.mark.usefixtures("fast_bfloat16")
@pytest.mark.parametrize("fault", ["fails", "is unfaithful"])
def test_what_was_kept_and_no_longer_holds_is_tried_anew(
    fault: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache can't see what ``forward()`` does."""
    tune(target_of(Edited()))
    [[key, kept]] = json.loads(cache.read_text()).items()
    assert kept["precision"] == "bfloat16"
    monkeypatch.setattr(Edited, "fault", fault)
    target = target_of(Edited())
    tune(target)
    assert target.precision == "float32"
    assert json.loads(cache.read_text())[key] == vars(target.execution)
    assert float(target.scores(torch.zeros(3, 3, 2, 2, dtype=torch.uint8)).sum()) == pytest.approx(3)


def test_logits_that_are_probabilities_are_refused_after_tuning_too() -> None:
    """The trials, which say nothing of a failure, are not the only ones to look."""
    target = target_of(nn.Sequential(Slow(), nn.Softmax(1)))
    tune(target)
    with pytest.raises(TargetError, match="returns probabilities where logits were announced"):
        target.scores(torch.randint(0, 256, (5, 3, 2, 2), dtype=torch.uint8))


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
    assert any(value == {"precision": "float32", "memory_format": "channels_last", "micro_batch": 1024, "fold": False,
                         "parallel": False}
               for value in json.loads(cache.read_text()).values() if isinstance(value, dict))  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        None, 5, {}, {"precision": "float32", "memory_format": "channels_last"},
        {"precision": "float32", "memory_format": "channels_last", "micro_batch": 8},  # before 0.5.0
        {**SOUND, "precision": "float8"}, {**SOUND, "memory_format": "rows"}, {**SOUND, "micro_batch": 0},
        {**SOUND, "micro_batch": True}, {**SOUND, "fold": 1}, {**SOUND, "parallel": 0},
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_tried_anew(entry: Any, cache: Path) -> None:
    tune(target_of(Slow()))
    [key] = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: entry}))
    target = target_of(Slow())
    tune(target)
    assert target.micro_batch == 1024


def test_a_user_without_a_home_keeps_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVOFOOL_CACHE")
    monkeypatch.setattr(tuning_cache, "cache_folder", lambda: None)
    for _ in range(2):
        target = target_of(network := Slow())
        tune(target)
        assert network.rows  # ways were tried
        assert target.micro_batch == 1024
    assert not cache.exists()


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
    assert fixed.execution == Execution("float32", "contiguous", 32)
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
    before = target.execution
    tune(target)
    assert target.execution == before
    assert not cache.exists()


@pytest.mark.parametrize(
    ("tried", "rows"),
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
def test_the_best_is_faster_by_more_than_noise_and_faithful(tried: list[Trial], rows: int) -> None:
    assert best(tried).micro_batch == rows


def test_a_format_that_changes_the_scores_is_not_chosen() -> None:
    class Odd(Slow):
        def forward(self, pixels: Tensor) -> Tensor:
            self.seconds = 0.02 if not pixels.is_contiguous() else 0.001
            return super().forward(pixels)

    target = target_of(Odd(error=1.0), micro_batch=8)
    assert target.execution.memory_format == "channels_last"
    tried = retune(target)
    faster = next(each for each in tried if each.execution.memory_format == "contiguous")
    assert not faster.faithful
    assert target.execution.memory_format == "channels_last"


def test_batch_normalisations_are_folded_where_that_is_faster(cache: Path) -> None:
    target = target_of(normalised(), micro_batch=8, memory_format="channels_last")
    tried = retune(target)
    assert target.execution == Execution("float32", "channels_last", 8, fold=True)
    assert [each.execution.fold for each in tried] == [False, True]
    assert json.loads(cache.read_text()).popitem()[1]["fold"] is True
    again = target_of(normalised(), micro_batch=8, memory_format="channels_last")
    tune(again)
    assert again.execution.fold


def test_batch_normalisations_stay_where_that_is_as_fast_or_was_asked() -> None:
    target = target_of(normalised(slow=0.00001))
    retune(target)
    assert not target.execution.fold
    target = target_of(normalised(), fold=False)
    assert not any(each.execution.fold for each in retune(target))
    assert not target.execution.fold


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
        tiny_target().apply(Execution(**setting))
