"""Classification of images, tables and texts: one of several classes for each example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.label import Label
from zoo.tasks.base import Score, Task

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

MOST_CLASSES = 100
"""The most classes for which a confusion matrix is drawn."""
WORST = 24
"""Examples that are kept as the worst errors."""


class Classification(Task):
    """Models that answer with a probability for each class, or with one for the second of two."""

    reads: ClassVar[tuple[str, ...]] = ("pixels", "numbers")
    answers = "class"
    scores: ClassVar[tuple[Score, ...]] = (Score("accuracy", higher_is_better=True),)
    headline = "accuracy"
    output = "probabilities"

    @property
    def label(self) -> Label:
        """The target column."""
        return cast("Label", self.spec.features[self.targets[0]])

    def builder_arguments(self) -> dict[str, Any]:
        """Return the input's arguments and the number of classes."""
        return {**super().builder_arguments(), "classes": self.label.classes}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy and accuracy."""
        two = self.label.classes == 2
        loss = "binary_crossentropy" if two else "sparse_categorical_crossentropy"
        return {"loss": loss, "weighted_metrics": ["accuracy"]}

    def require_soft_targets(self) -> None:
        """Raise a `UsageError` where the loss takes the number of one class, or a side."""
        loss = self.loss or self.compile_arguments()["loss"]
        if any(word in loss.lower() for word in ("sparse", "hinge")):
            two = self.label.classes == 2
            raise UsageError(
                f"mixup and cutmix make targets of shares, which {loss} does not take; "
                f"try --set loss={'Binary' if two else 'Categorical'}Crossentropy"
            )

    def class_weights(self, dataset: Dataset) -> dict[int, float]:
        """Return N / (classes · frequency) for each class."""
        counts = np.zeros(self.label.classes, np.int64)
        for chunk in dataset.split("train").column(self.targets[0]):
            counts += np.bincount(chunk, minlength=len(counts))
        total = int(counts.sum())
        return {
            at: total / (len(counts) * count) for at, count in enumerate(counts.tolist()) if count
        }

    def soft_metrics(self, metrics: list[Any]) -> list[Any]:
        """Return metrics in which the accuracy of one output compares shares."""
        if self.label.classes != 2:
            return metrics
        from zoo.layers.metrics import SoftBinaryAccuracy

        return [SoftBinaryAccuracy() if metric == "accuracy" else metric for metric in metrics]

    def answer(self, outputs: Any) -> Any:
        """Return probabilities (B, classes); one for the second class is made into two."""
        import keras

        if outputs.shape[-1] > 1:
            return outputs
        return keras.ops.concatenate([1.0 - outputs, outputs], axis=-1)

    def serving_outputs(self, answers: Any) -> dict[str, Any]:
        """Return probabilities (B, classes), and the most probable class by number and name."""
        import tensorflow as tf

        best = tf.argmax(answers, axis=-1)
        names = tf.constant(self.label.names)
        return {"probabilities": answers, "class_ids": best, "labels": tf.gather(names, best)}

    def score_served(
        self, outputs: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> tuple[Score, float] | None:
        """Return the accuracy."""
        if "class_ids" not in outputs:
            return None
        right = outputs["class_ids"] == raw[self.targets[0]]
        return self.scores[0], float(np.mean(right))

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return classes as numbers or, for losses that need it, one-hot."""
        import tensorflow as tf

        targets = encoded[self.targets[0]]
        if self.loss is None or self.label.classes == 2 or "sparse" in self.loss.lower():
            return targets
        return tf.one_hot(targets, self.label.classes)

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example its class, and the `top_k` most probable with probabilities."""
        rows = []
        for probabilities in answers:
            order = np.argsort(-probabilities, kind="stable")[:top_k]
            ranked = [
                {"class": self.label.names[at], "probability": float(probabilities[at])}
                for at in order
            ]
            rows.append({**ranked[0], "top": ranked})
        return rows

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the confusion matrix and the worst errors.

        In the matrix, rows are the true classes and columns the answers. It is left out for more
        than 100 classes: it would be unreadable. An error is worse the surer the model was of it.
        """
        classes = self.label.classes
        matrix = np.zeros((classes, classes), int)
        worst: list[dict[str, Any]] = []
        place = 0
        for answers, targets in self.answered(predictor, dataset, split):
            truth, said = targets[self.targets[0]], answers.argmax(axis=-1)
            np.add.at(matrix, (truth, said), 1)
            for at in np.flatnonzero(truth != said):
                worst.append(
                    {
                        "place": place + int(at),
                        "truth": self.label.names[truth[at]],
                        "answer": self.label.names[said[at]],
                        "probability": float(answers[at, said[at]]),
                    }
                )
            worst = sorted(worst, key=lambda one: -one["probability"])[:WORST]
            place += len(truth)
        values: dict[str, Any] = {"worst_errors": {"split": split, "examples": worst}}
        if classes <= MOST_CLASSES:
            values["confusion_matrix"] = matrix.tolist()
        return values

    def by_class(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a row for each class that was asked for or answered."""
        if "confusion_matrix" not in values:
            return []
        matrix = np.array(values["confusion_matrix"])
        rows = []
        for at, name in enumerate(self.label.names):
            examples, right = int(matrix[at].sum()), int(matrix[at, at])
            others = matrix[at].copy()
            others[at] = 0
            taken = {
                self.label.names[other]: int(others[other])
                for other in np.argsort(-others, kind="stable")[:3]
                if others[other]
            }
            if examples or matrix[:, at].any():
                answered = int(matrix[:, at].sum())
                rows.append(
                    {
                        "class": name,
                        "examples": examples,
                        "right": right,
                        "recall": right / examples if examples else None,
                        "precision": right / answered if answered else None,
                        "taken_for": taken,
                    }
                )
        return rows

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the confusion matrix and, of images, the worst errors."""
        from zoo.runs.figures import confusion_matrix

        if "confusion_matrix" in values:
            matrix = np.array(values["confusion_matrix"])
            confusion_matrix(matrix, self.label.names, folder / "confusion_matrix.png")
        if self._image is not None and "worst_errors" in values:
            self.draw_worst(values, dataset, folder / "worst_errors.png")

    @property
    def _image(self) -> str | None:
        """The input column that holds images, or None."""
        return next((name for name, one in self.asked.items() if one.pixels is not None), None)

    def require_worst(self) -> None:
        """Raise a `UsageError` unless images are sorted into classes."""
        if self._image is None:
            super().require_worst()

    def draw_worst(self, values: dict[str, Any], dataset: Dataset, path: Path) -> bool:
        """Draw the images that were taken for another class, those first that were surest."""
        worst = values["worst_errors"]
        places = [one["place"] for one in worst["examples"]]
        found = dataset.split(worst["split"]).examples(places) if places else None
        if found is None or self._image is None:
            return False
        from zoo.runs.pictures import worst_errors

        titles = [
            f"{one['truth']} → {one['answer']}\n{one['probability']:.2f}"
            for one in worst["examples"]
        ]
        feature = self.spec.features[self._image]
        shown = [feature.decode(feature.encode(one[self._image])) for one in found]
        worst_errors(np.concatenate(shown), titles, path)
        return True


class ImageClassification(Classification):
    """Classification by networks that read images only."""

    reads = ("pixels",)


class TextClassification(Classification):
    """Classification by networks that read tokens."""

    reads = ("tokens",)


class SeriesClassification(Classification):
    """Classification by networks that read series."""

    reads = ("series",)
    example_models = ("gru",)
