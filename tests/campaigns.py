"""Small campaigns against the tests' tiny network, for the tests that need them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import tree
from support import random_images, tiny_target

import evofool
from evofool.attacks.campaign import Campaign
from evofool.attacks.outcome import Outcome
from evofool.attacks.subject import Subject
from evofool.config.records import PlanRecord
from evofool.errors import RunError
from evofool.io.lines import SEAL, sealed_line
from evofool.store.campaign import CampaignFolder
from evofool.targets.protocols import Target

NAMES = ["class 0", "class 1", "class 2", "class 3"]
"""The classes of the tests' tiny network."""


def subjects(n: int, target: Target | None = None, *, wrong: Sequence[int] = (), seed: int = 0) -> list[Subject]:
    """Return random images labelled with the target's own guess; those in ``wrong`` with the class after it."""
    target = target or tiny_target()
    images = random_images(n, target.image_shape, seed)
    scores = target.confirm(images)
    labelled = []
    for index, (image, row) in enumerate(zip(images.numpy(), scores, strict=True)):
        guess = int(row.argmax())
        label = (guess + 1) % len(target.classes) if index in wrong else guess
        digest = hashlib.sha256(image.tobytes()).hexdigest()
        labelled.append(Subject(index, f"image {index}", digest, image, label, guess, float(row[guess])))
    return labelled


def plan(**changes: Any) -> PlanRecord:
    """Return the plan of an untargeted local search for one pixel, with some of it changed."""
    fields: dict[str, Any] = {
        "criterion": "untargeted",
        "criteria": (None,),
        "pixels": (1,),
        "strategy": "local",
        "queries": 150,
        "seed": 0,
        "baseline": False,
        "rows": 64,
    }
    return PlanRecord(**(fields | changes))


def run_all(campaign: Campaign, finished: Sequence[Outcome] = ()) -> list[Outcome]:
    """Return all outcomes of a campaign, in the order the attempts ended."""
    return [outcome for outcomes in campaign.run(finished) for outcome in outcomes]


def outcomes_of(images: Sequence[Subject], target: Target | None = None, **changes: Any) -> list[Outcome]:
    """Return all outcomes of a campaign with :func:`plan`."""
    return run_all(Campaign(target or tiny_target(), images, plan(**changes)))


def by_attempt(outcomes: Sequence[Outcome]) -> dict[tuple[Any, ...], Outcome]:
    """Return each outcome by image, criterion, number of pixels and strategy; there must be none twice."""
    attempts = {(v["image"], v["criterion_index"], v["pixels"], v["strategy"]): v for v in outcomes}
    assert len(attempts) == len(outcomes)
    return attempts


def margin_of(scores: np.ndarray, label: int, target_class: int | None) -> float:
    """Return the margin of an image's scores (K,), computed anew in float64."""
    watched = label if target_class is None else target_class
    lead = float(np.log(scores[watched]) - np.log(np.delete(scores, watched).max()))
    return lead if target_class is None else -lead


class Some(Sequence[Subject]):
    """Subjects of which only some come, in this order, each under its own index."""

    def __init__(self, images: Sequence[Subject], order: Sequence[int]) -> None:
        self.images, self.order = images, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: Any) -> Any:
        return self.images[index]

    def __iter__(self) -> Iterator[Subject]:
        return (self.images[index] for index in self.order)


def write_lines(campaign: Path, name: str, lines: Sequence[dict[str, Any]]) -> None:
    """Write lines that a campaign's folder takes for its own, whatever they say."""
    key = _seal(campaign)
    (campaign / name).write_text("".join(sealed_line(line, key) for line in lines), encoding="ascii")


def sealed_bytes(content: bytes, campaign: Path) -> bytes:
    """Return lines as bytes, whatever they are, with the seals of a campaign's own."""
    key = zlib.crc32(_seal(campaign))
    sealed = []
    for line in content.splitlines(keepends=True):
        if line.endswith(b"}\n"):
            line = line[:-2] + f', "{SEAL}": "{zlib.crc32(line[:-1], key):08x}"}}\n'.encode()
        sealed.append(line)
    return b"".join(sealed)


def _seal(campaign: Path) -> bytes:
    """What a campaign's lines are sealed with; anything where its config is damaged, for then nobody reads them."""
    try:
        return CampaignFolder.open(campaign).config.digest()
    except RunError:
        return b""


def archive(path: Path, n: int = 40, target: Target | None = None, names: Sequence[str] = ()) -> Path:
    """Write an ``.npz`` of random images with the target's own guesses as labels; one in eight is labelled wrongly."""
    wrong = [index for index in range(n) if index % 8 == 7]
    images = subjects(n, target, wrong=wrong)
    arrays = {"images": np.stack([s.image for s in images]), "labels": np.array([s.label for s in images])}
    if names:
        arrays["classes"] = np.array(names)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def small_attack(out: Path, **options: Any) -> evofool.CampaignResult:
    """Attack six random images on the tiny network with 150 queries an attempt, unless told otherwise."""
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data, target=options.get("target"))
    defaults: dict[str, Any] = {"target": tiny_target(), "data": data, "count": 6, "queries": 150}
    return evofool.attack(out=out, **(defaults | options))


def outcome_lines(path: Path) -> list[bytes]:
    """Return the lines of a campaign's outcomes, sorted: the order in which attempts end is left open."""
    file = path / "outcomes.jsonl"
    return sorted(file.read_bytes().splitlines(keepends=True)) if file.exists() else []


def assert_same_campaign(ours: Path, theirs: Path) -> None:
    """Check that two folders hold the same outcomes, byte for byte and none twice, and the same pictures."""
    assert outcome_lines(ours) == outcome_lines(theirs)
    assert len(set(outcome_lines(ours))) == len(outcome_lines(ours))
    our_files, their_files = tree(ours), tree(theirs)
    assert sorted(our_files) == sorted(their_files)
    for name in ("images.npy", "images.jsonl"):
        assert our_files[name] == their_files[name]
    assert _config_without_data(our_files) == _config_without_data(their_files)


def _config_without_data(files: dict[str, bytes]) -> dict[str, Any]:
    """A campaign's config without what names the data, which may lie in another folder."""
    config: dict[str, Any] = json.loads(files["config.json"])
    return {**config, "data": None, "options": {**config["options"], "data": None, "data_dir": None}}
