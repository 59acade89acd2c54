"""A sweep's file: which runs it plans, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evofool.errors import ConfigError
from evofool.sweeps.start import planned


def written(folder: Path, text: str) -> Path:
    file = folder / "sweep.toml"
    file.write_text(text, encoding="utf-8")
    return file


def names(plan: dict[str, Any]) -> list[str]:
    return [run.name for run in planned(plan).runs]


def test_lists_are_multiplied_and_every_configuration_comes_with_the_first_seed_first(tmp_path: Path) -> None:
    plan = planned(
        written(tmp_path, 'target = "digits"\nseeds = "0-1"\n[grid]\nencoding = ["cppn", "direct"]\nbatch = [20, 50]\n')
    )
    assert [run.name for run in plan.runs] == [
        f"{encoding}-batch-{batch}-seed-{seed}"
        for seed in (0, 1)
        for encoding in ("cppn", "direct")
        for batch in (20, 50)
    ]
    assert plan.runs[3].given == {"target": "digits", "encoding": "direct", "batch": 50}
    assert plan.runs[3].configuration == "direct, batch 50"
    assert plan.stem == "sweep"


def test_variants_each_get_the_grid_and_their_own_values_win() -> None:
    runs = planned(
        {
            "batch": 30,
            "grid": {"encoding": ["cppn", "direct"]},
            "runs": [
                {"name": "plain"},
                {"name": "fine", "encoding": "cppn", "emitters": "vary,refine", "batch": 40},
            ],
        }
    ).runs
    assert [run.configuration for run in runs] == ["plain, cppn", "plain, direct", "fine"]
    assert runs[2].given == {"batch": 40, "emitters": ["vary", "refine"]}  # cppn is the default


def test_runs_of_one_name_differ_in_nothing_but_their_seeds() -> None:
    runs = [{"name": "a", "seed": 1, "batch": 50}, {"name": "a", "seed": 2, "batch": 50}]
    assert [run.configuration for run in planned({"seeds": "0", "runs": runs}).runs] == ["a", "a"]
    with pytest.raises(ConfigError, match='run "a-seed-2" has other options than run "a-seed-1" of the same name'):
        planned({"seeds": "0", "runs": [runs[0], {**runs[1], "batch": 60}]})


def test_a_list_in_a_grid_may_be_of_lists() -> None:
    runs = planned({"grid": {"target": ["cifar10", ["mnist", "mnist:logistic"]], "classes": ["1", [2, 3]]}}).runs
    assert [run.configuration for run in runs] == [
        "cifar10, 1", "cifar10, 2,3", "mnist + mnist:logistic, 1", "mnist + mnist:logistic, 2,3"
    ]  # fmt: skip
    assert runs[3].name == "mnist-mnist-logistic-2-3"


@pytest.mark.parametrize("key", ["micro-batch", "micro_batch"])
def test_options_have_the_names_of_the_command_line_and_of_python(key: str) -> None:
    assert planned({"target": "digits", key: 7}).runs[0].given["micro_batch"] == 7


def test_seeds_are_given_in_three_ways() -> None:
    ways: list[dict[str, Any]] = [{"seeds": "3-4"}, {"grid": {"seeds": [3, 4]}}, {"grid": {"seed": "3,4"}}]
    assert {tuple(names({"target": "digits", **way})) for way in ways} == {("seed-3", "seed-4")}


def test_files_are_found_from_elsewhere_and_names_of_data_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "kept").mkdir()
    given = planned({"command": "attack", "data": "digits", "data-dir": "kept", "target": "digits"}).runs[0].given
    assert (given["data"], given["data_dir"]) == ("digits", str(tmp_path / "kept"))


WRONG: dict[str, tuple[str, str]] = {
    "misspelt": ('targt = "digits"', 'targt is no option of evofool evolve (did you mean "target"'),
    "unknown-value": ('target = "digit"', 'target: unknown target "digit" (did you mean "digits"?)'),
    "in-the-grid": ('[grid]\nencoding = ["cppn", "dirct"]', 'grid.encoding: unknown encoding "dirct" (did you mean'),
    "one-of-several": ('[grid]\nemitters = ["vary", "vary,foo"]', 'grid.emitters: unknown emitter "foo"; choose from'),
    "out-of-bounds": ("[grid]\nbatch = [20, 0]", "grid.batch must be a whole number from 1 to 65,536, got 0"),
    "no-class": ('target = "digits"\n[grid]\nclasses = ["1", "x"]', 'grid.classes: no class is called "x"'),
    "budget": ("[grid]\nuntil = [0.9, 99]", "grid.until is a median confidence above 0 and at most 1, got 99.0"),
    "a-list-above": ("batch = [20, 50]", "got [20, 50]; lists whose values are tried in turn stand under [grid]"),
    "no-list": ('[grid]\nencoding = "cppn"', 'grid.encoding must be a list of values, got "cppn"; a single value'),
    "empty-list": ("[grid]\nencoding = []", "grid.encoding must be a list of values, got []"),
    "twice": ("[grid]\nbatch = [20, 20]", "grid.batch has 20 twice; take one out"),
    "above-and-in-the-grid": ("batch = 20\n[grid]\nbatch = [20, 30]", "batch is also under [grid]; leave one"),
    "seed-and-seeds": ('seeds = "0-4"\nseed = 3', "seed is also given by seeds; leave one"),
    "no-seeds": ('seeds = "4-0"', 'seeds must be numbers and ranges, as in 0-4 or 0,3,7-9, got "4-0"'),
    "seeds-of-a-variant": ('[[runs]]\nseeds = "0-4"', "runs[1].seeds stand at the top of the file"),
    "of-the-command-line": ('out = "x"', "out belongs to the command line: evofool sweep FILE --help"),
    "variant": ('[[runs]]\nbatch = 20\n[[runs]]\nnam = "a"', "runs[2].nam is no option of evofool evolve"),
    "same-name": ("[[runs]]\nbatch = 20\n[[runs]]\nbatch = 20", 'run "batch-20" is there twice; give each of the'),
    "same-options": ('[[runs]]\nname = "a"\n[[runs]]\nname = "b"', 'run "b" has the options of run "a"; take one'),
    "runs-no-list": ("[runs]\na = 1", 'runs must be tables, each as in [[runs]] and name = "small"'),
    "command": ('command = "atack"', 'command must be evolve or attack, got "atack"'),
    "attack": ('command = "attack"\nencoding = "cppn"', "encoding is no option of evofool attack"),
    "too-many": ('[grid]\nseed = "0-999"\nbatch = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]', "the file plans 11,000 runs"),
}  # fmt: skip
"""Files with something wrong, and what is said of them."""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str, tmp_path: Path) -> None:
    text, message = WRONG[case]
    with pytest.raises(ConfigError) as refused:
        planned(written(tmp_path, text))
    assert str(refused.value).startswith("sweep.toml: ")
    assert message in str(refused.value)
    assert "`" not in str(refused.value)


def test_a_file_that_cant_be_read_is_told(tmp_path: Path) -> None:
    for file, message in ((tmp_path / "no.toml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"cannot read .*{message}.*expected a sweep's TOML file"):
            planned(file)
    with pytest.raises(ConfigError, match=r"sweep\.toml is no TOML: Invalid value"):
        planned(written(tmp_path, "batch = ["))
    (tmp_path / "sweep.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"sweep\.toml is no TOML"):
        planned(tmp_path / "sweep.toml")
