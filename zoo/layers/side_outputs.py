"""Outputs that only the loss wants: auxiliary classifiers, reconstructions."""

from __future__ import annotations

import threading
from typing import Any

import keras


@keras.saving.register_keras_serializable("dlzoo")
class SideOutputs(keras.layers.Layer):
    """Takes [answer, *others] and returns the answer; `take` gives the others to the loss.

    So a model answers with one tensor whoever calls it, and its `compute_loss` still sees what
    hangs beside. Replicas of a mirrored training run in threads: each has its own.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, autocast=False)  # what passes stays of its own precision
        self._kept = threading.local()

    def call(self, inputs: list[Any]) -> Any:
        """Return the first of the inputs, of whatever shape it is."""
        answer, *self._kept.others = inputs
        return answer

    def compute_output_spec(self, inputs: list[Any]) -> Any:
        """Return the first input's shape and type."""
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)

    def take(self) -> list[Any]:
        """Return the other inputs of this thread's last call, once."""
        others: list[Any] = self._kept.others
        self._kept.others = []
        return others


def side_outputs(model: Any) -> SideOutputs | None:
    """Return a model's layer of side outputs, or None."""
    found = (layer for layer in model.layers if isinstance(layer, SideOutputs))
    return next(found, None)


def answer_only(model: Any) -> Any:
    """Return the model without what only its training uses: what is served, and what is counted.

    The layers and their weights are shared with `model`.
    """
    layer = side_outputs(model)
    return model if layer is None else keras.Model(model.input, layer.input[0], name=model.name)
