"""The networks of ``features``: built, trained epoch by epoch, kept in the experiment's folder, asked as targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..attacks.gradients.adversary import PGD
from ..attacks.gradients.balls import L2
from ..config.features import FeaturesOptions
from ..errors import RunError
from ..io.files import sha256, writing
from ..io.slug import slug
from ..store.experiment import NETWORKS, ExperimentFolder
from ..targets.doors.embedded import card as card_of
from ..targets.execution.options import ExecutionOptions
from ..targets.networks import CifarResNet, ConvNet, DigitsNet, LeNet, Perceptron
from ..targets.torch_target import TorchTarget
from ..targets.training.data import Split, TrainingData
from ..targets.training.recipe import Epoch, Recipe
from ..targets.training.recipes import RECIPES
from ..targets.training.state import write_weights
from ..targets.training.trained import state_beside
from ..targets.training.trainer import Training, seeded, trained_until
from ..targets.weights import load_weights
from .features_plan import SLOW, Trained, networks

HIDDEN = 256
"""Units of a perceptron's hidden layer."""


def build(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return a network of a kind, one of :data:`~.features_plan.NETWORKS`, with random weights.

    Args:
        name: The kind.
        shape: (C, H, W) of the images.
        classes: Number of classes.
    """
    pixels = int(np.prod(shape))
    if name.startswith("resnet"):
        return CifarResNet(int(name.removeprefix("resnet")), classes)
    if name in ("perceptron", "linear"):
        return Perceptron(pixels, classes, HIDDEN if name == "perceptron" else 0)
    if name in ("convnet", "convnet-bn"):
        return ConvNet(shape[0], classes, normalised=name == "convnet-bn")
    return {"digits": DigitsNet, "lenet": LeNet}[name]()


def train_epoch(folder: ExperimentFolder, trained: Trained, images: Split, test: Split, number: int) -> dict[str, Any]:
    """Train a network for an epoch, from where the last one left its state beside its weights.

    The last epoch writes the weights. The state stays until the next part begins, so that this one can be done again.

    Args:
        folder: The experiment's folder.
        trained: The network.
        images: What it learns from.
        test: Images on which its accuracy is measured.
        number: Which epoch, from 0.

    Returns:
        What is recorded of it.
    """
    options: FeaturesOptions = folder.config.options
    file = weights_file(folder, trained.name)
    with writing(folder.path):
        file.parent.mkdir(exist_ok=True)
    data = TrainingData(images, test)
    training = trained_until(lambda: _training(folder, trained, data), state_beside(file), number + 1)
    report: Epoch = training.reports[number]
    digest = None
    if number + 1 == options.epochs:
        with writing(folder.path):
            write_weights(file, training.weights(), {"network": trained.network, "learnt from": trained.data})
        digest = sha256(file)
    return {
        "kind": "epoch",
        "network": trained.name,
        "epoch": number,
        "loss": report.loss,
        "accuracy": report.accuracy,
        "sha256": digest,
    }


def discard_state(folder: ExperimentFolder, name: str) -> None:
    """Remove the state of a training that is done."""
    with writing(folder.path):
        state_beside(weights_file(folder, name)).unlink(missing_ok=True)


def trained_target(folder: ExperimentFolder, trained: Trained, digest: str, device: torch.device) -> TorchTarget:
    """Return a network that was trained, as a target.

    Args:
        folder: The experiment's folder.
        trained: The network.
        digest: SHA-256 of its weights file.
        device: Where it runs.

    Raises:
        RunError: The file is missing, or another one.
    """
    config, file = folder.config, weights_file(folder, trained.name)
    try:
        found = sha256(file)
    except OSError as error:
        raise RunError(f"{file} is missing ({error.strerror}); put it back, or start a new experiment") from error
    if found != digest:
        raise RunError(f"{file} is not what was trained; put that back, or start a new experiment")
    card = card_of(config.options.data)
    module = seeded(lambda: build(trained.network, card.image_shape, len(card.classes)), 0)
    load_weights(module, file, trained.name)
    execution = ExecutionOptions(
        device=str(device),
        precision="float32",
        micro_batch=config.options.batch,
        memory_format="channels_last",
        fold=False,
    )
    return TorchTarget.from_card(module, replace(card, name=trained.name), execution)


def weights_file(folder: ExperimentFolder, name: str) -> Path:
    """Return the file of a network's weights."""
    return folder.path / NETWORKS / f"{name if name.isidentifier() else slug(name)}.safetensors"


def _training(folder: ExperimentFolder, trained: Trained, images: TrainingData) -> Training:
    """Return a network's training, at its beginning."""
    config = folder.config
    options: FeaturesOptions = config.options
    assert options.epsilon_trained is not None
    card = card_of(options.data)
    number = list(networks(options)).index(trained.name)
    seed = int(np.random.SeedSequence((options.seed, number)).generate_state(1, np.uint64)[0] >> np.uint64(1))
    adversary = PGD(L2(options.epsilon_trained), options.train_steps) if trained.adversarial else None
    return Training(
        seeded(lambda: build(trained.network, card.image_shape, len(card.classes)), seed),
        images,
        _recipe(options, trained),
        card.mean,
        card.std,
        seed=seed,
        device=config.target.device,
        adversary=adversary,
        perturbed=1.0,
        autocast=options.train_precision == "bfloat16",
        name=trained.name,
    )


def _recipe(options: FeaturesOptions, trained: Trained) -> Recipe:
    """Return how a network is trained: with the crops and mirror images of the embedded network of the same images.

    The options say which data sets are learnt without these; D_NR and D_rand are learnt at a lower rate.
    """
    rate = options.slow_rate if trained.data in SLOW else options.learning_rate
    assert options.epochs is not None
    assert rate is not None
    embedded, plain = RECIPES[options.data].recipe, trained.data in options.unaugmented
    return Recipe(
        epochs=options.epochs,
        batch=128 if options.full else 64,
        peak=rate,
        decay=options.decay,
        pad=0 if plain else embedded.pad,
        mirror=embedded.mirror and not plain,
    )


def split(images: Tensor, labels: list[int]) -> Split:
    """Return images (N, C, H, W) uint8 with their labels as the trainer takes them."""
    return Split(images, torch.tensor(labels, dtype=torch.int64))
