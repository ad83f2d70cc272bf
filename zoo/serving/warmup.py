"""Requests that TensorFlow Serving answers when it loads a version, before clients come.

The file is a TFRecord of ``tensorflow.serving.PredictionLog``. Its few fields are written here by
hand, so that dlzoo does not need tensorflow-serving-api; a test reads them with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

FILE = Path("assets.extra") / "tf_serving_warmup_requests"

# Field numbers of tensorflow_serving/apis: prediction_log.proto, predict.proto and model.proto.
_LOG_PREDICT = 6
_PREDICT_REQUEST = 1
_REQUEST_MODEL_SPEC, _REQUEST_INPUTS = 1, 2
_SPEC_NAME, _SPEC_SIGNATURE = 1, 3
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_BYTES = 2
"""The wire type of what has a length."""


def write_warmup(requests: Mapping[str, Mapping[str, np.ndarray]], folder: Path) -> None:
    """Write one request of one example for each example of each signature.

    Args:
        requests: Inputs (N, …) by name, by signature.
        folder: The SavedModel's.
    """
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            for one in _rows(inputs):
                writer.write(_log(signature, one))


def _rows(inputs: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    for at in range(len(next(iter(inputs.values())))):
        yield {name: values[at : at + 1] for name, values in inputs.items()}


def _log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    # The server fills in the model's name: it is the one that it loads.
    spec = _field(_SPEC_NAME, b"model") + _field(_SPEC_SIGNATURE, signature.encode())
    request = _field(_REQUEST_MODEL_SPEC, spec)
    for name, values in inputs.items():
        tensor = tf.make_tensor_proto(_bytes(values)).SerializeToString()
        entry = _field(_ENTRY_KEY, name.encode()) + _field(_ENTRY_VALUE, tensor)
        request += _field(_REQUEST_INPUTS, entry)
    return _field(_LOG_PREDICT, _field(_PREDICT_REQUEST, request))


def _bytes(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "U":
        return values
    return np.array([text.encode("utf-8") for text in values.ravel()], object).reshape(values.shape)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
