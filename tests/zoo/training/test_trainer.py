"""Training: repeatable, resumable, the same on two devices as on one, and honest when it fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.recipe import Recipe
from tests import tiny
from zoo.errors import DlzooError, UsageError
from zoo.runs import Run
from zoo.training import trainer
from zoo.training.report import Epoch, Silent
from zoo.training.resolve import resolve

# Small networks of every kind that the trainer must not know apart.
TINY: dict[str, dict[str, Any]] = {
    "lenet5": {"epochs": 2, "batch_size": 256},
    "mlp": {
        "recipe": "mlp-iris",
        "epochs": 4,
        "overrides": {
            "arguments.dropout": 0.3,
            "arguments.batch_normalization": True,
            "callbacks": [
                {"name": "EarlyStopping", "patience": 50, "restore_best_weights": True},
                {"name": "ReduceLROnPlateau", "monitor": "loss", "patience": 1, "min_delta": 10.0},
            ],
        },
    },
    "resnet20": {
        "epochs": 2,
        "batch_size": 256,
        "overrides": {"data.image_size": [8, 8]},
    },
    "vae": {"epochs": 4, "batch_size": 256},
    "gan": {"epochs": 4, "batch_size": 256},
    "lstm": {
        "epochs": 2,
        "batch_size": 2048,
        "overrides": {
            "data.sequence_length": 6,
            "arguments.units": 4,
            "arguments.embedding_dim": 4,
        },
    },
}


def weights(run: Run) -> list[np.ndarray]:
    """Return a run's saved weights."""
    return [weight.numpy() for weight in run.model.weights]


def same(first: Run, second: Run) -> bool:
    """Return whether two runs' models are equal to the bit."""
    pairs = zip(weights(first), weights(second), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)


class StopAfter(Silent):
    """Presses Ctrl-C when an epoch has ended."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.last = epoch

    def epoch(self, epoch: Epoch) -> None:
        if epoch.number == self.last:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One uninterrupted run of each kind."""
    folder = tmp_path_factory.mktemp("trained") / "runs"
    return {
        name: zoo.train(name, run_dir=folder, reporter=Silent(), **arguments)
        for name, arguments in TINY.items()
    }


@pytest.mark.parametrize("name", TINY)
def test_a_runs_own_recipe_repeats_it_to_the_bit(trained: dict[str, Run], name: str) -> None:
    first = trained[name]
    second = zoo.train(
        recipe=first.path / "recipe.toml", run_dir=first.path.parent, reporter=Silent()
    )
    assert second.path != first.path
    assert same(first, second)
    assert first.metrics["test"] == second.metrics["test"]


@pytest.mark.parametrize("name", TINY)
def test_a_resumed_training_ends_as_one_that_never_stopped(
    trained: dict[str, Run], name: str
) -> None:
    whole = trained[name]
    half = whole.recipe.epochs // 2
    with pytest.raises(KeyboardInterrupt):
        trainer.run_recipe(whole.recipe, run_dir=whole.path.parent, reporter=StopAfter(half))
    stopped = zoo.load("latest", whole.path.parent)
    assert not stopped.finished
    assert len(stopped.history["epoch"]) == half
    with pytest.raises(UsageError, match=r"has not finished training.*--resume"):
        stopped.evaluate()

    resumed = trainer.resume(stopped, reporter=Silent())
    assert resumed.path == stopped.path
    assert same(whole, resumed)
    for key, values in whole.history.items():
        if key != "seconds":
            assert resumed.history[key] == values


def test_resuming_keeps_what_callbacks_knew(trained: dict[str, Run]) -> None:
    # ReduceLROnPlateau with an improvement that is never large enough halves again and again; a
    # callback that forgot would wait anew.
    rates = trained["mlp"].history["learning_rate"]
    assert rates[-1] < rates[0]


def test_more_epochs_go_on_in_the_same_folder(run_dir: Path) -> None:
    run = zoo.train("perceptron", epochs=2, run_dir=run_dir, reporter=Silent())
    with pytest.raises(UsageError, match=r"has finished its 2 epochs.*--epochs"):
        trainer.resume(run)
    longer = trainer.resume(run, epochs=5, reporter=Silent())
    assert longer.path == run.path
    assert longer.history["epoch"] == [1, 2, 3, 4, 5]
    assert longer.recipe.epochs == 5


