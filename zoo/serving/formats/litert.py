"""A LiteRT (TensorFlow Lite) file, for phones and small devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.optional import require_package
from zoo.serving import unrolling
from zoo.serving.formats import Inputs, Run

if TYPE_CHECKING:
    from zoo.serving.served import Served

FILE = "model.tflite"
CALIBRATED_ON = 128
"""Examples by which the ranges of 8-bit activations are measured."""


def write(served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
    """Write the portable signature by Keras's exporter, of LiteRT's own operations alone.

    Loops of recurrent layers need a fixed number of rows: such a model answers one row at a time.

    ``"dynamic"`` keeps weights as 8-bit numbers, ``"float16"`` as 16-bit ones, and ``"int8"``
    computes in 8 bits, measured on the examples.
    """
    require_package("ai_edge_litert", "export")
    import tensorflow as tf

    file = folder / FILE
    served.module(served.inputs(served.portable, 1))  # build it
    options: dict[str, Any] = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
    if quantize is not None:
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        options["target_spec"]["supported_types"] = [tf.float16]
    if quantize == "int8":
        options["representative_dataset"] = lambda: _rows(served)

    def export(batch: int | None) -> None:
        specs = served.module.input_specs(batch)
        served.module.export(
            str(file), format="litert", input_signature=specs, verbose=False, **options
        )

    try:
        export(None)
        notes: dict[str, Any] = {}
    except Exception:  # the converter raises its own, of several kinds
        # Unrolled for any number of rows, LiteRT 2.3 answers wrongly: an LSTM was off by 0.03.
        notes = {**unrolling.written(served.network, "LiteRT", lambda: export(1)), "batch": 1}
    if quantize is not None:
        notes["quantized"] = quantize
    return {"left_out": served.portable.left_out, **notes}


def _rows(served: Served) -> Iterator[dict[str, np.ndarray]]:
    inputs = served.inputs(served.portable, CALIBRATED_ON)
    for at in range(len(next(iter(inputs.values())))):
        yield {name: one[at : at + 1] for name, one in inputs.items()}


def load(folder: Path) -> Run:
    """Return a function that asks LiteRT's interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / FILE))
    ask = interpreter.get_signature_runner()
    fixed = any(one["shape_signature"][0] == 1 for one in interpreter.get_input_details())

    def run(signature: str, inputs: Inputs) -> dict[str, np.ndarray]:
        size = len(next(iter(inputs.values())))
        if not fixed or size == 1:
            return {name: np.array(one) for name, one in ask(**inputs).items()}
        rows = [
            {name: np.array(one) for name, one in ask(**_row(inputs, at)).items()}
            for at in range(size)
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return run


def _row(inputs: Inputs, at: int) -> dict[str, np.ndarray]:
    return {name: one[at : at + 1] for name, one in inputs.items()}
