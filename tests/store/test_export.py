"""Adversarial images as an archive and as a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import archive, small_attack
from configs import NAMES
from PIL import Image
from support import random_images, tiny_target
from torchvision.datasets import ImageFolder

from evofool.attacks.outcome import Outcome, recorded_edits
from evofool.store.campaign import CampaignFolder
from evofool.store.export import _picture_name, export_adversarial

SETUPS: dict[str, dict[str, Any]] = {
    "untargeted": {},
    "all": {"criterion": "all", "include_misclassified": True, "count": 16},
    "corners": {"criterion": "all", "strategy": "corners", "queries": None},
    "auto": {"pixels": "auto", "max_pixels": 3, "queries": 40},
    "baseline": {"baseline": True, "strategy": "sparse-rs", "queries": 300},
}


@pytest.fixture(params=SETUPS)
def campaign(request: pytest.FixtureRequest, tmp_path: Path) -> CampaignFolder:
    small_attack(tmp_path / "a", export=True, **SETUPS[request.param])
    return CampaignFolder.open(tmp_path / "a")


def successes(folder: CampaignFolder) -> list[Outcome]:
    strategy = folder.config.plan.strategy
    return [outcome for outcome in folder.outcomes() if outcome["success"] and outcome["strategy"] == strategy]


def arrays(folder: CampaignFolder) -> dict[str, np.ndarray]:
    with np.load(folder.path / "adversarial.npz") as file:
        return {name: file[name] for name in file.files}


def edited_image(folder: CampaignFolder, outcome: Outcome) -> np.ndarray:
    """Return an outcome's image (H, W, C), edited one pixel after the other."""
    image = np.load(folder.path / "images.npy")[outcome["image"]].transpose(1, 2, 0).copy()
    for edit in outcome["edits"]:
        image[edit["y"], edit["x"]] = edit["colour"]
    return image


def test_the_archive_holds_the_edited_images_as_recorded(campaign: CampaignFolder) -> None:
    wins, exported = successes(campaign), arrays(campaign)
    assert len(wins) == len(exported["images"]) > 0
    assert exported["images"].dtype == np.uint8
    np.testing.assert_array_equal(exported["images"], [edited_image(campaign, outcome) for outcome in wins])
    for name, key in (("labels", "label"), ("predictions", "final_index"), ("source", "image"), ("pixels", "pixels")):
        assert exported[name].tolist() == [outcome[key] for outcome in wins]
    criteria = [outcome["criterion_index"] for outcome in wins]
    assert exported["criteria"].tolist() == [-1 if criterion is None else criterion for criterion in criteria]
    assert exported["classes"].tolist() == list(NAMES)
    scores = tiny_target().confirm(torch.from_numpy(exported["images"].transpose(0, 3, 1, 2).copy()))
    assert scores.argmax(1).tolist() == exported["predictions"].tolist()
    targeted = exported["criteria"] >= 0
    assert (exported["predictions"] == exported["criteria"])[targeted].all()
    assert (exported["predictions"] != exported["labels"])[~targeted].all()


def test_the_pictures_are_those_images_in_a_folder_a_true_class(campaign: CampaignFolder) -> None:
    wins, folder = successes(campaign), campaign.path / "adversarial"
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.png"))
    slugs = [name.replace(" ", "-") for name in NAMES]
    names = []
    for outcome in wins:
        prediction = f"{outcome['final_index']:03d}_{slugs[outcome['final_index']]}"
        label = f"{outcome['label']:03d}_{slugs[outcome['label']]}"
        source = outcome["id"].replace(":", "-")
        names.append(f"{label}/{outcome['image']:05d}_{source}_to_{prediction}_k{outcome['pixels']}.png")
    assert files == sorted(names)
    for name, outcome in zip(names, wins, strict=True):
        with Image.open(folder / name) as picture:
            assert (picture.mode, picture.size) == ("RGB", (8, 8))
            np.testing.assert_array_equal(np.asarray(picture), edited_image(campaign, outcome))
    opened = ImageFolder(str(folder))
    assert len(opened) == len(wins)
    assert [int(name[:3]) for name in opened.classes] == sorted({outcome["label"] for outcome in wins})


