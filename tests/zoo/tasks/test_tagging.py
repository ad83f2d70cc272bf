"""Tagging: padding counts nowhere, and answers are letters beside the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from zoo import tasks
from zoo.datasets.features.tags import Tags
from zoo.datasets.features.text import Text
from zoo.datasets.loading import Dataset
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec
from zoo.datasets.split import Split
from zoo.tasks.tagging import Tagging

TEXTS, TAGS = np.array([b"ab", b"bab", b"a"]), np.array([b"xy", b"yxy", b"y"])


def small(length: int) -> Dataset:
    """Three texts; each a is an x and each b a y, but for the last."""
    text = Text(length=length).fit([TEXTS])
    tags = Tags(letters="xy", names=("ex", "why"), length=length)
    spec = DatasetSpec(
        name="small", features={"text": text, "tags": tags}, inputs=("text",), targets=("tags",)
    )
    return Dataset(spec, {"test": Split.in_memory({"text": TEXTS, "tags": TAGS})})


def model(task: Tagging, length: int) -> Any:
    """A network that says x for a and y for b, and nonsense at padding."""
    table = np.full((4, 2), 0.5, np.float32)
    vocabulary = ["", "?", *task.spec.features["text"].vocabulary]  # type: ignore[attr-defined]
    table[vocabulary.index("a")] = [0.9, 0.1]
    table[vocabulary.index("b")] = [0.1, 0.9]
    tokens = keras.Input((length,), dtype="int32")
    embed = keras.layers.Embedding(4, 2)
    built = keras.Model(tokens, embed(tokens))
    embed.set_weights([table])
    built.compile(**task.compile_arguments())
    return built


def scores(length: int) -> dict[str, float]:
    dataset = small(length)
    task = tasks.make("tagging", dataset.spec)
    assert isinstance(task, Tagging)
    return task.evaluate(model(task, length), dataset, "test")


def test_only_real_tokens_count_and_more_padding_changes_nothing() -> None:
    found = scores(3)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["loss"] == pytest.approx(-(5 * np.log(0.9) + np.log(0.1)) / 6, rel=1e-5)
    assert found["macro_f1"] == pytest.approx((4 / 5 + 6 / 7) / 2)
    assert scores(8) == pytest.approx(found, rel=1e-5)


def test_answers_are_a_letter_for_each_token() -> None:
    dataset = small(5)
    task = tasks.make("tagging", dataset.spec)
    answers = task.predictor(model(task, 5))(task.as_raw(["ba", "", "abb"]))  # type: ignore[arg-type]
    assert [row["tags"] for row in task.rows(answers, 1)] == ["yx", "", "xyy"]


def test_the_tags_are_cut_where_the_text_is() -> None:
    features = {"text": Text(length=7), "tags": Tags(letters="x", names=("ex",))}
    described = Description(
        name="small",
        title="",
        question="",
        features=features,
        inputs=("text",),
        targets=("tags",),
    )
    assert Tagging.adapt(described).features["tags"].shape == (7,)


def test_its_picture_is_the_confusion_matrix(tmp_path: Path) -> None:
    dataset = small(3)
    task = tasks.make("tagging", dataset.spec)
    built = model(task, 3)  # type: ignore[arg-type]
    values = task.data_for_figures(task.predictor(built), dataset, "test")
    assert values == {"confusion_matrix": [[2, 0], [1, 3]]}
    task.draw(values, built, dataset, tmp_path)
    assert (tmp_path / "confusion_matrix.png").read_bytes().startswith(b"\x89PNG")