def test_a_damaged_checkpoint_is_refused(run_dir: Path) -> None:
    run = zoo.train("perceptron", epochs=2, run_dir=run_dir, reporter=Silent())
    (run.path / "checkpoints" / "state.npz").write_bytes(b"not an archive")
    with pytest.raises(UsageError, match="cannot be resumed from"):
        trainer.resume(run, epochs=5, reporter=Silent())


@pytest.mark.parametrize("name", ["lenet5", "mlp", "resnet20", "lstm", "perceptron"])
def test_two_replicas_train_as_one_does(name: str, run_dir: Path) -> None:
    arguments = {**TINY.get(name, {}), "epochs": 2}
    overrides = {**arguments.pop("overrides", {})}
    for key in ("arguments.dropout", "arguments.token_dropout"):
        overrides[key] = 0.0  # each replica would drop its own
    if name not in ("mlp", "lstm"):
        overrides = {key: value for key, value in overrides.items() if "drop" not in key}
    if name == "mlp":
        del overrides["arguments.token_dropout"]
    if name == "perceptron":
        arguments["batch_size"] = 2
    if name == "resnet20":
        # At the recipe's rate, early training multiplies even a rounding error by thousands.
        arguments["learning_rate"] = 0.001
    runs = [
        zoo.train(
            name,
            run_dir=run_dir,
            reporter=Silent(),
            strategy=strategy,
            devices=devices,
            overrides=overrides,
            **arguments,
        )
        for strategy, devices in (("one-device", 1), ("mirrored", 2))
    ]
    assert runs[1].environment["devices"] == "2 × CPU"
    for one, two in zip(weights(runs[0]), weights(runs[1]), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-4)


