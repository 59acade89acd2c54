"""A server for tests that is strict about the Open Inference Protocol, and one that answers pictures with labels."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import torch
from PIL import Image

import evofool

DATATYPES = {"FP32": np.float32, "FP64": np.float64, "UINT8": np.uint8}


class Served:
    """What is served, and what happened.

    Attributes:
        datatype: The type of the input.
        binary: Whether the server has the extension ``binary_tensor_data``.
        faults: Status codes of the next answers to inference, before there are right ones.
        answers: Images that were scored.
        latency: Seconds that an inference takes.
        busy: Seconds that inferences took, summed over all of them.
        labels: How many labels a picture is answered with.
    """

    def __init__(self) -> None:
        self.datatype, self.binary = "FP32", False
        self.faults: list[int] = []
        self.answers, self.latency, self.busy, self.labels = 0, 0.0, 0.0, 10
        self.target = evofool.load_target("digits", device="cpu", precision="float32")
        self.lock = threading.Lock()

    def scores(self, pixels: Any) -> Any:
        started = time.monotonic()
        time.sleep(self.latency)
        with self.lock:
            self.answers += len(pixels)
            result = self.target.confirm(torch.from_numpy(np.rint(pixels).astype(np.uint8))).numpy()
            self.busy += time.monotonic() - started
        return result


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Give the URL of a server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self.path == "/v2":
                extensions = ["binary_tensor_data"] if served.binary else []
                self._json({"name": "stub", "version": "1", "extensions": extensions})
            elif self.path == "/v2/models/digits":
                image = {"name": "pixels", "datatype": served.datatype, "shape": [-1, 1, 8, 8]}
                output = {"name": "scores", "datatype": "FP32", "shape": [-1, 10]}
                self._json(
                    {"name": "digits", "versions": ["3"], "platform": "x", "inputs": [image], "outputs": [output]}
                )
            else:
                self._json({"error": f"no {self.path}"}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if served.faults:
                self._json({"error": "not now"}, served.faults.pop(0))
            elif self.path == "/v2/models/digits/infer":
                self._infer(body)
            elif self.path == "/classify":
                assert self.headers["Content-Type"] == "image/png"
                pixels = np.array(Image.open(io.BytesIO(body)).convert("L"))[None, None].astype(np.float32)
                scores = served.scores(pixels)[0]
                best = np.argsort(-scores)[: served.labels]
                self._json([{"label": str(index), "score": float(scores[index])} for index in best])
            else:
                self._json({"error": f"no {self.path}"}, 404)

        def _infer(self, body: bytes) -> None:
            size = int(self.headers.get("Inference-Header-Content-Length", len(body)))
            request = json.loads(body[:size])
            (tensor,), (wanted,) = request["inputs"], request["outputs"]
            assert (tensor["name"], tensor["datatype"], wanted["name"]) == ("pixels", served.datatype, "scores")
            dtype = DATATYPES[served.datatype]
            if served.binary:
                assert "data" not in tensor
                assert tensor["parameters"]["binary_data_size"] == len(body) - size
                pixels = np.frombuffer(body[size:], dtype)
            else:
                pixels = np.array(tensor["data"], dtype)
            pixels = pixels.reshape(tensor["shape"])
            assert pixels.shape[1:] == (1, 8, 8)
            scores = served.scores(pixels if dtype == np.uint8 else pixels * 255)
            output: dict[str, Any] = {"name": "scores", "datatype": "FP32", "shape": list(scores.shape)}
            if not served.binary:
                output |= {"parameters": None, "data": scores.ravel().tolist()}
                self._json({"model_name": "digits", "outputs": [output]})
                return
            payload = scores.astype(np.float32).tobytes()
            output["parameters"] = {"binary_data_size": len(payload)}
            header = json.dumps({"model_name": "digits", "outputs": [output]}).encode()
            self._send(header + payload, 200, {"Inference-Header-Content-Length": str(len(header))})

        def _json(self, content: Any, status: int = 200) -> None:
            self._send(json.dumps(content).encode(), status, {"Retry-After": "0"} if status == 429 else {})

        def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
