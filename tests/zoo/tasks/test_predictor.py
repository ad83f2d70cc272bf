"""Answers and scores come from compiled functions, and are what Keras's own loops give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests import tiny
from zoo.run import Run

KINDS = ("table", "two-classes", "numbers", "image", "text")


def columns(run: Run, split: str = "test") -> dict[str, np.ndarray]:
    """The raw input columns of a split."""
    (chunk,) = run.dataset.split(split).chunks(10_000)
    return {name: chunk[name] for name in run.task.inputs}


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_keras(kind: str, shared_run_dir: Path) -> None:
    run = tiny.run(kind, shared_run_dir)
    raw = columns(run)
    encoded = {name: one.encode(raw[name]) for name, one in run.task.asked.items()}
    wanted = run.model.predict(run.task.model_inputs(encoded), batch_size=64, verbose=0)
    given = run.predictor(raw)
    if wanted.shape[1] == 1 and given.shape[1] == 2:
        wanted = np.concatenate([1.0 - wanted, wanted], axis=1)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


def test_the_size_of_chunks_changes_nothing(shared_run_dir: Path) -> None:
    run = tiny.run("table", shared_run_dir)
    raw = columns(run)
    whole = run.predictor(raw)
    np.testing.assert_allclose(run.predictor(raw, chunk=7), whole, atol=1e-6)
    one_by_one = [{name: values[at : at + 1] for name, values in raw.items()} for at in range(9)]
    np.testing.assert_allclose(run.predict_each(one_by_one), whole[:9], atol=1e-6)


def test_no_examples_get_no_answers(shared_run_dir: Path) -> None:
    run = tiny.run("table", shared_run_dir)
    empty = {name: values[:0] for name, values in columns(run).items()}
    assert run.predictor(empty).shape == (0, 3)


@pytest.fixture
def without_loops(shared_run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once two runs are trained, Keras's own loops of prediction and evaluation raise."""
    for kind in ("table", "vae"):
        tiny.run(kind, shared_run_dir)

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("slow: it sets up a pipeline at every call")

    monkeypatch.setattr(keras.Model, "predict", forbidden)
    monkeypatch.setattr(keras.Model, "evaluate", forbidden)


@pytest.mark.usefixtures("without_loops")
@pytest.mark.parametrize("kind", ["table", "vae"])
def test_a_run_answers_and_is_scored_without_keras_loops(kind: str, shared_run_dir: Path) -> None:
    run = Run(tiny.run(kind, shared_run_dir).path)
    assert run.evaluate() == pytest.approx(run.metrics["test"], rel=1e-5)
    if kind == "table":
        assert run.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1, 3)
    else:
        assert run.generate(3).shape == (3, 8, 8, 1)


def test_a_function_is_compiled_once_whatever_the_number_of_examples(shared_run_dir: Path) -> None:
    run = Run(tiny.run("table", shared_run_dir).path)
    run.predict([[5.1, 3.5, 1.4, 0.2]])
    compiled = run.predictor._compiled
    run.predict(np.ones((300, 4)))
    assert run.predictor._compiled is compiled
