"""Generation: new examples that look like the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from zoo.base.errors import UsageError, require
from zoo.datasets.features.base import Feature, Reading
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import MOST_SAMPLES, Columns, Endpoint, SampleRequest, Samples, Score, Task

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset

SCORED_SAMPLES = 1000
"""How many samples are drawn to score a generator."""
CHUNK = 256
"""Samples that are computed at a time."""
_NO_ANSWERS = "this model is a generator and predicts nothing. Use: dlzoo generate"


class Generation(Task):
    """Models that make images in [0, 1], trained without labels.

    They have ``latent_dim``, ``prior(count, seed) -> latent``, ``decode(latent) -> examples`` and
    ``decoder_network() -> keras.Model``, which does the same as ``decode``.
    """

    reads = ("pixels",)
    scores = (Score("parzen_log_likelihood", higher_is_better=True),)
    headline = "parzen_log_likelihood"
    final_scores = ("parzen_log_likelihood",)
    commands = ("generate", "export")
    output = "image"

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self._compiled: tuple[Any, Any] | None = None
        self.check(name, name, spec)

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless the data are images in [0, 1]."""
        super().check(model, task, data)
        for name in data.inputs:
            pixels = data.features[name].pixels
            require(
                pixels is not None and pixels.clipped,
                f"generators make images in [0, 1]; set data.{name}.scaling = 'unit'",
            )

    @property
    def image(self) -> Feature:
        """What is generated."""
        return self.spec.features[self.inputs[0]]

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the model's own scores, and one by which all generators can be compared.

        ``parzen_log_likelihood`` is the mean log-likelihood, in nats, of the split's examples
        under Gaussians around 1,000 samples, whose width is chosen on the validation split
        (Goodfellow et al. 2014, section 5).
        """
        scores = super().evaluate(model, dataset, split)
        samples = self._images(model, SampleRequest(count=SCORED_SAMPLES))
        validation, chosen = (self._encoded(dataset, name) for name in ("validation", split))
        widths = np.geomspace(0.05, 0.5, 11)
        likelihoods = [_parzen(samples, validation, width) for width in widths]
        width = widths[int(np.argmax(likelihoods))]
        return {**scores, "parzen_log_likelihood": _parzen(samples, chosen, width)}

    def _encoded(self, dataset: Dataset, split: str) -> np.ndarray:
        name = self.inputs[0]
        chunks = dataset.split(split).chunks(4096)
        return np.concatenate([self.image.encode(chunk[name]).numpy() for chunk in chunks])

    def as_raw(self, values: Any) -> dict[str, np.ndarray]:
        """Raise a `UsageError`: nothing is asked of a generator."""
        raise UsageError(_NO_ANSWERS)

    def read(self, inputs: Sequence[str], stdin: BinaryIO) -> list[dict[str, Reading]]:
        """Raise a `UsageError`: nothing is asked of a generator."""
        raise UsageError(_NO_ANSWERS)

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return images decoded from latents of the model's prior."""
        return Samples(self.image, self.image.decode(self._images(model, request)))

    def _images(self, model: Any, request: SampleRequest) -> np.ndarray:
        if not 1 <= request.count <= MOST_SAMPLES:
            raise UsageError(f"count must be 1 to {MOST_SAMPLES:,}, got {request.count}")
        latent = model.prior(request.count, request.seed)
        decode = self._decoder(model)
        parts = []
        for at in range(0, request.count, CHUNK):
            parts.append(np.asarray(decode(latent[at : at + CHUNK]), np.float32))
            request.progress(min(at + CHUNK, request.count))
        return np.concatenate(parts)

    def _decoder(self, model: Any) -> Any:
        """Return a model's `decode`, compiled once."""
        import tensorflow as tf

        if self._compiled is None or self._compiled[0] is not model:
            spec = tf.TensorSpec((None, model.latent_dim), tf.float32)
            decode = tf.function(model.decode).get_concrete_function(spec)
            self._compiled = (model, decode)
        return self._compiled[1]

    def served(self, model: Any) -> Any:
        """Return the network from latents to images."""
        return model.decoder_network()

    def answering(self, model: Any, count: int) -> Callable[[], np.ndarray]:
        """Return a function that decodes `count` latents of the model's prior."""
        latent, decode = model.prior(count, seed=0), self._decoder(model)
        return lambda: np.asarray(decode(latent))

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return one signature, from latents to images."""
        import tensorflow as tf

        width = network.inputs[0].shape[-1]

        def generate(latent: Any) -> dict[str, Any]:
            return {"image": tf.cast(network(latent, training=False), tf.float32)}

        def sample(count: int) -> tuple[Any, ...]:
            return (np.random.default_rng(0).normal(size=(count, width)).astype(np.float32),)

        signature = {"latent": tf.TensorSpec((None, width), tf.float32, name="latent")}
        return {"generate": Endpoint(generate, signature, sample)}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw 64 samples."""
        samples = self.sample(model, SampleRequest(count=64, seed=0))
        samples.feature.write(samples.values, folder / "samples.png")


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
