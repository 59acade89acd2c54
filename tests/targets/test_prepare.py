"""A target for a job: a name or the user's own object, its record, and what comes back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from plain import PlainTarget
from safetensors.torch import load_file, save_file
from support import random_images, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.config.model import ModelOptions
from evofool.config.records import TargetRecord
from evofool.errors import ConfigError, RunError, TargetError
from evofool.io.files import sha256
from evofool.targets.doors.embedded import embedded_weights
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.folding import has_normalisations
from evofool.targets.fingerprint import tensors_digest
from evofool.targets.own_target import check_target
from evofool.targets.prepare import prepare_target, reload_target
from evofool.targets.torch_target import TorchTarget


def options(**changes: Any) -> EvolveOptions:
    return EvolveOptions.of(changes)


def test_a_named_target_is_recorded_with_its_weights_and_its_execution() -> None:
    prepared = prepare_target("digits", options(device="cpu", precision="bfloat16", micro_batch=7))
    assert prepared.record == TargetRecord(
        name="digits",
        spec="digits",
        model=ModelOptions(),
        own=False,
        weights=None,
        weights_sha256=sha256(embedded_weights("digits")),
        fingerprint=None,
        spare_tensors=(),
        device="cpu",
        precision="bfloat16",
        micro_batch=7,
        memory_format="channels_last",
        fold=False,
        parallel=False,
        image_shape=(1, 8, 8),
        classes=10,
        class_names=None,
        mean=(0.0,),
        std=(1.0,),
        outputs="logits",
        members=(),
        combine=None,
        robust=None,
    )
    assert (prepared.fitting.image_shape, prepared.fitting.resize) == ((1, 8, 8), 8)


def test_an_object_without_torch_is_recorded_as_it_is() -> None:
    prepared = prepare_target(target := PlainTarget(), options())
    assert prepared.target is target
    assert target.queries == 0  # nothing was tuned
    assert prepared.record == TargetRecord(
        name="plain",
        spec="plain",
        model=ModelOptions(),
        own=True,
        weights=None,
        weights_sha256=None,
        fingerprint=None,
        spare_tensors=(),
        device="cpu",
        precision="float32",
        micro_batch=64,
        memory_format="contiguous",
        fold=False,
        parallel=False,
        image_shape=(3, 8, 8),
        classes=4,
        class_names=("a", "b", "c", "d"),
        mean=None,
        std=None,
        outputs=None,
        members=(),
        combine=None,
        robust=None,
    )
    assert (prepared.fitting.classes, prepared.fitting.resize) == (["a", "b", "c", "d"], 8)


def test_an_object_that_says_how_it_runs_is_recorded_so() -> None:
    target = PlainTarget()
    target.precision, target.micro_batch = "bfloat16", 5  # type: ignore[attr-defined]
    record = prepare_target(target, options()).record
    assert (record.precision, record.micro_batch) == ("bfloat16", 5)


def test_a_weights_file_is_recorded_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_file({**load_file(embedded_weights("digits")), "spare": torch.zeros(2)}, "mine.safetensors")
    record = prepare_target("digits", options(device="cpu", weights="mine.safetensors")).record
    assert record.weights == str(tmp_path / "mine.safetensors")
    assert record.weights_sha256 == sha256(tmp_path / "mine.safetensors")
    assert record.spare_tensors == ("spare",)


def test_a_record_survives_a_config_file() -> None:
    record = prepare_target("digits", options(device="cpu")).record
    assert msgspec.json.decode(msgspec.json.encode(record), type=TargetRecord) == record


@pytest.mark.parametrize(("given", "precision"), [({}, "float32"), ({"precision": "bfloat16"}, "bfloat16")])
def test_precision_is_settled_where_neither_options_nor_target_say_anything_of_it(
    given: dict[str, Any], precision: str
) -> None:
    named = prepare_target("digits", options(device="cpu", **given), precision="float32")
    assert named.record.precision == precision
    own = tiny_target(**{"precision": "auto", **given})
    assert prepare_target(own, options(), precision="float32").record.precision == own.precision == precision
    assert prepare_target(PlainTarget(), options(), precision="float32").record.precision == "float32"


def test_a_target_in_a_file_that_says_its_precision_keeps_it_unless_the_options_ask_for_another(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from support import tiny_target\n\n"
        "one, other = (tiny_target(name=name, precision='bfloat16') for name in ('one', 'other'))\n"
    )
    name, another = (f"{tmp_path / 'mine.py'}:{name}" for name in ("one", "other"))
    assert prepare_target(name, options(), precision="float32").record.precision == "bfloat16"
    assert prepare_target([name, another], options(), precision="float32").record.precision == "bfloat16"
    with pytest.raises(ConfigError, match="can't run with `precision=float32`, only with bfloat16"):
        prepare_target(name, options(precision="float32"))


def test_folding_is_settled_where_the_options_say_nothing_of_it() -> None:
    target = prepare_target("cifar10", options(device="cpu"), fold=True).target
    assert isinstance(target, TorchTarget)
    assert target.execution.fold
    target = prepare_target("cifar10", options(device="cpu", fold=False), fold=True).target
    assert isinstance(target, TorchTarget)
    assert has_normalisations(target.network)
    assert not target.execution.fold


@pytest.mark.parametrize(
    "given", [{"device": "cpu"}, {"weights": "a.pth"}, {"precision": "float32"}, {"micro_batch": 4}, {"fold": True}]
)
@pytest.mark.parametrize("own", [PlainTarget, tiny_target])
def test_options_of_a_named_target_are_refused_with_an_object(given: dict[str, Any], own: Any) -> None:
    with pytest.raises(ConfigError, match=r"`micro_batch`, .* belong to a named target; set them in your Target"):
        prepare_target(own(), options(**given))


class Answers:
    """Has all that a target has, as a class."""

    name, classes, image_shape = "answers", ["a"], (3, 8, 8)
    scores = confirm = PlainTarget.scores


class Unnamed:
    """Has all but a name."""

    classes, image_shape = ["a"], (3, 8, 8)
    scores = confirm = PlainTarget.scores


NO_TARGETS = [
    (None, r"must be a name, .*scores\(\) and confirm\(\), got NoneType"),
    (5, "got int"),
    (Unnamed(), "got Unnamed"),
    (tiny_target, "got function"),
    (Answers, "got the class Answers itself"),  # all that a target has, but nothing was made of it
    (torch.nn.Flatten(), r"is a torch module \(Flatten\); wrap it: evofool.Target\(module, classes=…, image_shape=…\)"),
]


@pytest.mark.parametrize(("wrong", "message"), NO_TARGETS)
def test_what_is_no_target_is_refused_with_what_one_has(wrong: Any, message: str) -> None:
    with pytest.raises(TargetError, match=f"`target` .*{message}"):
        check_target(wrong)
    with pytest.raises(TargetError, match=f"`target` .*{message}"):
        prepare_target(wrong, options())


@pytest.mark.parametrize(("wrong", "message"), [*NO_TARGETS[1:], ("mine", "got str")])
def test_what_is_no_target_does_not_go_on_with_a_job(wrong: Any, message: str, tmp_path: Path) -> None:
    record = prepare_target(PlainTarget(), options()).record
    with pytest.raises(TargetError, match=f"`target` .*{message}"):
        reload_target(record, tmp_path, wrong)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("classes", [], "`classes` is empty"),
        (
            "classes",
            ["cat", "dog", "cat", "cow"],
            '`classes` has "cat" more than once; give every output a name of its own',
        ),
        ("classes", [1, 2], "`classes` must be the name of every output"),
        ("classes", "abcd", "`classes` must be the name of every output"),
        ("image_shape", (2, 8, 8), "`image_shape` must be"),
        ("image_shape", (3, 8), "`image_shape` must be"),
        ("image_shape", (3, 8.0, 8), "`image_shape` must be"),
        ("image_shape", None, "`image_shape` must be"),
        ("image_shape", [3, 8, 8], "`image_shape` must be a tuple"),
        ("micro_batch", "many", "`micro_batch` must be a whole number of at least 1, got 'many'"),
        ("micro_batch", 0, "`micro_batch` must be a whole number of at least 1, got 0"),
        ("device", "abacus", "takes its images on device 'abacus'"),
    ],
)
def test_an_object_whose_parts_cannot_be_is_refused(attribute: str, value: Any, message: str) -> None:
    target = PlainTarget()
    setattr(target, attribute, value)
    with pytest.raises(TargetError, match=f"plain:? {message}"):
        prepare_target(target, options())


# Having it again


def test_a_module_is_run_as_it_was_in_what_was_left_open(tmp_path: Path) -> None:
    first = tiny_target(micro_batch=5, memory_format="contiguous")
    record = prepare_target(first, options()).record
    again = tiny_target(memory_format="channels_last")
    reload_target(record, tmp_path, again)
    assert again.execution == Execution("float32", "channels_last", 5)  # what the user has set stays


@pytest.mark.parametrize(
    ("own", "given", "message"),
    [
        (False, True, "was made with the named target digits; leave `target` out"),
        (True, False, r"was made with your own Target plain; give it: evofool.resume\(…, target=…\)"),
    ],
)
def test_an_object_is_given_again_where_there_was_one_and_only_there(
    own: bool, given: bool, message: str, tmp_path: Path
) -> None:
    record = prepare_target(PlainTarget(), options()) if own else prepare_target("digits", options(device="cpu"))
    with pytest.raises(RunError, match=message):
        reload_target(record.record, tmp_path, PlainTarget() if given else None)


@pytest.mark.parametrize(("attribute", "value"), [("classes", ["a", "b"]), ("image_shape", (3, 8, 9))])
def test_an_object_of_another_kind_is_refused(attribute: str, value: Any, tmp_path: Path) -> None:
    record = prepare_target(PlainTarget(), options()).record
    other = PlainTarget()
    setattr(other, attribute, value)
    with pytest.raises(RunError, match=r"was made with 4 classes and images \[3, 8, 8\], .*; give the same one"):
        reload_target(record, tmp_path, other)


def other_network() -> TorchTarget:
    """Return the tests' tiny target around a network with other weights."""
    other = tiny_target()
    with torch.no_grad():
        next(other.network.parameters()).mul_(1.001)
    return other


