"""A campaign's folder: made whole, read with care."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import NAMES, outcome_lines, small_attack, subjects, write_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import change_config, json_lines, small_evolve, tree
from support import tiny_target

import evofool
from evofool.attacks.image_selection import SelectedImages
from evofool.errors import EvofoolError, RunError
from evofool.gallery.pages.findings import gather
from evofool.store.campaign import CampaignFolder

CONFIG: dict[str, Any] = {
    "evofool": "attack", "criteria": [None], "criterion": "untargeted", "classes": NAMES, "pixels": [1], "strategy": "local",
    "queries": None, "seed": 0, "rows": 16, "baseline": False, "export": False, "versions": {},
    "target": {
        "name": "tiny", "image_shape": [3, 8, 8], "device": "cpu", "precision": "float32", "weights_sha256": None,
    },
    "data": {
        "name": "some", "asked": 3, "chosen": 3, "looked": 3, "correct": 2, "labelled": True, "first": False,
        "include_misclassified": True, "skipped": {},
    },
}  # fmt: skip


def chosen(n: int = 3) -> SelectedImages:
    some = subjects(n, wrong=[1])
    return SelectedImages(
        images=np.stack([one.image for one in some]),
        labels=np.array([one.label for one in some]),
        predictions=np.array([one.prediction for one in some]),
        confidence=np.array([one.confidence for one in some], np.float32),
        ids=[f"é {one.id}" for one in some],
        hashes=[one.sha256 for one in some],
    )


def create(path: Path, **changes: Any) -> CampaignFolder:
    return CampaignFolder.create(path, CONFIG | changes, chosen(), NAMES)


def line(number: int) -> dict[str, Any]:
    """An outcome's line, with text that takes more bytes than letters."""
    images = chosen()
    return {
        "image": number, "sha256": images.hashes[number], "label": int(images.labels[number]),
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
    made, written = create(tmp_path / "new" / "a"), chosen()
    opened = CampaignFolder.open(tmp_path / "new" / "a")
    assert made.config == opened.config == {"format": 1, **CONFIG}
    assert len(opened.subjects) == 3
    for index, subject in enumerate(opened.subjects):
        np.testing.assert_array_equal(subject.image, written.images[index])
        assert subject.image.flags.writeable  # a copy, not the file
        assert (subject.index, subject.id, subject.sha256) == (index, written.ids[index], written.hashes[index])
        assert (subject.label, subject.prediction) == (written.labels[index], written.predictions[index])
        assert np.float32(subject.confidence) == written.confidence[index]
        assert opened.subjects.label(index) == written.labels[index]
    assert [one.index for one in opened.subjects[1:]] == [1, 2]
    assert list(opened.outcomes()) == []
    lines = json_lines(tmp_path / "new" / "a" / "images.jsonl")
    assert [one["class"] for one in lines] == [NAMES[label] for label in written.labels]


def test_an_empty_folder_that_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    create(tmp_path / "a")
    assert (tmp_path / "a" / "images.npy").exists()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match=r"exists already; choose another --out$"):
        create(tmp_path / "a")
    assert tree(tmp_path / "a") == {"thesis.txt": b"mine"}
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="exists already"):
        create(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_campaign_that_is_there_is_refused_with_the_command_that_goes_on(tmp_path: Path) -> None:
    create(tmp_path / "a")
    before = tree(tmp_path / "a")
    with pytest.raises(RunError, match=r"go on with: evofool resume .*a$"):
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
    labels = chosen().labels.tolist()
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


def test_a_flipped_bit_in_a_outcome_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
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
            found = list(folder.outcomes())
        except RunError as error:
            named.append(str(file) in str(error))
            continue
        unnoticed.append(at)
        assert [{key: outcome[key] for key in line(0)} for outcome in found] == [line(0), line(1), line(2)]
    assert all(named)
    assert len(unnoticed) <= len('"crc32"')


def test_a_outcome_that_was_edited_is_noticed(tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), line(1), line(2)])
    file = tmp_path / "a" / "outcomes.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"image": 1', b'"image": 2'))
    with pytest.raises(RunError, match=r"line 2 of .* is damaged or of another campaign, and others follow"):
        list(folder.outcomes())
    assert folder.drop_damaged() == 1
    assert list(folder.outcomes()) == [line(0), line(2)]


