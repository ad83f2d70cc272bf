"""Tagging: one of several classes for each token of a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.datasets.sources.base import Description
from zoo.tasks.base import Score, Task

if TYPE_CHECKING:
    from zoo.datasets.features.tags import Tags
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor


class Tagging(Task):
    """Models that answer with a probability for each class, at each token.

    Padding counts in no score and no loss. ``macro_f1`` is the mean of the classes' F1.
    """

    reads = ("tokens",)
    answers = "tags"
    scores = (
        Score("accuracy", higher_is_better=True),
        Score("macro_f1", higher_is_better=True),
    )
    headline = "accuracy"
    final_scores = ("macro_f1",)
    output = "probabilities"

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return a description whose tags are cut where the text is."""
        (name,) = cls.target_columns(described)
        length = described.features[described.inputs[0]].shape[0]
        tags: Any = described.features[name]
        features = {**described.features, name: dataclasses.replace(tags, length=length)}
        return dataclasses.replace(described, features=features)

    @property
    def tags(self) -> Tags:
        """The target column."""
        found: Any = self.spec.features[self.targets[0]]
        return found

    def builder_arguments(self) -> dict[str, Any]:
        """Return the input's arguments and the number of classes."""
        return {**super().builder_arguments(), "classes": self.tags.classes}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy and accuracy, means over tokens."""
        from zoo.layers.losses import Crossentropy

        # Keras's default divides by padding too.
        loss = Crossentropy(reduction="mean_with_sample_weight")
        return {"loss": loss, "weighted_metrics": ["accuracy"]}

    def feed(self, encoded: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return tokens, classes and weights (B, T), which are 0 at padding."""
        import tensorflow as tf

        inputs, _, weights = super().feed(encoded)
        targets = tf.maximum(encoded[self.targets[0]], 0)  # of padding, which has no weight
        return inputs, targets, weights

    def respond(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        """Return probabilities (B, T, classes), all 0 at padding."""
        mask = self.asked[self.inputs[0]].mask(encoded[self.inputs[0]])
        return super().respond(model, encoded) * mask[..., None]

    def serving_outputs(self, answers: Any) -> dict[str, Any]:
        """Return probabilities (B, T, classes), and each token's class by number and name."""
        import tensorflow as tf

        best = tf.argmax(answers, axis=-1)
        labels = tf.gather(tf.constant(self.tags.names), best)
        # Padding has no probabilities, and no class.
        padding = tf.reduce_max(answers, axis=-1) == 0.0
        return {
            "probabilities": answers,
            "class_ids": tf.where(padding, tf.constant(-1, tf.int64), best),
            "labels": tf.where(padding, "", labels),
        }

    def score_served(
        self, outputs: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> tuple[Score, float] | None:
        """Return the accuracy over tokens."""
        if "class_ids" not in outputs:
            return None
        truth = np.asarray(self.tags.encode(raw[self.targets[0]]))
        right = (outputs["class_ids"] == truth)[truth >= 0]
        return self.scores[0], float(np.mean(right))

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each text a letter for each of its tokens."""
        return [{"tags": tags} for tags in self.tags.decode(answers)]

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores on a split with the mean F1 of the classes."""
        scores = super().evaluate(model, dataset, split)
        matrix = self._confusion(self.predictor(model), dataset, split)
        both = matrix.sum(axis=0) + matrix.sum(axis=1)
        f1 = 2.0 * np.diagonal(matrix)[both > 0] / both[both > 0]
        return {**scores, "macro_f1": float(f1.mean())}

    def _confusion(self, predictor: Predictor, dataset: Dataset, split: str) -> np.ndarray:
        """Return how often each class (rows) was answered by each (columns), padding left out."""
        matrix = np.zeros((self.tags.classes, self.tags.classes), int)
        for chunk in dataset.split(split).chunks(1024):
            answers = predictor({name: chunk[name] for name in self.inputs})
            truth = np.asarray(self.tags.encode(chunk[self.targets[0]]))
            real = truth >= 0
            np.add.at(matrix, (truth[real], answers.argmax(axis=-1)[real]), 1)
        return matrix

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the confusion matrix of the tokens."""
        return {"confusion_matrix": self._confusion(predictor, dataset, split).tolist()}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the confusion matrix."""
        from zoo.runs.figures import confusion_matrix

        if "confusion_matrix" in values:
            matrix = np.array(values["confusion_matrix"])
            confusion_matrix(matrix, self.tags.names, folder / "confusion_matrix.png")
