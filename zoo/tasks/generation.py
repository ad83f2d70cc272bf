"""Generation: new examples that look like the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.spec import Dataset, DatasetSpec, require
from zoo.tasks.base import Endpoint, Task

SAMPLES = 1000
"""How many samples a generator is scored by."""


class Generation(Task):
    """Models that make examples in [0, 1], trained without labels.

    They have ``latent_dim``, ``prior(count, seed) -> latent`` and ``decode(latent) -> examples``.
    """

    labelled = False
    headline = "parzen_log_likelihood"
    final_scores = ("parzen_log_likelihood",)

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        require(
            spec.scaling == "unit",
            f"generators make images in [0, 1]; say data.scaling = 'unit', got '{spec.scaling}'",
        )
        super().__init__(name, spec, loss)

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the model's own scores, and one by which all generators can be compared.

        ``parzen_log_likelihood`` is the mean log-likelihood, in nats, of the split's examples
        under Gaussians around 1,000 samples, whose width is chosen on the validation split
        (Goodfellow et al. 2014, section 5).
        """
        scores = super().evaluate(model, dataset, split)
        samples = self.generate(model, SAMPLES, seed=0)
        validation, _ = self.arrays(dataset, "validation")
        chosen, _ = self.arrays(dataset, split)
        widths = np.geomspace(0.05, 0.5, 11)
        likelihoods = [_parzen(samples, validation, width) for width in widths]
        width = widths[int(np.argmax(likelihoods))]
        return {**scores, "parzen_log_likelihood": _parzen(samples, chosen, width)}

    def generate(self, model: Any, count: int, seed: int) -> np.ndarray:
        """Return `count` examples in [0, 1] decoded from latents of the model's prior."""
        latent = model.prior(count, seed)
        parts = [model.decode(latent[at : at + 256]) for at in range(0, count, 256)]
        return np.concatenate([np.asarray(part, np.float32) for part in parts])

    def endpoints(self, model: Any) -> dict[str, Endpoint]:
        """Return one signature, from latents to examples."""

        def generate(latent: Any) -> dict[str, Any]:
            return {"image": tf.cast(model.decode(latent), tf.float32)}

        signature = tf.TensorSpec((None, model.latent_dim), tf.float32, name="latent")
        return {"generate": Endpoint(generate, [signature])}

    def draw(self, values: dict[str, Any], model: Any, folder: Path) -> list[Path]:
        """Draw 64 samples."""
        from zoo.figures import image_grid

        path = folder / "samples.png"
        image_grid(self.generate(model, 64, seed=0), path)
        return [path]


def _parzen(samples: np.ndarray, examples: np.ndarray, width: float) -> float:
    """Return the mean log-density of examples under Gaussians of a width around the samples."""
    centres = samples.reshape(len(samples), -1).astype(np.float64)
    points = examples.reshape(len(examples), -1).astype(np.float64)
    squared = (points**2).sum(1)[:, None] - 2.0 * points @ centres.T + (centres**2).sum(1)
    exponent = -squared / (2.0 * width**2)
    peak = exponent.max(axis=1, keepdims=True)
    log_sum = peak[:, 0] + np.log(np.exp(exponent - peak).sum(axis=1))
    dimensions = points.shape[1]
    normaliser = np.log(len(centres)) + dimensions * np.log(width * np.sqrt(2.0 * np.pi))
    return float((log_sum - normaliser).mean())
