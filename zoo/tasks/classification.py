"""Classification of images, tables and texts: one of several classes for each example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.datasets.spec import Dataset
from zoo.errors import UsageError
from zoo.tasks.base import Task

MOST_CLASSES = 100
"""Of which a confusion matrix is drawn."""


@keras.saving.register_keras_serializable("dlzoo")
def soft_binary_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return 1 where the more probable of two classes has the larger share, else 0.

    Keras's own asks whether the share equals 0 or 1, which the share of a mix never does.
    """
    return keras.metrics.binary_accuracy(keras.ops.round(y_true), y_pred)


class Classification(Task):
    """Models that answer with a probability for each class, or with one for the second of two."""

    headline = "accuracy"

    def builder_arguments(self) -> dict[str, Any]:
        """Return the input's shape and the number of classes."""
        return {**super().builder_arguments(), "classes": len(self.spec.class_names)}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy and accuracy."""
        two = len(self.spec.class_names) == 2
        loss = "binary_crossentropy" if two else "sparse_categorical_crossentropy"
        return {"loss": loss, "metrics": ["accuracy"]}

    def require_soft_targets(self) -> None:
        """Raise a `UsageError` where the loss takes the number of one class, or a side."""
        loss = self.loss or self.compile_arguments()["loss"]
        if any(word in loss.lower() for word in ("sparse", "hinge")):
            two = len(self.spec.class_names) == 2
            raise UsageError(
                f"mixup and cutmix make targets of shares, which {loss} does not take; "
                f"try --set loss={'Binary' if two else 'Categorical'}Crossentropy"
            )

    def soft_metrics(self, metrics: list[Any]) -> list[Any]:
        """Return metrics in which the accuracy of one output compares shares."""
        if len(self.spec.class_names) != 2:
            return metrics
        soft = keras.metrics.MeanMetricWrapper(soft_binary_accuracy, name="accuracy")
        return [soft if metric == "accuracy" else metric for metric in metrics]

    def answer(self, outputs: Any) -> Any:
        """Return probabilities (B, classes); one for the second class is made into two."""
        if outputs.shape[-1] > 1:
            return outputs
        return keras.ops.concatenate([1.0 - outputs, outputs], axis=-1)

    def targets(self, targets: Any) -> Any:
        """Return classes as numbers or, for losses that want it so, one-hot."""
        classes = len(self.spec.class_names)
        if self.loss is None or classes == 2 or "sparse" in self.loss.lower():
            return targets
        return tf.one_hot(targets, classes)

    def output_name(self) -> str:
        """Return ``"probabilities"``."""
        return "probabilities"

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example its class, and the `top_k` most probable with probabilities."""
        rows = []
        for probabilities in answers:
            order = np.argsort(-probabilities, kind="stable")[:top_k]
            ranked = [
                {"class": self.spec.class_names[at], "probability": float(probabilities[at])}
                for at in order
            ]
            rows.append({**ranked[0], "top": ranked})
        return rows

    def data_for_figures(self, model: Any, dataset: Dataset, split: str) -> dict[str, Any]:
        """Return the confusion matrix: rows are the true classes, columns the answers.

        There is none of more than 100 classes, in which nobody could find anything.
        """
        classes = len(self.spec.class_names)
        if classes > MOST_CLASSES:
            return {}
        matrix = np.zeros((classes, classes), int)
        for chunk in dataset.split(split).chunks(1024):
            answers = self.predict(model, chunk.inputs).argmax(axis=-1)
            np.add.at(matrix, (chunk.targets, answers), 1)
        return {"confusion_matrix": matrix.tolist()}

    def draw(self, values: dict[str, Any], model: Any, folder: Path) -> list[Path]:
        """Draw the confusion matrix where there is one."""
        from zoo.figures import confusion_matrix

        if "confusion_matrix" not in values:
            return []
        path = folder / "confusion_matrix.png"
        confusion_matrix(np.array(values["confusion_matrix"]), self.spec.class_names, path)
        return [path]
