"""Training: repeatable to the bit, resumable to the bit, and a run that holds all of it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.overrides import override
from recipes.recipe import Recipe
from tests import tiny
from tests.zoo.training.reporters import Recording, interrupted_after
from zoo import run as zoo_run
from zoo.base.errors import StorageError, UsageError
from zoo.datasets.sources import open_source
from zoo.datasets.sources.bundled import Bundled
from zoo.run import Run
from zoo.training import callbacks as trainer_callbacks
from zoo.training import trainer
from zoo.training.progress import Silent
from zoo.training.resolve import resolve

EARLY = {"name": "EarlyStopping", "patience": 50, "restore_best_weights": True}
PLATEAU = {"name": "ReduceLROnPlateau", "monitor": "loss", "patience": 1, "min_delta": 10.0}
# Small networks of every kind that the trainer must not know apart.
TINY: dict[str, dict[str, Any]] = {
    "lenet5": {"epochs": 2, "batch_size": 512},
    "mlp": {
        "recipe": "mlp-iris",
        "epochs": 4,
        "overrides": {
            "arguments.dropout": 0.3,
            "arguments.batch_normalization": True,
            "callbacks": [EARLY, PLATEAU],
        },
    },
    "vae": {"epochs": 2, "batch_size": 512, "overrides": tiny.VAE},
    "gan": {"epochs": 2, "batch_size": 512, "overrides": tiny.GAN},
    "ddpm": {"epochs": 2, "batch_size": 512, "overrides": tiny.DDPM},
    "conditional-vae": {
        "epochs": 2,
        "batch_size": 512,
        "overrides": tiny.VAE,
    },
    "conditional-gan": {"epochs": 2, "batch_size": 512, "overrides": tiny.STEP},
    "dcgan": {"epochs": 2, "batch_size": 512, "overrides": {**tiny.STEP, "arguments.filters": 4}},
    # A narrower one showed no fault before it was mended: see tests/zoo/layers/test_gradients.py.
    "wgan-gp": {"epochs": 2, "batch_size": 512},
    "lstm": {
        "epochs": 2,
        "batch_size": 2048,
        "overrides": {
            **tiny.STEP,
            "data.text.length": 6,
            "arguments.units": 4,
            "arguments.embedding_dim": 4,
        },
    },
}


def weights(run: Run) -> list[np.ndarray]:
    """Return a run's weights."""
    return [weight.numpy() for weight in run.model.weights]


def same(first: Run, second: Run) -> bool:
    """Return whether two runs' models are equal to the bit."""
    pairs = zip(weights(first), weights(second), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)


def stopped(recipe: Recipe, run_dir: Path, epoch: int) -> Run:
    """A run that was stopped by Ctrl-C after an epoch."""
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=recipe, run_dir=run_dir, reporter=interrupted_after(epoch))
    return zoo_run.load("latest", run_dir)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained") / "runs"


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Run]:
    """One uninterrupted run of each kind."""
    return {
        name: zoo.train(name, run_dir=folder, reporter=Silent(), **arguments)
        for name, arguments in TINY.items()
    }


@pytest.mark.parametrize("name", ["mlp", "gan"])
def test_a_runs_own_recipe_repeats_it_to_the_bit(
    trained: dict[str, Run], folder: Path, name: str
) -> None:
    first = trained[name]
    second = zoo.train(recipe=first.path / "recipe.toml", run_dir=folder, reporter=Silent())
    assert second.path != first.path
    assert same(first, second)
    assert first.metrics["test"] == second.metrics["test"]


@pytest.mark.parametrize("name", TINY)
def test_a_stopped_training_is_resumed_as_if_it_had_never_stopped(
    trained: dict[str, Run], run_dir: Path, name: str
) -> None:
    whole = trained[name]
    half = whole.recipe.epochs // 2
    run = stopped(whole.recipe, run_dir, half)
    assert (run.status, run.epochs_done) == ("unfinished", half)
    resumed = zoo_run.resume(run, reporter=Silent())
    assert resumed.path == run.path
    assert resumed.status == "finished"
    assert same(whole, resumed)
    assert resumed.history == whole.history
    sessions = resumed.sessions
    assert [one["outcome"] for one in sessions] == ["stopped", "finished"]
    assert [(one["from_epoch"], one["to_epoch"]) for one in sessions] == [
        (0, half),
        (half, whole.epochs_done),
    ]
    assert all(one["command"] and one["date"] and one["versions"] for one in sessions)
    assert "bit for bit" in (resumed.path / "README.md").read_text()


