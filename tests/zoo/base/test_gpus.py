"""Which GPUs the driver shows, and why TensorFlow may not see them."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from zoo.base.gpus import DRIVER, LIBRARIES, nvidia_gpus, why_unseen


@pytest.mark.parametrize(
    ("device", "entry", "tool", "found"),
    [
        (["nvidia0", "nvidia1"], None, None, ["0", "1"]),
        (["nvidiactl"], None, None, []),  # the driver without a GPU
        ([], "0000:00:1e.0", None, ["0"]),
        ([], None, "echo 'GPU 0: NVIDIA T4'", ["0"]),
        ([], None, "exit 9", []),
        ([], None, "echo 'No devices were found'", []),
        ([], None, None, []),
    ],
)
def test_gpus_are_found_by_device_driver_or_tool(
    device: list[str],
    entry: str | None,
    tool: str | None,
    found: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices, driver, programs = (tmp_path / name for name in ("dev", "proc", "bin"))
    for folder in (devices, programs):
        folder.mkdir()
    for name in device:
        (devices / name).touch()
    if entry:
        (driver / entry).mkdir(parents=True)
    if tool:
        (programs / "nvidia-smi").write_text(f"#!/bin/sh\n{tool}\n")
        (programs / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    assert nvidia_gpus(devices, driver, {}) == found


@pytest.mark.parametrize(
    ("visible", "found"), [("", []), ("-1", []), ("2,3", ["2", "3"]), ("GPU-5ebe", ["GPU-5ebe"])]
)
def test_what_is_hidden_is_not_there(visible: str, found: list[str], tmp_path: Path) -> None:
    assert nvidia_gpus(tmp_path, tmp_path, {"CUDA_VISIBLE_DEVICES": visible}) == found


@pytest.mark.parametrize(
    ("lacking", "told", "command"),
    [
        ([DRIVER], f"the driver's library {DRIVER} is missing", "ubuntu-drivers"),
        (["libcudnn.so.9"], "libcudnn.so.9 is missing", "pip install nvidia-cudnn-cu12"),
        (list(LIBRARIES), "libcublas.so.12 is missing", "pip install 'dlzoo[gpu]'"),
        ([], "the driver may be older", "nvidia-smi"),
    ],
)
def test_the_missing_library_is_named_with_its_command(
    lacking: list[str], told: str, command: str
) -> None:
    reasons, add = why_unseen(True, is_there=lambda name: name not in lacking, environment={})
    assert any(told in reason for reason in reasons)
    assert len(reasons) == max(len(lacking), 1)
    assert command in add


def test_a_hidden_gpu_and_a_tensorflow_without_cuda_are_told() -> None:
    reasons, add = why_unseen(True, environment={"CUDA_VISIBLE_DEVICES": "-1"})
    assert (reasons, add) == (["CUDA_VISIBLE_DEVICES hides all GPUs"], "unset CUDA_VISIBLE_DEVICES")
    reasons, add = why_unseen(False, environment={})
    assert "without CUDA" in reasons[0]
    assert add == "pip install 'dlzoo[gpu]'"


def test_libraries_are_those_of_tensorflows_own_extra() -> None:
    required = importlib.metadata.requires("tensorflow") or []
    cuda = " ".join(one for one in required if "and-cuda" in one)
    for package in LIBRARIES.values():
        assert package in cuda


def test_a_library_is_looked_for_where_pip_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (DRIVER, *LIBRARIES):
        (tmp_path / "nvidia" / "any" / "lib").mkdir(parents=True, exist_ok=True)
        (tmp_path / "nvidia" / "any" / "lib" / name).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "driver may be older" in why_unseen(True, environment={})[0][0]
