"""Rejection: what an audit says of fooling images, of noise and of other data against real images."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from evofool.audits.rejection import rejection
from evofool.detection.outputs import Outputs


def outputs(n: int, scale: float, seed: int) -> Outputs:
    """Outputs of a network that is the surer the larger the scale."""
    logits = np.random.default_rng(seed).normal(0, scale, (n, 5))
    odds = np.exp(logits)
    return Outputs(odds / odds.sum(1, keepdims=True), logits)


def test_a_network_that_is_unsure_of_fooling_images_rejects_them_better() -> None:
    real = outputs(200, 5, 0)
    sure, unsure = (rejection(real, outputs(80, scale, 1)).figures for scale in (5, 0.5))
    for score in ("msp", "maxlogit", "energy", "entropy"):
        assert unsure[f"auroc_{score}"].low > sure[f"auroc_{score}"].high
        assert unsure[f"fpr95_{score}"].high < sure[f"fpr95_{score}"].low


def test_without_logits_their_scores_are_left_out_with_a_reason() -> None:
    real, fooling = (Outputs(outputs(30, scale, 2).probabilities) for scale in (4, 1))
    found = rejection(real, fooling)
    assert {name.partition("_")[2] for name in found.figures} == {"msp", "entropy"}
    assert "probabilities alone" in found.why


def sure(*several: Outputs) -> np.ndarray:
    """The maximum softmax probability of several sets of images."""
    return np.concatenate([each.probabilities.max(1) for each in several])


def test_noise_is_compared_with_real_images_and_with_the_threshold_for_fooling_ones() -> None:
    real, fooling, noise = outputs(60, 5, 0), outputs(40, 2, 1), outputs(50, 0.1, 2)
    found = rejection(real, fooling, noise).details
    row = found["noise"]["msp"]
    assert row["n"] == 50
    assert row["stopped"] == np.mean(noise.probabilities.max(1) <= found["scores"]["msp"]["threshold"])
    assert row["auroc"][0] == roc_auc_score([0] * 60 + [1] * 50, -sure(real, noise))


def test_other_data_have_figures_of_each_set_and_of_all_together() -> None:
    real, fooling, sets = outputs(60, 5, 0), outputs(40, 2, 1), {"a": outputs(50, 0.1, 2), "b": outputs(9, 3, 3)}
    found = rejection(real, fooling, None, sets)
    assert {name: row["msp"]["n"] for name, row in found.details["others"].items()} == {"a": 50, "b": 9}
    area = found.figures["others_auroc_msp"]
    assert area.value == roc_auc_score([0] * 60 + [1] * 59, -sure(real, sets["a"], sets["b"]))
    assert area.n == 119
    assert found.details["noise"] == {}
    assert not [name for name in rejection(real, fooling).figures if name.startswith("others")]


def test_the_same_outputs_give_the_same_figures() -> None:
    real, fooling = outputs(60, 5, 0), outputs(40, 2, 1)
    assert rejection(real, fooling, seed=3) == rejection(real, fooling, seed=3)