@pytest.mark.parametrize("name", ["mlp", "vae", "gan"])
def test_an_unfinished_run_has_the_weights_of_its_last_epoch(
    trained: dict[str, Run], run_dir: Path, name: str
) -> None:
    run = stopped(trained[name].recipe, run_dir, 1)
    scores, best = (one.evaluate("validation") for one in (run, Run(run.path, "best")))
    assert scores == best  # there is one epoch
    logged = {key: values[0] for key, values in run.history.items() if key.startswith("val_")}
    assert logged
    for key, value in logged.items():
        assert scores[key.removeprefix("val_")] == pytest.approx(value, rel=1e-4)


def test_resuming_keeps_what_callbacks_knew(trained: dict[str, Run]) -> None:
    # ReduceLROnPlateau with an improvement that is never large enough halves again and again; a
    # callback that forgot would wait anew.
    rates = trained["mlp"].history["learning_rate"]
    assert rates[-1] < rates[0]


def test_an_unfinished_run_answers_and_is_exported(
    trained: dict[str, Run], run_dir: Path, tmp_path: Path
) -> None:
    generator = stopped(trained["gan"].recipe, run_dir, 1)
    assert generator.generate(2).shape == (2, 8, 8, 1)
    classifier = stopped(trained["mlp"].recipe, run_dir, 2)
    flower = [[5.1, 3.5, 1.4, 0.2]]
    assert classifier.predict(flower).shape == (1, 3)
    for weight in ("last", "best"):
        run = zoo_run.load(classifier.path, weights=weight)
        path = run.export(tmp_path / "exports")
        assert (path / "saved_model.pb").is_file()
    # It is the model after the second epoch, and not the one before the training.
    short = zoo.train(recipe=classifier.recipe, epochs=2, run_dir=run_dir, reporter=Silent())
    history = classifier.history["val_loss"]
    if history.index(min(history)) == 1:
        np.testing.assert_allclose(classifier.predict(flower), short.predict(flower), atol=1e-6)


# Going on.


@pytest.fixture(scope="module")
def two_epochs(folder: Path) -> Run:
    return zoo.train("perceptron", epochs=2, run_dir=folder, reporter=Silent())


@pytest.fixture
def perceptron(two_epochs: Run, run_dir: Path) -> Run:
    """A finished run, to be changed at will."""
    return tiny.copy(two_epochs, run_dir)


def test_more_epochs_go_on_in_the_same_folder(perceptron: Run) -> None:
    with pytest.raises(UsageError, match=r"has finished its 2 epochs.*--epochs 12"):
        zoo_run.resume(perceptron)
    card = (perceptron.path / "README.md").read_text()
    assert "bit for bit" in card
    reporter = Recording()
    longer = zoo_run.resume(perceptron, epochs=5, reporter=reporter)
    assert longer.path == perceptron.path
    assert longer.history["epoch"] == [1, 2, 3, 4, 5]
    assert longer.recipe.epochs == longer.metrics["epochs"] == 5
    assert [epoch.number for epoch in reporter.epochs] == [3, 4, 5]
    assert reporter.starts[0].first_epoch == 2
    # A schedule over 5 epochs from the start would not be one over 2 and then 5.
    assert "bit for bit" not in (longer.path / "README.md").read_text()


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (0, "epochs must be at least 1, got 0"),
        (1, "has trained 2 epochs already, got epochs = 1"),
        (2, "has finished its 2 epochs"),
    ],
)
def test_fewer_epochs_than_are_done_are_refused(epochs: int, message: str, perceptron: Run) -> None:
    before = {path: path.read_bytes() for path in perceptron.path.rglob("*.*")}
    with pytest.raises(UsageError, match=message):
        zoo_run.resume(perceptron, epochs=epochs)
    assert {path: path.read_bytes() for path in perceptron.path.rglob("*.*")} == before


