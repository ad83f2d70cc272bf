"""Regression: numbers in the unit of the data."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

from zoo import tasks
from zoo.datasets.features.number import Number
from zoo.datasets.loading import load

DIABETES = load("diabetes")
TASK = tasks.make("regression", DIABETES.spec)


def examples() -> dict[str, np.ndarray]:
    (chunk,) = DIABETES.split("test").chunks(1000)
    return chunk


def linear() -> Any:
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1, bias_initializer="ones")])
    model.compile(**TASK.compile_arguments())
    return model


def test_the_builder_is_told_to_end_in_one_number() -> None:
    assert TASK.builder_arguments() == {"input_shape": (10,), "classes": None}


def test_scores_are_what_the_formulas_give() -> None:
    model, split = linear(), examples()
    scores = TASK.evaluate(model, DIABETES, "test")
    truth = split["target"].reshape(-1)
    wrong = TASK.predictor(model)({"features": split["features"]})[:, 0] - truth
    variance = ((truth - truth.mean()) ** 2).sum()
    assert scores["loss"] == pytest.approx((wrong**2).mean(), rel=1e-4)
    assert scores["mean_absolute_error"] == pytest.approx(np.abs(wrong).mean(), rel=1e-4)
    assert scores["r2_score"] == pytest.approx(1.0 - (wrong**2).sum() / variance, rel=1e-4)


def test_the_loss_has_no_unit_where_answers_have_one() -> None:
    target = Number(standardised=True, mean=3e-5, standard_deviation=1e-5)
    features = {**DIABETES.spec.features, "target": target}
    task = tasks.make("regression", dataclasses.replace(DIABETES.spec, features=features))
    inputs = keras.Input((10,))
    model = task.built(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
    model.compile("sgd", **task.compile_arguments())
    x, y = np.zeros((2, 10), np.float32), np.array([[2e-5], [4e-5]], np.float32)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(1.0, rel=1e-3)


def test_each_answer_is_one_number() -> None:
    rows = TASK.rows(np.array([[151.25], [75.5]], np.float32), top_k=3)
    assert rows == [{"value": 151.25}, {"value": 75.5}]


def test_truth_and_answers_are_kept_for_a_picture() -> None:
    predictor = TASK.predictor(linear())
    kept = TASK.data_for_figures(predictor, DIABETES, "test")["regression"]
    split = examples()
    np.testing.assert_allclose(kept["truth"], split["target"].reshape(-1))
    np.testing.assert_allclose(kept["answers"], predictor({"features": split["features"]})[:, 0])


def test_the_served_answer_has_a_name() -> None:
    endpoints = TASK.endpoints(linear())
    assert list(endpoints) == ["serving_default"]
    served = endpoints["serving_default"].function(*examples()["features"][:3].T)
    assert list(served) == ["value"]
    assert served["value"].shape == (3, 1)
