"""Classifiers behind a server give the scores of the same network here, and cost no query twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from inference_server import Served, serving
from support import random_images

import evofool
from evofool.config.model import ModelOptions
from evofool.errors import ConfigError, TargetError
from evofool.targets import registry

pytest.importorskip("urllib3", reason="urllib3 is an extra")

SETTINGS: dict[str, Any] = {"encoding": "direct", "generations": 4, "batch": 20, "seed": 1}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, and no waiting before repetitions."""
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("evofool.targets.queries.policy.LONGEST_WAIT", 0.01)


@pytest.fixture
def served() -> Served:
    """What the server serves."""
    return Served()


@pytest.fixture
def url(served: Served) -> Iterator[str]:
    """The server's URL."""
    with serving(served) as address:
        yield address


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("datatype", ["FP32", "FP64", "UINT8"])
def test_a_model_of_the_open_inference_protocol(binary: bool, datatype: str, served: Served, url: str) -> None:
    served.binary, served.datatype = binary, datatype
    images = random_images(21, (1, 8, 8))
    target = registry.load(f"{url}/v2/models/digits").target
    assert (target.image_shape, len(target.classes)) == ((1, 8, 8), 10)
    torch.testing.assert_close(target.confirm(images), served.target.confirm(images), atol=1e-4, rtol=0)


def test_a_server_that_answers_pictures_with_labels(served: Served, url: str) -> None:
    images = random_images(5, (1, 8, 8))
    options = ModelOptions.of({"image_size": 8, "colours": 1})
    target = registry.load(f"{url}/classify", model=options).target
    assert target.classes == [str(index) for index in range(10)]
    torch.testing.assert_close(target.confirm(images), served.target.confirm(images), atol=1e-4, rtol=0)


def test_labels_that_a_server_leaves_out_share_what_is_left(served: Served, url: str, tmp_path: Path) -> None:
    served.labels = 3
    names = tmp_path / "names.txt"
    names.write_text("\n".join(map(str, range(10))))
    with pytest.raises(ConfigError, match=r"answers with 3 labels .* `classes_file`"):
        registry.load(f"{url}/classify", model=ModelOptions.of({"image_size": 8, "colours": 1}))
    options = ModelOptions.of({"image_size": 8, "colours": 1, "classes_file": names})
    images = random_images(5, (1, 8, 8))
    scores, exact = (
        registry.load(f"{url}/classify", model=options).target.confirm(images),
        served.target.confirm(images),
    )
    top = exact.topk(3)
    torch.testing.assert_close(scores.gather(1, top.indices), top.values, atol=1e-4, rtol=0)
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)


def test_a_run_on_a_server_is_that_on_the_network_and_pays_for_no_image_twice(served: Served, url: str) -> None:
    expected = evofool.evolve("digits", precision="float32", device="cpu", **SETTINGS)
    served.faults = [429, 503, 500]
    result = evofool.evolve(f"{url}/v2/models/digits", **SETTINGS, concurrency=4)
    np.testing.assert_array_equal(result.images, expected.images)
    asked = served.answers
    evofool.evolve(f"{url}/v2/models/digits", **SETTINGS)
    assert served.answers <= asked + 8  # the pictures that the model is shown when it is loaded


def test_what_a_server_refuses_ends_in_one_line(served: Served, url: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"/v2/models/nosuch answered 404 Not Found: .*no /v2/models/nosuch"):
        registry.load(f"{url}/v2/models/nosuch")
    served.faults = [401]
    with pytest.raises(TargetError, match=r"answered 401 .*EVOFOOL_HTTP_TOKEN"):
        registry.load(f"{url}/v2/models/digits")
    with pytest.raises(TargetError, match="can't be reached"):
        registry.load("http://127.0.0.1:9/v2/models/digits")


def test_a_server_in_trouble_ends_a_run_resumably(served: Served, url: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    evofool.evolve(f"{url}/v2/models/digits", **{**SETTINGS, "generations": 2}, out=run)
    served.faults = [503] * 50
    with pytest.raises(TargetError, match=r"answered 503 .*not now"):
        evofool.resume(run, generations=4)
    served.faults = []
    expected = evofool.evolve("digits", precision="float32", device="cpu", **SETTINGS)
    np.testing.assert_array_equal(evofool.resume(run, generations=4).images, expected.images)


@pytest.mark.parametrize("name", ["http://", "http:///v2/models/x", "http://[bad/v2/models/x"])
def test_what_is_no_url_is_named(name: str) -> None:
    with pytest.raises(TargetError, match="is no URL; expected one such as http://"):
        evofool.load_target(name)


def test_a_server_that_is_not_there_is_named_with_the_reason() -> None:
    with pytest.raises(TargetError, match=r"^http://127\.0\.0\.1:9/v2/models/x can't be reached \(Failed to establish"):
        evofool.load_target("http://127.0.0.1:9/v2/models/x", retries=0)


def test_a_checkup_asks_a_server_and_counts_what_it_pays(served: Served, url: str) -> None:
    checkup = evofool.check_target(f"{url}/v2/models/digits", "digits", count=40)
    assert checkup.findings == ()
    assert checkup.accuracies[0].right >= 38
    assert checkup.queries == 8 + 3 * 14 + 40 + 4 * 40