def test_a_resumed_run_takes_its_features_from_the_run(run_dir: Path) -> None:
    run = stopped(resolve("mlp", recipe="mlp-iris", epochs=3), run_dir, 2)
    features: Any = run.spec.features["features"]
    moved = dataclasses.replace(features, mean=tuple(100.0 + one for one in features.mean))
    changed = dataclasses.replace(run.spec, features={**run.spec.features, "features": moved})
    (run.path / "data.json").write_text(changed.to_json())
    resumed = zoo_run.resume(run.path, reporter=Silent())
    first, second, third = resumed.history["loss"]
    assert second < first
    assert third > 2.0 * second, "it was trained on what the run says the data are"
    assert resumed.spec == changed


def test_data_that_have_changed_are_refused(
    perceptron: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_source("and").fingerprint() == perceptron.spec.fingerprint
    monkeypatch.setattr(Bundled, "fingerprint", lambda source: "other")
    with pytest.raises(UsageError, match=r"the data of and have changed since run perceptron-and"):
        zoo_run.resume(perceptron, epochs=5)
    assert perceptron.status == "finished"


def test_a_training_that_ended_and_was_not_scored_is_scored_and_no_more(
    trained: dict[str, Run], run_dir: Path
) -> None:
    stopping = [{**EARLY, "patience": 1, "min_delta": 5.0}]
    recipe = override(trained["mlp"].recipe, {"callbacks": stopping})
    whole = zoo.train(recipe=recipe, run_dir=run_dir, reporter=Silent())
    assert whole.epochs_done == 2 < recipe.epochs
    with pytest.raises(UsageError, match=r"has finished early, after 2 of 4 epochs"):
        zoo_run.resume(whole)
    before, best = weights(whole), weights(Run(whole.path, "best"))
    for name in ("model.keras", "metrics.json"):  # as if it had been killed at that moment
        (whole.path / name).unlink()
    again = zoo_run.resume(whole.path, reporter=Silent())
    assert again.epochs_done == 2
    for one, two, three in zip(weights(again), before, best, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)  # early stopping restored the best epoch's
    assert again.metrics["best_epoch"] == 1


@pytest.mark.parametrize("left", [0.0, 0.4, 0.8, None])
def test_a_damaged_checkpoint_is_refused(left: float | None, perceptron: Run) -> None:
    for path in perceptron.checkpoints:
        content = path.read_bytes()
        path.write_bytes(b"not an archive" if left is None else content[: int(left * len(content))])
    with pytest.raises(
        StorageError, match=r"cannot be resumed: checkpoint .* is damaged"
    ) as caught:
        zoo_run.resume(perceptron, epochs=5, reporter=Silent())
    assert "\n" not in str(caught.value)
    for path in perceptron.checkpoints:
        path.unlink()
    with pytest.raises(StorageError, match="is damaged: it has no checkpoint"):
        zoo_run.resume(perceptron, epochs=5, reporter=Silent())
    assert perceptron.status == "finished"


def test_a_checkpoint_of_another_model_is_refused(perceptron: Run, trained: dict[str, Run]) -> None:
    shutil.copy(trained["gan"].checkpoints[-1], perceptron.checkpoints[-1])
    with pytest.raises(UsageError, match=r"cannot be resumed from: it has \d+ variables"):
        zoo_run.resume(perceptron, epochs=5, reporter=Silent())


# What a run is told and holds.


def test_early_stopping_and_the_trainer_choose_the_same_epoch(run_dir: Path) -> None:
    reporter = Recording()
    stopping = {"name": "EarlyStopping", "monitor": "val_loss", "patience": 2, "min_delta": 0.2}
    run = zoo.train(
        "mlp",
        recipe="mlp-iris",
        epochs=12,
        run_dir=run_dir,
        reporter=reporter,
        overrides={"callbacks": [{**stopping, "restore_best_weights": True}]},
    )
    best = [epoch.number for epoch in reporter.epochs if epoch.best][-1]
    assert best < run.epochs_done < 12
    assert run.metrics["best_epoch"] == best
    assert reporter.starts[0].headline == "val_loss"
    assert same(run, Run(run.path, "best"))


def test_seconds_and_examples_per_second_leave_validation_out(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    class Clock:
        monotonic = staticmethod(lambda: now[0])

    # An epoch of 105 examples in 4 batches of 16 or so takes 2 seconds, its validation 50.
    log = trainer_callbacks.EpochLog
    began, test_began = log.on_epoch_begin, log.on_test_begin

    def on_epoch_begin(self: Any, epoch: int, logs: Any = None) -> None:
        began(self, epoch, logs)
        now[0] += 2.0

    def on_test_begin(self: Any, logs: Any = None) -> None:
        test_began(self, logs)
        now[0] += 50.0

    monkeypatch.setattr(trainer_callbacks, "time", Clock)
    monkeypatch.setattr(log, "on_epoch_begin", on_epoch_begin)
    monkeypatch.setattr(log, "on_test_begin", on_test_begin)
    reporter = Recording()
    run = zoo.train(
        "mlp", recipe="mlp-iris", epochs=2, batch_size=35, run_dir=run_dir, reporter=reporter
    )
    assert (run.path / "timing.csv").read_text() == "epoch,seconds\n1,2.0\n2,2.0\n"
    assert "seconds" not in run.history
    assert run.metrics["training_seconds"] == 4.0
    assert [epoch.rate for epoch in reporter.epochs] == [105 / 2.0] * 2


def test_steps_per_execution_change_nothing_but_speed(run_dir: Path) -> None:
    runs = [
        zoo.train(
            "mlp",
            recipe="mlp-iris",
            epochs=2,
            run_dir=run_dir,
            reporter=Silent(),
            overrides={"steps_per_execution": steps},
        )
        for steps in (1, 3)  # none runs into the next epoch
    ]
    for one, two in zip(weights(runs[0]), weights(runs[1]), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("batch_size", "steps"), [("full", 1), (1, 105), (32, 4)])
def test_whole_batch_one_sample_and_mini_batch_descent(
    batch_size: int | str, steps: int, run_dir: Path
) -> None:
    run = zoo.train(
        "mlp",
        recipe="mlp-iris",
        epochs=1,
        batch_size=batch_size,
        run_dir=run_dir,
        reporter=Silent(),
    )
    with np.load(run.checkpoints[-1]) as state:
        counts = {int(state[key]) for key in state if state[key].dtype == np.int64}
    assert steps in counts, "the optimizer counts its steps"


def test_a_run_holds_all_there_is_to_know(trained: dict[str, Run]) -> None:
    run = trained["lenet5"]
    assert run.path.name.startswith("lenet5-digits-")
    for name in ("recipe.toml", "data.json", "model.keras", "history.csv", "README.md"):
        assert (run.path / name).is_file()
    for name in ("curves.png", "confusion_matrix.png", "worst_errors.png"):
        assert (run.path / "figures" / name).read_bytes().startswith(b"\x89PNG")
    assert run.environment.keys() >= {"versions", "devices", "commit", "seed", "sessions"}
    metrics = json.loads((run.path / "metrics.json").read_text())
    for split in ("test", "validation"):
        assert metrics[split] == pytest.approx(run.evaluate(split), rel=1e-5)
    matrix = np.array(metrics["figures"]["confusion_matrix"])
    assert matrix.sum() == 360
    assert np.trace(matrix) / 360 == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    assert not list(run.path.rglob(".*")), "nothing half-written is left"


def test_a_run_can_have_a_name(run_dir: Path) -> None:
    assert zoo.train("perceptron", epochs=1, run_dir=run_dir, name="mine", reporter=Silent()).path
    with pytest.raises(UsageError, match="there is a run"):
        zoo.train("perceptron", epochs=1, run_dir=run_dir, name="mine", reporter=Silent())
    assert [path.name for path in run_dir.iterdir()] == ["mine"]


def test_the_perceptron_learns_and_and_or_but_not_xor(run_dir: Path) -> None:
    scores = {
        table: zoo.train("perceptron", dataset=table, run_dir=run_dir, reporter=Silent()).metrics[
            "test"
        ]["accuracy"]
        for table in ("and", "or", "xor")
    }
    assert scores["and"] == scores["or"] == 1.0
    assert scores["xor"] <= 0.75


def test_the_mlp_learns_xor(run_dir: Path) -> None:
    run = zoo.train("mlp", dataset="xor", run_dir=run_dir, reporter=Silent())
    assert run.recipe.name == "mlp-xor"
    assert run.evaluate()["accuracy"] == 1.0


@pytest.mark.parametrize("name", ["lenet5", "gan"])
def test_mixed_precision_trains_and_keeps_float32_answers(name: str, run_dir: Path) -> None:
    import keras

    arguments = {**TINY[name], "epochs": 1, "precision": "mixed_bfloat16"}
    run = zoo.train(name, run_dir=run_dir, reporter=Silent(), **arguments)
    assert keras.config.dtype_policy().name == "float32", "the process's policy is put back"
    assert run.environment["precision"] == "mixed_bfloat16"
    if name == "lenet5":
        assert run.model.get_layer("C1").compute_dtype == "bfloat16"
        answers = run.predict(np.zeros((1, 8, 8)))
    else:
        answers = run.generate(2)
    assert answers.dtype == np.float32
    # The best epoch's weights fit the model as it was trained.
    best = Run(run.path, "best")
    assert same(run, best)


def test_regularisation_adds_to_the_loss_of_any_model(run_dir: Path) -> None:
    def first_loss(l2: float) -> float:
        recipe = Recipe.model_validate(
            {
                "model": "mlp",
                "epochs": 1,
                "batch_size": "full",
                "data": {"name": "iris"},
                "optimizer": "SGD",
                "regularization": {"name": "L2", "l2": l2},
            }
        )
        run, _ = trainer.train(recipe, run_dir=run_dir, reporter=Silent())
        return run.history["loss"][0]

    assert first_loss(1.0) > first_loss(0.0) + 0.5


# Starting from weights that exist.


@pytest.fixture(scope="module")
def fine_tuned(trained: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that started from another one, which is there no longer, with its first layer frozen.

    It was stopped after its first epoch, and resumed.
    """
    folder = tmp_path_factory.mktemp("fine-tuned")
    start = tiny.copy(trained["lenet5"], folder, "start")
    recipe = resolve("lenet5", **TINY["lenet5"], init_from=start, freeze=["C1*", "C3*"])
    run = stopped(recipe, folder / "runs", 1)
    shutil.move(start.path, folder / "gone")
    return zoo_run.resume(run, reporter=Silent())


def test_a_run_starts_from_anothers_weights_and_frozen_ones_stay(
    trained: dict[str, Run], fine_tuned: Run
) -> None:
    before, after = trained["lenet5"].model, fine_tuned.model
    for old, new in zip(before.weights, after.weights, strict=True):
        frozen = new.path.startswith(("C1", "C3"))
        assert np.array_equal(old, new) == frozen, new.path
    assert not after.get_layer("C1").trainable
    assert after.get_layer("F6").trainable


def test_a_run_that_started_from_another_is_repeated_to_the_bit(fine_tuned: Run) -> None:
    # As it was, but never stopped; the run it started from is where it has been moved to.
    again = zoo.train(
        recipe=fine_tuned.path / "recipe.toml",
        init_from=fine_tuned.path.parent.parent / "gone",
        run_dir=fine_tuned.path.parent,
        reporter=Silent(),
    )
    assert again.recipe.freeze == ["C1*", "C3*"]
    assert same(fine_tuned, again)


def test_what_is_not_trained_is_told(fine_tuned: Run) -> None:
    metrics = fine_tuned.metrics
    assert metrics["parameters"] == zoo.card("lenet5").parameters
    assert metrics["trained_parameters"] < metrics["parameters"]
    card = (fine_tuned.path / "README.md").read_text(encoding="utf-8")
    assert f"Started from `{fine_tuned.recipe.init_from}`." in card
    assert "frozen: `C1*`, `C3*`." in card


def test_weights_that_do_not_fit_leave_no_run(trained: dict[str, Run], run_dir: Path) -> None:
    for wrong in ({"init_from": trained["lenet5"]}, {"freeze": "conv1*"}, {"freeze": "*"}):
        with pytest.raises(UsageError, match=r"do not fit mlp|no layer|leaves nothing"):
            zoo.train("mlp", run_dir=run_dir, reporter=Silent(), **wrong)
    assert not run_dir.exists()
