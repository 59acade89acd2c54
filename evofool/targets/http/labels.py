"""Servers that answer a picture with ``[{"label": …, "score": …}]``, as Hugging Face's endpoints do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TargetError
from .client import Client


def ask(client: Client, picture: bytes) -> dict[str, float]:
    """Return the labels and scores that a server gives a picture.

    Args:
        client: The connection.
        picture: A PNG file.

    Raises:
        TryAgain: The server may answer later.
        TargetError: It answers something else.
    """
    answer = client.json_of(client.post(client.url, picture, {"Content-Type": "image/png"}))
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], list):
        answer = answer[0]
    sound = isinstance(answer, list) and all(
        isinstance(one, dict) and isinstance(one.get("label"), str) and isinstance(one.get("score"), int | float)
        for one in answer
    )
    if not answer or not sound:
        raise TargetError(f'{client.url} must answer a picture with [{{"label": …, "score": …}}], got {answer!r:.120}')
    return {one["label"]: float(one["score"]) for one in answer}


def spread(answer: dict[str, float], classes: Sequence[str], url: str) -> NDArray[np.float32]:
    """Return the (K,) scores of an answer. Classes that it leaves out share what is left of 1.

    Raises:
        TargetError: It has a label that is none of the classes.
    """
    index_of = {name: index for index, name in enumerate(classes)}
    if strange := [label for label in answer if label not in index_of]:
        raise TargetError(
            f'{url} answered with the label "{strange[0][:80]}", which is none of the {len(classes)} classes'
        )
    absent = len(classes) - len(answer)
    share = max(0.0, 1 - sum(answer.values())) / absent if absent else 0.0
    scores: NDArray[Any] = np.full(len(classes), share, np.float32)
    for label, score in answer.items():
        scores[index_of[label]] = score
    return scores
