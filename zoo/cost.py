"""What a built model costs: parameters, multiply-adds and depth."""

from __future__ import annotations

import math
from typing import Any

import keras

from zoo.layers.side_outputs import answer_only

# Their weights scale and shift or are looked up; nothing is multiplied and added up.
_FREE = (keras.layers.Embedding, keras.layers.BatchNormalization)
# Not counted in a depth: a look-up computes nothing, and normalisations rescale what a layer made.
_NOT_COUNTED = (
    keras.layers.Embedding,
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
)
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
    return sum(layer_multiply_adds(layer) for layer in answer_only(model).layers)


def layer_multiply_adds(layer: Any) -> int:
    """Return a layer's part of `multiply_adds`; a layer may be a network itself."""
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


def depth(model: Any) -> int:
    """Return the layers with weights on the longest way from a model's input to its answer.

    Convolutions, dense and recurrent layers count, and whatever else has weights of its own, once
    for each time that the way goes through it; normalisation and embeddings do not. So ResNet-50
    has 50, and LeNet-5 as published has the paper's 7, for its sub-sampling is trained. Networks
    that a model keeps side by side count in a row: a VAE is its encoder and then its decoder.
    """
    model = answer_only(model)
    if not hasattr(model, "_nodes_by_depth"):  # layers in a row, or networks of a subclassed model
        return sum(_own_depth(layer) for layer in model.layers)
    longest: dict[int, int] = {}
    for level in sorted(model._nodes_by_depth, reverse=True):  # Keras counts from the output
        for node in model._nodes_by_depth[level]:
            before = max((longest.get(id(tensor), 0) for tensor in node.input_tensors), default=0)
            for tensor in node.outputs:
                longest[id(tensor)] = before + _own_depth(node.operation)
    return max(longest[id(tensor)] for tensor in model.outputs)


def _own_depth(operation: Any) -> int:
    if isinstance(operation, keras.Model):
        return depth(operation)
    return int(bool(getattr(operation, "weights", ())) and not isinstance(operation, _NOT_COUNTED))