@pytest.mark.parametrize("change", [{"seed": 1}, {"queries": 50}, {"strategy": "random"}, {"pixels": [2]}])
def test_outcomes_of_another_campaign_are_noticed_and_not_lost(change: dict[str, Any], tmp_path: Path) -> None:
    """Also when none of the lines is ours: a killed process tears one line at most."""
    ours, theirs = create(tmp_path / "a"), create(tmp_path / "b", **change)
    theirs.append([{**line(number), **{k: v for k, v in change.items() if k == "strategy"}} for number in range(3)])
    shutil.copy(tmp_path / "b" / "outcomes.jsonl", tmp_path / "a")
    before = tree(tmp_path / "a")
    for read in (lambda: list(ours.outcomes()), ours.trim):
        with pytest.raises(RunError, match=r"line 1 of .* of another campaign"):
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


@pytest.mark.parametrize("change", [{"sha256": "0"}, {"label": 3}, {"strategy": "de"}, {"image": 3}])
def test_a_outcome_is_of_an_image_and_a_strategy_of_the_campaign(change: dict[str, Any], tmp_path: Path) -> None:
    folder = create(tmp_path / "a")
    folder.append([line(0), {**line(1), **change}])
    with pytest.raises(RunError, match=f"line 2 of .* is damaged .{next(iter(change))} is"):
        list(folder.outcomes())


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
    return evofool.resume_campaign(path, target=tiny_target())


def works_or_names(path: Path, act: Callable[[Path], object]) -> None:
    """What is damaged either does no harm or is refused with the folder's name."""
    told = str(path)
    try:
        act(path)
    except EvofoolError as error:
        told = str(error)
    assert str(path) in told


def refused(path: Path, match: str) -> None:
    """Going on is refused, and nothing is changed."""
    before = tree(path)
    with pytest.raises(RunError, match=match):
        resume(path)
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
        *(pytest.param(change) for change in (
            {"label": "cat"}, {"label": None}, {"label": 99}, {"prediction": "cat"}, {"confidence": "much"},
        )),
        {"sha256": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_list_of_images_with_wrong_values_is_refused(change: dict[str, Any], campaign: Path) -> None:
    lines = json_lines(campaign / "images.jsonl")
    lines[0] |= change
    write_lines(campaign, "images.jsonl", lines)
    (campaign / "outcomes.jsonl").unlink()
    with pytest.raises(RunError):
        resume(campaign)


def spoil(campaign: Path, change: dict[str, Any]) -> None:
    """Put nonsense into the first outcome."""
    lines = json_lines(campaign / "outcomes.jsonl")
    lines[0] |= change
    write_lines(campaign, "outcomes.jsonl", lines)


STRANGE: list[dict[str, Any]] = [
    {"image": []}, {"criterion_index": []}, {"pixels": "one"}, {"queries": "many"}, {"shared": 0},
    {"success": True, "queries_to_success": None},
]  # fmt: skip


@pytest.mark.parametrize("change", [pytest.param(one) if "shared" in one else one for one in STRANGE], ids=str)
def test_outcomes_with_wrong_values_are_not_reported(change: dict[str, Any], campaign: Path) -> None:
    spoil(campaign, change)
    works_or_names(campaign, gather)


@pytest.mark.parametrize("change", [pytest.param(one) for one in STRANGE], ids=str)
def test_outcomes_with_wrong_values_are_not_gone_on_from(change: dict[str, Any], campaign: Path) -> None:
    spoil(campaign, change)
    with pytest.raises(RunError):
        resume(campaign)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"format": 1}'])
