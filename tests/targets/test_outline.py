"""What is known of targets without building them: the same as their cards say."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchvision import models

from evofool.errors import TargetError
from evofool.targets.doors import embedded, torchvision, torchvision_names
from evofool.targets.outline import outline_of


@pytest.mark.parametrize("name", embedded.names())
def test_an_embedded_network_s_outline_is_its_card_s(name: str) -> None:
    card, outline = embedded.card(name), outline_of(name)
    assert outline == (card.classes, card.image_shape)


def test_torchvision_s_names_are_read_from_its_sources() -> None:
    assert list(torchvision_names.model_names()) == sorted(models.list_models(module=models))
    categories = {tuple(models.get_model_weights(name).DEFAULT.meta["categories"]) for name in torchvision.names()}
    assert categories == {torchvision_names.class_names()}


def test_a_torchvision_network_s_outline_has_its_classes_and_room_for_its_images() -> None:
    card, outline = torchvision.card("resnet18"), outline_of("torchvision:resnet18")
    assert outline is not None
    assert outline.classes == card.classes
    assert outline.image_shape[0] == card.image_shape[0]
    assert outline.image_shape >= card.image_shape


def test_where_torchvision_s_sources_are_not_found_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = torchvision_names.model_names()
    monkeypatch.setattr(torchvision_names, "models_folder", lambda: tmp_path)
    assert torchvision_names.model_names.__wrapped__() == expected
    assert torchvision_names.class_names.__wrapped__() is None


@pytest.mark.parametrize("name", ["cifar1", "torchvision:resnet5", "resnet18"])
def test_an_unknown_target_has_no_outline(name: str) -> None:
    with pytest.raises(TargetError, match="did you mean"):
        outline_of(name)
