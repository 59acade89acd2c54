"""The record of an audit: read as it was written, and refused where it can't be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from audit_records import figure, record

from evofool.audits.figure_table import FIGURES, PARTS
from evofool.audits.record import read_record
from evofool.config.records import FORMAT
from evofool.errors import RunError


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = record({"fooled_at_99": figure(0.5, 0.2, 0.8)}, {"fooling": {"hardest": [["cat", 0.4]]}})
    (tmp_path / "audit.json").write_bytes(written.to_json())
    assert read_record(tmp_path) == read_record(tmp_path / "audit.json") == written


def test_a_record_has_every_figure_with_its_ends_and_null_where_a_part_was_skipped() -> None:
    flat = record({"ece": figure(0.1, 0.05, 0.15)}).flat()
    assert set(flat) == {name + end for name in FIGURES for end in ("", "_low", "_high")}
    assert [flat["ece"], flat["ece_low"], flat["ece_high"]] == [0.1, 0.05, 0.15]
    assert flat["pixels_1"] is flat["pixels_1_low"] is None
    assert (flat["queries"], flat["seconds"]) == (1000, 12.3)


def test_the_table_has_the_names_that_users_know() -> None:
    known = "fooled_at_50 cppn_fooled_at_90 direct_fooled_at_99 pixels_1 pixels_3 pixels_5 auroc_msp auroc_maxlogit"
    known += " auroc_energy auroc_entropy fpr95_msp aupr_msp ece accuracy queries seconds fgsm_8_255 pgd_8_255"
    assert set(known.split()) <= set(FIGURES)
    assert {kind.part for kind in FIGURES.values()} == {*PARTS, None}


def test_the_csv_has_a_row_for_each_figure() -> None:
    rows = list(csv.DictReader(record({"ece": figure(0.1, 0.05, 0.15)}).to_csv().splitlines()))
    assert [row["figure"] for row in rows] == list(FIGURES)
    row = next(row for row in rows if row["figure"] == "ece")
    assert (row["value"], row["low"], row["high"], row["n"], row["part"]) == (
        "0.1",
        "0.05",
        "0.15",
        "10",
        "calibration",
    )
    assert next(row for row in rows if row["figure"] == "pixels_1")["value"] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema 2"),
        ({"schema": None}, "schema None"),
        ({"schema": True}, "schema"),
        ({"figures": {}}, "figures must have fooled_at_50"),
        ({"extra": 1}, "extra"),
        ({"parts": {}}, "parts must have fooling"),
        ({"queries": -1}, "queries"),
    ],
)
def test_a_record_that_is_not_one_is_refused_in_one_line(tmp_path: Path, change: dict, said: str) -> None:
    content = json.loads(record({}).to_json()) | change
    (tmp_path / "audit.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=said):
        read_record(tmp_path)


@pytest.mark.parametrize(
    "figure", [{"value": 1.0}, {"value": 0.5, "low": 0.6, "high": 0.4}, {"value": 1e300, "low": 0, "high": 1}]
)
def test_a_figure_whose_interval_is_none_is_refused(tmp_path: Path, figure: dict) -> None:
    content = json.loads(record({}).to_json())
    content["figures"]["ece"] = figure
    (tmp_path / "audit.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match="figures"):
        read_record(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_file_that_holds_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "audit.json").write_bytes(content)
    with pytest.raises(RunError, match="damaged"):
        read_record(tmp_path / "audit.json")


def test_a_folder_without_a_record_says_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no audit\.json at"):
        read_record(tmp_path)
    for content, said in (
        ({}, r"config\.json is damaged"),
        ({"format": FORMAT, "job": "audit"}, "not finished: evofool resume .* continues it"),
        ({"format": FORMAT, "job": "run"}, "the folder of a run; give an audit's folder"),
        ({"format": FORMAT, "job": "experiment"}, "the folder of an experiment; give an audit's folder"),
        ({"format": FORMAT, "job": "two\nlines"}, "the folder of a two lines; give an audit's folder"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(content))
        with pytest.raises(RunError, match=said):
            read_record(tmp_path)
    with pytest.raises(RunError, match=r"no audit\.json"):
        read_record(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "found"), [("weights.pth", "is no record of an audit"), ("digits", "no audit.json at")]
)
def test_a_classifier_in_place_of_a_folder_is_told_its_option(name: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"\x80\x02weights")
    with pytest.raises(RunError, match=f"{found}.*; to audit a classifier, say `target={tmp_path / name}`"):
        read_record(tmp_path / name)
