"""Files that Keras saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from door_files import keras_network
from support import random_images

keras: Any = pytest.importorskip("keras", reason="keras is an extra")

from evofool.errors import TargetError  # noqa: E402
from evofool.targets import registry  # noqa: E402


@pytest.mark.parametrize("rescaling", [False, True])
@pytest.mark.parametrize("file", ["network.keras", "network.h5"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_saved_model_gives_its_scores_and_tells_its_range(file: str, rescaling: bool, tmp_path: Path) -> None:
    saved = keras_network(rescaling=rescaling)
    saved.save(tmp_path / file)
    images = random_images(5, (3, 8, 10))
    loaded = registry.load(str(tmp_path / file))
    pixels = images.permute(0, 2, 3, 1).numpy().astype(np.float32)
    expected = saved.predict_on_batch(pixels if rescaling else pixels / 255)
    assert loaded.target.image_shape == (3, 8, 10)
    np.testing.assert_allclose(loaded.target.confirm(images).numpy(), np.asarray(expected), atol=1e-5)
    assert loaded.card is not None
    assert loaded.card.outputs == "probabilities"


@pytest.mark.parametrize("file", ["network.keras", "network.h5"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_code_in_a_file_is_refused(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layers = keras.layers
    saved = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Lambda(lambda x: x * 2), layers.Flatten(), layers.Dense(3)]
    )
    saved.save(tmp_path / file)
    with pytest.raises(TargetError, match=f"{file} is no model that keras can load .*[Ll]ambda"):
        registry.load(str(tmp_path / file))


@pytest.mark.parametrize("file", ["network.keras", "network.h5"])
def test_a_file_of_something_else_is_one_line(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(b"something else")
    with pytest.raises(TargetError, match="is no model that keras can load"):
        registry.load(str(tmp_path / file))
