"""Attacks by the clock, side by side: evofool beside torchattacks, ART, foolbox and pyribs.

They need the ``bench`` extra. All run in one process, one after the other, on the same network and images.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

import evofool
from evofool.targets.torch_target import TorchTarget

from .campaigns import Bench, bench, run_campaign, total_queries
from .common import FromPixels, Row, shared, table
from .ribs_loop import ribs_and_ours

IMAGES = 12
"""Images that are attacked; the peers need ten to thirty seconds for each."""

CAMPAIGN_IMAGES, CAMPAIGN_QUERIES = 500, 300
"""Images of the large campaign, and queries of its attempts."""

QUERIES = 2_000
"""Most queries of ours for an image."""

UNSEEN_FROM, UNSEEN_IMAGES, UNSEEN_PAIRS = 200, 4, 3
"""Of networks that nothing was tuned on: the first image that is attacked, how many a pair of calls attacks, and how
many pairs there are."""

START_UP = {
    "ours": "import evofool; evofool.OnePixel(network, queries=2)(images, labels)",
    "theirs": "import torchattacks; torchattacks.OnePixel(network, pixels=1, steps=1, popsize=5)(images, labels)",
}
"""What a fresh interpreter runs to tell the start of each side: its imports, and the shortest of attacks."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure ours, the attacks of torchattacks, ART and foolbox, and pyribs' tutorial loop in turn with ours.

    A row has what the processor worked on it, besides the clock: that says more where others work on the machine.
    """
    folder = shared()
    if folder is None:
        print("peers: skipped, no images; set EVOFOOL_SHARED")
        return
    weights = folder / "weights" / "resnet20-cifar10.safetensors"
    attacked = bench("cifar10", weights, "cifar10", folder / "data", IMAGES)
    rows = list[Row]()
    for call, attack in ATTACKS.items():
        try:
            rows.append(_measured(call, attack, attacked))
        except ImportError as error:
            print(f"peers: {error}; install evofool[bench]")
            continue
        table(rows[-1:])
        yield rows
    for row in ribs_and_ours():
        rows.append(row)
        table(rows[-1:])
    yield rows


def measure_unseen(seeds: int | None) -> Iterator[list[Row]]:
    """Measure ours and torchattacks' OnePixel in turn, on networks and images that nothing was tuned on.

    Each pair of calls attacks images of its own. A row is a pair; a network's last row has the sums, with the start of
    each side and without.
    """
    folder = shared()
    if folder is None:
        print("unseen: skipped, no images; set EVOFOOL_SHARED")
        return
    starts = {side: _start_up(code) for side, code in START_UP.items()}
    rows = list[Row]()
    for name, weights in (("cifar10:resnet32", folder / "weights" / "resnet32-cifar10.safetensors"), ("cifar10", None)):
        attacked = bench(name, weights, "cifar10", folder / "data", UNSEEN_FROM + UNSEEN_PAIRS * UNSEEN_IMAGES)
        pairs = list[Row]()
        for pair in range(UNSEEN_PAIRS):
            first = UNSEEN_FROM + pair * UNSEEN_IMAGES
            part = replace(attacked, subjects=attacked.subjects[first : first + UNSEEN_IMAGES])
            ours, theirs = _measured("ours", _ours(1), part), _measured("theirs", _one_pixel, part)
            pairs.append(_compared({"network": name, "images from": first}, ours, theirs))
            rows.append(pairs[-1])
            table(rows[-1:])
            yield rows
        sums = [{key: sum(pair[f"{side}: {key}"] for pair in pairs) for key in COMPARED} for side in START_UP]
        total = _compared({"network": name, "images from": UNSEEN_FROM}, *sums)
        for unit in ("seconds", "processor seconds"):
            ratios = [pair[f"times, {unit}"] for pair in pairs]
            total[f"times, {unit}: median and range of pairs"] = [median(ratios), min(ratios), max(ratios)]
            begun = [each[unit] + starts[side][unit] for side, each in zip(START_UP, sums, strict=True)]
            total |= {f"{side}: {unit} of the start": starts[side][unit] for side in START_UP}
            total[f"times, {unit}, start-up included"] = round(begun[1] / begun[0], 1)
        rows.append(total)
        table(rows[-1:])
        yield rows


def measure_campaign(seeds: int | None) -> list[Row]:
    """Measure a campaign of 500 images beside the network's fastest forward passes."""
    folder = shared()
    if folder is None:
        print("campaign: skipped, no images; set EVOFOOL_SHARED")
        return []
    return [_campaign(folder / "data", folder / "weights" / "resnet20-cifar10.safetensors")]


def _measured(call: str, attack: Attack, attacked: Bench) -> Row:
    """Return an attack's figures. An image counts as fooled if its 8-bit picture fools the network."""
    target = attacked.target
    assert isinstance(target, TorchTarget)
    images = torch.from_numpy(np.stack([subject.image for subject in attacked.subjects]))
    labels = torch.tensor([subject.label for subject in attacked.subjects])
    network = FromPixels(target.network, target)
    started, worked = time.perf_counter(), time.process_time()
    adversarial, queries = attack(network, images, labels)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    eight_bit = adversarial.mul(255).round().clamp(0, 255).to(torch.uint8)
    fooled = target.confirm(eight_bit).argmax(1).cpu() != labels
    changed = (eight_bit != images).any(1).flatten(1).sum(1)[fooled].tolist()
    asked = float(network.rows if queries is None else queries)
    return {
        "call": call,
        "images": len(images),
        "successes": int(fooled.sum()),
        "pixels changed, median": median(changed) if changed else None,
        "pixels changed, most": max(changed, default=None),
        "queries": asked,
        "queries an image": round(asked / len(images), 1),
        "seconds": round(seconds, 2),
        "processor seconds": round(processor, 2),
        "load": round(os.getloadavg()[0], 2),
    }