def test_a_batch_that_devices_cannot_share_evenly_is_refused(run_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be shared evenly by 2 devices.*--batch-size 14"):
        zoo.train("mlp", recipe="mlp-iris", batch_size=15, devices=2, run_dir=run_dir)
    assert not run_dir.exists()


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
        for steps in (1, 3)  # of an epoch's 4, so it is 2: none runs into the next epoch
    ]
    for one, two in zip(weights(runs[0]), weights(runs[1]), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", ["full", 1, 32])
def test_whole_batch_one_sample_and_mini_batch_descent(
    batch_size: int | str, run_dir: Path
) -> None:
    run = zoo.train(
        "mlp",
        recipe="mlp-iris",
        epochs=1,
        batch_size=batch_size,
        run_dir=run_dir,
        reporter=Silent(),
    )
    state = np.load(run.path / "checkpoints" / "state.npz")
    steps = {"full": 1, 1: 105, 32: 4}[batch_size]
    counts = {int(state[key]) for key in state if state[key].dtype == np.int64}
    assert steps in counts, "the optimizer counts its steps"


def test_loss_that_turns_nan_stops_with_the_epoch_the_rate_and_what_to_try(run_dir: Path) -> None:
    with pytest.raises(DlzooError, match=r"in epoch \d at a learning rate of .*\. Try --learn"):
        zoo.train(
            "mlp",
            recipe="mlp-diabetes",
            epochs=5,
            learning_rate=1e30,
            run_dir=run_dir,
            reporter=Silent(),
        )
    assert not zoo.load("latest", run_dir).finished


def test_a_run_holds_all_there_is_to_know(trained: dict[str, Run]) -> None:
    run = trained["lenet5"]
    assert run.path.name.startswith("lenet5-digits-")
    for name in ("recipe.toml", "data.json", "model.keras", "history.csv", "README.md"):
        assert (run.path / name).is_file()
    for name in ("curves.png", "confusion_matrix.png"):
        assert (run.path / "figures" / name).read_bytes().startswith(b"\x89PNG")
    assert run.environment.keys() >= {"versions", "devices", "commit", "seed", "command"}
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics["test"] == run.evaluate("test")
    assert metrics["validation"] == run.evaluate("validation")
    matrix = np.array(metrics["figures"]["confusion_matrix"])
    assert matrix.sum() == 360
    assert np.trace(matrix) / 360 == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    assert not list(run.path.rglob(".*")), "nothing half-written is left"


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


def test_a_callback_that_watches_what_nothing_computes_is_refused(run_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"watches 'val_acuracy'.*'val_accuracy'"):
        zoo.train(
            "mlp",
            recipe="mlp-iris",
            epochs=2,
            run_dir=run_dir,
            reporter=Silent(),
            overrides={"callbacks": [{"name": "EarlyStopping", "monitor": "val_acuracy"}]},
        )


def test_builders_arguments_are_checked(run_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"takes no argument 'hiden_units'.*'hidden_units'"):
        zoo.train("mlp", run_dir=run_dir, overrides={"arguments.hiden_units": [3]})


def test_mixed_precision_trains_and_keeps_float32_answers(run_dir: Path) -> None:
    import keras

    run = zoo.train(
        "lenet5",
        epochs=1,
        batch_size=256,
        precision="mixed_bfloat16",
        run_dir=run_dir,
        reporter=Silent(),
    )
    assert run.environment["precision"] == "mixed_bfloat16"
    assert run.model.get_layer("C1").compute_dtype == "bfloat16"
    assert run.predict(np.zeros((1, 8, 8))).dtype == np.float32
    assert keras.config.dtype_policy().name == "float32", "the process's policy is put back"


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
        return trainer.run_recipe(recipe, run_dir=run_dir, reporter=Silent()).history["loss"][0]

    assert first_loss(1.0) > first_loss(0.0) + 0.5


# Starting from weights that exist.


@pytest.fixture(scope="module")
def fine_tuned(trained: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that started from another one, which is there no longer, with its first stages frozen.

    It was stopped after its first epoch, and resumed.
    """
    folder = tmp_path_factory.mktemp("fine-tuned")
    start = tiny.copy(trained["resnet20"], folder, "start")
    arguments = {**TINY["resnet20"], "init_from": start, "freeze": ["stem*", "stage1*"]}
    recipe = resolve("resnet20", **arguments)
    with pytest.raises(KeyboardInterrupt):
        trainer.run_recipe(recipe, run_dir=folder / "runs", reporter=StopAfter(1))
    shutil.move(start.path, folder / "gone")
    return trainer.resume(zoo.load("latest", folder / "runs"), reporter=Silent())


def test_a_run_starts_from_anothers_weights_and_frozen_ones_stay(
    trained: dict[str, Run], fine_tuned: Run
) -> None:
    before, after = trained["resnet20"].model, fine_tuned.model
    for old, new in zip(before.weights, after.weights, strict=True):
        frozen = new.path.startswith(("stem", "stage1"))
        assert np.array_equal(old, new) == frozen, new.path
    assert not after.get_layer("stem_conv").trainable
    assert after.get_layer("probabilities").trainable


def test_a_run_that_started_from_another_is_repeated_and_resumed_to_the_bit(
    trained: dict[str, Run], fine_tuned: Run
) -> None:
    # As it was, but never stopped; the run it started from is where it has been moved to.
    again = zoo.train(
        recipe=fine_tuned.path / "recipe.toml",
        init_from=fine_tuned.path.parent.parent / "gone",
        run_dir=fine_tuned.path.parent,
        reporter=Silent(),
    )
    assert again.recipe.freeze == ["stem*", "stage1*"]
    assert same(fine_tuned, again)
    repeated = zoo.train(
        recipe=again.path / "recipe.toml", run_dir=again.path.parent, reporter=Silent()
    )
    assert same(again, repeated)


def test_what_is_not_trained_is_told(fine_tuned: Run) -> None:
    metrics = fine_tuned.metrics
    assert metrics["parameters"] == 269_434  # with one channel instead of three
    assert metrics["trained_parameters"] < metrics["parameters"]
    card = (fine_tuned.path / "README.md").read_text(encoding="utf-8")
    assert f"Started from `{fine_tuned.recipe.init_from}`." in card
    assert f"{metrics['trained_parameters']:,} of 269,434 parameters trained" in card
    assert "frozen: `stem*`, `stage1*`." in card


def test_weights_that_do_not_fit_leave_no_run(trained: dict[str, Run], run_dir: Path) -> None:
    for wrong in ({"init_from": trained["lenet5"]}, {"freeze": "conv1*"}, {"freeze": "*"}):
        with pytest.raises(UsageError, match=r"fits mlp|no layer|leaves nothing"):
            zoo.train("mlp", run_dir=run_dir, reporter=Silent(), **wrong)
    assert not run_dir.exists()


def test_two_replicas_start_from_weights_as_one_does(
    trained: dict[str, Run], run_dir: Path
) -> None:
    runs = [
        zoo.train(
            "lenet5",
            epochs=1,
            batch_size=256,
            init_from=trained["lenet5"],
            freeze="C*",
            devices=devices,
            run_dir=run_dir,
            reporter=Silent(),
        )
        for devices in (1, 2)
    ]
    for one, two in zip(weights(runs[0]), weights(runs[1]), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-4)
