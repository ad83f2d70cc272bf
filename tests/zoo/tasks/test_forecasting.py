"""Forecasting: scores beside repeating the last value, answers and the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from zoo import tasks
from zoo.base.errors import UsageError
from zoo.datasets.features.series import Series
from zoo.datasets.loading import Dataset, load
from zoo.datasets.sources import open_source
from zoo.registry import card


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load("mackey-glass", {"series": {"length": 4}})


def repeating(dataset: Dataset) -> Any:
    """A model that repeats the last value."""
    series = dataset.spec.features["series"]
    assert isinstance(series, Series)
    inputs = keras.Input((4, 1))
    last = keras.layers.Rescaling(series.standard_deviation[0], series.mean[0])(inputs)
    return keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, -1])(last))


def test_the_builder_is_told_of_the_series_and_one_output(dataset: Dataset) -> None:
    task = tasks.make("forecasting", dataset.spec)
    assert task.builder_arguments() == {"input_shape": (4, 1), "classes": None}


def test_repeating_the_last_value_has_no_skill(dataset: Dataset) -> None:
    task = tasks.make("forecasting", dataset.spec)
    model = repeating(dataset)
    model.compile(**task.compile_arguments())
    scores = task.evaluate(model, dataset, "test")
    assert scores["skill"] == pytest.approx(0.0, abs=1e-5)
    assert scores["mean_squared_error"] == pytest.approx(0.0343, rel=0.01)
    assert task.higher_is_better("skill") is True
    assert task.higher_is_better("val_mean_squared_error") is False


def test_the_picture_shows_the_first_steps_of_the_split(dataset: Dataset, tmp_path: Path) -> None:
    task = tasks.make("forecasting", dataset.spec)
    model = repeating(dataset)
    values = task.data_for_figures(task.predictor(model), dataset, "test")
    truth, answers = values["forecasts"]["truth"], values["forecasts"]["answers"]
    np.testing.assert_allclose(answers[1:], truth[:-1], atol=1e-5)
    task.draw(values, model, dataset, tmp_path)
    assert (tmp_path / "forecasts.png").read_bytes().startswith(b"\x89PNG")


def test_it_needs_series() -> None:
    described = open_source("diabetes").describe()
    message = "gru does forecasting and reads series; diabetes gives a table"
    with pytest.raises(UsageError, match=message):
        tasks.check(card("gru"), "forecasting", described)
