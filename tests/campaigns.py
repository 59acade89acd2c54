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

from evofool.attacks.campaign import Campaign
from evofool.attacks.outcome import Outcome, Subject
from evofool.attacks.plan import Plan
from evofool.io.lines import SEAL, sealed_line
from evofool.jobs import campaign as campaigning
from evofool.jobs.campaign import CampaignResult
from evofool.store.campaign import seal
from evofool.targets.torch_target import Target

NAMES = ["class 0", "class 1", "class 2", "class 3"]


def subjects(n: int, target: Target | None = None, *, wrong: Sequence[int] = (), seed: int = 0) -> list[Subject]:
    """Random images labelled with the target's own guess; those in ``wrong`` with the class after it."""
    target = target or tiny_target()
    images = random_images(n, target.image_shape, seed)
    scores = target.confirm(images)
    found = []
    for index, (image, row) in enumerate(zip(images.numpy(), scores, strict=True)):
        guess = int(row.argmax())
        label = (guess + 1) % len(target.classes) if index in wrong else guess
        digest = hashlib.sha256(image.tobytes()).hexdigest()
        found.append(Subject(index, f"image {index}", digest, image, label, guess, float(row[guess])))
    return found


def plan(**changes: Any) -> Plan:
    """An untargeted local search for one pixel, with some of it changed."""
    options: dict[str, Any] = {
        "criteria": (None,), "pixels": (1,), "strategy": "local", "queries": 150, "seed": 0, "baseline": False,
    }  # fmt: skip
    return Plan(**(options | changes))


def fight(campaign: Campaign, finished: Sequence[Outcome] = ()) -> list[Outcome]:
    """All outcomes of a campaign, in the order the attempts ended."""
    return [outcome for new in campaign.run(finished) for outcome in new]


def outcomes_of(images: Sequence[Subject], target: Target | None = None, **changes: Any) -> list[Outcome]:
    return fight(Campaign(target or tiny_target(), images, plan(**changes)))


def by_attempt(outcomes: Sequence[Outcome]) -> dict[tuple[Any, ...], Outcome]:
    """Each outcome by image, criterion, number of pixels and strategy; none twice."""
    found = {(v["image"], v["criterion_index"], v["pixels"], v["strategy"]): v for v in outcomes}
    assert len(found) == len(outcomes)
    return found


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
    """Lines that a campaign's folder takes for its own, whatever they say."""
    key = seal(json.loads((campaign / "config.json").read_text(encoding="utf-8")))
    (campaign / name).write_text("".join(sealed_line(line, key) for line in lines), encoding="ascii")


def sealed_bytes(content: bytes, campaign: Path) -> bytes:
    """Lines as bytes, whatever they are, with the seals of a campaign's own."""
    key = zlib.crc32(seal(json.loads((campaign / "config.json").read_text(encoding="utf-8"))))
    found = []
    for line in content.splitlines(keepends=True):
        if line.endswith(b"}\n"):
            line = line[:-2] + f', "{SEAL}": "{zlib.crc32(line[:-1], key):08x}"}}\n'.encode()
        found.append(line)
    return b"".join(found)


def archive(path: Path, n: int = 40, target: Target | None = None, names: Sequence[str] = ()) -> Path:
    """An ``.npz`` of random images with the target's own guesses as labels; one in eight is labelled wrongly."""
    wrong = [index for index in range(n) if index % 8 == 7]
    images = subjects(n, target, wrong=wrong)
    arrays = {"images": np.stack([s.image for s in images]), "labels": np.array([s.label for s in images])}
    if names:
        arrays["classes"] = np.array(names)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def small_attack(out: Path, **options: Any) -> CampaignResult:
    """Six random images against the tiny network, 150 queries an attempt, unless told otherwise."""
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data, target=options.get("target"))
    defaults: dict[str, Any] = {"target": tiny_target(), "data": data, "count": 6, "queries": 150}
    return campaigning.attack(out=out, **(defaults | options))


def outcome_lines(path: Path) -> list[bytes]:
    """The lines of a campaign's outcomes, sorted: the order in which attempts end is left open."""
    file = path / "outcomes.jsonl"
    return sorted(file.read_bytes().splitlines(keepends=True)) if file.exists() else []


def assert_same_campaign(ours: Path, theirs: Path) -> None:
    """The same outcomes, byte for byte, and the same pictures; none twice."""
    assert outcome_lines(ours) == outcome_lines(theirs)
    assert len(set(outcome_lines(ours))) == len(outcome_lines(ours))
    our_files, their_files = tree(ours), tree(theirs)
    assert sorted(our_files) == sorted(their_files)
    for name in ("images.npy", "images.jsonl"):
        assert our_files[name] == their_files[name]
    ours_told, theirs_told = (json.loads(files["config.json"]) for files in (our_files, their_files))
    assert {**ours_told, "data": None} == {**theirs_told, "data": None}  # the data lie in another folder
