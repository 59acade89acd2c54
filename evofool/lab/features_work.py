"""The parts of ``features``: batches of data sets, epochs of trainings, and what networks make of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients.goals import Goal
from ..config.evolve import EvolveOptions
from ..config.features import D_NR, D_R, MADE, NOISE, D, FeaturesOptions
from ..config.perturb import PerturbOptions
from ..errors import RunError
from ..io.arrays import digest_of, shortest
from ..store.experiment import ExperimentFolder, Result
from ..store.features_records import FeaturesResult
from ..targets.torch_target import TorchTarget
from ..targets.training.data import Split
from ..targets.training.recipes import RECIPES
from . import features_networks as nets
from . import features_sets as sets
from .experiment import Part
from .features_export import SETS, export
from .features_labels import labels_of, random_labels, starts
from .features_plan import ROBUST, STANDARD, Piece, evolution, maker_of, networks, pieces, sizes
from .fooling_images import scores_of
from .made import elites
from .perturb import perturbed
from .perturb_arms import Arm

SHOWN = 12
"""Images of the data sets that a page shows."""

TEST_STEPS = 20
"""Steps of the perturbations that robust accuracy is measured with."""


def learnt_from(options: FeaturesOptions) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images to learn from and their labels, as the seed chooses them.

    Raises:
        ConfigError: The data are missing.
    """
    train = RECIPES[options.data].data(Path(options.data_dir)).train
    assert options.size is not None
    rows = np.random.default_rng((options.seed, 0)).permutation(len(train))[: options.size]
    return train.images.numpy()[rows], train.labels.numpy()[rows]


