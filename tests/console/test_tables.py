"""Tables of elites, targets and trials; model cards, scores and profiles."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console as RichConsole
from rich.table import Table

from evofool.console.tables import (
    card_rows,
    elites_table,
    profile_rows,
    score_lines,
    targets_table,
    trials_table,
)
from evofool.targets.cards import OWN, Card
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.trials import Trial

CARD = Card(
    name="tiny",
    architecture="a small network",
    classes=("cat", "dog"),
    image_shape=(3, 28, 32),
    mean=(0.5, 0.25, 0.125),
    std=(1.0, 1.0, 1.0),
    data="noise",
    accuracy="50 % of 4 images",
    licence="MIT",
    weights="tiny.safetensors",
    resize=40,
)


def cells(table: Table) -> list[list[str]]:
    """Return the texts of a table's cells, row by row, the header first."""
    console = RichConsole(width=300, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [re.split(r"\s{2,}", line.strip()) for line in capture.get().splitlines()]


def elite(**changes: Any) -> dict[str, Any]:
    top5 = [["cat", 0.75], ["[red]dog", 0.125], ["deer", 0.0625], ["frog", 0.03]]
    return {"class": "cat", "score": 0.75, "generation": 12, "size": 5, "top5": top5} | changes


def test_elites_are_told_with_the_network_s_next_guesses() -> None:
    header, row = cells(elites_table([elite()]))
    assert header == ["class", "confidence", "generation", "size", "the network's next guesses"]
    assert row == ["cat", "75.00 %", "12", "5", "[red]dog 12.50 %, deer 6.25 %"]


def test_an_elite_s_class_is_no_markup_and_what_is_unknown_is_a_dash() -> None:
    _, row = cells(elites_table([{"class": "[b]cat", "score": 1.0}]))
    assert row == ["[b]cat", "100 %", "–", "–"]


def test_targets_are_told_with_their_images_and_weights() -> None:
    grey = replace(CARD, name="grey", image_shape=(1, 28, 28), weights="", accuracy="unknown")
    assert cells(targets_table([CARD, grey])) == [
        ["target", "classes", "images", "weights", "accuracy"],
        ["tiny", "2", "28×32 RGB", "embedded", "50 % of 4 images"],
        ["grey", "2", "28×28 grey", "--weights FILE", "unknown"],
    ]


def test_a_model_card_tells_all_there_is_to_know() -> None:
    assert card_rows(CARD) == [
        ("architecture", "a small network"),
        ("classes", "cat, dog"),
        ("images", "32 × 28, RGB"),
        ("mean / std", "0.5 0.25 0.125 / 1 1 1"),
        ("outputs", "logits"),
        ("other sizes", "shorter side to 40 (bilinear), then the centre"),
        ("data", "noise"),
        ("accuracy", "50 % of 4 images"),
        ("licence", "MIT"),
        ("weights", "embedded"),
    ]


@pytest.mark.parametrize(
    ("name", "weights", "origin"),
    [
        ("cifar10", "cifar10", "embedded"),
        ("cifar10:resnet32", "", "yours, with --weights FILE"),
        ("mine.onnx", OWN, "the user's own"),
        ("torchvision:resnet50", "torchvision", "torchvision's, downloaded and cached"),
    ],
)
def test_a_model_card_tells_where_weights_come_from(name: str, weights: str, origin: str) -> None:
    assert dict(card_rows(replace(CARD, name=name, weights=weights)))["weights"] == origin


def test_a_model_card_counts_many_classes() -> None:
    classes = tuple(f"c{index}" for index in range(100))
    shown = dict(card_rows(replace(CARD, classes=classes)))["classes"]
    assert shown.startswith("c0, c1, ")
    assert shown.endswith("c10, c11, … (100 classes)")


def test_trials_are_told_with_the_chosen_one() -> None:
    default = Execution("float32", "contiguous", 256)
    beside = replace(default, fold=True, parallel=True)
    executions = [default, beside, Execution("bfloat16", "channels_last", 1024, fold=True)]
    trials = [
        Trial(execution, 1000.0 * index, error)
        for index, (execution, error) in enumerate(zip(executions, [0.0, 3e-7, 0.5], strict=True), start=1)
    ]
    target: Any = SimpleNamespace(execution=executions[1])
    assert cells(trials_table(target, trials)) == [
        ["precision", "memory format", "joined", "parallel", "rows a pass", "images/s", "error"],
        ["float32", "contiguous", "no", "no", "256", "1,000", "0e+00", "default"],
        ["float32", "contiguous", "yes", "yes", "256", "2,000", "3e-07", "chosen"],
        ["bfloat16", "channels_last", "yes", "no", "1,024", "3,000", "5e-01", "not faithful"],
    ]
    target.execution = default
    assert cells(trials_table(target, trials))[1][-1] == "default, chosen"


def told(name: str, **facts: Any) -> dict[str, Any]:
    """Return a scored image as :func:`evofool.score` does."""
    return {"image": name, "scored_at": [8, 6], "cropped": False, "made_grey": False, "top5": [], **facts}


def test_scores_are_told_with_bars() -> None:
    guesses = [{"class": "cat", "confidence": 0.75}, {"class": "[red]dog", "confidence": 0.0}]
    image = told("a [b].png", genome=False, size=[8, 6], top5=guesses)
    name, *lines = score_lines("net [1]", image)
    assert name.plain == "a [b].png  by net [1]"
    assert [line.plain for line in lines] == [
        f"      75.00 %  {'█' * 18}{' ' * 6}  cat",
        f"          0 %  {' ' * 24}  [red]dog",
    ]


@pytest.mark.parametrize(
    ("genome", "size", "text"),
    [
        (False, [2048, 1024], ", 2048 × 1024, resized to 8 × 6 pixels"),
        (True, [32, 16], ", evolved for 32 × 16, drawn at 8 × 6 pixels"),
        (True, [8, 6], ""),
    ],
)
def test_a_score_tells_what_was_resized(genome: bool, size: list[int], text: str) -> None:
    image = told("a.json", genome=genome, size=size)
    assert [line.plain for line in score_lines("net", image)] == [f"a.json  by net{text}"]


def test_a_score_tells_what_was_cropped_and_that_colours_were_lost() -> None:
    image = told("a.png", genome=False, size=[90, 60], cropped=True, made_grey=True)
    (line,) = score_lines("net", image)
    assert (
        line.plain == "a.png  by net, 90 × 60, resized to 8 × 6 pixels and cropped to its centre, its colours made grey"
    )


@pytest.mark.parametrize(("same", "whose"), [(True, ""), (False, ", by another network or other weights")])
def test_a_score_is_told_beside_that_on_record(same: bool, whose: str) -> None:
    recorded = {"class": "[red]cat", "confidence": 0.9999971, "same_network": same}
    image = told("a", genome=True, size=[8, 6], recorded=recorded)
    assert score_lines("net", image)[-1].plain == f"  on record: 99.9997 % [red]cat{whose}"


def test_a_profile_is_told_with_bars() -> None:
    assert profile_rows({"score": 0.75, "rest": 0.0}) == [("score", f"   75.0 %  {'█' * 30}"), ("rest", "      0 %  ")]
