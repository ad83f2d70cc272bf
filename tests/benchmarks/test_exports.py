"""The page of exports keeps what was not measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.exports import HEAD, Row, page


def row(recipe: str, bytes_: int) -> Row:
    report: dict[str, Any] = {
        "signature": "serving_default",
        "largest_difference": 0.0,
        "agreement": 1.0,
        "artefact_score": None,
        "size": bytes_,
        "milliseconds": 1.0,
        "milliseconds_each": 0.5,
    }
    return Row(recipe, "onnx", report)


def test_rows_are_replaced_by_recipe_and_stay_in_order(tmp_path: Path) -> None:
    file = tmp_path / "formats.md"
    first, second = row("mlp-digits", 1000), row("rbm-digits", 2000)
    file.write_text(page([second, first], file))
    again = row("rbm-digits", 3000)
    file.write_text(page([again, Row("gpt-pydoc", "onnx", None, "cannot")], file))
    lines = file.read_text().splitlines()
    assert lines[:3] == HEAD.splitlines()[:3]
    assert lines[-3:] == [str(first), "| gpt-pydoc | onnx | cannot | | | | | | |", str(again)]
