"""Training of the embedded networks: seeded, resumable, careful with what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from support import global_random_untouched

from evofool.attacks.gradients.adversary import Adversary
from evofool.errors import ConfigError
from evofool.targets import registry as zoo
from evofool.targets.doors.embedded import network
from evofool.targets.protocols import differentiable
from evofool.targets.training.embedded import train
from evofool.targets.training.recipe import Epoch
from evofool.targets.training.recipes import RECIPES
from evofool.targets.training.trained import check_adversary

NOWHERE = Path("not-needed")


def digits(out: Path, seed: int = 0, epochs: int = 2) -> list[Epoch]:
    return list(train("digits", NOWHERE, out, seed=seed, epochs=epochs))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights after two epochs in one go."""
    out = tmp_path_factory.mktemp("undisturbed") / "digits.safetensors"
    reports = digits(out)
    assert [(report.number, report.total) for report in reports] == [(1, 2), (2, 2)]
    assert [report.loss for report in reports] == pytest.approx([2.30172, 2.28805], abs=2e-4)  # as it always was
    return out


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, undisturbed: Path) -> None:
    with global_random_untouched():
        digits(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == undisturbed.read_bytes()
    digits(tmp_path / "other.safetensors", seed=1)
    assert (tmp_path / "other.safetensors").read_bytes() != undisturbed.read_bytes()


@pytest.mark.parametrize("epochs_done", [1, 2])
def test_a_stopped_training_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, undisturbed: Path, epochs_done: int
) -> None:
    """Stopped after an epoch, or after the last one but before the weights were written."""
    out = tmp_path / "digits.safetensors"
    running = train("digits", NOWHERE, out, epochs=2)
    for _ in range(epochs_done):
        next(running)
    running.close()
    assert not out.exists()
    assert [report.number for report in digits(out)] == list(range(epochs_done + 1, 3))
    assert out.read_bytes() == undisturbed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["digits.safetensors"]


def test_trained_weights_are_a_target(undisturbed: Path) -> None:
    target = zoo.load_target("digits", weights=undisturbed, device="cpu", precision="float32")
    test = RECIPES["digits"].data(NOWHERE).test
    accuracy = float((target.scores(test.images).argmax(1) == test.labels).double().mean())
    with safe_open(undisturbed, "pt") as file:
        metadata = file.metadata()
    assert accuracy == pytest.approx(float(metadata["test_accuracy"]), abs=1e-4)
    assert (metadata["network"], metadata["seed"], metadata["epochs"]) == ("digits", "0", "2")
    assert metadata["test_images"] == "360"


def interrupted(out: Path, **options: int) -> Path:
    running = train("digits", NOWHERE, out, **{"epochs": 2, **options})  # type: ignore[arg-type]
    next(running)
    running.close()
    return out.with_name(out.name + ".training")


@pytest.mark.parametrize("other", [{"seed": 1}, {"epochs": 3}])
def test_the_state_of_another_training_is_refused_and_kept(tmp_path: Path, other: dict[str, int]) -> None:
    out = tmp_path / "digits.safetensors"
    state = interrupted(out)
    before = state.read_bytes()
    with pytest.raises(ConfigError, match="belongs to a training with other settings; remove it"):
        digits(out, **{"seed": 0, "epochs": 2, **other})
    assert state.read_bytes() == before
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"no state", b"\x80\x04N."], ids=["empty", "text", "pickled None"])
def test_a_file_that_is_no_state_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    out = tmp_path / "digits.safetensors"
    state = tmp_path / "digits.safetensors.training"
    state.write_bytes(content)
    with pytest.raises(ConfigError, match="is not a training state"):
        digits(out)
    assert state.read_bytes() == content


def test_a_state_cut_short_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "digits.safetensors"
    state = interrupted(out)
    state.write_bytes(state.read_bytes()[:5000])
    with pytest.raises(ConfigError, match="is not a training state"):
        digits(out)


