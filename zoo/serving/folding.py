"""Batch normalisations folded into the kernels before them, for answering.

After training, a normalisation is a product and a sum for each channel, and so is a part of the
convolution or dense layer before it: one layer less to compute. ONNX Runtime, OpenVINO and LiteRT
do the same when they load a network; TensorFlow does not for a SavedModel.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

KERNELS: tuple[type[Any], ...] = (keras.layers.Conv2D, keras.layers.Dense)
"""Layers whose last axis of the kernel is the output's channels."""


def folded(network: Any) -> Any:
    """Return a network that answers as `network` does, with fewer layers; itself if none can go.

    A normalisation goes where it follows a layer of `KERNELS` without an activation whose output
    nothing else reads. The other layers are copied with their weights.

    Args:
        network: A `keras.Model`. Only functional ones are folded.
    """
    # Subclasses may compute more in `call` than their graph of layers says.
    if type(network) is not keras.src.models.functional.Functional:
        return network
    pairs = _pairs(network)
    if not pairs:
        return network
    kernels = {kernel.name: norm for kernel, norm in pairs}
    norms = {norm.name for _, norm in pairs}

    def copied(layer: Any) -> Any:
        if layer.name in norms:
            return keras.layers.Identity(name=layer.name)
        config = layer.get_config()
        if layer.name in kernels:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        # An identity takes no mask and no training, as the normalisation did.
        return layer(args[0]) if layer.name in norms else layer(*args, **kwargs)

    found = keras.models.clone_model(network, clone_function=copied, call_function=called)
    for layer in network.layers:
        if layer.name in kernels:
            weights = _weights(layer, kernels[layer.name])
            found.get_layer(layer.name).set_weights(weights)
        elif layer.weights and layer.name not in norms:
            found.get_layer(layer.name).set_weights(layer.get_weights())
    return found


def _pairs(network: Any) -> list[tuple[Any, Any]]:
    """Return the layers that can be joined, each kernel with its normalisation."""
    outputs = {tensor._keras_history.operation for tensor in network.outputs}
    readers: dict[Any, list[Any]] = {}
    inside = {id(layer) for layer in network.layers}
    for layer in network.layers:
        for node in layer._inbound_nodes:
            for parent in node.parent_nodes:
                if id(parent.operation) in inside and layer not in readers.get(
                    parent.operation, []
                ):
                    readers.setdefault(parent.operation, []).append(layer)
    pairs = []
    for kernel, after in readers.items():
        joined = (
            isinstance(kernel, KERNELS)
            and len(after) == 1
            and isinstance(after[0], keras.layers.BatchNormalization)
            and kernel not in outputs
            and len(kernel._inbound_nodes) == len(after[0]._inbound_nodes) == 1
            and kernel.activation is keras.activations.linear
            and after[0].axis in (-1, len(after[0].input.shape) - 1)
        )
        if joined:
            pairs.append((kernel, after[0]))
    return pairs


def _weights(kernel: Any, norm: Any) -> list[np.ndarray]:
    """Return the kernel and the bias that do both layers' work, computed in 64 bits."""
    mean, variance = (
        np.asarray(one, np.float64) for one in (norm.moving_mean, norm.moving_variance)
    )
    scale = 1.0 / np.sqrt(variance + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * np.asarray(norm.gamma, np.float64)
    bias = np.asarray(kernel.bias, np.float64) if kernel.use_bias else np.zeros_like(mean)
    shift = (bias - mean) * scale
    if norm.beta is not None:
        shift = shift + np.asarray(norm.beta, np.float64)
    return [np.asarray(kernel.kernel, np.float64) * scale, shift]