def digest_of_images(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    """Return the SHA-256 of images and their labels."""
    return digest_of({"images": images, "labels": labels}).tobytes().hex()


class Work:
    """One part of the work.

    Args:
        folder: The experiment's folder, with the parts before it.
    """

    def __init__(self, folder: ExperimentFolder) -> None:
        self.folder, self.options = folder, folder.config.options
        self.device = torch.device(folder.config.target.device)
        self.classes = len(folder.config.classes)
        self.trained = networks(self.options)
        self.planned = pieces(folder.config)
        self.empty = np.empty((0, *folder.config.target.image_shape), np.uint8)
        self._lines = dict(folder.results(FeaturesResult))

    def do(self, part: int) -> Part:
        """Do a part."""
        piece = self.planned[part]
        if piece.kind == "set":
            return self._originals() if piece.name == D else self._made(piece)
        work = {
            "epoch": self._epoch,
            "accuracy": self._accuracy,
            "transfer": self._transfer,
            "shown": self._shown,
            "evolved": self._evolved,
            "export": self._export,
        }
        return work[piece.kind](piece)

    def _originals(self) -> Part:
        """Keep the images to learn from in the folder, so that nothing else is needed from now on."""
        images, labels = learnt_from(self.options)
        if digest_of_images(images, labels) != self.options.images_sha256:
            raise RunError(
                f"the images of {self.options.data} are others than {self.folder.path} began with; bring those back, "
                "or start a new experiment"
            )
        return Part([{"kind": "set", "set": D, "labels": labels.tolist()}], images)

    def _made(self, piece: Piece) -> Part:
        """Make a batch of a data set."""
        options, name = self.options, piece.name
        images, labels = self._set(D)
        rows = np.arange(len(labels))[piece.number * options.batch : (piece.number + 1) * options.batch]
        wanted = labels_of(name, labels, self.classes, random_labels(options, self.classes))[rows]
        network, here = self._network(maker_of(name)), images[rows].to(self.device)
        if name in (D_R, D_NR):
            made = sets.matched(
                network, here, self._start(images, rows), steps=options.match_steps, size=options.match_size
            )
        else:
            made = sets.perturbed(
                network,
                here,
                torch.from_numpy(wanted).to(self.device),
                epsilon=options.epsilon_made,
                steps=options.steps,
                size=options.step_size,
            )
        result = {
            "kind": "set",
            "set": name,
            "labels": wanted.tolist(),
            "taken": made.taken.tolist(),
            "unrounded": made.unrounded.tolist(),
            "moved": _short(made.moved),
            "before": None if made.before is None else _short(made.before),
            "after": None if made.after is None else _short(made.after),
        }
        return Part([result], made.images.cpu().numpy())

    def _start(self, images: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Return what images of D_R and D_NR begin as: the same for both."""
        if self.options.start == NOISE:
            draws = np.random.default_rng((self.options.seed, 3, int(rows[0])))
            noise = draws.integers(0, 256, (len(rows), *self.folder.config.target.image_shape), np.uint8)
            return torch.from_numpy(noise).to(self.device)
        return images[starts(self.options)[rows]].to(self.device)

    def _epoch(self, piece: Piece) -> Part:
        """Train a network for an epoch."""
        trained = self.trained[piece.name]
        images, labels = self._set(trained.data)
        learnt, test = nets.split(images, labels.tolist()), self._test()
        return Part([nets.train_epoch(self.folder, trained, learnt, test, piece.number)], self.empty)

    def _accuracy(self, piece: Piece) -> Part:
        """Count the test images that a network gets right, as they are and perturbed."""
        nets.discard_state(self.folder, piece.name)
        network, test = self._network(piece.name), self._test()
        chosen = () if self.trained[piece.name].beside else sizes(self.options)
        found = [self._perturbed(network, test, size) for size in chosen]
        right = (scores_of([network], [None], test.images.numpy())[0].argmax(1) == test.labels).sum()
        result = {
            "kind": "accuracy",
            "network": piece.name,
            "images": len(test),
            "clean": int(right),
            "sizes": list(chosen),
            "robust": [int((taken == test.labels).sum()) for taken, _, _ in found],
            "unrounded": [int((exact == test.labels).sum()) for _, exact, _ in found],
        }
        return Part([result], self.empty)

    def _transfer(self, piece: Piece) -> Part:
        """Perturb test images against the standard network, and show them to the other networks that learnt from D."""
        test, maker = self._test(), self._network(STANDARD)
        _, _, images = self._perturbed(maker, test, self.options.epsilon_made)
        results: list[Result] = []
        for name, trained in self.trained.items():
            if trained.data == D and not trained.adversarial:
                network = maker if name == STANDARD else self._network(name)
                before, after = (
                    scores_of([network], [None], shown)[0].argmax(1) for shown in (test.images.numpy(), images)
                )
                right = before == test.labels
                fooled = right & (after != test.labels)
                results.append(
                    {
                        "kind": "transfer",
                        "network": name,
                        "right": int(right.sum()),
                        "fooled": int(fooled.sum()),
                    }
                )
        return Part(results, images[:SHOWN])

    def _shown(self, piece: Piece) -> Part:
        """Show the first images of D to every network that learnt from a data set."""
        images = self._set(D)[0][:SHOWN].numpy()
        results: list[Result] = []
        for name in (STANDARD, ROBUST, *MADE):
            (scores,) = scores_of([self._network(name)], [None], images)
            confidence, first = scores.max(1)
            results.append(
                {"kind": "shown", "network": name, "first": first.tolist(), "confidence": _short(confidence)}
            )
        return Part(results, self.empty)

    def _evolved(self, piece: Piece) -> Part:
        """Evolve images against a network, and show them to all."""
        run, encoding = evolution(piece.number)
        options = EvolveOptions(encoding=encoding, seed=self.options.seed + run, precision="float32")
        sure: list[int] = []
        images, wanted = elites(
            self._network(piece.name),
            options,
            self.options.evaluations,
            observer=lambda progress: sure.append(progress.evaluations) if progress.median >= 0.99 else None,
        )
        judges = (STANDARD, ROBUST, *MADE)
        scores = scores_of([self._network(name) for name in judges], [None] * len(judges), images.numpy())
        result = {
            "kind": "evolved",
            "network": piece.name,
            "encoding": encoding,
            "run": run,
            "wanted": wanted,
            "sure": sure[0] if sure else None,
            "first": {name: each.argmax(1).tolist() for name, each in zip(judges, scores, strict=True)},
            "confidence": {
                name: [shortest(float(row[index])) for row, index in zip(each, wanted, strict=True)]
                for name, each in zip(judges, scores, strict=True)
            },
        }
        return Part([result], images.numpy())

    def _export(self, piece: Piece) -> Part:
        """Write a data set for others to read."""
        images, labels = self._set(piece.name)
        export(
            self.folder.path / SETS, piece.name, images.numpy(), labels, self.folder.config.classes, self.options.export
        )
        return Part([{"kind": "export", "set": piece.name, "images": len(labels)}], self.empty)

    def _perturbed(self, network: TorchTarget, test: Split, epsilon: float) -> tuple[Tensor, Tensor, NDArray[np.uint8]]:
        """Perturb test images by L2 PGD.

        Returns:
            What the network takes the 8-bit images for (N,), what before rounding (N,), and the images.
        """
        settings = PerturbOptions(seed=self.options.seed, steps=TEST_STEPS, restarts=1)
        guesses, exact, found = [], [], []
        for start in range(0, len(test), self.options.batch):
            images = test.images[start : start + self.options.batch].to(self.device)
            goal = Goal(test.labels[start : start + self.options.batch].to(self.device), targeted=False)
            pixels, rounded = perturbed(Arm("pgd-l2", epsilon), settings, start, network, images, goal)
            with torch.no_grad():
                exact.append(network.logits(pixels).argmax(1).cpu())
            guesses.append(network.confirm(rounded).argmax(1).cpu())
            found.append(rounded.cpu().numpy())
        return torch.cat(guesses), torch.cat(exact), np.concatenate(found)

    def _set(self, name: str) -> tuple[Tensor, NDArray[np.int64]]:
        """Return the images of a data set and their labels."""
        parts = [part for part, piece in enumerate(self.planned) if (piece.kind, piece.name) == ("set", name)]
        labels = [label for part in parts for label in self._lines[part][0]["labels"]]
        images = np.concatenate([self.folder.pictures(part) for part in parts])
        return torch.from_numpy(images), np.array(labels, np.int64)

    def _test(self) -> Split:
        """Return the images that accuracy is measured on."""
        subjects = list(self.folder.subjects)
        images = torch.from_numpy(np.stack([subject.image for subject in subjects]))
        return nets.split(images, [subject.label for subject in subjects])

    def _network(self, name: str) -> TorchTarget:
        """Return a network that was trained."""
        last = Piece("epoch", name, self.options.epochs - 1)
        digest = self._lines[self.planned.index(last)][0]["sha256"]
        return nets.trained_target(self.folder, self.trained[name], digest, self.device)


def _short(values: Tensor) -> list[float]:
    """Return float32 values with as few digits as tell them."""
    return [shortest(float(value)) for value in values]