COMPARED = ("images", "successes", "queries", "seconds", "processor seconds")
"""The figures of a call that a pair compares, all of which can be added."""


def _compared(what: Row, ours: Row, theirs: Row) -> Row:
    """Return the figures of two calls on the same images as one row, and how many times longer the second took."""
    sides = list(zip(START_UP, (ours, theirs), strict=True))
    row = what | {f"{side}: {key}": each[key] for key in COMPARED for side, each in sides}
    times = {f"times, {unit}": round(theirs[unit] / ours[unit], 1) for unit in ("seconds", "processor seconds")}
    return row | times


def _start_up(code: str) -> dict[str, float]:
    """Return what a fresh interpreter takes until its first attack is done: the median of three."""
    given = (
        "import time, torch; network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10)); "
        f"images, labels = torch.zeros(1, 3, 8, 8), torch.zeros(1, dtype=torch.int64); {code}; "
        "print(time.process_time())"
    )
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        printed = subprocess.run([sys.executable, "-c", given], capture_output=True, text=True, check=True).stdout
        taken.append((time.perf_counter() - started, float(printed.split()[-1])))
    seconds, processor = (median(values) for values in zip(*taken, strict=True))
    return {"seconds": round(seconds, 2), "processor seconds": round(processor, 2)}


Found = tuple[Tensor, float | None]
"""Images from 0 to 1, and how many queries they took; None where the network has counted them."""

Attack = Callable[[FromPixels, Tensor, Tensor], Found]


def _ours(pixels: int) -> Attack:
    def attack(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
        attack = evofool.OnePixel(network, pixels=pixels, queries=QUERIES)
        adversarial = attack(images.float() / 255, labels)
        assert attack.last is not None
        return adversarial, float(attack.last.queries.sum() + len(images))  # each is looked at once before

    return attack


def _one_pixel(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
    import torchattacks

    np.random.seed(0)  # noqa: NPY002 (its differential evolution draws from the global generator)
    attack = torchattacks.OnePixel(network, pixels=1, steps=75, popsize=400, inf_batch=256)
    return attack(images.float() / 255, labels).cpu(), None


def _pixle(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
    import torchattacks

    np.random.seed(0)  # noqa: NPY002 (as above)
    return torchattacks.Pixle(network)(images.float() / 255, labels).cpu(), None


def _art(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
    from art.attacks.evasion import PixelAttack
    from art.estimators.classification import PyTorchClassifier

    np.random.seed(0)  # noqa: NPY002 (as above)
    classifier = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), input_shape=(3, 32, 32), nb_classes=10, clip_values=(0, 255),
        preprocessing=(0, 255), device_type="cpu",
    )  # fmt: skip
    attack = PixelAttack(classifier, th=1, es=1, verbose=False)
    adversarial = attack.generate(images.float().numpy(), y=labels.numpy())
    return torch.from_numpy(adversarial) / 255, None


def _salt_and_pepper(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
    import foolbox

    torch.manual_seed(0)
    model = foolbox.PyTorchModel(network.eval(), bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.SaltAndPepperNoiseAttack()
    return attack.run(model, images.float() / 255, labels), None


def _pointwise(network: FromPixels, images: Tensor, labels: Tensor) -> Found:
    import foolbox

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 (it draws from both global generators)
    model = foolbox.PyTorchModel(network.eval(), bounds=(0, 1), device="cpu")
    return foolbox.attacks.PointwiseAttack(l2_binary_search=False).run(model, images.float() / 255, labels), None


ATTACKS: dict[str, Attack] = {
    f"evofool.OnePixel(pixels=1, queries={QUERIES})": _ours(1),
    f"evofool.OnePixel(pixels=5, queries={QUERIES})": _ours(5),
    "torchattacks.OnePixel(pixels=1, steps=75, popsize=400)": _one_pixel,
    "torchattacks.Pixle()": _pixle,
    "art PixelAttack(th=1, es=1)": _art,
    "foolbox SaltAndPepperNoiseAttack()": _salt_and_pepper,
    "foolbox PointwiseAttack(l2_binary_search=False)": _pointwise,
}
"""The attacks by what is called. foolbox has none of few pixels; these two come nearest."""


def _campaign(data: Path, weights: Path) -> Row:
    """Return the rows per second of a campaign and of the network's fastest forward passes, three times in turn."""
    attacked = bench("cifar10", weights, "cifar10", data, CAMPAIGN_IMAGES)
    raw, ours = [], []
    for _ in range(3):
        raw.append(max(_forward(attacked.target, rows) for rows in (64, 128, 256)))
        outcomes, seconds = run_campaign(attacked, "local", 1, queries=CAMPAIGN_QUERIES)
        ours.append(total_queries(outcomes) / seconds)
    row: Row = {
        "attack": f"campaign of {CAMPAIGN_IMAGES} images, at most {CAMPAIGN_QUERIES} queries each",
        "rows/s": float(np.median(ours)),
        "best raw forward, rows/s": float(np.median(raw)),
        "utilisation": float(np.median(np.array(ours) / np.array(raw))),
    }
    table([row])
    return row


def _forward(target: TorchTarget, rows: int, seconds: float = 4.0) -> float:
    """Return the rows per second of nothing but the network, channels last, at one batch size."""
    batch = torch.zeros((rows, *target.image_shape)).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        target.network(batch)
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            target.network(batch)
            done += rows
        return done / (time.perf_counter() - started)
