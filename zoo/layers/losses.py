"""Losses of models that compute their own: reduced over a batch as Keras reduces its losses."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo.layers.checks import require_shares


class _Reduction(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


_mean = _Reduction(name="batch_mean", reduction="sum_over_batch_size", dtype="float32")
_sum = _Reduction(name="batch_sum", reduction="sum", dtype="float32")


class MeanOverReplicas(keras.losses.Loss):
    """A loss that is the mean over what all replicas weight (``mean_with_sample_weight``).

    Keras divides by what one replica weights, so that a replica with much padding would count as
    much as one with little.
    """

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss; on several replicas, this one's share."""
        loss = super().__call__(y_true, y_pred, sample_weight)
        context = tf.distribute.get_replica_context()
        if (
            sample_weight is None
            or self.reduction != "mean_with_sample_weight"
            or context is None
            or context.num_replicas_in_sync == 1
        ):
            return loss
        weights = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            weights = weights * ops.cast(mask, weights.dtype)
        own = ops.sum(weights)
        of_all = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
        return loss * context.num_replicas_in_sync * ops.divide_no_nan(own, of_all)


@keras.saving.register_keras_serializable("dlzoo")
class Crossentropy(MeanOverReplicas, keras.losses.SparseCategoricalCrossentropy):
    """Keras's cross-entropy of classes given as numbers, the same on any number of replicas."""


@keras.saving.register_keras_serializable("dlzoo")
class SmoothedCrossentropy(MeanOverReplicas):
    """Cross-entropy of classes given as numbers, with label smoothing (Szegedy et al. 2016).

    The target is 1 - `label_smoothing` for the true class, and the rest shared by all classes. It
    is the mean over what is weighted: padding, of weight 0, is not in the divisor. Keras's own
    smooths only targets that are given as shares.

    Args:
        label_smoothing: 0.1 in Vaswani et al. 2017, section 5.4.
        from_logits: Whether predictions are logits, not probabilities.
        reduction: As in `keras.losses.Loss`.
        name: Of the loss.
    """

    def __init__(
        self,
        label_smoothing: float = 0.1,
        from_logits: bool = False,
        reduction: str = "mean_with_sample_weight",
        name: str = "smoothed_crossentropy",
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        require_shares(label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the cross-entropies (...) of classes (...) and predictions (..., classes)."""
        classes = ops.cast(y_true, "int32")
        if self.from_logits:
            logs = ops.log_softmax(y_pred)
        else:
            logs = ops.log(ops.maximum(y_pred, keras.config.epsilon()))
        true = ops.take_along_axis(logs, classes[..., None], axis=-1)[..., 0]
        share = self.label_smoothing
        return -(1.0 - share) * true - share * ops.mean(logs, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "label_smoothing": self.label_smoothing,
            "from_logits": self.from_logits,
            "reduction": self.reduction,
            "name": self.name,
        }


def batch_mean(values: Any, sample_weight: Any = None) -> Any:
    """Return the mean of per-example losses; in `fit` on several replicas, this replica's share.

    Keras divides its own losses by the number of replicas, because their gradients are added up.
    A model that computes its own loss has to do the same; this uses Keras's own reduction.

    Args:
        values: Shape (B,).
        sample_weight: Shape (B,) or (B, 1), multiplied with the values; None is 1 for all. The
            divisor is the batch size, not the sum of the weights, as in Keras.
    """
    return _mean(values, values, _aligned(sample_weight, values))


def batch_sum(values: Any, sample_weight: Any = None) -> Any:
    """Return the sum of losses of shape (B, ...), weighted as in `batch_mean`.

    Replicas' gradients are added up, so that a sum needs no division.
    """
    return _sum(values, values, _aligned(sample_weight, values))


def penalties(model: Any) -> Any:
    """Return the sum of a model's regularization losses; on replicas, this replica's share."""
    values = [ops.cast(loss, "float32") for loss in model.losses]
    return sum(batch_mean(ops.reshape(value, (1,))) for value in values)


def _aligned(sample_weight: Any, values: Any) -> Any:
    """Return weights with as many axes as the values: (B, 1, ...)."""
    if sample_weight is None:
        return None
    return ops.reshape(sample_weight, (-1,) + (1,) * (len(values.shape) - 1))
