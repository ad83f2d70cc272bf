"""NVIDIA GPUs as the driver shows them, and why TensorFlow may not see them."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def nvidia_gpus(
    devices: Path = Path("/dev"),
    driver: Path = Path("/proc/driver/nvidia/gpus"),
    environment: Mapping[str, str] = os.environ,
) -> list[str]:
    """Return the GPUs that the driver shows, as CUDA_VISIBLE_DEVICES names them.

    Args:
        devices: The folder of device files.
        driver: Where the driver has a folder for each GPU.
        environment: CUDA_VISIBLE_DEVICES in it hides the others.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    count = len(list(devices.glob("nvidia[0-9]*"))) or _entries(driver) or _told()
    return [str(number) for number in range(count)]


def _entries(folder: Path) -> int:
    try:
        return len(list(folder.iterdir()))
    except OSError:
        return 0


def _told() -> int:
    """Return how many GPUs ``nvidia-smi`` lists; WSL has no device files."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        done = subprocess.run(  # noqa: S603  (fixed arguments, no shell)
            [tool, "-L"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


# What TensorFlow 2.20 and 2.21 load when they look for GPUs, and the distribution of each; their
# extra "and-cuda" names the same distributions.
LIBRARIES = {
    "libcudart.so.12": "nvidia-cuda-runtime-cu12",
    "libcublas.so.12": "nvidia-cublas-cu12",
    "libcublasLt.so.12": "nvidia-cublas-cu12",
    "libcudnn.so.9": "nvidia-cudnn-cu12",
    "libcufft.so.11": "nvidia-cufft-cu12",
    "libcurand.so.10": "nvidia-curand-cu12",
    "libcusolver.so.11": "nvidia-cusolver-cu12",
    "libcusparse.so.12": "nvidia-cusparse-cu12",
    "libcupti.so.12": "nvidia-cuda-cupti-cu12",
    "libnccl.so.2": "nvidia-nccl-cu12",
    "libnvJitLink.so.12": "nvidia-nvjitlink-cu12",
}
DRIVER = "libcuda.so.1"


def why_unseen(
    built_with_cuda: bool,
    *,
    is_there: Callable[[str], bool] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[list[str], str]:
    """Return why TensorFlow sees no GPU of a machine that has one, and the command that helps.

    Args:
        built_with_cuda: Whether the installed TensorFlow is.
        is_there: Whether a shared library can be loaded; by default it is tried.
        environment: CUDA_VISIBLE_DEVICES in it may hide all GPUs.

    Returns:
        What is wrong, a line for each thing, and the command.
    """
    is_there = is_there or _can_be_loaded
    if environment.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return ["CUDA_VISIBLE_DEVICES hides all GPUs"], "unset CUDA_VISIBLE_DEVICES"
    if not built_with_cuda:
        return ["the installed TensorFlow is built without CUDA"], "pip install 'dlzoo[gpu]'"
    if not is_there(DRIVER):
        return (
            [f"the driver's library {DRIVER} is missing"],
            "sudo ubuntu-drivers install (in a container: docker run --gpus all …)",
        )
    missing = [name for name in LIBRARIES if not is_there(name)]
    if missing:
        packages = dict.fromkeys(LIBRARIES[name] for name in missing)
        return (
            [f"{name} is missing ({LIBRARIES[name]})" for name in missing],
            "pip install 'dlzoo[gpu]'"
            if len(packages) > 1
            else f"pip install {next(iter(packages))}",
        )
    return (
        ["all libraries are there: the driver may be older than they need"],
        "nvidia-smi (its first line names the driver's CUDA version: 12.5 or later is needed)",
    )


def _can_be_loaded(name: str) -> bool:
    """Return whether a library is where TensorFlow looks: pip's packages, or the loader's path."""
    if any(any(Path(folder).glob(f"nvidia/*/lib/{name}")) for folder in sys.path if folder):
        return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
