"""A column that says how much each example counts reaches loss and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.recipe import Recipe
from zoo.datasets import sources
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.table import Table
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.split import Split
from zoo.run import Run
from zoo.training.progress import Silent


class Weighted(Source):
    """Points on a line whose class is their sign; those of one side may not count.

    Args:
        name: The reference.
        counts: How much a negative and a positive example count; None leaves the column out.
    """

    def __init__(self, name: str, counts: tuple[float, float] | None) -> None:
        self.name = name
        self.counts = counts

    def describe(self) -> Description:
        features: dict[str, Any] = {
            "point": Table(names=("x",)),
            "label": Label(names=("negative", "positive", "never")),
        }
        if self.counts is not None:
            features["weight"] = Number()
        return Description(
            name=self.name,
            title="Points",
            question="Which side?",
            features=features,
            inputs=("point",),
            targets=("label",),
            weights=None if self.counts is None else "weight",
            sizes={"train": 64, "validation": 16, "test": 16},
            rows=96,
        )

    def load(self) -> Loaded:
        def split(count: int) -> Split:
            points = np.linspace(-1.0, 1.0, count, dtype=np.float32)[:, None]
            label = (points[:, 0] > 0).astype(np.int64)
            columns: dict[str, Any] = {"point": points, "label": label}
            if self.counts is not None:
                columns["weight"] = np.array(self.counts, np.float32)[label]
            return Split.in_memory(columns)

        described = self.describe()
        return Loaded({name: split(n) for name, n in described.sizes.items()}, described.features)

    def fingerprint(self) -> str:
        return self.name


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> dict[str, Weighted]:
    """Sources that count all alike, the negative ones only, and do not say."""
    made = {
        name: Weighted(name, counts)
        for name, counts in (
            ("points-alike", (1.0, 1.0)),
            ("points-negative", (1.0, 0.0)),
            ("points-plain", None),
        )
    }
    monkeypatch.setattr(sources, "_registered", {})
    for name, source in made.items():
        sources.register(name, lambda source=source: source)  # type: ignore[misc]
    return made


def train(name: str, folder: Path, **changes: Any) -> Run:
    recipe = Recipe.model_validate(
        {
            "model": "mlp",
            "epochs": 20,
            "batch_size": 16,
            "arguments": {"hidden_units": []},
            "data": {"name": name},
            "optimizer": {"name": "SGD", "learning_rate": 1.0},
        }
    )
    return zoo.train(recipe=recipe, run_dir=folder, reporter=Silent(), **changes)


@pytest.mark.usefixtures("points")
def test_what_counts_nothing_is_not_learned_and_not_scored(run_dir: Path) -> None:
    plain, alike, negative = (
        train(f"points-{name}", run_dir) for name in ("plain", "alike", "negative")
    )
    assert plain.metrics["test"]["accuracy"] > 0.9
    assert alike.metrics["test"] == pytest.approx(plain.metrics["test"], rel=1e-5)
    # Only the negative ones count: nothing is learned of the positive, and nothing held against it.
    assert negative.predict([[0.9]]).argmax() != 1
    assert negative.metrics["test"]["accuracy"] == 1.0
    assert negative.evaluate("test") == pytest.approx(negative.metrics["test"], rel=1e-5)
    assert negative.history["val_accuracy"][-1] == 1.0


@pytest.mark.usefixtures("points")
def test_two_replicas_count_examples_as_one_does(run_dir: Path) -> None:
    one = train("points-negative", run_dir, epochs=3)
    two = train("points-negative", run_dir, epochs=3, strategy="mirrored", devices=2)
    assert two.metrics["test"] == pytest.approx(one.metrics["test"], rel=1e-4)
    for first, second in zip(one.model.weights, two.model.weights, strict=True):
        np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("points")
def test_a_source_is_registered_once() -> None:
    with pytest.raises(ValueError, match="two data sets are called 'points-plain'"):
        sources.register("points-plain", lambda: Weighted("points-plain", None))
