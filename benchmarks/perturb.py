"""PGD beside torchattacks' and foolbox's: accuracy of ``cifar10`` on 200 images, and processor time.

All take 20 steps of 2.5 ε / 20 from one start, on the same network, images and batches. The others get the module that
their users have; evofool runs it as its target does, channels last. Needs the ``bench`` extra.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

import evofool
from evofool.attacks.gradients.balls import LInf
from evofool.attacks.gradients.goals import Goal
from evofool.attacks.gradients.steps import PGD_PATH, pgd
from evofool.attacks.image_selection import select_images
from evofool.attacks.statistics import wilson
from evofool.datasets import Fitting, open_data
from evofool.targets.torch_target import TorchTarget

from .common import FromPixels, Row, shared, table

COUNT, BATCH, STEPS, ROUNDS = 200, 50, 20, 3
EPSILONS = {"1/255": 1 / 255, "2/255": 2 / 255, "4/255": 4 / 255}

Attack = Callable[[Tensor, Tensor, float], Tensor]


def attacks(target: TorchTarget) -> dict[str, Attack]:
    """Return PGD as the three libraries have it."""
    import foolbox
    import torchattacks

    network = copy.deepcopy(target.network).to(memory_format=torch.contiguous_format)  # as their users have it
    model = FromPixels(network, target).eval()
    others = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")

    def ours(pixels: Tensor, labels: Tensor, epsilon: float) -> Tensor:
        goal, generator = Goal(labels, targeted=False), torch.Generator().manual_seed(0)
        return pgd(target, pixels, goal, LInf(epsilon), steps=STEPS, restarts=1, generator=generator)

    def of_torchattacks(pixels: Tensor, labels: Tensor, epsilon: float) -> Tensor:
        step = PGD_PATH * epsilon / STEPS
        found: Tensor = torchattacks.PGD(model, eps=epsilon, alpha=step, steps=STEPS)(pixels, labels)
        return found

    def of_foolbox(pixels: Tensor, labels: Tensor, epsilon: float) -> Tensor:
        attack = foolbox.attacks.LinfPGD(rel_stepsize=PGD_PATH / STEPS, steps=STEPS)
        _, found, _ = attack(others, pixels, labels, epsilons=epsilon)
        return torch.as_tensor(found)

    return {"evofool": ours, "torchattacks": of_torchattacks, "foolbox": of_foolbox}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure all three in turn, several times; the images' 8-bit accuracy is that of the first time."""
    target = evofool.load_target("cifar10", device="cpu", precision="float32", micro_batch=BATCH)
    assert isinstance(target, TorchTarget)
    data = open_data("cifar10", (shared() or Path()) / "data", Fitting(target.classes, target.image_shape, 32))
    subjects = select_images(data, target, count=COUNT, include_misclassified=True).subjects
    pixels = torch.stack([torch.from_numpy(subject.image) for subject in subjects]).float() / 255
    labels, rows = torch.tensor([subject.label for subject in subjects]), list[Row]()
    for name, epsilon in EPSILONS.items():
        seconds: dict[str, list[float]] = {}
        kept: dict[str, int] = {}
        for _ in range(seeds or ROUNDS):
            for library, attack in attacks(target).items():
                torch.manual_seed(0)
                started = time.process_time()
                parts = zip(pixels.split(BATCH), labels.split(BATCH), strict=True)
                found = torch.cat([attack(*part, epsilon) for part in parts])
                seconds.setdefault(library, []).append(time.process_time() - started)
                steps = ((found - pixels) * 255).round()
                images = (255 * pixels + LInf(epsilon).whole_steps(steps)).round().clamp(0, 255).to(torch.uint8)
                kept.setdefault(library, int((target.confirm(images).argmax(1) == labels).sum()))
        for library, times in seconds.items():
            low, high = wilson(kept[library], COUNT)
            ratio = median(one / other for one, other in zip(times, seconds["evofool"], strict=True))
            rows.append(
                {
                    "epsilon": name,
                    "library": library,
                    "accuracy": kept[library] / COUNT,
                    "interval95": [low, high],
                    "seconds": median(times),
                    "time against evofool's": ratio,
                }
            )
        table(rows)
        yield rows
