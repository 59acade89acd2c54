"""Elites as archives of pyribs: the columns of its tables, and its own archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import json_lines, small_evolve

import evofool
from evofool.errors import ConfigError
from evofool.jobs.archive_table import archive_table

DIVERSE: dict[str, Any] = {"generations": 10, "batch": 60, "descriptors": "brightness,symmetry", "bins": 4}


def test_a_table_has_the_columns_of_an_archive_and_what_the_run_s_files_say(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is an extra")
    result = small_evolve(tmp_path / "run", classes=["3", "8"], **DIVERSE)
    table = evofool.open(tmp_path / "run").to_dataframe("archive")
    measures = [f"measures_{axis}" for axis in range(3)]
    assert list(table) == [*(f"solution_{pixel}" for pixel in range(64)), "objective", *measures, "index"]
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    assert len(lines) > 6
    assert table["objective"].tolist() == pytest.approx([line["score"] for line in lines])
    descriptors = [
        [line["index"], *(line["descriptors"][name] for name in ("brightness", "symmetry"))] for line in lines
    ]
    np.testing.assert_allclose(table[measures].to_numpy(), descriptors, rtol=1e-6)
    cells = [(line["index"] * 4 + line["cell"][0]) * 4 + line["cell"][1] for line in lines]
    assert table["index"].tolist() == cells
    pixels = table[[f"solution_{pixel}" for pixel in range(64)]].to_numpy().reshape(-1, 1, 8, 8)
    np.testing.assert_array_equal(np.rint(pixels * 255), result.images)


def test_without_descriptors_measures_are_classes_and_places() -> None:
    plain = archive_table(small_evolve(generations=1, classes=["3", "8"]))
    assert (plain.names, plain.dims, plain.ranges) == (("class",), (10,), ((0.0, 10.0),))
    assert plain.index.tolist() == [3, 8]
    novel = archive_table(small_evolve(generations=3, classes=["3"], novelty="pixels", bins=3), 3)
    assert (novel.names, novel.dims) == (("niche",), (3,))
    assert novel.index.tolist() == list(range(len(novel.index)))


def test_one_class_leaves_its_index_out() -> None:
    result = small_evolve(classes=["3", "8"], **DIVERSE)
    table = archive_table(result, "8")
    assert (table.names, table.dims) == (("brightness", "symmetry"), (4, 4))
    assert len(table.objective) == result.classes.count("8")
    with pytest.raises(ConfigError, match='no class is called "cat"'):
        archive_table(result, "cat")


def test_what_is_no_result_of_a_run_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be the result of evofool\.evolve, got str"):
        evofool.ribs_archive("runs/a")  # type: ignore[arg-type]


def test_pyribs_own_archive_has_every_elite_in_its_cell() -> None:
    archives = pytest.importorskip("ribs.archives", reason="pyribs is in the extra bench")
    result = small_evolve(classes=["3", "8"], **DIVERSE)
    archive, table = evofool.ribs_archive(result), archive_table(result)
    assert len(archive) == len(result.classes)
    assert float(archive.stats.qd_score) == pytest.approx(float(result.confidence.sum()), rel=1e-5)
    own = archive.data(return_type="pandas").sort_values("index")
    frame = archives.ArchiveDataFrame(table.columns()).sort_values("index")
    assert set(frame) <= set(own)
    assert own["index"].tolist() == frame["index"].tolist()
    np.testing.assert_array_equal(own.get_field("solution"), frame.get_field("solution"))
    np.testing.assert_array_equal(own.get_field("objective"), frame.get_field("objective"))
    elite = next(iter(frame.iterelites()))
    assert (elite["solution"].shape, elite["measures"].shape) == ((64,), (3,))


def test_an_elite_on_the_edge_of_a_cell_stays_in_it() -> None:
    pytest.importorskip("ribs.archives", reason="pyribs is in the extra bench")
    result = small_evolve(classes=["3"], **DIVERSE)
    assert result.places is not None
    edge = {"cell": [0, 3], "descriptors": {"brightness": 0.25, "symmetry": 1.0}}  # 0.25 begins the next cell
    result.places[:] = [edge, *({**place, "cell": [2, row % 4]} for row, place in enumerate(result.places[1:4]))]
    for name in ("classes", "indices", "confidence"):
        object.__setattr__(result, name, getattr(result, name)[:4])
    archive = evofool.ribs_archive(result, "3")
    assert sorted(archive.data("index").tolist()) == sorted(archive_table(result, "3").index.tolist())
