"""`dlzoo doctor`."""

from __future__ import annotations

import importlib.metadata
import platform

import pytest

from cli import doctor
from tests.cli.conftest import Dlzoo


def test_versions_machine_and_features_are_told(dlzoo: Dlzoo) -> None:
    result = dlzoo("doctor")
    assert result.code == 0
    for word in (
        platform.python_version(),
        importlib.metadata.version("tensorflow"),
        importlib.metadata.version("keras"),
        "CPU:0",
        "GB free",
        "export to ONNX: ",
        "training on GPUs: ",
    ):
        assert word in result.out
    assert "next: dlzoo train" in result.err


def test_json_has_the_same_in_full(dlzoo: Dlzoo) -> None:
    told = dlzoo("doctor", "--json").json
    assert told["versions"]["keras"] == importlib.metadata.version("keras")
    assert told["processors"] >= 1
    assert any(device.startswith("CPU:") for device in told["devices"])
    assert 0 < told["memory_free_gb"] <= told["memory_gb"]
    assert told["disk_free_gb"] > 0
    assert told["features"].keys() == {*doctor.FEATURES, "training on GPUs"}


@pytest.mark.parametrize("missing", ["onnxruntime", "openvino"])
def test_what_is_missing_comes_with_the_command_that_adds_it(
    missing: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "version", lambda package: None if package == missing else "1.0")
    features = dlzoo("doctor", "--json").json["features"]
    lacking = {name: one for name, one in features.items() if missing in one["missing"]}
    assert len(lacking) == 1
    (name, one), *_ = lacking.items()
    assert not one["ready"]
    assert f"{name}: missing; add it with: pip install 'dlzoo[export]'" in dlzoo("doctor").out
    assert "tests and checks: ready" in dlzoo("doctor").out


def test_every_extra_that_is_recommended_exists() -> None:
    known = importlib.metadata.metadata("dlzoo").get_all("Provides-Extra") or []
    for _, add in doctor.FEATURES.values():
        assert add.split("[")[1].split("]")[0] in known


def test_a_machine_that_does_not_tell_its_memory_is_no_failure(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_memory", lambda: (float("nan"), float("nan")))
    assert dlzoo("doctor", "--json").json["memory_gb"] is None
    assert dlzoo("doctor").code == 0
