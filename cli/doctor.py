"""`dlzoo doctor`: versions, devices, memory, and which features work here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from cli.options import json_option
from cli.output import emit_json, facts, heading, hint, next_command
from zoo.base.environment import versions
from zoo.base.gpus import nvidia_gpus, why_unseen

FEATURES = {
    "training": (("tensorflow", "keras", "zoo.training.trainer"), "pip install tensorflow"),
    "export to SavedModel": (
        ("tensorflow", "zoo.serving.formats.savedmodel"),
        "pip install tensorflow",
    ),
    "TensorBoard callback": (("tensorboard.summary",), "pip install tensorboard"),
    "data sets of tensorflow-datasets": (
        ("tensorflow_datasets.core.dataset_builder", "importlib_resources"),
        "pip install tensorflow-datasets importlib_resources",
    ),
    "byte-pair vocabularies": (("tokenizers",), "pip install 'dlzoo[text]'"),
    "tests and checks": (("pytest", "xdist", "ruff", "mypy"), "pip install 'dlzoo[dev]'"),
}
"""Name -> (modules that must be importable, the command that adds them)."""
GPUS = "training on GPUs"
TIMEOUT = 120.0
"""Seconds in which all modules must be imported."""
PROBE = """
import importlib, sys
answers, sys.stdout = sys.stdout, sys.stderr
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print("-", file=answers, flush=True)
    except BaseException as error:
        print(getattr(error, "name", None) or name, file=answers, flush=True)
"""
"""Prints one line per module: - or, if the import failed, the module that is missing."""


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Show versions, devices, memory and free disk, and which features work.

    A feature is tested by importing what it needs.
    """
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
            "devices": ", ".join(found["devices"]) or "TensorFlow cannot be imported",
            "memory": f"{found['memory_free_gb']:.1f} GB free of {found['memory_gb']:.1f} GB",
            "disk": f"{found['disk_free_gb']:.1f} GB free here",
        }
    )
    heading("features")
    facts({name: _state(state) for name, state in found["features"].items()})
    hint(next_command("train", "resnet", "--epochs", 20))


def _state(feature: Mapping[str, Any]) -> str:
    if feature["ready"]:
        return "ready"
    lacking = f"not ready: {', '.join(feature['missing'])}"
    return f"{lacking}\nadd it with: {feature['add']}" if feature["add"] else lacking


def examine() -> dict[str, Any]:
    """Return what `command` prints, as plain values."""
    wanted = list(dict.fromkeys(name for modules, _ in FEATURES.values() for name in modules))
    with ThreadPoolExecutor() as pool:
        probe = pool.submit(_not_importable, wanted)
        devices = _devices()
        missing = probe.result()
    features: dict[str, dict[str, Any]] = {}
    for name, (modules, add) in FEATURES.items():
        lacking = list(dict.fromkeys(missing[module] for module in modules if module in missing))
        features[name] = {
            "ready": not lacking,
            "missing": [f"{module} cannot be imported" for module in lacking],
            "add": add if lacking else None,
        }
    features[GPUS] = _gpu_feature(any(name.startswith("GPU") for name in devices))
    total, free = _memory()
    return {
        "python": platform.python_version(),
        "versions": versions(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": devices,
        "memory_gb": total,
        "memory_free_gb": free,
        "disk_free_gb": shutil.disk_usage(Path.cwd()).free / 1e9,
        "features": features,
    }


def _not_importable(modules: Sequence[str]) -> dict[str, str]:
    """Return the modules that cannot be imported, and for each the module that is missing.

    They are imported in another process, where a crash in native code does no harm.
    """
    missing: dict[str, str] = {}
    remaining = list(modules)
    while remaining:
        causes = _import_elsewhere(remaining)[: len(remaining)]
        missing |= {
            module: cause for module, cause in zip(remaining, causes, strict=False) if cause != "-"
        }
        remaining = remaining[len(causes) :]
        if remaining:  # the first of them ended the process, or took too long
            ended, *remaining = remaining
            missing[ended] = ended
    return missing


def _import_elsewhere(modules: Sequence[str]) -> list[str]:
    """Return what `PROBE` prints, without the modules after one that ends the process."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }
    with subprocess.Popen(  # noqa: S603  (our own interpreter and a constant)
        [sys.executable, "-c", PROBE, *modules],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
    return output.splitlines()


def _devices() -> list[str]:
    """Return the devices that TensorFlow sees; none if it cannot be imported."""
    from zoo.base.runtime import start_tensorflow

    try:
        tf = start_tensorflow()
    except ImportError:
        return []
    return [
        device.name.removeprefix("/physical_device:")
        for device in tf.config.list_physical_devices()
    ]


def _gpu_feature(seen: bool) -> dict[str, Any]:
    if seen:
        return {"ready": True, "missing": [], "add": None}
    # All GPUs, also those that CUDA_VISIBLE_DEVICES hides.
    if nvidia_gpus(environment={}):
        reasons, add = why_unseen(_built_with_cuda())
        return {
            "ready": False,
            "missing": ["this machine has an NVIDIA GPU, but TensorFlow sees none", *reasons],
            "add": add,
        }
    return {"ready": False, "missing": ["no NVIDIA GPU was found"], "add": None}


def _built_with_cuda() -> bool:
    from zoo.base.runtime import start_tensorflow

    try:
        return bool(start_tensorflow().test.is_built_with_cuda())
    except ImportError:
        return False


def _memory() -> tuple[float, float]:
    """Return total and available memory in GB; NaN if the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        values = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return values["MemTotal"] * 1024 / 1e9, values["MemAvailable"] * 1024 / 1e9
    except (OSError, KeyError, ValueError, IndexError):
        return float("nan"), float("nan")
