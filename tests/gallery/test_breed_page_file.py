"""What is written by ``evofool breed``."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

import evofool
from evofool.encodings import genome_file
from evofool.errors import EvofoolError
from evofool.targets.layers import NETWORKS, Convolution, layers

ROOT = Path(__file__).resolve().parents[2]
CAT = ROOT / "genomes" / "cifar10-cppn" / "003_cat_1.0000.json"


def element(html: str, name: str) -> str:
    found = re.search(rf'<script [^>]*id="{name}">(.*?)</script>', html, re.S)
    assert found
    return found[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_are_in_the_page_to_the_last_bit(tmp_path: Path, name: str) -> None:
    html = evofool.breed(name, tmp_path / "page.html").read_text(encoding="utf-8")
    weights = np.frombuffer(base64.b64decode(element(html, "weights")), "<f4")
    parts = [layer for layer in layers(name) if isinstance(layer, Convolution)]
    np.testing.assert_array_equal(weights, np.concatenate([np.append(each.weight, each.bias) for each in parts]))
    assert len(html) < 3_000_000
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)


def test_the_same_options_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        evofool.breed("digits", tmp_path / name, init="mnist-cppn", seed=2**60 + 1) for name in ("a.html", "b.html")
    )
    assert first.read_bytes() == second.read_bytes()
    assert json.loads(element(first.read_text(encoding="utf-8"), "data"))["seed"] == str(2**60 + 1)


def test_nothing_but_the_graph_of_a_genome_gets_into_the_page(tmp_path: Path) -> None:
    content = json.loads(CAT.read_text())
    del content["sha256"]
    content["class"] = content["comment"] = "</script><script>alert(1)</script>"
    content["nodes"][0]["name"] = content["class"]
    hostile = tmp_path / "hostile.json"
    hostile.write_text(json.dumps(content))
    assert genome_file.read(hostile)
    html = evofool.breed("cifar10", tmp_path / "page.html", init=hostile).read_text(encoding="utf-8")
    assert "alert(1)" not in html
    (genome,) = json.loads(element(html, "data"))["genomes"]
    assert genome["connections"] == content["connections"]


def test_an_alias_is_the_same_network(tmp_path: Path) -> None:
    html = evofool.breed("mnist:lenet", tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads(element(html, "data"))["target"] == "mnist"


WRONG = {
    "a torchvision target": ({"target": "torchvision:resnet18"}, "bred for `target` cifar10, mnist, mnist:logistic, d"),
    "a network without weights": ({"target": "cifar10:resnet32"}, "a page can't run cifar10:resnet32"),
    "no target": ({"target": "nope"}, 'unknown target "nope"'),
    "an object": ({"target": object()}, "`target` must be the name of an embedded network"),
    "no page": ({"out": "page.txt"}, "`out` must name an .html file"),
    "a negative seed": ({"seed": -1}, "`seed` must be from 0 to"),
    "half a seed": ({"seed": 0.5}, "`seed` must be a whole number"),
    "no genomes": ({"init": "nope"}, "nothing at `init=nope`"),
    "genomes of other pictures": ({"init": "mnist-cppn"}, "has colour grey, expected hsl"),
    "too many genomes": ({"init": "imagenet-cppn"}, "at most 18; name one, as in imagenet-cppn#tench"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_input_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.chdir(tmp_path)
    options, words = WRONG[wrong]
    with pytest.raises(EvofoolError) as caught:
        evofool.breed(**options)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_genome_that_is_too_large_for_children_is_refused(tmp_path: Path) -> None:
    content = json.loads(CAT.read_text())
    del content["sha256"]
    content["connections"] = content["connections"] * 12
    large = tmp_path / "large.json"
    large.write_text(json.dumps(content))
    with pytest.raises(EvofoolError, match=r"large\.json: a genome has .* this preset takes at most 96 and 256"):
        evofool.breed(out=tmp_path / "page.html", init=large)