def test_another_network_of_the_same_shape_is_refused_with_both_digests(tmp_path: Path) -> None:
    record = prepare_target(tiny_target(), options()).record
    digests = tensors_digest(tiny_target().network), tensors_digest(other_network().network)
    assert record.weights_sha256 == digests[0] != digests[1]
    with pytest.raises(RunError, match=rf"weights have the SHA-256 {digests[0]}, not {digests[1]}; give"):
        reload_target(record, tmp_path, other_network())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": 0.4}, r"mean is \(0.5, 0.5, 0.5\), not \(0.4, 0.4, 0.4\)"),
        ({"std": (0.25, 0.25, 0.2)}, r"std is \(0.25, 0.25, 0.25\), not \(0.25, 0.25, 0.2\)"),
        ({"outputs": "probabilities"}, "outputs are logits, not probabilities"),
    ],
)
def test_a_network_in_other_surroundings_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    record = prepare_target(tiny_target(mean=(0.5,) * 3), options()).record
    reload_target(record, tmp_path, tiny_target())
    with pytest.raises(RunError, match=f"another target than this tiny: its {message}; give the same one"):
        reload_target(record, tmp_path, tiny_target(**change))


def test_renamed_classes_are_refused(tmp_path: Path) -> None:
    record = prepare_target(PlainTarget(), options()).record
    renamed = PlainTarget()
    renamed.classes = ["a", "b", "cat", "d"]
    with pytest.raises(RunError, match="another target than this plain: its classes have the name c, not cat; give"):
        reload_target(record, tmp_path, renamed)