def test_a_damaged_config_is_refused(content: str, campaign: Path) -> None:
    (campaign / "config.json").write_text(content)
    refused(campaign, "config.json is damaged")


def test_a_config_of_another_version_is_refused(campaign: Path) -> None:
    change_config(campaign, format=2, versions={"evofool": "9.1"})
    refused(campaign, r"has format 2, .*evofool 9\.1")


WRONG = [
    ("target", None), ("target", {}), ("data", None), ("criteria", None), ("criteria", "some"), ("criteria", ["cat"]),
    ("criteria", [99]), ("pixels", None), ("pixels", []), ("pixels", [0]), ("pixels", ["1"]), ("pixels", [65]),
    ("strategy", None), ("strategy", "magic"), ("queries", "many"), ("queries", 0), ("baseline", None),
    ("seed", None), ("seed", "0"), ("seed", -1), ("rows", None), ("rows", 0), ("rows", "many"), ("classes", None),
    ("classes", ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_config_with_a_wrong_value_is_refused_or_harmless(name: str, value: Any, campaign: Path) -> None:
    change_config(campaign, **{name: value})
    (campaign / "outcomes.jsonl").unlink()
    works_or_names(campaign, resume)


@pytest.mark.parametrize("name", [
    "target", "data", "criterion", "criteria", "pixels", "strategy", "queries", "baseline", "seed", "rows",
    "export", "classes", "versions",
])  # fmt: skip
def test_a_config_that_lacks_something_is_refused_or_harmless(name: str, campaign: Path) -> None:
    config = json.loads((campaign / "config.json").read_text())
    del config[name]
    (campaign / "config.json").write_text(json.dumps(config))
    works_or_names(campaign, resume)


def test_no_folder_and_no_campaign_are_told_apart_from_a_run(campaign: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no campaign at"):
        resume(tmp_path / "nowhere")
    with pytest.raises(RunError, match="no campaign at"):
        resume(tmp_path)
    small_evolve(tmp_path / "run", generations=1)
    with pytest.raises(RunError, match="is a run, made by evofool evolve; expected a campaign"):
        resume(tmp_path / "run")
    with pytest.raises(RunError, match="is a campaign, made by evofool attack; expected a run"):
        evofool.resume(campaign)


def test_hashes_are_of_the_images_bytes(finished: Path) -> None:
    images = np.load(finished / "images.npy")
    hashes = [one["sha256"] for one in json_lines(finished / "images.jsonl")]
    assert hashes == [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    assert len(outcome_lines(finished)) == 6


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pixels": [1, 10**12]}, "pixels"),
        ({"criteria": [1, 2, 1]}, "criteria"),
        ({"target": {**CONFIG["target"], "image_shape": [2, 8, 8]}}, "image_shape"),
        ({"target": {**CONFIG["target"], "image_shape": [3, 0, 8]}}, "image_shape"),
        ({"target": {**CONFIG["target"], "image_shape": [3, 8, 10**6]}}, "image_shape"),
    ],
    ids=["more pixels than there are", "a criterion twice", "two channels", "no rows", "endless rows"],
)
def test_a_config_that_no_campaign_can_have_is_refused(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    create(tmp_path / "a")
    change_config(tmp_path / "a", **changes)
    with pytest.raises(RunError, match=f"damaged .*{says}"):
        CampaignFolder.open(tmp_path / "a")


@pytest.mark.parametrize("rows", [0, -1, 2**14 + 1, 10**12, True, "64"])
def test_rows_are_bounded(rows: Any, campaign: Path) -> None:
    """A config's word for how much memory a batch takes; found by fuzzing."""
    config = json.loads((campaign / "config.json").read_text())
    (campaign / "config.json").write_text(json.dumps(config | {"rows": rows}))
    with pytest.raises(RunError, match=r"config\.json is damaged .rows is"):
        CampaignFolder.open(campaign)
