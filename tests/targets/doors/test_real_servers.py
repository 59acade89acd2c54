"""Servers that others wrote: MLServer and KServe's Python server, where this machine has them.

Their requirements don't go together with each other's, so each wants an environment of its own, named by the path of
its Python: ``EVOFOOL_MLSERVER_PYTHON`` and ``EVOFOOL_KSERVE_PYTHON``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import random_images

import evofool

pytest.importorskip("urllib3", reason="urllib3 is an extra")

sys.path.insert(0, str(Path(__file__).parent / "served"))
from linear import probabilities  # The servers import it so.

SERVED = Path(__file__).parent / "served"
SECONDS = 90
COMMANDS = {
    "mlserver": ["{folder}/mlserver", "start", "."],
    "kserve": ["{python}", "kserve_model.py", "--http_port", "{port}"],
}


@pytest.fixture(params=list(COMMANDS))
def model_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a linear classifier behind a server."""
    variable = f"EVOFOOL_{request.param.upper()}_PYTHON"
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no Python with {request.param}")
    ports = [_free_port() for _ in range(3)]
    settings = dict(zip(("HTTP_PORT", "GRPC_PORT", "METRICS_PORT"), map(str, ports), strict=True))
    environment = {**os.environ, "PYTHONPATH": ".", "MLSERVER_PARALLEL_WORKERS": "0"}
    environment |= {f"MLSERVER_{name}": value for name, value in settings.items()}
    words = {"python": python, "folder": Path(python).parent, "port": ports[0]}
    command = [part.format(**words) for part in COMMANDS[request.param]]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=SERVED, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{ports[0]}/v2/models/linear"
        _wait_for(url, server, tmp_path / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def test_a_real_server_gives_the_scores_of_its_model(model_url: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    images = random_images(40, (3, 8, 8))
    target = evofool.load_target(model_url)
    expected = probabilities(images.permute(0, 2, 3, 1).numpy())
    assert (target.image_shape, len(target.classes)) == ((3, 8, 8), 4)
    np.testing.assert_allclose(target.confirm(images).numpy(), expected, atol=1e-6)
    result = evofool.evolve(model_url, "direct", generations=4, batch=20, out=tmp_path / "run", gallery=False)
    own_scores = probabilities(np.moveaxis(result.images, 1, 3))[np.arange(4), np.arange(4)]
    np.testing.assert_allclose(result.confidence, own_scores, atol=1e-6)
    assert evofool.inspect(tmp_path / "run")["queries_paid"] > 0


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"the server doesn't answer: {log.read_text()[-2000:]}")
