"""A linear classifier for KServe's Python server: ``python kserve_model.py --http_port PORT``."""

from __future__ import annotations

import argparse
from typing import Any

import kserve
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from linear import probabilities


class Linear(kserve.Model):
    """Answers (B, 8, 8, 3) uint8 images with (B, 4) probabilities."""

    def __init__(self) -> None:
        super().__init__("linear")
        self.ready = True

    async def get_input_types(self) -> list[dict[str, Any]]:
        return [{"name": "images", "datatype": "UINT8", "shape": [-1, 8, 8, 3]}]

    async def get_output_types(self) -> list[dict[str, Any]]:
        return [{"name": "scores", "datatype": "FP32", "shape": [-1, 4]}]

    def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        scores = probabilities(payload.inputs[0].as_numpy().reshape(-1, 8, 8, 3)).astype(np.float32)
        output = InferOutput("scores", list(scores.shape), "FP32")
        output.set_data_from_numpy(scores, binary_data=bool(payload.inputs[0]._raw_data))
        return InferResponse(payload.id, "linear", [output])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    kserve.ModelServer(enable_grpc=False, workers=1).start([Linear()])
