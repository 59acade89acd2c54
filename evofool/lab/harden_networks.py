"""The networks of ``harden``: what they learn from, their training, and their files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients.adversary import PGD
from ..attacks.gradients.balls import L2, LInf
from ..config.harden import HardenOptions
from ..config.model import ModelOptions
from ..errors import RunError
from ..io.files import sha256, writing
from ..store.experiment import NETWORKS, ExperimentFolder
from ..targets import registry
from ..targets.doors.embedded import card, network
from ..targets.execution.options import ExecutionOptions
from ..targets.protocols import Target
from ..targets.torch_target import TorchTarget
from ..targets.training.data import Split, TrainingData
from ..targets.training.recipe import Epoch
from ..targets.training.recipes import RECIPES
from ..targets.training.state import write_weights
from ..targets.training.trainer import Training, seeded, trained_until
from .harden_plan import Piece, epsilons, hardened_name

STATE = "training"
"""The file in the folder of weights that keeps the state of a training."""


@lru_cache(maxsize=1)
def labelled(name: str, data_dir: str) -> TrainingData:
    """Return the labelled images of a network's data set, which stay in memory for the next part.

    Raises:
        ConfigError: They are missing and can't be downloaded.
    """
    return RECIPES[name].data(Path(data_dir))


def digest_of_data(data: TrainingData) -> str:
    """Return the SHA-256 of labelled images."""
    digest = hashlib.sha256()
    for split in (data.train, data.test):
        digest.update(split.images.numpy().data)
        digest.update(split.labels.numpy().data)
    return digest.hexdigest()


def weights_file(path: Path, number: int) -> Path:
    """Return the file of a round's weights in an experiment's folder."""
    return path / NETWORKS / f"{number:02d}.safetensors"


def target_of(folder: ExperimentFolder, targets: Sequence[Target], number: int, digest: str | None) -> Target:
    """Return the network after a round, as a target.

    Args:
        folder: The experiment's folder.
        targets: The network before the first round.
        number: The round.
        digest: SHA-256 of its weights on record.

    Raises:
        RunError: Its weights are not those that were trained.
    """
    if number == 0:
        return targets[0]
    file, record = weights_file(folder.path, number), folder.config.target
    if not file.is_file() or sha256(file) != digest:
        raise RunError(f"{file} is missing, or is not what was trained; bring it back, or start the experiment anew")
    return registry.load(
        hardened_name(folder.config.options), weights=file, **vars(ExecutionOptions.of(record)), model=ModelOptions()
    ).target


class Trained(NamedTuple):
    """A network at the end of an epoch."""

    target: TorchTarget
    """The network with the averaged weights."""
    report: Epoch
    """What the epoch did."""
    weights_sha256: str | None
    """The SHA-256 of the round's weights, if this was its last epoch."""


def train(folder: ExperimentFolder, before: Target, piece: Piece, fooling: Sequence[NDArray[np.uint8]]) -> Trained:
    """Train up to the end of a part's epoch, and write the round's weights at the end of its last one.

    Args:
        folder: The experiment's folder.
        before: The network that the training begins with.
        piece: The part of the work.
        fooling: Images (N, C, H, W) that are learnt from as one class more.

    Raises:
        RunError: The labelled images are others than at the beginning, or the folder can't be written.
    """
    options: HardenOptions = folder.config.options
    state, due = folder.path / NETWORKS / STATE, _due(options, piece)
    with writing(folder.path):
        state.parent.mkdir(exist_ok=True)
        training = trained_until(lambda: _training(folder, before, piece, fooling), state, due)
        digest = None
        if piece.number + 1 == options.epochs:
            file = weights_file(folder.path, piece.round)
            write_weights(file, training.weights(), _provenance(folder, training, piece))
            digest = sha256(file)
    execution = ExecutionOptions.of(folder.config.target)
    target = TorchTarget.from_card(training.averaged, card(training.name), execution)
    return Trained(target, training.reports[-1], digest)


def forget_state(folder: ExperimentFolder) -> None:
    """Remove the state of the last training, when it is done."""
    with writing(folder.path):
        (folder.path / NETWORKS / STATE).unlink(missing_ok=True)


def widened(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a network for one that tells more classes: each new class has the mean of the others.

    Args:
        found: The tensors by name.
        wanted: Those of the other network; some have more rows.
    """
    state = {}
    for name, value in wanted.items():
        rows = found[name]
        more = len(value) - len(rows) if value.ndim else 0
        state[name] = torch.cat([rows, *[rows.mean(0, keepdim=True)] * more]) if more else rows
    return state


def _due(options: HardenOptions, piece: Piece) -> int:
    """Return how many epochs of its training are done after a part. With ``by=pgd`` all rounds are one training."""
    return piece.number + 1 + (options.epochs * (piece.round - 1) if options.by == "pgd" else 0)


def _training(folder: ExperimentFolder, before: Target, piece: Piece, fooling: Sequence[NDArray[np.uint8]]) -> Training:
    """Return a round's training as it begins."""
    options: HardenOptions = folder.config.options
    described, pgd = card(hardened_name(options)), options.by == "pgd"
    module = seeded(lambda: network(described.name), options.seed)
    if not options.scratch:
        assert isinstance(before, TorchTarget), "embedded networks run in torch"
        module.load_state_dict(widened(before.network.state_dict(), module.state_dict()))
    epochs = options.epochs * (options.rounds if pgd else 1)
    recipe = replace(RECIPES[str(options.target)].recipe, epochs=epochs, peak=options.peak, small=(0.0, 0))
    size = epsilons(options)[options.norm]
    return Training(
        module,
        _images(folder, fooling),
        recipe,
        described.mean,
        described.std,
        seed=options.seed if pgd else options.seed + piece.round,
        device=folder.config.target.device,
        adversary=PGD(L2(size) if options.norm == "l2" else LInf(size), options.steps) if pgd else None,
        perturbed=1.0,
        autocast=options.train_precision == "bfloat16",
        name=described.name,
    )


def _images(folder: ExperimentFolder, fooling: Sequence[NDArray[np.uint8]]) -> TrainingData:
    """Return the labelled images that are learnt from, and those that fool as one class more.

    These are repeated until they are about as many as those of another class.
    """
    options: HardenOptions = folder.config.options
    data = labelled(str(options.target), options.data_dir)
    if digest_of_data(data) != options.data_sha256:
        raise RunError(
            f"the labelled images of {options.target} in {options.data_dir} are not those that {folder.path} began "
            "with; bring these back"
        )
    images, labels = data.train.images, data.train.labels
    if options.train is not None and options.train < len(labels):
        chosen = np.random.default_rng(options.seed).choice(len(labels), options.train, replace=False)
        rows = torch.from_numpy(np.sort(chosen))
        images, labels = images[rows], labels[rows]
    if fooling:
        extra, classes = torch.from_numpy(np.concatenate(fooling)), len(folder.config.classes)
        times = max(1, round(len(labels) / classes / len(extra)))
        images = torch.cat([images, *[extra] * times])
        labels = torch.cat([labels, torch.full((times * len(extra),), classes)])
    return TrainingData(Split(images, labels), data.test)


def _provenance(folder: ExperimentFolder, training: Training, piece: Piece) -> dict[str, str]:
    """Return what a file of weights says of itself."""
    options: HardenOptions = folder.config.options
    return {
        "network": training.name,
        "hardened_by": options.by,
        "round": str(piece.round),
        "seed": str(options.seed),
        "test_accuracy": f"{training.reports[-1].accuracy:.4f}",
        "torch": torch.__version__,
    } | ({} if training.adversary is None else {"adversary": repr(training.adversary)})
