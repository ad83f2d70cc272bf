"""`dlzoo doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from pathlib import Path

import pytest

from cli import doctor
from tests.cli.conftest import Dlzoo


@pytest.fixture
def features(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[tuple[str, ...], str]]:
    """The features to examine; there are none at first, so that nothing heavy is imported twice."""
    chosen: dict[str, tuple[tuple[str, ...], str]] = {}
    monkeypatch.setattr(doctor, "FEATURES", chosen)
    return chosen


def test_versions_machine_and_features_are_shown(dlzoo: Dlzoo) -> None:
    result = dlzoo("doctor")
    assert result.code == 0
    for word in (
        platform.python_version(),
        importlib.metadata.version("tensorflow"),
        importlib.metadata.version("keras"),
        "CPU:0",
        "GB free",
        *doctor.FEATURES,
        doctor.GPUS,
    ):
        assert word in result.out
    states = {
        name: line.removeprefix(name).strip()
        for line in result.out.splitlines()
        for name in doctor.FEATURES
        if line.startswith(f"{name}  ")
    }
    assert states["training"] == states["export to SavedModel"] == "ready"
    assert states["tests and checks"] == "ready"
    tensorboard = importlib.util.find_spec("tensorboard") is not None
    assert (states["TensorBoard callback"] == "ready") == tensorboard
    assert "next: dlzoo train" in result.err


@pytest.mark.parametrize("word", ["onnx", "litert", "openvino"])
def test_nothing_is_ready_that_dlzoo_does_not_offer(word: str) -> None:
    assert word not in repr(doctor.FEATURES).lower()


def test_json_has_the_same_in_full(
    features: dict[str, tuple[tuple[str, ...], str]], dlzoo: Dlzoo
) -> None:
    features["reading"] = (("csv",), "pip install csv")
    told = dlzoo("doctor", "--json").json
    assert told["versions"]["keras"] == importlib.metadata.version("keras")
    assert told["processors"] >= 1
    assert any(device.startswith("CPU:") for device in told["devices"])
    assert 0 < told["memory_free_gb"] <= told["memory_gb"]
    assert told["disk_free_gb"] > 0
    assert told["features"].keys() == {"reading", doctor.GPUS}
    assert told["features"]["reading"] == {"ready": True, "missing": [], "add": None}


def test_a_feature_is_ready_only_if_its_modules_can_be_imported(
    features: dict[str, tuple[tuple[str, ...], str]],
    dlzoo: Dlzoo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each is there, as the metadata of an installed package would be; importing shows the fault.
    (tmp_path / "needy.py").write_text("import no_such_module_anywhere")
    (tmp_path / "crashing.py").write_text("import os; os._exit(3)")
    (tmp_path / "noisy.py").write_text("print('-')")
    (tmp_path / "broken.py").write_text("raise ValueError('two\\nlines')")
    monkeypatch.syspath_prepend(str(tmp_path))
    features["needs another"] = (("csv", "needy"), "pip install another")
    features["is not there"] = (("not_there_at_all",), "pip install it")
    features["crashes"] = (("crashing",), "pip install crashing==2")
    features["is broken"] = (("broken",), "pip install broken==2")
    features["prints"] = (("noisy", "noisy", "not_there_at_all"), "pip install it")
    features["works"] = (("json", "csv"), "pip install json")
    told = dlzoo("doctor", "--json").json["features"]
    missing = {name: one["missing"] for name, one in told.items() if name != doctor.GPUS}
    assert missing == {
        "needs another": ["no_such_module_anywhere cannot be imported"],
        "is not there": ["not_there_at_all cannot be imported"],
        "crashes": ["crashing cannot be imported"],
        "is broken": ["broken cannot be imported"],
        "prints": ["not_there_at_all cannot be imported"],
        "works": [],
    }
    assert told["is not there"]["add"] == "pip install it"
    lines = [" ".join(line.split()) for line in dlzoo("doctor").out.splitlines()]
    at = lines.index("needs another not ready: no_such_module_anywhere cannot be imported")
    assert lines[at + 1] == "add it with: pip install another"
    assert "works ready" in lines


def test_an_import_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "endless.py").write_text("import threading; threading.Event().wait()")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(doctor, "TIMEOUT", 0.5)
    assert "endless" in doctor._not_importable(["endless"])


@pytest.mark.parametrize(
    ("seen", "there", "ready", "missing", "add"),
    [
        (True, True, True, [], None),
        (False, False, False, ["no NVIDIA GPU was found"], None),
        (
            False,
            True,
            False,
            ["this machine has an NVIDIA GPU, but TensorFlow sees none", "a library is missing"],
            "pip install it",
        ),
    ],
)
def test_a_gpu_that_tensorflow_does_not_see_is_explained(
    seen: bool,
    there: bool,
    ready: bool,
    missing: list[str],
    add: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "nvidia_gpus", lambda environment: ["0"] * there)
    monkeypatch.setattr(
        doctor, "why_unseen", lambda built: (["a library is missing"], "pip install it")
    )
    assert doctor._gpu_feature(seen) == {"ready": ready, "missing": missing, "add": add}


def test_every_extra_that_is_recommended_exists() -> None:
    known = importlib.metadata.metadata("dlzoo").get_all("Provides-Extra") or []
    commands = [*(add for _, add in doctor.FEATURES.values()), "pip install 'dlzoo[gpu]'"]
    for extra in (add.split("[")[1].split("]")[0] for add in commands if "[" in add):
        assert extra in known


def test_a_machine_that_does_not_tell_its_memory_is_no_failure(
    features: dict[str, tuple[tuple[str, ...], str]], dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_memory", lambda: (float("nan"), float("nan")))
    assert dlzoo("doctor", "--json").json["memory_gb"] is None
    assert dlzoo("doctor").code == 0