def test_the_pictures_and_the_archive_carry_the_names_of_the_files(tmp_path: Path) -> None:
    names = ["IMG 0012.JPG.png", "猫.png", "cafe\u0301.v2.png", "_..x\u202e.png", "-" * 9 + ".png", "x" * 200 + ".png"]
    (tmp_path / "data").mkdir()
    for name, image in zip(names, random_images(len(names)).numpy(), strict=True):
        Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / "data" / name)
    small_attack(tmp_path / "a", data=tmp_path / "data", export=True, pixels=20, count=len(names))
    folder = CampaignFolder.open(tmp_path / "a")
    assert sorted(arrays(folder)["names"].tolist()) == sorted(names)
    files = [file.name for file in (tmp_path / "a" / "adversarial").rglob("*.png")]
    stems = {name[6:].partition("_to_")[0] for name in files}
    assert stems == {"IMG-0012-JPG", "猫", "café-v2", "_-x", "image", "x" * 80}


def test_the_name_of_an_image_of_a_data_set_keeps_its_number() -> None:
    outcome: Any = {"image": 7, "final_index": 3, "final": "cat", "pixels": 1}
    assert _picture_name(outcome, "my.data:17") == "00007_my-data-17_to_003_cat_k1.png"
    assert _picture_name(outcome, "dog/a.b/IMG_1.jpeg") == "00007_IMG_1_to_003_cat_k1.png"


def test_the_archive_can_be_attacked(campaign: CampaignFolder, tmp_path: Path) -> None:
    """Every image of it is misclassified, so that every untargeted attempt is settled already."""
    wins = successes(campaign)
    assert all(outcome["final_index"] != outcome["label"] for outcome in wins)
    result = small_attack(
        tmp_path / "again", data=campaign.path / "adversarial.npz", include_misclassified=True, count=1000
    )
    assert (result.total, result.statistics.already, result.scored) == (len(wins), len(wins), 0)


def test_written_anew_what_was_there_is_gone(campaign: CampaignFolder) -> None:
    folder = campaign.path / "adversarial"
    before = sorted(folder.rglob("*.png"))
    (folder / "000_old").mkdir()
    (folder / "000_old" / "old.png").write_bytes(b"old")
    assert export_adversarial(campaign) == len(before) == len(successes(campaign))
    assert sorted(folder.rglob("*.png")) == before


def test_without_a_success_the_archive_is_empty(tmp_path: Path) -> None:
    small_attack(tmp_path / "a", queries=1, export=True, count=1)
    folder = CampaignFolder.open(tmp_path / "a")
    assert successes(folder) == []
    exported = arrays(folder)
    assert (exported["images"].shape, exported["images"].dtype, exported["labels"].shape) == (
        (0, 8, 8, 3),
        np.uint8,
        (0,),
    )
    assert exported["classes"].tolist() == list(NAMES)
    assert not (tmp_path / "a" / "adversarial").exists()


def test_grey_images_keep_their_one_channel(tmp_path: Path) -> None:
    target = tiny_target(channels=1)
    small_attack(tmp_path / "a", target=target, export=True, criterion="all")
    folder = CampaignFolder.open(tmp_path / "a")
    exported = arrays(folder)
    assert exported["images"].shape[1:] == (8, 8, 1)
    for file in (tmp_path / "a" / "adversarial").rglob("*.png"):
        with Image.open(file) as picture:
            assert picture.mode == "L"
    outcome = successes(folder)[0]
    assert recorded_edits(outcome, 1).shape == (1, 3)


def test_without_export_nothing_is_exported(tmp_path: Path) -> None:
    small_attack(tmp_path / "a")
    assert not (tmp_path / "a" / "adversarial.npz").exists()
    assert not (tmp_path / "a" / "adversarial").exists()
    assert CampaignFolder.open(tmp_path / "a").config.options.export is False


@pytest.mark.parametrize("names", [["猫", "犬", "鳥", "魚"], ["crane", "cat", "Crane", "dog"]], ids=["kanji", "case"])
def test_every_success_has_a_picture_whatever_the_classes_are_called(names: list[str], tmp_path: Path) -> None:
    target = tiny_target(classes=4)
    target.classes = names
    data = archive(tmp_path / "images.npz", target=target)
    small_attack(tmp_path / "a", target=target, data=data, criterion="all", strategy="corners", queries=None, count=30,
                 export=True)  # fmt: skip
    folder = CampaignFolder.open(tmp_path / "a")
    assert len(list((folder.path / "adversarial").rglob("*.png"))) == len(successes(folder))
