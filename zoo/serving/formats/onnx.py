"""An ONNX file, for ONNX Runtime."""

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

FILE = "model.onnx"
SPIN = "100"
"""Microseconds that threads wait busily for the next operation. By default they go on for longer
after an answer: LeNet-5's answers took a server nearly twice the processor time."""


def write(served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
    """Write the portable signature by Keras's exporter, quantized where that is asked for.

    ``"dynamic"`` keeps weights as 8-bit numbers and measures activations as they come; ``"int8"``
    measures activations on the examples.
    """
    require_package("tf2onnx", "export")
    specs = served.module.input_specs()
    file = folder / FILE
    served.module(served.inputs(served.portable, 1))  # build it

    def export() -> None:
        served.module.export(str(file), format="onnx", input_signature=specs, verbose=False)
        load(folder)

    notes = unrolling.written(served.network, "ONNX", export)
    if quantize is not None:
        _quantize(served, file, quantize)
        notes["quantized"] = quantize
    return {"left_out": served.portable.left_out, **notes}


def _quantize(served: Served, file: Path, how: str) -> None:
    from onnxruntime import quantization

    whole = file.with_suffix(".whole.onnx")
    file.replace(whole)
    try:
        if how == "dynamic":
            quantization.quantize_dynamic(whole, file)
        else:
            prepared = file.with_suffix(".prepared.onnx")
            # Its symbolic inference of shapes fails on a batch of any size.
            quantization.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
            quantization.quantize_static(prepared, file, _Calibration(served))
            prepared.unlink()
    finally:
        whole.unlink()


class _Calibration:
    """Examples, one at a time, as ONNX Runtime's quantization reads them."""

    def __init__(self, served: Served) -> None:
        inputs = served.inputs(served.portable, 128)
        size = len(next(iter(inputs.values())))
        self.rows: Iterator[dict[str, np.ndarray]] = iter(
            [{name: one[at : at + 1] for name, one in inputs.items()} for at in range(size)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.rows, None)


def load(folder: Path) -> Run:
    """Return a function that asks ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN)
    session = onnxruntime.InferenceSession(
        str(folder / FILE), options, providers=onnxruntime.get_available_providers()
    )
    names = [one.name for one in session.get_outputs()]

    def run(signature: str, inputs: Inputs) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return run
