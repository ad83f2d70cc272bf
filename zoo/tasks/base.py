"""The base of all tasks: one small class per kind of work."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from zoo.datasets.batches import Augment, TrainingBatches, evaluation_batches
from zoo.datasets.encoding import Encoder
from zoo.datasets.spec import Dataset, DatasetSpec, Split
from zoo.datasets.streaming import Stream, StreamingBatches, streamed_evaluation_batches
from zoo.errors import UsageError

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model."""

    function: Callable[..., Any]
    """From tensors to a dict of named tensors."""
    signature: list[tf.TensorSpec]
    """Of its arguments, by name."""


class Task:
    """Binds a data set to a model, scores it, renders what it says, and says how it is served."""

    labelled: ClassVar[bool] = True
    """Whether a model is trained with targets."""
    headline: ClassVar[str] = "loss"
    """The score that is quoted where a recipe has no target."""
    final_scores: ClassVar[tuple[str, ...]] = ()
    """Scores that `evaluate` adds to those that Keras computes in every epoch."""

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        self.name = name
        self.spec = spec
        self.loss = loss
        self.encoder = Encoder(spec)

    def builder_arguments(self) -> dict[str, Any]:
        """Return what the model's builder has to know of the data."""
        arguments: dict[str, Any] = {"input_shape": self.spec.input_shape}
        if self.spec.kind == "text":
            arguments["vocabulary_size"] = self.spec.tokens
        return arguments

    def compile_arguments(self) -> dict[str, Any]:
        """Return the loss and metrics for `keras.Model.compile` that a recipe need not name."""
        return {}

    def targets(self, targets: Any) -> Any:
        """Return an array or tensor of targets in the form that the loss wants."""
        return targets

    def require_soft_targets(self) -> None:
        """Raise a `UsageError` unless a target may be shares of several classes, as mixing needs.

        Raises:
            UsageError: This kind of work has no classes, or its loss takes one class only.
        """
        raise UsageError(
            f"mixup and cutmix mix classes, and {self.name} has none: take them out of the recipe"
        )

    def soft_metrics(self, metrics: list[Any]) -> list[Any]:
        """Return metrics for `keras.Model.compile` that are meant for such targets."""
        return metrics

    def arrays(self, dataset: Dataset, split: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Return a split's encoded inputs, and its targets where the task has any, in memory."""
        return self._in_memory(dataset.split(split), self.encoder)

    def training_batches(
        self, dataset: Dataset, *, batch_size: int, seed: int, augment: Augment | None = None
    ) -> TrainingBatches | StreamingBatches:
        """Return the batches of the training split, in an order that seed and epoch decide."""
        split = dataset.split("train")
        if isinstance(split, Stream):
            return StreamingBatches(
                split,
                self.encoder,
                self.targets if self.labelled else None,
                batch_size=batch_size,
                seed=seed,
                augment=augment,
            )
        inputs, targets = self._in_memory(split, self.encoder.prepare)
        return TrainingBatches(
            inputs,
            targets,
            batch_size=batch_size,
            seed=seed,
            augment=augment,
            crop=self.encoder.crop,
        )

    def evaluation_batches(
        self, dataset: Dataset, split: str, *, replicas: int = 1
    ) -> tf.data.Dataset:
        """Return the batches of a split, each example once, in their own order.

        Args:
            dataset: The data set.
            split: One of its splits.
            replicas: How many share a batch.
        """
        found = dataset.split(split)
        if isinstance(found, Stream):
            targets = self.targets if self.labelled else None
            return streamed_evaluation_batches(
                found, self.encoder, targets, batch_size=EVALUATION_BATCH, replicas=replicas
            )
        inputs, known = self._in_memory(found, self.encoder)
        return evaluation_batches(inputs, known, batch_size=EVALUATION_BATCH, replicas=replicas)

    def _in_memory(
        self, split: Split, encode: Callable[[Any], Any]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        chunks = list(split.chunks(4096))
        inputs = np.concatenate([encode(chunk.inputs).numpy() for chunk in chunks])
        targets = np.concatenate([chunk.targets for chunk in chunks])
        return inputs, np.asarray(self.targets(targets)) if self.labelled else None

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores of a compiled model on a split, by name."""
        batches = self.evaluation_batches(dataset, split)
        scores = model.evaluate(batches, return_dict=True, verbose=0)
        return {name: float(value) for name, value in scores.items()}

    def better(self, metric: str) -> Callable[[float, float], bool]:
        """Return a function that tells whether its first value of a score beats its second."""
        words = ("loss", "error", "perplexity", "entropy", "hinge", "divergence", "poisson", "cosh")
        lower = any(word in metric for word in words)
        return operator.lt if lower else operator.gt

    def predict(self, model: Any, raw: np.ndarray) -> np.ndarray:
        """Return what the model says of raw examples, as `serve` would."""
        return self.answers(model, self.encoder.encode(raw))

    def answers(self, model: Any, encoded: np.ndarray) -> np.ndarray:
        """Return what the model says of encoded examples."""
        said = model.predict(encoded, batch_size=EVALUATION_BATCH, verbose=0)
        return np.asarray(self.answer(said))

    def answer(self, outputs: Any) -> Any:
        """Return a model's outputs in the form that users get."""
        return outputs

    def output_name(self) -> str:
        """Return what `answer` is called in serving signatures."""
        return "output"

    def generate(self, model: Any, count: int, seed: int) -> np.ndarray:
        """Return new examples.

        Raises:
            UsageError: This kind of work makes none.
        """
        raise UsageError(f"a model for {self.name} generates nothing; generators are vae and gan")

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return what is printed of each answer, as plain values.

        Args:
            answers: What `predict` returned.
            top_k: How many classes to name, the most probable first.
        """
        raise UsageError(f"a model for {self.name} predicts nothing; try: dlzoo generate")

    def endpoints(self, model: Any) -> dict[str, Endpoint]:
        """Return the serving signatures by name, the default one first."""
        name = self.output_name()

        def serve(raw: Any) -> dict[str, Any]:
            return {name: self.answer(model(self.encoder(raw), training=False))}

        return {"serve": Endpoint(serve, [self.encoder.signature()])}

    def data_for_figures(self, model: Any, dataset: Dataset, split: str) -> dict[str, Any]:
        """Return plain values that `draw` makes pictures of; they are kept in metrics.json."""
        return {}

    def draw(self, values: dict[str, Any], model: Any, folder: Path) -> list[Path]:
        """Draw the task's own figures into a folder and return their paths."""
        return []
