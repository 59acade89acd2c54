"""Audits as jobs: what they leave, what of it is the same each time, stops, kills, and what they may not cost."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from audit_records import untimed
from plain import PlainTarget
from torch import Tensor

import evofool
from evofool.audits.figure_table import FIGURES, PARTS
from evofool.audits.record import read_record
from evofool.errors import ConfigError, EvofoolError, RunError, TargetError
from evofool.store.audit import AuditFolder
from evofool.store.campaign import CampaignFolder
from evofool.store.ledger import FolderLedger
from evofool.store.run import RunFolder

BUDGET = 2_000


class Killed(BaseException):
    """What ends the process of a test."""


class Paid(PlainTarget):
    """A black box that remembers every image it was asked about, and may end the process before it answers."""

    fingerprint = "paid 1"
    micro_batch = 16

    def __init__(self, asked: list[bytes], kill: random.Random | None = None) -> None:
        super().__init__("paid")
        self.asked, self._kill = asked, kill

    def scores(self, images: Tensor) -> Tensor:
        if self._kill and self._kill.random() < 0.04:
            raise Killed
        self.asked += [image.numpy().tobytes() for image in images]
        return super().scores(images)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled images of the black box, a tenth of them with a wrong label."""
    images = np.random.default_rng(1).integers(0, 256, (200, 3, 8, 8), np.uint8)
    labels = PlainTarget().scores(torch.from_numpy(images)).argmax(1).numpy()
    labels[::10] = (labels[::10] + 1) % 4
    file = tmp_path_factory.mktemp("photos") / "photos.npz"
    np.savez(file, images=images, labels=labels)
    return file


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit of the embedded network of digits."""
    path = tmp_path_factory.mktemp("digits") / "audit"
    evofool.audit("digits", budget=4_000, out=path, seed=3)
    return path


def test_an_audit_of_digits_has_figures_of_every_part_its_budget_allows(digits: Path) -> None:
    record = read_record(digits)
    done = {name for name, part in record.parts.items() if part.status == "done"}
    assert done == {"fooling", "pixels", "rejection", "corruptions", "calibration"}
    why = "the budget of 4,000 queries leaves this part fewer than 10 images; a larger one has it"
    assert record.parts["perturb"].why == why
    for name, figure in record.figures.items():
        expected = FIGURES[name].part in done or FIGURES[name].part is None
        assert (figure.value is not None) == (expected and not name.startswith("others_")), name
    assert record.target.name == "digits"
    assert 3_200 < record.queries <= 4_000
    assert record.queries == sum(part.queries for part in record.parts.values())
    assert record.data is not None
    assert record.data.images == 320
    lines = (digits / "audit.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == list(FIGURES)


def test_figures_of_fooling_images_are_those_of_the_runs(digits: Path) -> None:
    record, best = read_record(digits), np.zeros(10)
    for encoding in ("cppn", "direct"):
        scores = np.zeros(10)
        for line in map(json.loads, (digits / encoding / "elites.jsonl").read_text().splitlines()):
            scores[line["index"]] = line["score"]
        best = np.maximum(best, scores)
        for level in (50, 90, 99):
            figure = record.figures[f"{encoding}_fooled_at_{level}"]
            assert (figure.value, figure.n) == ((scores >= level / 100).mean(), 10)
            curve = record.parts["fooling"].details["curves"][encoding][str(level)]
            assert len(curve) == (scores >= level / 100).sum()
            assert curve == sorted(curve)
            assert 0 < curve[0] <= curve[-1] <= record.parts["fooling"].details["evaluations"][encoding]
    assert record.figures["fooled_at_99"].value == (best >= 0.99).mean()
    worst = record.parts["fooling"].details["worst"]
    assert worst[0]["confidence"] == pytest.approx(best.max())
    assert all((digits / picture["file"]).is_file() for picture in worst)


def test_a_curve_tells_when_a_class_was_first_driven_over_a_confidence(digits: Path) -> None:
    changes = RunFolder.open(digits / "cppn").history.changes()
    first = {}
    for niche, evaluation, score in zip(changes.niche, changes.evaluation_id, changes.score, strict=True):
        if score >= 0.9:
            first.setdefault(int(niche), int(evaluation) + 1)
    assert read_record(digits).parts["fooling"].details["curves"]["cppn"]["90"] == sorted(first.values())


def test_figures_of_pixels_are_those_of_the_campaigns(digits: Path) -> None:
    record = read_record(digits)
    for k in (1, 3, 5):
        outcomes = list(CampaignFolder.open(digits / f"pixels-{k}").outcomes())
        figure, details = record.figures[f"pixels_{k}"], record.parts["pixels"].details[str(k)]
        assert figure.value == sum(line["success"] for line in outcomes) / len(outcomes)
        assert figure.n == len(outcomes) == details["attempts"]
        flips = Counter((line["class"], line["final"]) for line in outcomes if line["success"])
        assert {(pair["before"], pair["after"]): pair["times"] for pair in details["flips"]} == flips
        assert max(line["queries"] for line in outcomes) <= details["queries_each"]


def test_the_same_seed_gives_the_same_bytes_but_for_times(digits: Path, tmp_path: Path) -> None:
    result = evofool.audit("digits", budget=4_000, out=tmp_path / "again", seed=3)
    assert untimed(tmp_path / "again") == untimed(digits)
    assert result.summary()["fooled_at_90"] == read_record(digits).figures["fooled_at_90"].value
    assert not result.interrupted
    assert "fooled_at_50: " in repr(result)


def test_a_killed_audit_of_a_black_box_ends_as_an_undisturbed_one_and_keeps_its_budget(
    photos: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"data": photos, "budget": BUDGET, "seed": 1}
    evofool.audit(Paid([]), out=tmp_path / "calm", **options)
    os.environ["EVOFOOL_CACHE"] = str(tmp_path / "other cache")  # monkeypatch puts it back
    asked: list[bytes] = []
    path, kill, kills, result = tmp_path / "audit", random.Random(0), 0, None
    while result is None:
        try:
            target = Paid(asked, kill)
            if (path / "config.json").exists():
                result = evofool.resume(path, target=target)
            else:
                result = evofool.audit(target, out=path, **options)
        except Killed:
            kills += 1
    assert kills >= 3
    assert untimed(path) == untimed(tmp_path / "calm")
    assert len(asked) == len(set(asked)) <= FolderLedger(path).spent <= BUDGET
    assert not (path / "cppn" / "queries.log").exists()
    facts = evofool.inspect(path)
    assert (facts["finished"], facts["damaged"]) == (True, [])
    record = result.record
    assert record.figures["accuracy"].value == pytest.approx(0.9, abs=0.03)
    assert record.parts["perturb"].why == "paid gives no gradients"
    assert "no maximum logit" in record.parts["rejection"].why
    assert record.figures["auroc_msp"].value is not None


def test_a_loaded_network_whose_queries_are_limited_keeps_its_limit(tmp_path: Path) -> None:
    target = evofool.load_target("digits", device="cpu", max_queries=300)
    result = evofool.audit(target, budget="1m", profile="quick", out=tmp_path / "audit")
    assert 250 < FolderLedger(tmp_path / "audit").spent <= 300
    assert result.record.parts["fooling"].why == ""


def test_measuring_the_speed_of_a_black_box_is_paid_from_its_budget(photos: Path, tmp_path: Path) -> None:
    asked: list[bytes] = []
    result = evofool.audit(Paid(asked), photos, budget="5m", max_queries=3_000, out=tmp_path / "audit")
    assert 2_900 < result.config.plan.queries < 2_990
    assert 2_400 < len(asked) <= FolderLedger(tmp_path / "audit").spent <= 3_000
    assert "are spent" not in "".join(part.why for part in result.record.parts.values())


def test_an_image_costs_a_query_of_each_network(tmp_path: Path) -> None:
    both = evofool.Ensemble([PlainTarget("one"), PlainTarget("other")])
    result = evofool.audit(both, budget=1_000, profile="quick", out=tmp_path / "audit")
    assert 400 < result.config.plan.queries <= 500
    assert FolderLedger(tmp_path / "audit").spent <= 1_000
    assert "are spent" not in "".join(part.why for part in result.record.parts.values())


def test_queries_that_images_left_by_flipping_early_go_to_further_images(digits: Path) -> None:
    plan, parts = AuditFolder.open(digits).config.plan, read_record(digits).parts
    campaigns = {k: CampaignFolder.open(digits / f"pixels-{k}") for k in (5, 3, 1)}
    counts = {k: campaign.config.data.chosen for k, campaign in campaigns.items()}
    assert counts[5] == plan.attacked < counts[3] < counts[1]
    assert {campaign.config.plan.queries for campaign in campaigns.values()} == {plan.attempt}
    assert parts["pixels"].queries <= 3 * plan.attacked * plan.attempt


def test_a_network_that_is_hardly_ever_right_is_not_searched_for_images_to_attack(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (200, 3, 8, 8), np.uint8)
    right = PlainTarget().scores(torch.from_numpy(images)).argmax(1).numpy()
    np.savez(tmp_path / "wrong.npz", images=images, labels=(right + (np.arange(200) > 4)) % 4)
    result = evofool.audit(Paid([]), tmp_path / "wrong.npz", budget=2 * BUDGET, out=tmp_path / "audit")
    assert result.record.parts["pixels"].why == "5 real images of 200 are classified rightly, too few"
    assert result.record.data is not None
    (note,) = result.record.data.notes
    assert note.startswith(
        "warning: only 5 of 200 images looked at are classified correctly, hardly more than by chance"
    )
    assert note in repr(result)
    assert f"W{note[1:]}." in (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert result.record.figures["corrupted_accuracy"].value is not None


def test_a_job_that_an_audit_is_made_of_goes_on_with_the_audit_alone(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = re.escape(f"is a part of the audit {digits}, whose queries it would not be counted among; go on with: ")
    with pytest.raises(RunError, match=said + f"evofool resume {re.escape(str(digits))}"):
        evofool.resume(digits / "cppn", generations=500)
    monkeypatch.chdir(digits / "pixels-1")
    with pytest.raises(RunError, match=said):
        evofool.resume(".")


def test_an_audit_that_counts_no_queries_takes_no_limit_of_them(digits: Path) -> None:
    with pytest.raises(ConfigError, match="is an audit whose queries aren't counted; leave `max_queries` out; for "):
        evofool.resume(digits, max_queries=10_000)


def test_an_audit_without_data_evolves_images_and_says_what_it_cannot_do(tmp_path: Path) -> None:
    result = evofool.audit(PlainTarget(), budget=400, out=tmp_path / "audit")
    parts = result.record.parts
    assert [name for name, part in parts.items() if part.status == "done"] == ["fooling"]
    assert {parts[name].why for name in PARTS if name != "fooling"} == {"there are no real images: none were given"}
    assert result.record.data is None


def test_a_stopped_audit_leaves_a_record_and_goes_on_to_the_same_bytes(digits: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit"

    def stop(step: Any) -> None:
        if "direct" in step.title and step.step is not None:
            os.kill(os.getpid(), signal.SIGTERM)

    result = evofool.audit("digits", budget=4_000, out=path, seed=3, observer=stop)
    assert result.interrupted
    partial = read_record(path)
    assert partial.figures["cppn_fooled_at_50"].value is not None
    assert partial.parts["fooling"].why == "not done yet: fooling images by direct pixels"
    assert partial.parts["pixels"].why.startswith("not done yet; go on with: evofool resume ")
    assert not evofool.inspect(path)["finished"]
    assert not evofool.resume(path).interrupted
    assert untimed(path) == untimed(digits)


def test_a_network_that_gives_gradients_is_attacked_by_them(tmp_path: Path) -> None:
    skip = ("fooling", "pixels", "corruptions", "rejection")
    result = evofool.audit("digits", budget=30_000, profile="quick", skip=skip, out=tmp_path / "audit")
    figures = result.record.figures
    assert result.record.parts["fooling"].why == "left out, as asked"
    values = [figures[f"pgd_{size}"].value for size in ("4_255", "8_255", "0_3")]
    assert values == sorted(values, reverse=True)
    assert figures["fgsm_0_3"].value >= figures["pgd_0_3"].value
    assert figures["fgsm_0_3"].n == 28


def test_a_part_that_runs_out_of_queries_says_so_and_the_rest_goes_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evofool.audits.plan.LOST", -0.5)  # A plan that is larger than what may be paid.
    asked: list[bytes] = []
    path = tmp_path / "audit"
    result = evofool.audit(Paid(asked), data=photos, budget=BUDGET, out=path)
    assert len(asked) <= BUDGET
    parts = result.record.parts
    assert "queries of the budget are spent" in parts["pixels"].why + parts["corruptions"].why
    assert parts["calibration"].status == "done"
    assert not result.interrupted

    with pytest.raises(ConfigError, match=r"must be over the 2,000 queries that .* has spent, got 1,500"):
        evofool.resume(path, target=Paid(asked), max_queries=1_500)
    with pytest.raises(ConfigError, match="its plan says when it ends; leave `minutes` out"):
        evofool.resume(path, target=Paid(asked), minutes=1)
    more = evofool.resume(path, target=Paid(asked), max_queries=2 * BUDGET)
    assert BUDGET < len(asked) == len(set(asked)) <= FolderLedger(path).spent <= 2 * BUDGET
    assert more.record.parts["corruptions"].status == "done"
    assert "are spent" not in "".join(part.why for part in more.record.parts.values())
    assert more.record.figures["accuracy"] == result.record.figures["accuracy"]
    with pytest.raises(ConfigError, match="has done all of its plan of 2,000 queries, and leaves nothing to `max"):
        evofool.resume(path, target=Paid(asked), max_queries=3 * BUDGET)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("versions", "torch"), "\ud800", None),
        (("no_data",), "\udce9", None),
        (("plan", "cppn"), -1, r"config\.json is damaged \(plan\.cppn: "),
        (("classes",), ["one"], r"config\.json is damaged \(classes must be 10 names\)"),
        (("options", "budget"), "soon", r"config\.json is damaged .*budget must be time"),
        (("target", "name"), "other", r"parts\.jsonl|images\.jsonl"),
    ],
)
def test_a_folder_from_a_stranger_is_read_with_care(
    place: tuple[str, ...], value: object, said: str | None, digits: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(digits, tmp_path / "audit"))
    config = inner = json.loads((path / "config.json").read_text())
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    (path / "config.json").write_text(json.dumps(config))
    if said:
        with pytest.raises(EvofoolError, match=said):
            evofool.resume(path)
    else:
        assert not evofool.resume(path).interrupted
        assert read_record(path).figures == read_record(digits).figures


class Failing(PlainTarget):
    """A target whose server goes away after some images."""

    fingerprint = "failing 1"

    def scores(self, images: Tensor) -> Tensor:
        if self.queries > 100:
            raise ConnectionError("the server is gone")
        return super().scores(images)


def test_a_target_that_fails_in_a_task_says_once_how_the_audit_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    with pytest.raises(TargetError) as caught:
        evofool.audit(Failing(), budget=400, out=path, observer=lambda step: None)
    said = str(caught.value)
    assert "the server is gone" in said
    assert said.endswith(
        f"is kept: go on with, in Python: evofool.resume({str(path)!r}, target=…), or delete the folder"
    )
    assert said.count("go on with") == 1
    result = evofool.resume(path, target=type("Mended", (PlainTarget,), {"fingerprint": "failing 1"})())
    assert not result.interrupted


def test_damaged_files_are_repaired_to_the_same_bytes(digits: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(digits, tmp_path / "audit"))
    (path / "measured" / "real.npz").write_bytes(b"no archive")
    with pytest.raises(EvofoolError, match=r"real\.npz is missing or damaged .*; measure it again with: evofool"):
        evofool.resume(path)
    (damage,) = evofool.inspect(path)["damaged"]
    assert damage == "measured/real.npz is missing or damaged; measure it again with --repair"
    with (path / "parts.jsonl").open("a") as lines:
        lines.write('{"task": "../../elsewhere", "why": "", "queries": 1, "seconds": 1}\n' * 2)
    with pytest.raises(EvofoolError, match=r"parts\.jsonl is damaged or of another job"):
        evofool.resume(path)
    assert evofool.repair(path) == [
        f"2 lines of {path / 'parts.jsonl'}: taken out", "real: taken out, to be measured again",
    ]  # fmt: skip
    evofool.resume(path)
    assert untimed(path) == untimed(digits)


def test_a_target_in_a_file_that_has_chosen_its_precision_is_audited_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import evofool, torch\n"
        "network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3)).eval()\n"
        "form = {'image_shape': (1, 4, 4), 'device': 'cpu', 'precision': 'bfloat16'}\n"
        "target = evofool.Target(network, classes=list('abc'), **form)\n"
    )
    result = evofool.audit(f"{tmp_path / 'mine.py'}:target", budget=400, out=tmp_path / "audit")
    assert result.config.target.precision == "bfloat16"
    assert result.record.queries <= 400