def test_a_state_without_its_parts_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "digits.safetensors"
    state = interrupted(out)
    parts = torch.load(state, weights_only=True)
    del parts["optimizer"]
    torch.save(parts, state)
    with pytest.raises(ConfigError, match="is not a training state"):
        digits(out)


def test_an_unknown_network_is_told_with_the_known_ones() -> None:
    known = "digits, mnist, mnist:logistic, cifar10"
    with pytest.raises(ConfigError, match=f'no recipe trains "alexnet"; choose one of {known}'):
        next(train("alexnet", NOWHERE, Path("out")))


@pytest.mark.parametrize("epochs", [0, -1])
def test_a_training_needs_an_epoch(tmp_path: Path, epochs: int) -> None:
    """Not the recipe's sixty instead, and no untrained weights either."""
    out = tmp_path / "digits.safetensors"
    with pytest.raises(ConfigError, match="`epochs` must be at least 1"):
        next(train("digits", NOWHERE, out, epochs=epochs), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_the_network_that_its_card_describes(name: str) -> None:
    """The same images and classes; else the shipped weights would not fit their target."""
    card = zoo.card(name)
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        logits = network(name).eval()(torch.zeros(2, *card.image_shape))
    assert logits.shape == (2, len(card.classes))


def test_training_in_bfloat16_gives_other_weights_in_float32_and_says_so(tmp_path: Path, undisturbed: Path) -> None:
    fast = tmp_path / "fast.safetensors"
    list(train("digits", NOWHERE, fast, epochs=2, autocast=True))
    with safe_open(fast, "pt") as file, safe_open(undisturbed, "pt") as exact:
        assert file.metadata()["precision"] == "bfloat16"
        assert "precision" not in exact.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
        assert any(not torch.equal(tensor, exact.get_tensor(name)) for name, tensor in tensors.items())
    assert differentiable(zoo.load_target("digits", weights=fast, device="cpu"))


def test_training_against_perturbations_makes_a_network_that_withstands_more_of_them(tmp_path: Path) -> None:
    """Ten epochs with and without, on the digits; the perturbed share of the held-out images that stays right."""
    adversary, right = Adversary(0.1), list[float]()
    for name, against in (("plain", None), ("against", adversary)):
        out = tmp_path / f"{name}.safetensors"
        list(train("digits", NOWHERE, out, epochs=10, adversary=against))
        target = zoo.load_target("digits", weights=out, device="cpu", precision="float32")
        test = RECIPES["digits"].data(NOWHERE).test
        perturbed = adversary(differentiable(target), test.images.float() / 255, test.labels)
        guesses = differentiable(target).logits(perturbed).argmax(1)
        right.append(float((guesses == test.labels).double().mean()))
    plain, against_them = right
    assert against_them > plain + 0.05


def test_training_against_perturbations_is_resumed_to_the_same_bytes_and_says_so(tmp_path: Path) -> None:
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    adversary = Adversary(0.1, steps=2)
    list(train("digits", NOWHERE, once, epochs=2, adversary=adversary))
    running = train("digits", NOWHERE, twice, epochs=2, adversary=adversary)
    next(running)
    running.close()
    with pytest.raises(ConfigError, match="belongs to a training with other settings"):
        next(train("digits", NOWHERE, twice, epochs=2))
    list(train("digits", NOWHERE, twice, epochs=2, adversary=adversary))
    assert once.read_bytes() == twice.read_bytes()
    with safe_open(once, "pt") as file:
        assert file.metadata()["adversary"] == "Adversary(epsilon=0.1, steps=2)"


@pytest.mark.parametrize(
    ("epsilon", "steps", "message"),
    [
        (0, 1, "`adversarial` must be above 0 and at most 1, got 0"),
        (8, 1, "`adversarial` must be above 0 and at most 1, got 8"),
        (0.1, 0, "`steps` must be at least 1, got 0"),
        (None, 5, "`steps` are those of `adversarial`"),
    ],
)
def test_perturbations_that_cannot_be_are_named(epsilon: float | None, steps: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_adversary(epsilon, steps)
