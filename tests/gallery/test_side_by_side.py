"""Several runs on one page: what the table tells, which differ in their seeds, and whose first guess is another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from configs import edit_config, run_config
from pages import data_of
from prints import fake_run, write_elites
from runs import json_lines

from evofool.gallery.pages.run_page import write_gallery
from evofool.gallery.pages.run_source import read_run
from evofool.gallery.pages.side_by_side import (
    colour_keys,
    has_seeds,
    seed_groups,
    seeds_title,
    shared_settings,
    table_rows,
)
from evofool.gallery.pages.sources import Source, Tile


def source(
    name: str = "run",
    scores: tuple[float, ...] = (0.5, 0.999),
    swapped: dict[str, str] | None = None,
    **options: Any,
) -> Source:
    """A run's source with a tile for each score."""
    config = run_config(options, swapped=swapped or {})
    tiles = [Tile(f"class {index}", score, b"") for index, score in enumerate(scores)]
    made = {"preset": "default", "seed": config.options.seed, "filled": (len(scores), 4), "config": config}
    made["swapped"] = config.swapped
    return Source(name, "tiny", config.options.encoding, tiles, (3, 8, 8), **made)


def test_the_table_has_figures_and_the_settings_that_differ() -> None:
    sources = [source(batch=20), source(batch=40, selector="uniform", scores=(0.9, 0.95))]
    assert table_rows(sources) == [
        ("median", ["74.95 %", "92.50 %"]),
        ("≥ 99 %", ["1 of 2", "0 of 2"]),
        ("lowest", ["50.00 %", "90.00 %"]),
        ("filled niches", ["2 of 4", "2 of 4"]),
        ("batch", ["20", "40"]),
        ("selector", ["fresh", "uniform"]),
    ]
    same = "target tiny; encoding direct; preset default; emitters vary; precision float32; seed 0"
    assert shared_settings(sources) == same


def test_every_setting_of_a_run_is_in_the_table_where_it_differs() -> None:
    other = {"batch": 40, "selector": "uniform", "emitters": ("vary@5",), "seed": 3, "init": "bank", "apart": 0.5}
    names = [name for name, _ in table_rows([source(), source(**other)])]
    assert {"batch", "selector", "emitters", "seed", "begins with", "apart"} <= set(names)
    assert len(names) == len(set(names))


def test_a_swapped_selector_is_named_and_not_the_option_that_it_replaces() -> None:
    swapped = source(swapped={"select": "mine:weakest"})
    assert table_rows([source(), swapped])[-2:] == [
        ("selector", ["fresh", "–"]),
        ("operator select", ["evofool's own", "mine:weakest"]),
    ]
    same = shared_settings([swapped, swapped])
    assert "operator select mine:weakest" in same
    assert "selector" not in same


def test_settings_of_another_encoding_are_in_no_row() -> None:
    names = [name for name, _ in table_rows([source(), source(encoding="cppn")])]
    assert names[-1] == "encoding"


def test_genomes_beside_a_run_have_what_is_known() -> None:
    bank = Source("bank", "tiny", "cppn", [Tile("class 0", 0.9, b"")], (3, 8, 8))
    rows = dict(table_rows([source(), bank]))
    assert rows["batch"] == ["20", "–"]
    assert rows["filled niches"] == ["2 of 4", "–"]


def test_runs_that_differ_in_their_seeds_only_are_a_group() -> None:
    seeds = [source(seed=seed) for seed in range(3)]
    others = [source(seed=seed, batch=40) for seed in range(2)]
    assert seed_groups([*seeds, *others]) == [0, 0, 0, 1, 1]
    assert colour_keys([0, 0, 0, 1, 1]) == [0, 0, 0, 1, 1]
    assert colour_keys([0, 0, 0]) == [0, 1, 2]
    assert colour_keys([0, 1]) == [0, 1]
    assert has_seeds([0, 0])
    assert not has_seeds([0, 1])
    assert seeds_title(seeds, [0, 0, 0]) == "What tiny is sure about, with 3 seeds"
    assert seeds_title([*seeds, *others], [0, 0, 0, 1, 1]) is None


def test_genomes_are_no_group() -> None:
    banks = [Source(name, "tiny", "cppn", [], (3, 8, 8)) for name in "ab"]
    assert seed_groups(banks) == [0, 1]


@pytest.fixture
def guessed(tmp_path: Path) -> Path:
    """A run of four pictures, two of which the network takes for another class first."""
    run = fake_run(tmp_path / "run", 4)
    lines = json_lines(run / "elites.jsonl")
    for line, first in zip(lines, (0, 2, 2, 1), strict=True):
        line["top5"] = [[f"class number {first}", 0.6]]
    write_elites(run, lines)
    edit_config(run, {"options.encoding": "direct", "options.settings": run_config().options.settings})
    return run


def test_a_page_says_how_many_have_another_first_guess(guessed: Path, tmp_path: Path) -> None:
    page = write_gallery([guessed], tmp_path / "page.html")
    assert [tile["other"] for tile in data_of(page)["tiles"]] == [False, True, False, True]
    assert "hide 2 whose first guess is another class" in page.read_text(encoding="utf-8")


def test_a_page_without_such_pictures_has_no_such_control(tmp_path: Path) -> None:
    page = write_gallery([Path("cifar10-cppn")], tmp_path / "page.html")
    assert "whose first guess" not in page.read_text(encoding="utf-8")


def test_medians_keep_what_tells_the_surest_apart(guessed: Path) -> None:
    (line,) = json_lines(guessed / "metrics.jsonl")
    lines = [
        {**line, "generation": generation, "evaluations": generation, "median": median}
        for generation, median in enumerate((0.99999994, 0.9999998), 1)
    ]
    (guessed / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    strip = read_run(guessed).strip
    assert strip is not None
    assert strip.to_json()["medians"] == [0.99999994, 0.9999998]
