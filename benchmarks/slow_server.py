"""``python -m benchmarks.slow_server``: a server of the Open Inference Protocol that takes its time.

It prints its URL. ``GET /busy`` says how long how many requests were under way.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

LATENCY, AT_ONCE = 0.020, 8
"""Seconds that a request takes, and requests that are taken at once."""

WEIGHTS = np.random.default_rng(0).normal(0, 0.05, (3 * 8 * 8, 10))


class Busy:
    """How many requests are under way, integrated over time."""

    def __init__(self) -> None:
        self._lock, self._under_way, self._since, self.area = threading.Lock(), 0, time.monotonic(), 0.0

    def change(self, by: int) -> float:
        """Count requests that begin or end; return the seconds that all of them took together so far."""
        with self._lock:
            now = time.monotonic()
            self.area += min(self._under_way, AT_ONCE) * (now - self._since)
            self._since, self._under_way = now, self._under_way + by
            return self.area


BUSY = Busy()


class Handler(BaseHTTPRequestHandler):
    """Answers metadata, inference and ``/busy``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Otherwise the body waits 40 ms for the header to be acknowledged.

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def parse_request(self) -> bool:
        """Count from the first line of a request on, so that the server's own work is within its latency."""
        self.began = time.monotonic()
        if self.raw_requestline.startswith(b"POST"):
            BUSY.change(1)
        return super().parse_request()

    def do_GET(self) -> None:
        """Answer metadata or how busy it was."""
        tensors = {
            "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 8, 8, 3]}],
            "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 10]}],
        }
        model = {"name": "x", "versions": ["1"], "extensions": ["binary_tensor_data"], **tensors}
        self._answer({"seconds": BUSY.change(0)} if self.path == "/busy" else model)

    def do_POST(self) -> None:
        """Answer images with scores, in binary."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        pixels = np.frombuffer(body[int(self.headers["Inference-Header-Content-Length"]) :], np.uint8)
        powers = np.exp(pixels.reshape(-1, 192) / 255 @ WEIGHTS)
        scores = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
        time.sleep(max(0.0, LATENCY - (time.monotonic() - self.began)))
        sizes = {"binary_data_size": scores.nbytes}
        output = {"name": "scores", "datatype": "FP32", "shape": list(scores.shape), "parameters": sizes}
        self._answer({"outputs": [output]}, scores.tobytes())
        BUSY.change(-1)

    def _answer(self, header: dict[str, Any], payload: bytes = b"") -> None:
        content = json.dumps(header).encode()
        self.send_response(200)
        if payload:
            self.send_header("Inference-Header-Content-Length", str(len(content)))
        self.send_header("Content-Length", str(len(content) + len(payload)))
        self.end_headers()
        self.wfile.write(content + payload)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
