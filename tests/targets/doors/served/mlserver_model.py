"""A linear classifier for MLServer, as ``model-settings.json`` beside it names."""

from __future__ import annotations

import numpy as np
from linear import probabilities
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Linear(MLModel):
    """Answers (B, 8, 8, 3) uint8 images with (B, 4) probabilities."""

    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = NumpyCodec.decode_input(payload.inputs[0]).reshape(-1, 8, 8, 3)
        outputs = [NumpyCodec.encode_output("scores", probabilities(images).astype(np.float32))]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
