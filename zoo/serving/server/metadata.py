"""What a client can ask of a model's signatures, as TensorFlow Serving says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.serving.server.engine import Loaded, Tensor

DTYPES = {
    "float32": "DT_FLOAT",
    "float16": "DT_HALF",
    "float64": "DT_DOUBLE",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "uint8": "DT_UINT8",
    "string": "DT_STRING",
    "bool": "DT_BOOL",
}


def metadata(model: Loaded) -> dict[str, Any]:
    """Return a model's signatures as the interface describes them."""
    # A SavedModel has the first signature under this name, too.
    signatures = {"serving_default": model.signatures[model.default], **model.signatures}
    return {
        "model_spec": {"name": model.name, "signature_name": "", "version": str(model.version)},
        "metadata": {
            "signature_def": {
                "signature_def": {
                    name: {
                        "inputs": _infos(name, one.inputs),
                        "outputs": _infos("StatefulPartitionedCall", one.outputs),
                        "method_name": "tensorflow/serving/predict",
                    }
                    for name, one in signatures.items()
                }
            }
        },
    }


def _infos(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        name: {
            "dtype": DTYPES[one.dtype],
            "tensor_shape": {
                "dim": [
                    {"size": str(-1 if side is None else side), "name": ""} for side in one.shape
                ],
                "unknown_rank": False,
            },
            "name": f"{prefix}_{name}:0",
        }
        for name, one in tensors.items()
    }
