"""The tool that writes the stage tables."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from tools.stages import write
from zoo.anatomy.stages import published, stages


def test_what_is_written_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = tuple(zoo.card(name) for name in ("perceptron", "lenet5"))
    monkeypatch.setattr("tools.stages.CARDS", cards)
    path = tmp_path / "stages.json"
    write(path)
    monkeypatch.setattr("zoo.anatomy.stages.FILE", path)
    assert published("perceptron") == stages(zoo.build("perceptron"))
    assert published("lenet5") == stages(zoo.build("lenet5"))
    assert published("mlp") == []
