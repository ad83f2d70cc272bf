"""What is wrong is said before the first step, and leaves nothing behind, not even `runs/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zoo
from tests import tiny
from zoo.base.errors import UsageError
from zoo.training.progress import Silent

IRIS: dict[str, Any] = {"model": "mlp", "recipe": "mlp-iris", "epochs": 2}


def callback(**arguments: Any) -> dict[str, Any]:
    """A training with one callback."""
    return {**IRIS, "overrides": {"callbacks": [arguments]}}


def changed(**overrides: Any) -> dict[str, Any]:
    """A training with other overrides; two underscores are a dot."""
    return {**IRIS, "overrides": {key.replace("__", "."): v for key, v in overrides.items()}}


def target(metric: str) -> dict[str, Any]:
    return changed(target={"metric": metric, "at_least": 0.5})


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "monitor",
        callback(name="EarlyStopping", monitor="val_acuracy"),
        "EarlyStopping watches 'val_acuracy', which nothing computes. Did you mean 'val_accuracy'?",
    ),
    (
        "monitor of another callback",
        callback(name="ReduceLROnPlateau", monitor="val_f1"),
        "ReduceLROnPlateau watches 'val_f1', which nothing computes. There are: accuracy, loss",
    ),
    (
        "monitor of an unknown direction",
        callback(name="EarlyStopping", monitor="learning_rate"),
        "it is unknown whether a higher learning_rate is better",
    ),
    ("target", target("acuracy"), "the target is 'acuracy', which nothing computes. Did you mean"),
    ("callback", callback(name="EarlyStoping"), "unknown callback 'EarlyStoping'. Did you mean"),
    (
        "argument of a callback",
        callback(name="EarlyStopping", patiense=3),
        "takes no argument 'patiense'. Did you mean 'patience'?",
    ),
    (
        "path outside the run",
        callback(name="CSVLogger", filename="../../log.csv"),
        "CSVLogger: filename must lie inside the run, got '../../log.csv'",
    ),
    (
        "argument of the optimizer",
        changed(optimizer__learnin_rate=1),
        "takes no argument 'learnin_rate'. Did you mean 'learning_rate'?",
    ),
    ("optimizer", changed(optimizer__name="Adm"), "unknown optimizer 'Adm'. Did you mean 'Adam'?"),
    ("loss", changed(loss="mean_sqared_error"), "unknown loss 'mean_sqared_error'. Did you mean"),
    (
        "loss that does not fit",
        changed(loss="CategoricalCrossentropy", task="regression"),
        "mlp does regression, which needs a number",
    ),
    (
        "argument of the builder",
        changed(arguments__hiden_units=[3]),
        "takes no argument 'hiden_units'. Did you mean 'hidden_units'?",
    ),
    ("column", changed(data__image={"size": [8, 8]}), "unknown column of iris 'image'"),
    ("form", changed(data__features={"size": [8, 8]}), "data.features.size: unknown key."),
    (
        "form of an image",
        {"model": "lenet5", "overrides": {"data.image.unit": "word"}},
        "data.image.unit: unknown key.",
    ),
    (
        "devices",
        {**IRIS, "batch_size": 15, "devices": 2},
        "a batch of 15 cannot be shared evenly by 2 devices; try --batch-size 14",
    ),
    ("name of the run", {**IRIS, "name": "../up"}, "a run's name may have letters"),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(arguments, message) for _, arguments, message in REFUSED],
    ids=[name for name, _, _ in REFUSED],
)
def test_a_refused_training_leaves_nothing(
    arguments: dict[str, Any],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        zoo.train(**arguments, reporter=Silent())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_direction_is_never_guessed_from_a_name(run_dir: Path) -> None:
    # The discriminator's accuracy is no goal: 0.5 is where samples look like data.
    gan = {**tiny.TRAININGS["gan"], "run_dir": run_dir, "epochs": 1}
    watch = {"name": "EarlyStopping", "monitor": "val_discriminator_accuracy"}
    overrides = {**tiny.GAN, "callbacks": [watch]}
    with pytest.raises(UsageError, match=r"unknown whether a higher val_discriminator_accuracy is"):
        zoo.train(**{**gan, "overrides": overrides}, reporter=Silent())
    assert not run_dir.exists()
    overrides["callbacks"] = [{**watch, "mode": "min"}]
    run = zoo.train(**{**gan, "overrides": overrides}, reporter=Silent())
    assert run.metrics["best_epoch"] == 1


def test_a_models_own_score_can_be_watched_without_a_mode(run_dir: Path) -> None:
    # Keras knows the direction of compiled metrics only.
    watch = {"name": "EarlyStopping", "monitor": "val_elbo", "patience": 5}
    overrides = {"arguments.hidden_units": [16], "callbacks": [watch]}
    run = zoo.train(
        "vae", epochs=3, batch_size=512, run_dir=run_dir, overrides=overrides, reporter=Silent()
    )
    elbo = run.history["val_elbo"]
    assert run.metrics["best_epoch"] == elbo.index(max(elbo)) + 1


def test_a_refused_training_leaves_the_runs_that_are_there(run_dir: Path) -> None:
    first = zoo.train("perceptron", epochs=1, run_dir=run_dir, reporter=Silent())
    with pytest.raises(UsageError):
        zoo.train(**callback(name="Nothing"), run_dir=run_dir, reporter=Silent())
    assert [path.name for path in run_dir.iterdir()] == [first.name]
    assert zoo.load("latest", run_dir).path == first.path
