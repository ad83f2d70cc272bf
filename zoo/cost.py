"""What a built model costs: parameters and multiply-adds."""

from __future__ import annotations

import math
from typing import Any

import keras

from zoo.layers.side_outputs import answer_only

# Their weights scale and shift or are looked up; nothing is multiplied and added up.
_FREE = (keras.layers.Embedding, keras.layers.BatchNormalization)
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def trainable_parameters(model: Any) -> int:
    """Return the number of trainable parameters."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def multiply_adds(model: Any) -> int:
    """Return the multiply-adds of one forward pass of one example, over all networks of a model.

    Every weight that is a matrix or a stack of kernels is used once at each position of its
    layer's output: once by a dense layer, at each pixel by a convolution, at each time step by a
    recurrent layer. A layer that uses them otherwise says so in its own ``multiply_adds``. What
    only training uses is not counted, nor are normalisation, pooling and activations, as is usual.
    """
    return sum(_layer(layer) for layer in answer_only(model).layers)


def _layer(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, _FREE):
        return 0
    own = getattr(layer, "multiply_adds", None)
    if own is not None:
        return int(own())
    matrices = sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
    return matrices * _positions(layer) if matrices else 0


def _positions(layer: Any) -> int:
    """Return how many positions share the layer's weights."""
    if isinstance(layer, _RECURRENT):
        inputs = layer.input  # with a mask, a list of the two
        return int((inputs[0] if isinstance(inputs, list) else inputs).shape[1])
    try:
        # A transposed convolution spreads each pixel of its input.
        shape = (layer.input if isinstance(layer, _TRANSPOSED) else layer.output).shape
    except AttributeError:  # a subclassed model's layer: it was built, but not by symbols
        return 1
    return math.prod(size for size in shape[1:-1] if size) if len(shape) > 2 else 1
