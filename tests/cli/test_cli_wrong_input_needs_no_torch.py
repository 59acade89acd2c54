"""Commands that read only wrong input answer at once: torch, whose import takes seconds, is not imported for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

WRONG = (
    "attack --target cifar1",
    "attack --target torchvision:resnet5",
    "attack --target torchvision:resnet18",
    "attack --data nowhere",
    "attack --target digits --criterion nope",
    "attack --target torchvision:resnet18 --data imagenet --criterion nope",
    "attack --target digits --pixels 0",
    "attack --target digits --strategy nope",
    "attack --target digits --preset nope",
    "attack --target digits --queries 0",
    "attack --target digits --device foo",
    "attack --target digits --weights nope",
    "attack --target digits --out taken",
    "attack --target digits --data onehot.npz",
    "attack --target digits --data partly",
    "attack --target digits --data mixed",
    "attack --target mnist --data fashionmnist",
    "attack --target mnist --data svhn",
    "attack --target torchvision:resnet18 --data cifar10",
    "lab nope",
    "lab perturb --target cifar1",
    "lab perturb --target digits --data nowhere",
    "lab perturb --target digits --epsilon 2",
    "lab perturb --target digits --epsilon 1/0",
    "lab perturb --target digits --methods nope",
    "lab perturb --target digits --criterion nope",
    "lab perturb --target digits --classes nope",
    "lab perturb --target digits --max-queries 9",
    "lab perturb --target digits --out taken",
    "lab ascend --target cifar1",
    "lab ascend --target digits --parametrisation nope",
    "lab ascend --target digits --classes nope",
    "lab ascend --target digits --init mnist-cppn",
    "lab ascend --target digits --parametrisation cppn --init nowhere",
    "lab ascend --target digits --until 2",
    "lab ascend --target digits --max-queries 9",
    "lab ascend --target digits --out taken",
    "lab transfer --target digits",
    "lab transfer --target digits --target mnist",
    "lab transfer --target cifar10 --target cifar10:resnet32=nowhere.pth",
    "lab transfer --target cifar10 --target cifar10:resnet32 --kinds nope",
    "lab transfer --target cifar10 --target cifar10:resnet32 --images nowhere",
    "lab transfer --target mnist --target mnist:logistic --epsilon 2",
    "lab harden --target digts",
    "lab harden --by cpn",
    "lab harden --epsilon 1",
    "evolve --target cifar1",
    "evolve --target resnet50",
    "evolve --target torchvision:resnet18 --classes nope",
    "evolve --target digits --classes nope",
    "evolve --target digits --classes 10",
    "evolve --target digits --descriptors hue",
    "evolve --descriptors nope",
    "evolve --novelty nope",
    "evolve --bins 3",
    "evolve --encoding nope",
    "evolve --preset nope",
    "evolve --selector nope",
    "evolve --emitters nope",
    "evolve --emitters refine --encoding direct",
    "evolve --precision nope",
    "evolve --device nope",
    "evolve --weights nope",
    "evolve --init nope",
    "evolve --out taken",
    "evolve --config nope",
    "evolve --seeds x",
    "evolve --seeds 0-2 --classes nope",
    "evolve --evaluations 0",
    "evolve --generation 3",
    "sweep nope.toml",
    "sweep --dry-run nope.toml",
    "resume nope",
    "inspect nope",
    "inspect --repair nope",
    "report nope",
    "gallery nope",
    "breed --target torchvision:resnet18",
    "breed --target nope",
    "breed --init nope",
    "breed --init mnist-cppn",
    "timelapse nope --out a.gif",
    "poster nope --out a.png",
    "render nope --out a.png",
    "score nope.png",
    "score --target nope picture.png",
    "score --device nope picture.png",
    "score --weights nope picture.png",
    "targets nope",
    "targets torchvision:nope",
    "targets nope --tune",
    "targets check nope",
    "targets check nope.onnx",
    "targets check digits --data nowhere",
    "targets check digits --data cifar10",
    "targets check digits --count 0",
    "targets check digits --device nope",
    "targets check digits --weights nope",
    "zoo train nope",
    "zoo train digits --device nope",
    "nope",
)

PROGRAM = """
import contextlib, io, json, sys
from evofool.cli.app import main
answers = {}
for words in json.loads(sys.argv[1]):
    sys.argv, error, code = ["evofool", *words.split()], io.StringIO(), None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as end:
            code = end.code
    heavy = [name for name in ("torch", "torchvision", "numba", "sklearn") if name in sys.modules]
    answers[words] = [code, error.getvalue(), heavy]
print(json.dumps(answers))
"""


def test_wrong_input_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    Image.new("L", (8, 8)).save(tmp_path / "picture.png")
    np.savez(tmp_path / "onehot.npz", images=np.zeros((9, 8, 8), np.uint8), labels=np.eye(9, 10))
    for folder in ("partly/0", "partly/X", "mixed/train/0", "mixed/val/0"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / folder / "a.png")
    there = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(WRONG)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    for words, (code, error, heavy) in json.loads(done.stdout).items():
        assert (code, heavy) == (2, []), f"{words}: {error}"
        assert error.startswith("error: "), words
        assert error.count("\n") == 1, words
    assert sorted(tmp_path.rglob("*")) == there
