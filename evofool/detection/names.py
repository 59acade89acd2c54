"""The scores that tell real images from others, with what they are called; nothing here takes time to import."""

from __future__ import annotations

OUTPUT_SCORES = {
    "msp": "maximum softmax probability",
    "maxlogit": "maximum logit",
    "energy": "energy",
    "entropy": "negative entropy of the probabilities",
}
"""Scores of what a network returns."""

INSIDE_SCORES = {
    "odin": "ODIN",
    "mahalanobis": "Mahalanobis distance",
    "knn": "distance to the nearest neighbours",
}
"""Scores that look into a network: at its gradients, or at what its last layer is given."""

SCORES = {**OUTPUT_SCORES, **INSIDE_SCORES}
"""All scores."""
