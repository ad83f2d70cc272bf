"""Weights trained on ImageNet, as keras.applications publishes them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from zoo.base.errors import DlzooError, UsageError
from zoo.weights.files import Saved

# The models with published weights, and their functions in keras.applications.
IMAGENET = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
}
# The epsilon of batch normalisation: in keras.applications, and in zoo.models (as in Caffe).
THEIR_EPSILON, OUR_EPSILON = 1.001e-5, 1e-5


def download(model: str) -> dict[str, Saved]:
    """Return a network's weights from keras.applications, which downloads and caches them.

    Raises:
        DlzooError: They cannot be downloaded.
    """
    import keras

    make = getattr(keras.applications, IMAGENET[model])
    try:
        with redirect_stdout(sys.stderr):  # the progress bar does not belong on stdout
            network = make(weights="imagenet")
    except Exception as error:
        raise DlzooError(f"cannot get the imagenet weights of {model}: {error}") from error
    return {
        layer.name: {"": {str(at): weight.numpy() for at, weight in enumerate(layer.weights)}}
        for layer in network.layers
        if layer.weights
    }


def is_from_keras_applications(saved: Mapping[str, Saved]) -> bool:
    """Return whether layers are named as in keras.applications."""
    return "predictions" in saved or any(name.endswith("_bn") for name in saved)


def converted(theirs: Mapping[str, Saved]) -> dict[str, Saved]:
    """Return keras.applications' weights as the zoo's model of the same name needs them.

    The convolutions of keras.applications have a bias before each normalisation; the paper's have
    none. Normalising ``x + bias`` equals normalising ``x`` with the bias subtracted from the mean.
    The difference between the two epsilons is added to the variance.

    Raises:
        UsageError: The weights are of another network.
    """
    found: dict[str, Saved] = {}
    for name, saved in theirs.items():
        ours = re.sub(r"^(conv\d_block\d+)_0_", r"\1_shortcut_", name)
        own = saved.get("", {})
        if name == "predictions":
            found |= _converted_head(own)
        elif name.endswith("_bn"):
            convolution = theirs.get(name.replace("_bn", "_conv"), {}).get("", {})
            if "1" not in convolution or len(own) != 4:
                raise UsageError(
                    f"these weights are not of the same network in keras.applications: {name} does "
                    "not follow a convolution with a bias"
                )
            gamma, beta, mean, variance = (own[str(at)][...] for at in range(4))
            mean = mean - convolution["1"][...]
            variance = variance + (THEIR_EPSILON - OUR_EPSILON)
            arrays = (gamma, beta, mean, variance)
            found[ours.replace("_bn", "_norm")] = {"": {str(i): a for i, a in enumerate(arrays)}}
        elif name.endswith("_conv") and name.replace("_conv", "_bn") in theirs:
            found[ours] = {"": {"0": own["0"]}}
        else:
            found[ours] = saved
    return found


def _converted_head(own: Mapping[str, Any]) -> dict[str, Saved]:
    """Return the weights of the last layer."""
    if own["0"].shape[-1] != 2:
        return {"probabilities": {"": own}}
    # A softmax over two classes is a sigmoid of the difference, see zoo.layers.heads.
    pairs = {at: array[...] for at, array in own.items()}
    return {"probability": {"": {at: p[..., 1:] - p[..., :1] for at, p in pairs.items()}}}
