"""The training of the embedded networks: what ``zoo train`` does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from ..doors.embedded import CARDS, network
from .recipe import Epoch
from .recipes import RECIPES
from .state import write_weights
from .trained import check_trained, state_beside
from .trainer import Adversary, Training, seeded


def train(
    name: str,
    data: Path,
    out: Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    device: str = "cpu",
    adversary: Adversary | None = None,
    autocast: bool = False,
) -> Iterator[Epoch]:
    """Train an embedded network and write its weights.

    The state is kept in ``out`` + ``.training``. The same call goes on from there and ends with the same weights as an
    undisturbed one. The file is removed at the end.

    Args:
        name: A key of ``RECIPES``.
        data: Where the images are, or are downloaded to.
        out: The weights file to write.
        seed: Random seed.
        epochs: How many epochs, instead of the recipe's.
        device: Where to train.
        adversary: Perturbs every batch; half of the loss is that of the perturbed images (Goodfellow et al. 2015, §6).
        autocast: Whether the network runs in bfloat16 while it is trained.

    Yields:
        A report after every epoch.

    Raises:
        ConfigError: The name has no recipe, the data is missing, or the state file is of another training.
    """
    check_trained(name)
    embedded, card = RECIPES[name], CARDS[name]
    recipe = embedded.recipe if epochs is None else replace(embedded.recipe, epochs=epochs)
    training = Training(
        seeded(lambda: network(name), seed),
        embedded.data(data),
        recipe,
        card.mean,
        card.std,
        seed=seed,
        device=device,
        adversary=adversary,
        autocast=autocast,
        name=name,
    )
    state = state_beside(out)
    yield from training.run(state)
    write_weights(out, training.weights(), _provenance(training))
    state.unlink(missing_ok=True)


def _provenance(training: Training) -> dict[str, str]:
    """Return what the weights file says of itself."""
    test = training.images.test
    settings = {} if training.adversary is None else {"adversary": repr(training.adversary)}
    if training.autocast:
        settings["precision"] = "bfloat16"
    return {
        "network": training.name,
        "seed": str(training.seed),
        "epochs": str(training.recipe.epochs),
        "test_accuracy": f"{training.accuracy(test):.4f}",
        "test_images": str(len(test)),
        "train_images_sha256": hashlib.sha256(training.images.train.images.numpy().tobytes()).hexdigest(),
        "torch": torch.__version__,
    } | settings
