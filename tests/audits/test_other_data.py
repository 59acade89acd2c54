"""Other data that an audit judges rejection against: whose images are scored, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from plain import PlainTarget

import evofool
from evofool.audits.record import read_record
from evofool.errors import ConfigError
from evofool.store.audit import AuditFolder

SKIP = ("pixels", "corruptions", "calibration", "perturb")


def drawn(count: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, Path]:
    """Real images, an archive without labels and of another size, and a folder of classes that nobody knows."""
    target, real = PlainTarget(), drawn(60, (3, 8, 8), 1)
    found = {name: tmp_path / name for name in ("real.npz", "textures.npz", "places")}
    np.savez(found["real.npz"], images=real, labels=target.scores(torch.from_numpy(real)).argmax(1).numpy())
    np.savez(found["textures.npz"], images=drawn(15, (8, 8), 2))
    for index, pixels in enumerate(drawn(12, (8, 8, 3), 3)):
        folder = found["places"] / f"place {index % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return found


def audited(out: Path, sets: dict[str, Path], **options: Any) -> Any:
    given: dict[str, Any] = {"data": sets["real.npz"], "budget": 1_000, "skip": SKIP, "out": out}
    return evofool.audit(PlainTarget(), **given | options)


def test_other_data_are_scored_whatever_they_show(sets: dict[str, Path], tmp_path: Path) -> None:
    names = [str(sets["textures.npz"]), str(sets["places"])]
    result = audited(tmp_path / "audit", sets, others=names)
    record, folder = read_record(result.path), AuditFolder.open(result.path)
    grey = np.repeat(drawn(15, (8, 8), 2)[:, None], 3, 1)
    colour = drawn(12, (8, 8, 3), 3).transpose(0, 3, 1, 2)
    for number, images in enumerate((grey, colour)):
        said = folder.measured(f"others-{number}")["probabilities"]
        expected = PlainTarget().scores(torch.from_numpy(np.ascontiguousarray(images))).numpy()
        assert np.allclose(np.sort(said, 0), np.sort(expected, 0), atol=1e-6)
    others = record.parts["rejection"].details["others"]
    assert {name: row["msp"]["n"] for name, row in others.items()} == dict(zip(names, (15, 12), strict=True))
    assert record.figures["others_auroc_msp"].n == 60 + 15 + 12
    assert record.figures["others_auroc_energy"].value is None
    assert record.queries <= 1_000
    assert "textures.npz" in (result.path / "report.html").read_text()


def test_so_many_other_images_are_drawn_by_the_seed_as_the_plan_says(sets: dict[str, Path], tmp_path: Path) -> None:
    np.savez(sets["textures.npz"], images=drawn(90, (8, 8), 2))
    said = []
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        result = audited(tmp_path / name, sets, others=sets["textures.npz"], seed=seed)
        assert result.config.plan.others == 19  # 2 % of what is not kept back
        said.append(AuditFolder.open(result.path).measured("others-0")["probabilities"])
    assert len(said[0]) == 19
    assert np.array_equal(said[0], said[1])
    assert not np.allclose(np.sort(said[0], 0), np.sort(said[2], 0))


@pytest.mark.parametrize(
    ("others", "options", "says"),
    [
        ("nothing", {}, "no data at `others=nothing`"),
        ("real.npz", {}, "are the real images themselves"),
        ("few.npz", {}, r"`others=.*few.npz` has 3 images; give at least 10"),
        ("textures.npz", {"skip": ("rejection",)}, "`others` are for rejection, which `skip` leaves out"),
        (("textures.npz", "textures.npz"), {}, "`others` must be at most 10 different data sets"),
    ],
)  # fmt: skip
def test_other_data_that_cannot_be_used_are_refused(
    others: str | tuple[str, ...], options: dict[str, Any], says: str, sets: dict[str, Path], tmp_path: Path
) -> None:
    np.savez(tmp_path / "few.npz", images=drawn(3, (8, 8), 2))
    paths = [
        str(tmp_path / name) if "." in name else name for name in ([others] if isinstance(others, str) else others)
    ]
    with pytest.raises(ConfigError, match=says):
        audited(tmp_path / "audit", sets, others=paths, **options)
    assert not (tmp_path / "audit").exists()
