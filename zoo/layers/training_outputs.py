"""Models with outputs used only by the training loss: auxiliary classifiers, reconstructions."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlzoo")
class ManyOutputs(keras.Model):
    """A functional model of several outputs: the first is the answer, only training uses the rest.

    In training it returns the list of all outputs, otherwise the answer alone. A subclass computes
    its loss in `compute_loss` and gets the list as `y_pred` in training, the answer alone in
    evaluation; `split_outputs` takes both. Metrics see the answer alone. A model that is built with
    one output returns it always.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return all outputs in training, and the answer alone otherwise."""
        outputs = super().call(inputs, training=training, mask=mask)
        return outputs if training else split_outputs(outputs)[0]

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        """Return the shapes and types of what `call` returns."""
        outputs = super().compute_output_spec(inputs, training=training, mask=mask)
        return outputs if training else split_outputs(outputs)[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the answer."""
        # A shape is a tuple, several shapes are a list of tuples.
        shapes = super().compute_output_shape(input_shape)
        return shapes[0] if isinstance(shapes, list) else shapes

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the compiled loss of the answer, plus regularization losses."""
        answer, _ = split_outputs(y_pred)
        return super().compute_loss(x, y, answer, sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the compiled metrics by the answer, and return all metrics' values."""
        answer, _ = split_outputs(y_pred)
        return super().compute_metrics(x, y, answer, sample_weight)


def split_outputs(outputs: Any) -> tuple[Any, list[Any]]:
    """Return the answer, and the list of outputs that only training uses (perhaps empty)."""
    if isinstance(outputs, list | tuple):
        return outputs[0], list(outputs[1:])
    return outputs, []


def answer_only(model: Any) -> Any:
    """Return the model that is served and whose costs are counted.

    For a `ManyOutputs` this is a network from the inputs to the answer, without the layers that
    only training uses; it shares its layers and weights with `model`. Any other model is returned
    unchanged.
    """
    if not isinstance(model, ManyOutputs) or len(model.outputs) == 1:
        return model
    return keras.Model(model.input, model.outputs[0], name=model.name)
