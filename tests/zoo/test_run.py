"""`Run`: what is loaded answers as what was trained, and damage is told in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from tests import tiny
from zoo.base.errors import UsageError
from zoo.run import Run
from zoo.run import load as load_run
from zoo.training.progress import Silent

FLOWER = [[5.1, 3.5, 1.4, 0.2]]


@pytest.fixture
def trained(shared_run_dir: Path, run_dir: Path) -> Run:
    """A trained run of its own for one test."""
    return tiny.copy(tiny.run("table", shared_run_dir), run_dir)


def flowers(run: Run) -> np.ndarray:
    (chunk,) = run.dataset.split("test").chunks(1000)
    return np.asarray(chunk["features"])


def refusal(look: Callable[[], Any]) -> str:
    with pytest.raises(UsageError) as caught:
        look()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_loaded_answers_as_what_was_trained(trained: Run, shared_run_dir: Path) -> None:
    expected = tiny.run("table", shared_run_dir).predict(flowers(trained))
    np.testing.assert_array_equal(load_run(trained.path).predict(flowers(trained)), expected)


def test_scores_are_those_of_the_training_whenever_they_are_asked_for(trained: Run) -> None:
    for split in ("validation", "test"):
        assert trained.evaluate(split) == pytest.approx(trained.metrics[split], abs=1e-6)
    assert trained.evaluate("train").keys() == trained.metrics["test"].keys()


def test_an_unknown_split_is_refused(trained: Run) -> None:
    assert "unknown split 'tset'. Did you mean 'test'?" in refusal(lambda: trained.evaluate("tset"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1.0, 2.0]], "expected rows of 4 numbers, got shape (1, 2)"),
        ([["a", "b", "c", "d"]], "expected numbers"),
        ({"wrong": FLOWER}, "expected a dict with the columns features"),
    ],
)
def test_examples_that_do_not_fit_are_refused(given: Any, message: str, trained: Run) -> None:
    assert message in refusal(lambda: trained.predict(given))


def test_one_input_may_be_given_by_its_column_or_without(trained: Run) -> None:
    wanted = trained.predict(FLOWER)
    np.testing.assert_array_equal(trained.predict({"features": FLOWER}), wanted)
    np.testing.assert_array_equal(trained.predict(FLOWER[0]), wanted)


def test_a_classifier_generates_nothing(trained: Run) -> None:
    assert "generates nothing" in refusal(lambda: trained.generate(1))


def test_images_of_different_sizes_are_answered_together(shared_run_dir: Path) -> None:
    run = tiny.run("image", shared_run_dir)
    draw = np.random.default_rng(0)
    sides = (8, 32, 50)
    batches = [draw.uniform(size=(1, side, side, 1)).astype("float32") for side in sides]
    together = run.predict_each([{"image": batch} for batch in batches])
    assert together.shape == (3, 10)
    for batch, answer in zip(batches, together, strict=True):
        np.testing.assert_allclose(run.predict(batch)[0], answer, atol=1e-6)


def test_the_same_seed_generates_the_same_images(shared_run_dir: Path) -> None:
    run = tiny.run("gan", shared_run_dir)
    np.testing.assert_array_equal(run.generate(3, seed=4), run.generate(3, seed=4))
    assert not np.array_equal(run.generate(3, seed=5), run.generate(3, seed=4))


# The best epoch's weights.


@pytest.fixture(scope="module")
def worse_again(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose first epoch is its best by a target that wants a low accuracy."""
    return zoo.train(
        "mlp",
        recipe="mlp-iris",
        epochs=4,
        run_dir=tmp_path_factory.mktemp("best") / "runs",
        overrides={"target": {"metric": "accuracy", "at_most": 0.5}},
        reporter=Silent(),
    )


def test_the_best_epochs_weights_are_those_of_that_epoch(worse_again: Run, tmp_path: Path) -> None:
    history = worse_again.history["val_accuracy"]
    best = history.index(min(history)) + 1
    assert best < 4
    assert worse_again.metrics["best_epoch"] == best
    chosen = load_run(worse_again.path, weights="best")
    short = zoo.train(
        recipe=worse_again.path / "recipe.toml", epochs=best, run_dir=tmp_path, reporter=Silent()
    )
    np.testing.assert_array_equal(chosen.predict(FLOWER), short.predict(FLOWER))
    assert not np.array_equal(chosen.predict(FLOWER), worse_again.predict(FLOWER))
    accuracy = chosen.evaluate("validation")["accuracy"]
    assert accuracy == pytest.approx(history[best - 1], abs=1e-6)


def test_weights_of_another_name_are_refused(worse_again: Run) -> None:
    message = refusal(lambda: load_run(worse_again.path, weights="bset"))  # type: ignore[arg-type]
    assert message == "weights must be 'last' or 'best', got 'bset'"


# Damage


@pytest.mark.parametrize("left", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["model.keras", "checkpoint"])
def test_truncated_weights_are_damage_and_no_traceback(
    name: str, left: float, trained: Run
) -> None:
    path = trained.checkpoints[-1] if name == "checkpoint" else trained.path / name
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content))])
    run = Run(trained.path, "best" if name == "checkpoint" else "last")
    message = refusal(lambda: run.predict(FLOWER))
    assert message.startswith("run mlp-iris-1 is damaged: ")
    assert str(path) in message


@pytest.mark.parametrize(("name", "weights"), [("model.keras", "last"), ("checkpoints/*", "best")])
def test_a_finished_run_without_its_weights_is_damaged(
    name: str, weights: Any, trained: Run
) -> None:
    for path in trained.path.glob(name):
        path.unlink()
    message = refusal(lambda: Run(trained.path, weights).model)
    assert message.startswith("run mlp-iris-1 is damaged: it has no ")


def test_a_model_of_another_kind_of_file_is_refused(trained: Run) -> None:
    (trained.path / "model.keras").write_text("not a model at all")
    assert "is damaged" in refusal(lambda: Run(trained.path).evaluate())


def test_weights_of_another_model_are_refused(trained: Run, shared_run_dir: Path) -> None:
    other = tiny.run("two-classes", shared_run_dir).checkpoints[-1]
    trained.checkpoints[-1].write_bytes(other.read_bytes())
    assert "it is of another model" in refusal(lambda: Run(trained.path, "best").model)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"features": {"a": {"type": "smell"}}}'])
def test_a_damaged_spec_is_named(text: str, trained: Run) -> None:
    (trained.path / "data.json").write_text(text)
    message = refusal(lambda: Run(trained.path).spec)
    assert message.startswith(f"run mlp-iris-1 is damaged: {trained.path / 'data.json'}: ")


def test_a_spec_of_old_figures_is_what_a_run_goes_by(trained: Run) -> None:
    # Nothing is fitted again: what is in data.json counts.
    before, scores, spec = trained.predict(FLOWER), trained.evaluate(), trained.spec
    features: Any = spec.features["features"]
    moved = dataclasses.replace(features, mean=tuple(10.0 + value for value in features.mean))
    changed = dataclasses.replace(spec, features={**spec.features, "features": moved})
    (trained.path / "data.json").write_text(changed.to_json())
    again = Run(trained.path)
    assert not np.allclose(again.predict(FLOWER), before, atol=1e-3)
    np.testing.assert_allclose(again.predict(np.array(FLOWER) + 10.0), before, atol=1e-5)
    assert again.evaluate() != scores
