"""The report of an audit: what it says on top, and that it is one file that shows nothing unescaped."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_details import whole_audit
from audit_records import figure, record
from pages import Page, parts, xml

import evofool
from evofool.audits.figure_table import FIGURES
from evofool.audits.record import AuditedTarget
from evofool.audits.report import write_report
from evofool.audits.sentences import sentences
from evofool.gallery.prints.audit_plots import reliability, two_histograms

COMMAND = "evofool audit --target digits --seed 3"


def page_of(path: Path, audit: object) -> Page:
    """The page that is written for a record."""
    page = Page(write_report(path, audit, COMMAND).read_text(encoding="utf-8"))  # type: ignore[arg-type]
    assert page.problems == []
    return page


def test_five_sentences_have_numbers_and_intervals(tmp_path: Path) -> None:
    said = sentences(whole_audit(tmp_path))
    assert len(said) == 5
    assert all(sentence.number.endswith("%") for sentence in said)
    assert all(sentence.interval.startswith("95 % interval") for sentence in said)
    assert (said[0].number, said[1].number) == ("50.0 %", "10.0 %")


def test_a_sentence_says_why_its_part_was_skipped() -> None:
    said = sentences(record({"fooled_at_99": figure(0.4, 0.2, 0.7)}, {"fooling": {}}))
    assert said[0].number
    assert [sentence.words for sentence in said if not sentence.number] == [
        f"{part}: not measured; no data were given." for part in ("Pixels", "Rejection", "Corruptions", "Calibration")
    ]


def test_the_page_has_every_figure_that_was_measured_and_how(tmp_path: Path) -> None:
    page = page_of(tmp_path, whole_audit(tmp_path))
    shares = [name for name, kind in FIGURES.items() if kind.share]
    assert set(shares) <= set(page.of("th"))
    assert COMMAND in page.of("code")
    for words in ("Nguyen et al. 2015", "seed 0", "1,000 queries", "python 3.12", "Reliability", "noise"):
        assert words in page.words


def test_pictures_are_in_the_page_and_one_that_is_gone_is_left_out(tmp_path: Path) -> None:
    assert len(page_of(tmp_path, whole_audit(tmp_path)).sources) == 1


def test_images_are_shown_before_and_after_their_pixels_changed(tmp_path: Path) -> None:
    found = evofool.attack(
        "digits", count=6, pixels=3, queries=200, device="cpu", out=tmp_path / "pixels-1", progress=False
    )
    assert found.statistics.successes
    page = page_of(tmp_path, whole_audit(tmp_path))
    assert "Images that flip by 1 pixel" in page.of("h3")
    assert len(page.sources) == 1 + 3 * found.statistics.successes


def test_a_page_without_data_has_the_rest(tmp_path: Path) -> None:
    page = page_of(tmp_path, record({}, data=None))
    assert "no real images" in page.words
    assert page.words.count("no data were given") >= 6


def test_names_of_classes_and_targets_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    target = AuditedTarget(name=evil, weights_sha256=None, classes=10, image_shape=(1, 8, 8))
    page = page_of(tmp_path, whole_audit(tmp_path, [f"{evil}{index}" for index in range(10)], target=target))
    assert "script" not in page.tags
    assert evil in page.words


def test_the_histograms_bars_are_shares_of_each_kind() -> None:
    svg = xml(two_histograms([0, 0.5, 1], ("real", [3, 1]), ("fooling", [0, 2]), "confidence", "t", (0.5, "limit")))
    heights = {tone: [bar["height"] for bar in parts(svg, "rect", tone)] for tone in "ab"}
    assert heights["b"][0] == pytest.approx(3 * heights["b"][1], abs=0.1)
    assert heights["a"] == [pytest.approx(heights["b"][0] + heights["b"][1], abs=0.1)]


def test_a_calibrated_bin_ends_at_the_diagonal() -> None:
    svg = xml(reliability([(0.4, 0.6, 0.5, 10)], "t"))
    (bar,), (diagonal,) = parts(svg, "rect"), parts(svg, "line", "dash")
    slope = (diagonal["y2"] - diagonal["y1"]) / (diagonal["x2"] - diagonal["x1"])
    middle = diagonal["y1"] + slope * (bar["x"] + bar["width"] / 2 - diagonal["x1"])
    assert bar["y"] == pytest.approx(middle, abs=0.5)


def test_pairs_of_many_classes_are_named_and_not_drawn(tmp_path: Path) -> None:
    audit = whole_audit(tmp_path)
    flips = [{"before": f"a{index}", "after": f"b{index}", "times": 30 - index} for index in range(13)]
    for k in ("1", "3", "5"):
        audit.parts["pixels"].details[k]["flips"] = flips
    words = page_of(tmp_path, audit).words
    assert "a0 → b0" in words
    assert "a9 → b9" in words
    assert "a10 → b10" not in words
    assert "An image counts as safe once 400 queries found no change" in words
