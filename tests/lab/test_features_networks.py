"""The networks of ``features`` and of ``harden``: which there are, and how they are trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evofool.config.features import FeaturesOptions
from evofool.config.harden import HardenOptions
from evofool.lab import features_networks, harden_networks
from evofool.lab.features import Features
from evofool.lab.features_plan import networks, resolved
from evofool.lab.harden import Harden
from evofool.lab.harden_plan import EPOCH, Piece
from evofool.store.experiment import ExperimentFolder
from evofool.targets.training.data import Split, TrainingData


@pytest.mark.parametrize(("precision", "autocast"), [("float32", False), ("bfloat16", True)])
def test_networks_are_trained_in_the_precision_that_was_asked_for(
    precision: str, autocast: bool, tmp_path: Path
) -> None:
    begun = Features.begin(FeaturesOptions(size=20, count=10, train_precision=precision), [], tmp_path / "features")
    folder = ExperimentFolder(tmp_path, begun.config)
    images = Split(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    trained = networks(begun.config.options)["robust"]
    assert features_networks._training(folder, trained, TrainingData(images, images)).autocast is autocast
    begun = Harden.begin(HardenOptions(train_precision=precision), [], tmp_path / "harden")
    folder = ExperimentFolder(tmp_path, begun.config)
    assert harden_networks._training(folder, begun.targets[0], Piece(EPOCH, 1, 0), []).autocast is autocast


@pytest.mark.parametrize(
    ("given", "plain"), [({}, {"D_det"}), ({"unaugmented": "D_rand,D"}, {"D_rand", "D"}), ({"unaugmented": ""}, set())]
)
def test_data_sets_are_learnt_from_crops_and_mirror_images_unless_the_options_say_otherwise(
    given: dict[str, str], plain: set[str]
) -> None:
    options = resolved(FeaturesOptions(target="cifar10", **given))
    recipes = {each.data: features_networks._recipe(options, each) for each in networks(options).values()}
    assert {name: (recipe.pad, recipe.mirror) for name, recipe in recipes.items()} == {
        name: (0, False) if name in plain else (4, True) for name in ("D", "D_R", "D_NR", "D_rand", "D_det")
    }


def test_convolutional_networks_are_normalised_on_request() -> None:
    kinds = {name: features_networks.build(name, (3, 32, 32), 10) for name in ("convnet", "convnet-bn")}
    counts = {
        name: sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
        for name, network in kinds.items()
    }
    assert counts == {"convnet": 0, "convnet-bn": 3}
    assert resolved(FeaturesOptions(target="cifar10", network="convnet-bn")).network == "convnet-bn"
