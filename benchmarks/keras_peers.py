"""The zoo's networks in Keras's own layers, as they are usually written."""

from __future__ import annotations

from typing import Any

import keras

from zoo.layers.normalization import BatchNormalization
from zoo.models.resnet import IdentityShortcut


class SlicedShortcut(IdentityShortcut):
    """Option A's shortcut with a slice in place of pooling over single pixels."""

    def call(self, inputs: Any) -> Any:
        """Return (B, ceil(H / strides), ceil(W / strides), filters)."""
        x = inputs[:, :: self.strides, :: self.strides, :]
        return keras.ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, self.filters - x.shape[-1]]])


PLAIN = {
    BatchNormalization: keras.layers.BatchNormalization,
    IdentityShortcut: SlicedShortcut,
}


def plain_copy(model: Any) -> Any:
    """Return the model with Keras's own layers in place of dlzoo's, and the same weights."""

    def plain(layer: Any) -> Any:
        kind = PLAIN.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy
