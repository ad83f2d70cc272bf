"""What a built model costs: parameters, multiply-adds and depth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras

from zoo.layers.averages import WeightAverages
from zoo.layers.diffusion_generators import Sampler
from zoo.layers.embeddings import LearnedPositions
from zoo.layers.input_scales import InputScales
from zoo.layers.training_outputs import answer_only
from zoo.layers.words import Unigrams

# Layers whose weights are looked up, or only scale and shift: no multiply-adds.
_FREE = (keras.layers.Embedding, keras.layers.BatchNormalization)
# Layers that a depth leaves out: a look-up computes nothing, normalisation only rescales.
_NOT_COUNTED = (
    keras.layers.Embedding,
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
    InputScales,
    LearnedPositions,
    Unigrams,
    WeightAverages,
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
    recurrent layer. A layer with another rule has a method ``multiply_adds`` of its own. Layers
    that only training uses are not counted; nor, as usual, are normalisation, pooling and
    activations. An axis of unknown size counts as 1.
    """
    return sum(layer_multiply_adds(layer) for layer in answer_only(model).layers)


def layer_multiply_adds(layer: Any) -> int:
    """Return a layer's part of `multiply_adds`; a layer may be a network itself."""
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, Sampler):
        return layer.passes * multiply_adds(layer.model)
    own = getattr(layer, "multiply_adds", None)
    if own is not None:
        return int(own())
    if isinstance(layer, _FREE):
        return 0
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return _attention_multiply_adds(layer)
    kernels = [w for w in layer.weights if len(w.shape) > 1 and w.name != "bias"]
    return sum(math.prod(w.shape) for w in kernels) * _positions(layer) if kernels else 0


def _attention_multiply_adds(layer: Any) -> int:
    """Return the four projections', the scores' and the weighted sums' multiply-adds."""
    shapes = layer.get_build_config()["shapes_dict"]
    queries = _product(shapes["query_shape"][1:-1])
    values = _product(shapes["value_shape"][1:-1])
    kernels = {w.path.split("/")[-2]: w.shape for w in layer.weights if w.name == "kernel"}
    projections = queries * math.prod(kernels["query"]) + values * math.prod(kernels["key"])
    projections += values * math.prod(kernels["value"])
    projections += queries * math.prod(kernels["attention_output"])
    # Kernels are (features, heads, size): each pair of positions has a score and a term of a sum.
    pairs = queries * values * (_product(kernels["query"][1:]) + _product(kernels["value"][1:]))
    return int(projections + pairs)


def _positions(layer: Any) -> int:
    """Return how many positions share the layer's weights."""
    if isinstance(layer, _RECURRENT):
        shape = input_shape(layer)
        return _product(shape[1:2])
    if isinstance(layer, keras.layers.EinsumDense):
        return _einsum_positions(layer.equation, input_shape(layer))
    # A transposed convolution spreads each pixel of its input.
    transposed = isinstance(layer, _TRANSPOSED)
    return _product((input_shape if transposed else output_shape)(layer)[1:-1])


def _einsum_positions(equation: str, shape: tuple[int | None, ...]) -> int:
    """Return the product of an input's axes that the kernel does not have, without the batch."""
    labels, kernel = equation.partition("->")[0].split(",")
    before, _, after = labels.partition("...")
    if "..." in labels:
        labels = before + "." * (len(shape) - len(before) - len(after)) + after
    pairs = list(zip(labels, shape, strict=True))[1:]
    return _product([size for label, size in pairs if label not in kernel])


def _product(sizes: Iterable[int | None]) -> int:
    """Return the product of the sizes that are known."""
    return math.prod(size for size in sizes if size)


def input_shape(layer: Any) -> tuple[int | None, ...]:
    """Return the shape of a built layer's first input, with the batch axis; () if unknown."""
    try:
        found = layer.input  # with a mask, a list of the two
    except AttributeError:  # a layer of a subclassed model: it was not called on symbolic tensors
        built = layer.get_build_config() or {}
        shape = built.get("input_shape") or next(iter(built.get("shapes_dict", {}).values()), ())
        return tuple(shape)
    return tuple((found[0] if isinstance(found, list | tuple) else found).shape)


def output_shape(layer: Any) -> tuple[int | None, ...]:
    """Return the shape of a built layer's first output, with the batch axis; () if unknown."""
    try:
        found = layer.output
    except AttributeError:
        pass
    else:
        return tuple((found[0] if isinstance(found, list | tuple) else found).shape)
    known = input_shape(layer)
    if not known:
        return ()
    try:
        shapes = layer.compute_output_shape(known)
    except Exception:  # a layer's own code, which may not be able to tell
        return ()
    return tuple(shapes[0] if isinstance(shapes, list) else shapes)


def depth(model: Any) -> int:
    """Return the layers with weights on the longest path from a model's input to its answer.

    Every layer with weights counts, except normalisation and embeddings; a layer that the path
    passes several times counts each time. So ResNet-50 has 50, and LeNet-5 as published has the
    paper's 7, because its sub-sampling is trained. The networks of a subclassed model count one
    after the other: a VAE is its encoder, then its decoder.
    """
    model = answer_only(model)
    if not hasattr(model, "_nodes_by_depth"):  # layers in a row, or networks of a subclassed model
        return sum(_own_depth(layer) for layer in model.layers)
    longest: dict[int, int] = {}
    for level in sorted(model._nodes_by_depth, reverse=True):  # Keras counts levels from the output
        for node in model._nodes_by_depth[level]:
            before = max((longest.get(id(tensor), 0) for tensor in node.input_tensors), default=0)
            for tensor in node.outputs:
                longest[id(tensor)] = before + _own_depth(node.operation)
    return max(longest[id(tensor)] for tensor in model.outputs)


def _own_depth(operation: Any) -> int:
    if isinstance(operation, keras.Model):
        return depth(operation)
    return int(bool(getattr(operation, "weights", ())) and not isinstance(operation, _NOT_COUNTED))
