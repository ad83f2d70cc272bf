"""`dlzoo doctor`: versions, devices, memory, and what is missing for what."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any

import click

from cli.options import json_option
from cli.output import emit_json, facts, heading, hint
from zoo.environment import version, versions

# feature -> (packages, the command that adds them)
FEATURES = {
    "export to ONNX": (("onnx", "tf2onnx", "onnxruntime"), "pip install 'dlzoo[export]'"),
    "export to LiteRT": (("ai-edge-litert",), "pip install 'dlzoo[export]'"),
    "export to OpenVINO": (("openvino",), "pip install 'dlzoo[export]'"),
    "tests and checks": (("pytest", "ruff", "mypy"), "pip install 'dlzoo[dev]'"),
}


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Versions, devices, memory, free disk, and what is missing for which feature."""
    found = examine()
    if as_json:
        emit_json(found)
        return
    heading("versions")
    facts({"python": found["python"], **{k: v or "missing" for k, v in found["versions"].items()}})
    heading("machine")
    facts(
        {
            "platform": found["platform"],
            "processors": found["processors"],
            "devices": ", ".join(found["devices"]),
            "memory": f"{found['memory_free_gb']:.1f} GB free of {found['memory_gb']:.1f} GB",
            "disk": f"{found['disk_free_gb']:.1f} GB free here",
        }
    )
    heading("features")
    for name, state in found["features"].items():
        text = "ready" if state["ready"] else f"missing; add it with: {state['add']}"
        click.echo(f"{name}: {text}")
    hint("dlzoo train resnet --epochs 20")


def examine() -> dict[str, Any]:
    """Return what there is, as plain values."""
    from zoo.runtime import start_tensorflow

    tf = start_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    total, free = _memory()
    features = {
        name: {
            "ready": all(version(package) for package in packages),
            "missing": [package for package in packages if not version(package)],
            "add": add,
        }
        for name, (packages, add) in FEATURES.items()
    }
    features["training on GPUs"] = {
        "ready": bool(gpus),
        "missing": [] if gpus else ["a GPU that TensorFlow sees"],
        "add": "pip install 'dlzoo[gpu]', on a machine with an NVIDIA GPU and its driver",
    }
    return {
        "python": platform.python_version(),
        "versions": versions(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": [
            device.name.removeprefix("/physical_device:")
            for device in tf.config.list_physical_devices()
        ],
        "memory_gb": total,
        "memory_free_gb": free,
        "disk_free_gb": shutil.disk_usage(Path.cwd()).free / 1e9,
        "features": features,
    }


def _memory() -> tuple[float, float]:
    """Return total and available memory in GB; what the system does not tell is NaN."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        values = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return values["MemTotal"] * 1024 / 1e9, values["MemAvailable"] * 1024 / 1e9
    except (OSError, KeyError, ValueError, IndexError):
        return float("nan"), float("nan")
