"""Image files decoded in the graph: the common formats by TensorFlow's own code, others by Pillow.

TensorFlow's decoders run side by side; Pillow waits for Python's lock now and then. But only Pillow
knows WebP on every version, turned photographs (EXIF), palettes, transparency, CMYK and 16 bits.
`zoo.datasets.features.pictures.plain_format` says which file needs which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.features.pictures import image


def decoded(path: Any, form: Any, *, channels: int) -> Any:
    """Return an image file's bytes (height, width, channels), uint8.

    Args:
        path: () string.
        form: () int32, the place of its format in `pictures.FORMS`; `PILLOW` for all others.
        channels: 1 or 3.
    """
    content = tf.io.read_file(path)

    def by_pillow() -> Any:
        def read(content: Any, path: Any) -> np.ndarray:
            name = _bytes(path).decode("utf-8", "surrogateescape")
            pixels = image(_bytes(content), name, grey=channels == 1)[0]
            return np.round(255.0 * pixels).astype(np.uint8)

        return tf.numpy_function(read, [content, path], tf.uint8)

    def jpeg() -> Any:  # as exact as Pillow's
        return tf.io.decode_jpeg(content, channels=channels, dct_method="INTEGER_ACCURATE")

    def png() -> Any:
        return tf.io.decode_png(content, channels=channels)

    pixels = tf.switch_case(form, [by_pillow, jpeg, png], default=by_pillow)
    return tf.ensure_shape(pixels, (None, None, channels))


def _bytes(value: Any) -> bytes:
    """Return bytes; outside a graph TensorFlow hands over an array of no axes instead."""
    return value if isinstance(value, bytes) else bytes(value.item())
