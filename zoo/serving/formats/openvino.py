"""OpenVINO's files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.optional import require_package
from zoo.serving import unrolling
from zoo.serving.formats import Inputs, Run

if TYPE_CHECKING:
    from zoo.serving.served import Served

FILE = "model.xml"
PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}
"""By itself OpenVINO computes in bfloat16 where the processor can, and is off by up to 1e-2."""


def write(served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
    """Write the portable signature by Keras's exporter; ``"float16"`` keeps 16-bit weights."""
    require_package("openvino", "export")
    runtime()
    file = folder / FILE
    served.module(served.inputs(served.portable, 1))  # build it
    specs = served.module.input_specs()

    def export() -> None:
        served.module.export(str(file), format="openvino", input_signature=specs, verbose=False)
        load(folder)

    notes = unrolling.written(served.network, "OpenVINO", export)
    if quantize == "float16":
        openvino = runtime()
        whole = openvino.Core().read_model(file)
        openvino.save_model(whole, folder / "half.xml", compress_to_fp16=True)
        for suffix in (".xml", ".bin"):
            (folder / f"half{suffix}").replace(file.with_suffix(suffix))
        notes["quantized"] = quantize
    return {"left_out": served.portable.left_out, **notes}


def load(folder: Path) -> Run:
    """Return a function that asks OpenVINO, in 32 bits."""
    openvino = runtime()
    compiled = openvino.Core().compile_model(str(folder / FILE), "CPU", PRECISION)

    def run(signature: str, inputs: Inputs) -> dict[str, np.ndarray]:
        answers = compiled(dict(inputs))
        return {output.get_any_name(): np.array(answers[output]) for output in compiled.outputs}

    return run


def runtime() -> Any:
    """Return the openvino package, imported without its telemetry.

    It would report its use over the network, from a forked process that hangs and outlives this
    one. Where the package of telemetry is missing, OpenVINO does without it.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
