"""Averages of a network's weights over its training."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_shares


@keras.saving.register_keras_serializable("dlzoo")
class WeightAverages(layers.Layer):
    """Exponential averages of the trainable weights of a network (Ho et al. 2020, appendix B).

    They are weights of a layer, so that every checkpoint has them beside the weights themselves: a
    training that goes on from one goes on to the bit. Keras's own, ``use_ema`` of an optimizer, is
    copied over the weights at a training's end, which therefore could not go on.

    Args:
        momentum: The share of the average that a step keeps. In the first n steps it is at most
            (1 + n) / (10 + n), so that the initial weights are soon forgotten.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, momentum: float, **arguments: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **arguments)
        require_shares(momentum=momentum)
        self.momentum = momentum

    def follow(self, network: Any) -> None:
        """Make an average of each trainable weight of a network, equal to the weight."""
        for weight in network.trainable_variables:
            self.add_weight(
                name=weight.path.replace("/", "_"),
                shape=weight.shape,
                initializer=lambda shape, dtype, weight=weight: ops.convert_to_tensor(weight),
                trainable=False,
                aggregation="only_first_replica",  # replicas have the same weights
            )
        self.built = True

    def update(self, weights: list[Any], step: Any) -> None:
        """Move the averages towards the weights, given in the order of `follow`.

        Args:
            weights: Of the network.
            step: How many steps it has been trained, an integer tensor.
        """
        done = ops.cast(step, "float32")
        kept = ops.minimum(self.momentum, (1.0 + done) / (10.0 + done))
        for average, weight in zip(self.weights, weights, strict=True):
            average.assign(kept * average + (1.0 - kept) * weight)

    def instead_of(self, weights: list[Any]) -> Any:
        """Return a context in which the network computes with the averages."""
        pairs = zip(weights, self.weights, strict=True)
        return keras.StatelessScope([(weight, average.value) for weight, average in pairs])

    def call(self, inputs: Any) -> Any:
        """Return the inputs unchanged."""
        return inputs

    def multiply_adds(self) -> int:
        """Return 0: they are used in the place of weights that are counted."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "momentum": self.momentum}
