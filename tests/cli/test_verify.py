"""`dlzoo verify`: an export is checked again, also where it was copied or damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import tiny
from tests.cli.conftest import Dlzoo
from zoo.run import Run


@pytest.fixture
def export(table_run: Run, dlzoo: Dlzoo) -> Path:
    return table_run.export("exports", formats=("savedmodel", "onnx"))


def test_a_copy_is_what_was_exported(export: Path, dlzoo: Dlzoo) -> None:
    shutil.copytree(export, "elsewhere")
    result = dlzoo("verify", "elsewhere")
    assert result.code == 0, result.err
    heading, columns, *rows = result.out.splitlines()
    assert heading == "mlp-iris, version 1: elsewhere"
    assert columns.split()[:4] == ["format", "signature", "examples", "difference"]
    assert [row.split()[0] for row in rows] == ["savedmodel", "onnx"]
    told = dlzoo("verify", "elsewhere", "--json").json
    assert told["faults"] == []
    assert {one["agreement"] for one in told["reports"]} == {1.0}


def test_the_run_that_it_is_from_and_another(
    export: Path, dlzoo: Dlzoo, table_run: Run, shared_run_dir: Path
) -> None:
    result = dlzoo("verify", "exports/mlp-iris", "--against", "latest")
    assert result.code == 0, result.err
    assert "accuracy" in result.out
    other = str(tiny.run("two-classes", shared_run_dir).path)
    message = "exports/mlp-iris/1 is of another model: its serving_default takes sepal_length_cm []"
    assert dlzoo("verify", export, "--against", other).refusal.startswith(message)


def test_other_weights_are_found(export: Path, dlzoo: Dlzoo) -> None:
    import onnx

    file = export / "model.onnx"
    model = onnx.load(str(file))
    largest = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    values = onnx.numpy_helper.to_array(largest)
    largest.CopyFrom(onnx.numpy_helper.from_array(values[::-1].copy(), largest.name))
    onnx.save(model, str(file))
    failure = dlzoo("verify", export).failure
    assert failure.startswith(f"{export} is not what was exported: serving_default: onnx's answers")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("saved_model.pb", "SavedModel file does not exist"),
        ("model.onnx", "model.onnx"),
        ("samples.npz", "samples.npz is damaged"),
    ],
)
def test_what_is_missing_is_said(file: str, message: str, export: Path, dlzoo: Dlzoo) -> None:
    (export / file).unlink()
    assert message in dlzoo("verify", export).failure


def test_what_is_no_export_is_refused(dlzoo: Dlzoo) -> None:
    assert dlzoo("verify", "nowhere").refusal == "nowhere is not an export: it has no export.json"
