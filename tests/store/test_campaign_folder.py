"""A campaign's folder: made whole, read with care."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import outcome_lines, small_attack, subjects, write_lines
from configs import NAMES, campaign_config, edit_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import json_lines, tree
from support import tiny_target

import evofool
from evofool.attacks.subject import Subject
from evofool.errors import RunError
from evofool.store.campaign import CampaignFolder


def selected() -> list[Subject]:
    """Return three images, the second of which is misclassified."""
    return [replace(subject, id=f"é {subject.id}") for subject in subjects(3, wrong=[1])]


def create(path: Path, **plan: Any) -> CampaignFolder:
    return CampaignFolder.create(path, campaign_config(plan), selected())


def line(number: int) -> dict[str, Any]:
    """Return an outcome's line, with text that takes more bytes than letters."""
    subject = selected()[number]
    return {
        "image": number, "sha256": subject.sha256, "label": subject.label,
        "class": "café 猫", "confidence": 0.5, "criterion_index": None,
        "pixels": 1, "strategy": "local", "success": False, "already": False, "queries": 7, "queries_to_success": None,
        "edits": [{"x": 0, "y": 0, "colour": [1, 2, 3]}], "shared": 1, "top5": [["café 猫", 0.1]], "margin": 1e-07,
        "final": "café 猫", "final_index": 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of six images; copied, never changed."""
    path = tmp_path_factory.mktemp("campaign") / "a"
    small_attack(path)
    return path


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "a"))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made, written = create(tmp_path / "new" / "a"), selected()
    opened = CampaignFolder.open(tmp_path / "new" / "a")
    assert made.config == opened.config == campaign_config()
    assert len(opened.subjects) == 3
    for index, subject in enumerate(opened.subjects):
        np.testing.assert_array_equal(subject.image, written[index].image)
        assert subject.image.flags.writeable  # a copy, not the file
        assert np.float32(subject.confidence) == np.float32(written[index].confidence)
        for name in ("index", "id", "sha256", "label", "prediction"):
            assert getattr(subject, name) == getattr(written[index], name)
        assert opened.subjects.label(index) == written[index].label
    assert [subject.index for subject in opened.subjects[1:]] == [1, 2]
    assert list(opened.outcomes()) == []
    lines = json_lines(tmp_path / "new" / "a" / "images.jsonl")
    assert [image["class"] for image in lines] == [NAMES[subject.label] for subject in written]


def test_an_empty_folder_that_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    create(tmp_path / "a")
    assert (tmp_path / "a" / "images.npy").exists()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match=r"exists already; choose another `out`$"):
        create(tmp_path / "a")
    assert tree(tmp_path / "a") == {"thesis.txt": b"mine"}
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="exists already"):
        create(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_campaign_that_is_there_is_refused_with_the_command_that_goes_on(tmp_path: Path) -> None:
    create(tmp_path / "a")
    before = tree(tmp_path / "a")
    way_back = r"go on with, in Python: evofool\.resume\('.*a', target=…\), or delete the folder$"
    with pytest.raises(RunError, match=way_back):
        create(tmp_path / "a")
    assert tree(tmp_path / "a") == before


def test_a_folder_that_cannot_be_made_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(RunError, match="No space left"):
        create(tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("criteria", "pairs"), [([None], 3), ("all", 9), ([0, 1, 2, 3], 9), ([2], None), ([None, 2], None)]
)
def test_pairs_are_all_images_with_all_criteria_but_their_own_class(
    criteria: Any, pairs: int | None, tmp_path: Path
) -> None:
    folder = create(tmp_path / "a", criteria=criteria)
    labels = [subject.label for subject in selected()]
    wanted = range(4) if criteria == "all" else criteria
    assert folder.pairs() == sum(label != criterion for label in labels for criterion in wanted)
    assert pairs in (None, folder.pairs())


@pytest.mark.parametrize(
    "torn", ['{"image": 3, "criterion', "\0\0\0", "{", '{"imago": 3}\n', "[]\n", "null\n", "nonsense\n"]
)
def test_a_torn_last_line_is_left_out_and_cut_off(torn: str, tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), line(1)])
    whole = (tmp_path / "a" / "outcomes.jsonl").read_bytes()
    with open(tmp_path / "a" / "outcomes.jsonl", "a", encoding="utf-8") as file:
        file.write(torn)
    assert list(folder.outcomes()) == [line(0), line(1)]
    folder.trim()
    assert (tmp_path / "a" / "outcomes.jsonl").read_bytes() == whole
    folder.append([line(2)])
    assert list(folder.outcomes()) == [line(0), line(1), line(2)]


def test_a_whole_line_without_its_end_is_torn(tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), line(1)])
    file = tmp_path / "a" / "outcomes.jsonl"
    file.write_bytes(file.read_bytes()[:-1])
    folder.trim()
    folder.append([line(2)])
    assert list(folder.outcomes()) == [line(0), line(2)]


def test_a_flipped_bit_in_an_outcome_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    """Nothing: where it turns the seal itself into a value that nobody reads."""
    folder = create(tmp_path / "a")
    folder.append([line(0), line(1), line(2)])
    file = tmp_path / "a" / "outcomes.jsonl"
    whole = file.read_bytes()
    start, end = whole.index(b"\n") + 1, whole.index(b"\n", whole.index(b"\n") + 1)
    named, unnoticed = [], []
    for at in range(start, end):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        try:
            outcomes = list(folder.outcomes())
        except RunError as error:
            named.append(str(file) in str(error))
            continue
        unnoticed.append(at)
        assert [{key: outcome[key] for key in line(0)} for outcome in outcomes] == [line(0), line(1), line(2)]
    assert all(named)
    assert len(unnoticed) <= len('"crc32"')


def test_an_outcome_that_was_edited_is_noticed(tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), line(1), line(2)])
    file = tmp_path / "a" / "outcomes.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"image": 1', b'"image": 2'))
    with pytest.raises(RunError, match=r"line 2 of .* is damaged or of another job, and others follow"):
        list(folder.outcomes())
    assert folder.drop_damaged() == 1
    assert list(folder.outcomes()) == [line(0), line(2)]


@pytest.mark.parametrize("change", [{"seed": 1}, {"queries": 50}, {"strategy": "random"}, {"pixels": (2,)}], ids=str)
def test_outcomes_of_another_campaign_are_noticed_and_not_lost(change: dict[str, Any], tmp_path: Path) -> None:
    """Also when none of the lines is ours: a killed process tears one line at most."""
    ours, other = create(tmp_path / "a"), create(tmp_path / "b", **change)
    other.append([{**line(number), **{k: v for k, v in change.items() if k == "strategy"}} for number in range(3)])
    shutil.copy(tmp_path / "b" / "outcomes.jsonl", tmp_path / "a")
    before = tree(tmp_path / "a")
    for read in (lambda: list(ours.outcomes()), ours.trim):
        with pytest.raises(RunError, match=r"line 1 of .* of another job"):
            read()
    assert tree(tmp_path / "a") == before
    assert ours.drop_damaged() == 3


def test_images_of_another_campaign_are_noticed(tmp_path: Path) -> None:
    ours = create(tmp_path / "a")
    create(tmp_path / "b", seed=1)
    for name in ("images.npy", "images.jsonl"):
        shutil.copy(tmp_path / "b" / name, tmp_path / "a")
    with pytest.raises(RunError, match=r"images\.jsonl don't fit each other"):
        len(ours.subjects)


IMPOSSIBLE: list[dict[str, Any]] = [
    {"sha256": "0"}, {"label": 3}, {"strategy": "de"}, {"image": 3}, {"pixels": 2}, {"criterion_index": 4},
    {"final_index": 4}, {"final": None}, {"top5": []}, {"edits": []}, {"success": True}, {"already": True},
    {"edits": [{"x": 8, "y": 0, "colour": [1, 2, 3]}]}, {"edits": [{"x": 0, "y": 0, "colour": [1]}]},
]  # fmt: skip


@pytest.mark.parametrize("change", IMPOSSIBLE, ids=str)
def test_an_outcome_that_the_campaign_cannot_have_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), {**line(1), **change}])
    with pytest.raises(RunError, match=r"line 2 of .* is damaged \(.* is ") as caught:
        list(folder.outcomes())
    assert "\n" not in str(caught.value)
    assert folder.drop_damaged() == 1
    assert list(folder.outcomes()) == [line(0)]


def test_trim_leaves_whole_outcomes_and_no_outcomes_alone(tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.trim()
    assert not (tmp_path / "a" / "outcomes.jsonl").exists()
    folder.append([])
    assert not (tmp_path / "a" / "outcomes.jsonl").exists()
    folder.append([line(0), line(1)])
    before = tree(tmp_path / "a")
    folder.trim()
    assert tree(tmp_path / "a") == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(share=st.floats(0, 1))
def test_cut_off_at_any_byte_the_whole_lines_before_are_kept(share: float, tmp_path: Path) -> None:
    """Also inside a letter of several bytes: a power cut does not ask."""
    path = tmp_path / "a"
    shutil.rmtree(path, ignore_errors=True)
    folder = create(path)
    lines = [line(number) for number in range(3)]
    folder.append(lines)
    content = (path / "outcomes.jsonl").read_bytes()
    cut = round(share * len(content))
    (path / "outcomes.jsonl").write_bytes(content[:cut])
    folder.trim()
    kept = content[:cut].count(b"\n")
    assert list(folder.outcomes()) == lines[:kept]
    folder.append(lines[kept:])
    assert (path / "outcomes.jsonl").read_bytes() == content


def resume(path: Path) -> Any:
    return evofool.resume(path, target=tiny_target())


def refused(path: Path, match: str) -> None:
    """Check that going on is refused in one line, and that nothing is changed."""
    before = tree(path)
    with pytest.raises(RunError, match=match) as caught:
        resume(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert tree(path) == before


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_damaged_images_are_refused(content: bytes, campaign: Path) -> None:
    (campaign / "images.npy").write_bytes(content)
    refused(campaign, "images.npy is missing or damaged")


def test_missing_and_cut_images_are_refused(campaign: Path) -> None:
    file = campaign / "images.npy"
    file.write_bytes(file.read_bytes()[:-1])
    refused(campaign, "images.npy is missing or damaged")
    file.unlink()
    refused(campaign, "images.npy is missing or damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda images: images[:-1],
        lambda images: images[0],
        lambda images: images.astype(np.float32),
        lambda images: images.reshape(len(images), -1),
    ],
)
def test_images_that_are_not_those_of_the_list_are_refused(
    change: Callable[[np.ndarray], np.ndarray], campaign: Path
) -> None:
    images = np.load(campaign / "images.npy")
    np.save(campaign / "images.npy", change(images))
    refused(campaign, "don't fit each other")


def test_an_image_that_was_changed_is_refused(campaign: Path) -> None:
    images = np.load(campaign / "images.npy")
    images[2, 0, 0, 0] ^= 1
    np.save(campaign / "images.npy", images)
    (campaign / "outcomes.jsonl").unlink()
    with pytest.raises(RunError, match=r"image 2 .* is not the one that was chosen"):
        resume(campaign)


@pytest.mark.parametrize("content", ["", "nonsense\n", "{}\n" * 6, "null\n" * 6])
def test_a_damaged_list_of_images_is_refused(content: str, campaign: Path) -> None:
    (campaign / "images.jsonl").write_text(content)
    refused(campaign, "don't fit each other")


def test_a_missing_or_binary_list_of_images_is_refused(campaign: Path) -> None:
    (campaign / "images.jsonl").write_bytes(b"\xff\xfe\x00\n")
    refused(campaign, "images.jsonl")
    (campaign / "images.jsonl").unlink()
    refused(campaign, "don't fit each other")


@pytest.mark.parametrize(
    "change",
    [
        {"label": "cat"}, {"label": None}, {"label": 99}, {"label": -1}, {"prediction": "cat"}, {"prediction": 4},
        {"confidence": "much"}, {"confidence": float("nan")}, {"sha256": 3}, {"id": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_list_of_images_with_wrong_values_is_refused(change: dict[str, Any], campaign: Path) -> None:
    lines = json_lines(campaign / "images.jsonl")
    lines[0] |= change
    write_lines(campaign, "images.jsonl", lines)
    (campaign / "outcomes.jsonl").unlink()
    refused(campaign, rf"line 1 of .*images\.jsonl is damaged .*{next(iter(change))}")


@pytest.mark.parametrize("name", ["images.jsonl", "outcomes.jsonl"])
def test_lines_of_another_campaign_are_refused(name: str, campaign: Path, tmp_path: Path) -> None:
    small_attack(tmp_path / "b", seed=1)
    shutil.copy(tmp_path / "b" / name, campaign)
    refused(campaign, "don't fit each other" if name == "images.jsonl" else "of another job, and others follow")


WRONG: list[dict[str, Any]] = [
    {"image": []}, {"image": -1}, {"criterion_index": []}, {"pixels": "one"}, {"queries": "many"}, {"queries": -1},
    {"queries": 2**62}, {"queries": 10**400}, {"shared": 0}, {"confidence": float("nan")}, {"top5": [["cat", 2.0]]},
    {"success": 1}, {"success": True, "queries_to_success": None}, {"edits": [{"x": 0, "y": 0, "colour": [256, 0, 0]}]},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=lambda change: str(change)[:50])
def test_outcomes_with_wrong_values_are_neither_shown_nor_gone_on_from(change: dict[str, Any], campaign: Path) -> None:
    lines = json_lines(campaign / "outcomes.jsonl")
    lines[0] |= change
    write_lines(campaign, "outcomes.jsonl", lines)
    match = rf"line 1 of .*outcomes\.jsonl is damaged .*{list(change)[-1]}"
    with pytest.raises(RunError, match=match):
        list(CampaignFolder.open(campaign).outcomes())
    refused(campaign, match)


def test_an_unknown_strategy_is_refused(campaign: Path) -> None:
    edit_config(campaign, {"plan.strategy": "magic"})
    refused(campaign, r"config\.json is damaged .*magic")


@pytest.mark.parametrize("change", [{"plan.seed": 1}, {"plan.queries": 10}, {"target.name": "other"}], ids=str)
def test_an_edited_config_makes_it_another_campaign(change: dict[str, Any], campaign: Path) -> None:
    edit_config(campaign, change)
    folder = CampaignFolder.open(campaign)
    with pytest.raises(RunError, match="don't fit each other"):
        len(folder.subjects)
    with pytest.raises(RunError, match="of another job, and others follow"):
        folder.trim()


def test_hashes_are_of_the_images_bytes(finished: Path) -> None:
    images = np.load(finished / "images.npy")
    hashes = [image["sha256"] for image in json_lines(finished / "images.jsonl")]
    assert hashes == [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    assert len(outcome_lines(finished)) == 6
