"""The folder of an experiment: what it refuses to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from configs import NAMES, target_record

from evofool.config.ascend import AscendOptions
from evofool.config.experiments import ExperimentConfig
from evofool.errors import RunError
from evofool.io.lines import MAX_LINE
from evofool.store.experiment import ExperimentFolder


def test_a_part_that_nobody_could_read_again_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    config = ExperimentConfig(
        options=AscendOptions(), targets=(target_record(),), classes=NAMES, data=None, versions={}
    )
    folder = ExperimentFolder.create(tmp_path / "lab", config, ())
    nothing = np.empty((0, 3, 8, 8), np.uint8)
    folder.append([{"text": "x" * (MAX_LINE - 200)}], nothing)
    with pytest.raises(RunError, match=r"part 1 of .* has results of 16,777,[0-9]{3} bytes, and at most 16,777,216"):
        folder.append([{"text": "x" * (MAX_LINE - 100)}], nothing)
    again = ExperimentFolder.open(tmp_path / "lab")
    assert again.parts == folder.parts == 1
    assert [file.name for file in (tmp_path / "lab" / "pictures").iterdir()] == ["00000.npy"]