def test_an_object_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    target = PlainTarget()
    target.fingerprint = lambda: "model 7"  # type: ignore[attr-defined]
    record = prepare_target(target, options()).record
    assert (record.weights_sha256, record.fingerprint, record.label) == (None, "model 7", "plain (model 7)")
    target.fingerprint = "model 7"  # type: ignore[attr-defined]
    reload_target(record, tmp_path, target)
    target.fingerprint = "model 8"  # type: ignore[attr-defined]
    with pytest.raises(RunError, match="its fingerprint is model 7, not model 8; give the same one"):
        reload_target(record, tmp_path, target)
    assert prepare_target(PlainTarget(), options()).record.label == "plain (not identified)"


def test_other_weights_are_refused(tmp_path: Path) -> None:
    record = prepare_target("digits", options(device="cpu")).record
    changed = msgspec.structs.replace(record, weights_sha256="0" * 64)
    with pytest.raises(RunError, match=r"the weights of digits are not those .* \(SHA-256 000000000000…\)"):
        reload_target(changed, tmp_path, None)


def test_a_device_that_this_machine_has_not_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    record = msgspec.structs.replace(prepare_target("digits", options(device="cpu")).record, device="cuda:3")
    with pytest.raises(RunError, match="was made on cuda:3, and this machine has none that torch can use"):
        reload_target(record, tmp_path, None)
    with pytest.raises(ConfigError, match='unknown device "abacus"'):
        reload_target(msgspec.structs.replace(record, device="abacus"), tmp_path, None)


def test_a_named_target_scores_as_it_did(tmp_path: Path) -> None:
    prepared = prepare_target("cifar10", options(device="cpu", micro_batch=9, fold=True))
    images = random_images(20, (3, 32, 32))
    again = reload_target(prepared.record, tmp_path, None)
    assert torch.equal(again.scores(images), prepared.target.scores(images))
