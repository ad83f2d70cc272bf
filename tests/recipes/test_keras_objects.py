"""Recipe to Keras: every name of Keras and of dlzoo works, and what neither has is refused."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from recipes import keras_objects
from recipes.recipe import Named, Optimizer, Recipe, parse
from zoo.base.errors import UsageError
from zoo.layers.schedules import WarmUp

EPOCHS = 10
STEPS = 20  # in each epoch


def recipe(**changes: Any) -> Recipe:
    """A recipe of ten epochs."""
    values = {"model": "mlp", "epochs": EPOCHS, "data": {"name": "iris"}, **changes}
    if "optimizers" not in values:
        values.setdefault("optimizer", {"name": "SGD", "learning_rate": 0.5})
    return parse(values, source="test")


def rates(**changes: Any) -> Any:
    """The learning rate of each step of a recipe, as a function."""
    made = keras_objects.compile_arguments(recipe(**changes), STEPS)["optimizer"]._learning_rate

    def rate(step: float) -> float:
        return float(made(step)) if callable(made) else float(made)

    return rate


def classes(module: Any, base: type) -> dict[str, Any]:
    """Keras's own classes of a kind, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }


def functions(module: Any) -> list[str]:
    """Keras's functions of a kind, by name."""
    helpers = ("get", "serialize", "deserialize")
    found = [name for name, value in vars(module).items() if inspect.isfunction(value)]
    return [name for name in found if name not in helpers]


def snake(name: str) -> str:
    """MeanSquaredError -> mean_squared_error."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


# These wrap other optimizers, which a recipe cannot name inside one.
WRAPPERS = ("LossScaleOptimizer", "MultiOptimizer")
OPTIMIZERS = classes(keras.optimizers, keras.optimizers.Optimizer)
LOSSES = classes(keras.losses, keras.losses.Loss)
METRICS = classes(keras.metrics, keras.metrics.Metric)
SCHEDULES = classes(keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule)
CALLBACKS = classes(keras.callbacks, keras.callbacks.Callback)


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - set(WRAPPERS)))
def test_every_optimizer_works_by_its_name_in_either_spelling(name: str) -> None:
    for spelling in (name, name.lower(), snake(name)):
        named = Optimizer(name=spelling, learning_rate=0.25, weight_decay=0.125, clipnorm=1.5)
        made = keras_objects.optimizer(named, EPOCHS, STEPS)
        assert type(made) is OPTIMIZERS[name]
        assert float(made.learning_rate) == 0.25
        assert (made.weight_decay, made.clipnorm) == (0.125, 1.5)


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - set(WRAPPERS)))
def test_an_optimizer_without_arguments_has_keras_own(name: str) -> None:
    made = keras_objects.optimizer(Optimizer(name=name), EPOCHS, STEPS)
    ours, theirs = made.get_config(), OPTIMIZERS[name]().get_config()
    assert {**ours, "name": ""} == {**theirs, "name": ""}


@pytest.mark.parametrize("name", WRAPPERS)
def test_an_optimizer_that_wraps_others_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        keras_objects.optimizer(Optimizer(name=name), EPOCHS, STEPS)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_works_by_its_name_in_either_spelling(name: str) -> None:
    for spelling in (name, snake(name)):
        assert type(keras_objects.loss(Named(name=spelling))) is LOSSES[name]


@pytest.mark.parametrize("name", functions(keras.losses))
def test_every_loss_function_works_by_its_name(name: str) -> None:
    assert isinstance(keras_objects.loss(Named(name=name)), keras.losses.Loss)


@pytest.mark.parametrize(
    ("short", "kind"),
    [
        ("mse", "MeanSquaredError"),
        ("MAE", "MeanAbsoluteError"),
        ("mape", "MeanAbsolutePercentageError"),
        ("msle", "MeanSquaredLogarithmicError"),
        ("bce", "BinaryCrossentropy"),
    ],
)
def test_keras_short_forms_work(short: str, kind: str) -> None:
    assert type(keras_objects.loss(Named(name=short))).__name__ == kind
    assert type(keras_objects.metric(Named(name=short))).__name__ == kind


def test_a_loss_takes_its_arguments() -> None:
    made = keras_objects.loss(
        Named(name="binary_crossentropy", from_logits=True, label_smoothing=0.1)
    )
    assert (made.from_logits, made.label_smoothing) == (True, 0.1)


# What these cannot do without.
NEEDED: dict[str, dict[str, Any]] = {
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "IoU": {"num_classes": 3, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 3},
}


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"MeanMetricWrapper"}))
def test_every_metric_works_by_its_name_and_keeps_it_however_often_it_is_made(name: str) -> None:
    arguments = NEEDED.get(name, {})
    made = [keras_objects.metric(Named(name=name, **arguments)) for _ in range(2)]
    keras_own = re.sub(r"_\d+$", "", METRICS[name](**arguments).name)
    assert type(made[0]) is METRICS[name]
    assert [metric.name for metric in made] == [keras_own, keras_own]


@pytest.mark.parametrize("name", functions(keras.metrics))
def test_every_metric_function_works_by_its_name_and_is_called_by_it(name: str) -> None:
    made = keras_objects.metric(Named(name=name))
    assert isinstance(made, keras.metrics.Metric)
    assert made.name == name


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_an_argument_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        keras_objects.metric(Named(name=name))
    assert str(caught.value).startswith(f"metric {name}: ")
    assert next(iter(NEEDED[name])) in str(caught.value)


def test_accuracy_is_left_to_keras_which_sees_what_kind_is_meant() -> None:
    assert keras_objects.metric(Named(name="accuracy")) == "accuracy"
    assert keras_objects.metric(Named(name="acc")) == "accuracy"


def test_a_metric_takes_its_arguments_and_a_name_of_its_own() -> None:
    made = keras_objects.metric(Named(name="TopKCategoricalAccuracy", k=3))
    assert made.get_config()["k"] == 3
    made = keras_objects.metric(Named(name="AUC", curve="PR"))
    assert made.get_config()["curve"] == "PR"


@pytest.mark.parametrize("name", ["L1", "L2", "l1", "l2", "L1L2", "l1_l2", "OrthogonalRegularizer"])
def test_every_regularizer_works_by_its_name(name: str) -> None:
    made = keras_objects.regularizer(Named(name=name))
    assert isinstance(made, keras.regularizers.Regularizer)


def test_a_regularizer_takes_its_arguments() -> None:
    made = keras_objects.regularizer(Named(name="L1L2", l1=0.5, l2=0.25))
    weights = np.array([[1.0, -2.0]], "float32")
    assert float(made(weights)) == pytest.approx(0.5 * 3 + 0.25 * 5)


# Schedules, in steps, epochs, or shares of the whole training.

ARGUMENTS: dict[str, dict[str, Any]] = {
    "CosineDecay": {"decay_steps": 100},
    "CosineDecayRestarts": {"first_decay_steps": 100},
    "ExponentialDecay": {"decay_steps": 100, "decay_rate": 0.5},
    "InverseTimeDecay": {"decay_steps": 100, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [100], "values": [0.5, 0.1]},
    "PolynomialDecay": {"decay_steps": 100},
}


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule_works_by_its_name_and_begins_at_the_learning_rate(name: str) -> None:
    for spelling in (name, snake(name)):
        rate = rates(schedule={"name": spelling, **ARGUMENTS[name]})
        assert rate(0) == pytest.approx(0.5)
        assert rate(150) < 0.5


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"PiecewiseConstantDecay"}))
def test_steps_may_be_said_in_epochs_or_as_a_share_of_the_training(name: str) -> None:
    steps_key = next(key for key in ARGUMENTS[name] if key.endswith("_steps"))
    rest = {key: value for key, value in ARGUMENTS[name].items() if key != steps_key}
    stem = steps_key.removesuffix("_steps")
    forms = {f"{stem}_steps": 100, f"{stem}_epochs": 5, f"{stem}_fraction": 0.5}
    said = [rates(schedule={"name": name, key: value, **rest}) for key, value in forms.items()]
    for step in (0, 30, 100, 170):
        assert said[1](step) == pytest.approx(said[0](step))
        assert said[2](step) == pytest.approx(said[0](step))


def test_boundaries_may_be_said_in_epochs_or_as_shares_of_the_training() -> None:
    values = [0.5, 0.05, 0.005]
    for form in (
        {"boundaries": [100, 150]},
        {"boundary_epochs": [5, 7.5]},
        {"boundary_fractions": [0.5, 0.75]},
    ):
        rate = rates(schedule={"name": "PiecewiseConstantDecay", "values": values, **form})
        assert [rate(step) for step in (0, 100, 101, 150, 151, 199)] == pytest.approx(
            [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]
        )


def test_a_share_too_small_for_a_step_is_one_step() -> None:
    rate = rates(schedule={"name": "ExponentialDecay", "decay_fraction": 1e-6, "decay_rate": 0.5})
    assert rate(1) == pytest.approx(0.25)


def test_a_schedule_may_begin_at_a_rate_of_its_own() -> None:
    rate = rates(schedule={"name": "CosineDecay", "decay_steps": 9, "initial_learning_rate": 0.7})
    assert rate(0) == pytest.approx(0.7)


def test_without_a_learning_rate_a_schedule_begins_at_keras_default() -> None:
    rate = rates(optimizer={"name": "Adam"}, schedule={"name": "CosineDecay", "decay_fraction": 1})
    assert rate(0) == pytest.approx(0.001)
    assert rate(EPOCHS * STEPS) == pytest.approx(0.0, abs=1e-9)


def test_the_learning_rate_of_a_recipe_is_not_ignored_in_silence() -> None:
    # These values are absolute: another learning rate beside them would do nothing.
    steps = {"name": "PiecewiseConstantDecay", "boundary_epochs": [5], "values": [0.1, 0.01]}
    for optimizer in ({"name": "SGD"}, {"name": "SGD", "learning_rate": 0.1}):
        assert rates(optimizer=optimizer, schedule=steps)(0) == pytest.approx(0.1)
    with pytest.raises(UsageError, match="learning_rate"):
        rates(optimizer={"name": "SGD", "learning_rate": 0.5}, schedule=steps)


# Warm-up.


def test_a_warm_up_climbs_straight_to_the_learning_rate_and_stays() -> None:
    rate = rates(warmup={"epochs": 2, "start": 0.1})
    assert [rate(step) for step in (0, 10, 20, 40, 41, 199)] == pytest.approx(
        [0.1, 0.2, 0.3, 0.5, 0.5, 0.5]
    )


def test_a_schedule_begins_where_the_warm_up_ends_and_still_ends_with_the_training() -> None:
    rate = rates(warmup={"epochs": 2}, schedule={"name": "PolynomialDecay", "decay_fraction": 1.0})
    low = 0.0001  # where PolynomialDecay ends
    assert rate(0) == 0.0
    assert rate(20) == pytest.approx(0.25)
    assert rate(40) == pytest.approx(0.5)
    assert rate(120) == pytest.approx((0.5 + low) / 2)
    assert rate(200) == pytest.approx(low)


def test_a_warm_up_of_part_of_a_step_is_one_step() -> None:
    rate = rates(warmup={"epochs": 0.001})
    assert [rate(step) for step in (0, 1, 2)] == [0.0, 0.5, 0.5]


def test_a_warm_up_is_saved_and_loaded_with_its_schedule() -> None:
    inner = keras.optimizers.schedules.CosineDecay(0.5, 100)
    for after in (inner, 0.5):
        made = WarmUp(after, 10, 0.1)
        stored = keras.saving.serialize_keras_object(made)
        again = keras.saving.deserialize_keras_object(stored)
        for step in (0, 5, 10, 60, 110):
            assert float(again(step)) == float(made(step))


# Compiling.


SEVERAL: dict[str, Any] = {
    "generator": {"name": "Adam", "learning_rate": 0.2},
    "discriminator": {"name": "SGD", "learning_rate": 0.4},
}


def rates_of_several(**changes: Any) -> dict[str, Any]:
    """The learning rate at a step, by the network."""
    arguments = keras_objects.compile_arguments(recipe(**changes), STEPS)
    made = {key.removesuffix("_optimizer"): value for key, value in arguments.items()}
    assert type(made["generator"]) is keras.optimizers.Adam
    assert type(made["discriminator"]) is keras.optimizers.SGD
    return {key: value._learning_rate for key, value in made.items()}


def test_several_networks_have_an_optimizer_each_and_share_the_recipes_schedule() -> None:
    schedule = {"name": "CosineDecay", "decay_fraction": 1.0}
    rate = rates_of_several(optimizers=SEVERAL, schedule=schedule)
    assert float(rate["generator"](0)) == pytest.approx(0.2)
    assert float(rate["discriminator"](0)) == pytest.approx(0.4)


def test_an_optimizer_may_have_a_schedule_and_a_warm_up_of_its_own() -> None:
    own = {
        "schedule": {"name": "PolynomialDecay", "decay_fraction": 0.5, "end_learning_rate": 0.1},
        "warmup": {"epochs": 2, "start": 0.05},
    }
    several = {**SEVERAL, "generator": {**SEVERAL["generator"], **own}}
    rate = rates_of_several(
        optimizers=several, schedule={"name": "CosineDecay", "decay_fraction": 1.0}
    )
    # 40 steps of warm-up, then half of the 160 that are left.
    assert [float(rate["generator"](step)) for step in (0, 40, 80, 120)] == pytest.approx(
        [0.05, 0.2, 0.15, 0.1]
    )
    # The other follows the recipe's: half a cosine over all 200 steps, from the first.
    assert [float(rate["discriminator"](step)) for step in (0, 100, 200)] == pytest.approx(
        [0.4, 0.2, 0.0], abs=1e-6
    )
    # Only one of them has a schedule.
    rate = rates_of_several(optimizers=several)
    assert callable(rate["generator"])
    assert float(rate["discriminator"]) == pytest.approx(0.4)
    one = {"name": "SGD", "learning_rate": 0.5, "warmup": {"epochs": 2, "start": 0.1}}
    assert rates(optimizer=one)(20) == pytest.approx(0.3)


def test_what_a_recipe_does_not_name_is_left_to_the_task() -> None:
    assert set(keras_objects.compile_arguments(recipe(), STEPS)) == {"optimizer"}
    named = recipe(loss="mse", metrics=["mae", "accuracy"])
    arguments = keras_objects.compile_arguments(named, STEPS)
    assert set(arguments) == {"optimizer", "loss", "metrics"}
    assert len(arguments["metrics"]) == 2


def test_a_recipe_makes_new_optimizers_each_time() -> None:
    made = [keras_objects.compile_arguments(recipe(), STEPS)["optimizer"] for _ in range(2)]
    assert made[0] is not made[1]


# Callbacks.


@pytest.mark.parametrize(
    "named",
    [
        {"name": "EarlyStopping", "monitor": "val_loss", "patience": 3},
        {"name": "early_stopping", "restore_best_weights": True},
        {"name": "TerminateOnNaN"},
        {"name": "terminate_on_nan"},
        {"name": "ReduceLROnPlateau", "factor": 0.5},
        {"name": "SwapEMAWeights"},
    ],
)
def test_callbacks_work_by_their_names_and_arguments(named: dict[str, Any], tmp_path: Path) -> None:
    (made,) = keras_objects.callbacks(recipe(callbacks=[named]), tmp_path)
    assert type(made).__name__.lower() == named["name"].replace("_", "").lower()
    for key, value in named.items():
        if key != "name":
            assert getattr(made, key) == value


FILES = {
    "ModelCheckpoint": "filepath",
    "CSVLogger": "filename",
    "BackupAndRestore": "backup_dir",
    "TensorBoard": "log_dir",
    "OrbaxCheckpoint": "directory",
}


def test_every_callback_that_writes_files_is_known_to() -> None:
    words = {"path", "filepath", "filename", "file", "dir", "directory", "folder"}
    found = {
        name: key
        for name, kind in CALLBACKS.items()
        for key in inspect.signature(kind.__init__).parameters
        if words & set(key.split("_")) and name != "RemoteMonitor"  # its path is of an address
    }
    assert found == FILES


@pytest.mark.parametrize(("name", "key"), FILES.items())
@pytest.mark.parametrize(
    "path",
    ["../outside/x.keras", "/tmp/outside/x.keras", "a/../../x.keras"],  # noqa: S108
)
def test_what_callbacks_write_stays_inside_the_run(
    name: str, key: str, path: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(UsageError) as caught:
        keras_objects.callbacks(recipe(callbacks=[{"name": name, key: path}]), folder)
    assert str(caught.value) == f"{name}: {key} must lie inside the run, got '{path}'"
    assert [child.name for child in tmp_path.iterdir()] == ["run"]


@pytest.fixture
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every package that a callback needs counts as installed."""
    monkeypatch.setattr(keras_objects, "_installed", lambda module: True)


@pytest.mark.usefixtures("_packages")
@pytest.mark.parametrize("name", ["ModelCheckpoint", "CSVLogger", "TensorBoard"])
def test_folders_within_the_run_are_made_when_asked_and_not_before(
    name: str, tmp_path: Path
) -> None:
    key = FILES[name]
    made_of = recipe(callbacks=[{"name": name, key: "deeper/still/x.keras"}])
    run = tmp_path / "run"
    (made,) = keras_objects.callbacks(made_of, run)
    assert Path(str(getattr(made, key))).is_relative_to(run / "deeper" / "still")
    assert not run.exists()
    keras_objects.prepare_folders(made_of, run)
    assert (run / "deeper" / "still").is_dir()


@pytest.mark.usefixtures("_packages")
def test_a_callback_that_would_write_elsewhere_by_default_writes_into_the_run(
    tmp_path: Path,
) -> None:
    (made,) = keras_objects.callbacks(recipe(callbacks=["TensorBoard"]), tmp_path)
    assert Path(made.log_dir).is_relative_to(tmp_path)


@pytest.mark.parametrize("name", ["TensorBoard", "tensor_board"])
def test_a_callback_whose_package_is_missing_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(UsageError) as caught:
        keras_objects.callbacks(recipe(callbacks=[name]), tmp_path / "run")
    assert str(caught.value) == (
        "callback TensorBoard needs a package that is not installed: pip install tensorboard"
    )
    assert not (tmp_path / "run").exists()


# dlzoo's own objects.


@pytest.fixture
def _own() -> Iterator[None]:
    """Objects that a plug-in registers under "dlzoo", for one test."""
    register = keras.saving.register_keras_serializable("dlzoo")

    class DoubleLoss(keras.losses.Loss):
        def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

    class DoubleMean(keras.metrics.Mean):
        """Inherits its constructor."""

    class InverseRoot(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self, initial_learning_rate: float, decay_steps: int) -> None:
            self.arguments = (initial_learning_rate, decay_steps)

        def __call__(self, step: Any) -> Any:
            return self.arguments[0]

    class Adam(keras.losses.Loss):
        """Is no optimizer, whatever its name."""

    before = set(keras.saving.get_custom_objects())
    for kind in (DoubleLoss, DoubleMean, InverseRoot, Adam):
        register(kind)

    yield
    for key in set(keras.saving.get_custom_objects()) - before:
        del keras.saving.get_custom_objects()[key]


@pytest.mark.usefixtures("_own")
def test_what_is_registered_under_dlzoo_is_found_by_name_after_keras_own() -> None:
    for name in ("DoubleLoss", "double_loss"):
        made = keras_objects.loss(Named(name=name, factor=3.0, reduction="sum"))
        assert (type(made).__name__, made.factor, made.reduction) == ("DoubleLoss", 3.0, "sum")
    assert type(keras_objects.metric(Named(name="double_mean"))).__name__ == "DoubleMean"
    made = keras_objects.schedule(
        Named(name="InverseRoot", decay_epochs=2), 0.5, EPOCHS * STEPS, STEPS
    )
    assert made.arguments == (0.5, 2 * STEPS)
    assert type(keras_objects.optimizer(Optimizer(name="Adam"), 1, 1)) is keras.optimizers.Adam
    with pytest.raises(UsageError, match=r"unknown loss 'double_los'\. Did you mean 'DoubleLoss'"):
        keras_objects.loss(Named(name="double_los"))
    with pytest.raises(UsageError, match=r"takes no argument 'factr'\. Did you mean 'factor'"):
        keras_objects.loss(Named(name="DoubleLoss", factr=1))


def test_a_warm_up_is_a_table_of_its_own_and_no_schedule_by_name() -> None:
    with pytest.raises(UsageError, match="unknown schedule 'WarmUp'"):
        rates(schedule={"name": "WarmUp", "steps": 3})


# Names and arguments that neither has.


def made_of(kind: str, named: Named, folder: Path) -> Any:
    """Make something of a recipe's part."""
    if kind == "callback":
        return keras_objects.callbacks(recipe().model_copy(update={"callbacks": [named]}), folder)
    if kind == "optimizer":
        named = Optimizer.model_validate(named.model_dump())
        return keras_objects.optimizer(named, EPOCHS, STEPS)
    if kind == "schedule":
        return keras_objects.schedule(named, 0.1, EPOCHS * STEPS, STEPS)
    return getattr(keras_objects, kind)(named)


@pytest.mark.parametrize(
    ("kind", "typed", "nearest"),
    [
        ("optimizer", "Adm", "Adam"),
        ("optimizer", "rms_propp", "RMSprop"),
        ("loss", "MeanSquareError", "MeanSquaredError"),
        ("metric", "Precission", "Precision"),
        ("regularizer", "L1_L22", "L1L2"),
        ("schedule", "CosinDecay", "CosineDecay"),
        ("callback", "EarlyStoping", "EarlyStopping"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    kind: str, typed: str, nearest: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(kind, Named(name=typed), tmp_path)
    message = str(caught.value)
    assert message.startswith(f"unknown {kind} '{typed}'. Did you mean '")
    assert message.lower().replace("_", "").endswith(f"'{nearest.lower()}'?")


@pytest.mark.parametrize(
    "kind", ["optimizer", "loss", "metric", "regularizer", "schedule", "callback"]
)
def test_a_name_that_resembles_nothing_is_answered_with_what_there_is(
    kind: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"unknown {kind} 'zzzzz'. There are: "):
        made_of(kind, Named(name="zzzzz"), tmp_path)
    base = {"callback": "Callback", "schedule": "LearningRateSchedule"}.get(kind, kind.title())
    with pytest.raises(UsageError, match=f"unknown {kind} '{base}'"):
        made_of(kind, Named(name=base), tmp_path)


@pytest.mark.parametrize(
    ("kind", "named", "key", "nearest"),
    [
        ("optimizer", Named(name="Adam", learning_rte=1), "learning_rte", "learning_rate"),
        ("optimizer", Named(name="SGD", clip_norm=1), "clip_norm", "clipnorm"),
        ("optimizer", Named(name="SGD", shedule="CosineDecay"), "shedule", "schedule"),
        ("loss", Named(name="mse", reductions="sum"), "reductions", "reduction"),
        ("metric", Named(name="AUC", curv="PR"), "curv", "curve"),
        ("regularizer", Named(name="OrthogonalRegularizer", facto=1), "facto", "factor"),
        ("schedule", Named(name="CosineDecay", decay_step=1), "decay_step", "decay_steps"),
        ("callback", Named(name="EarlyStopping", patients=1), "patients", "patience"),
    ],
)
def test_an_unknown_argument_is_answered_with_the_nearest(
    kind: str, named: Named, key: str, nearest: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(kind, named, tmp_path)
    assert f"takes no argument '{key}'. Did you mean '{nearest}" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("optimizer", Named(name="SGD", momentum=5.0)),
        ("optimizer", Named(name="Adam", clipnorm=1.0, clipvalue=1.0)),
        ("schedule", Named(name="CosineDecay")),
        ("schedule", Named(name="PiecewiseConstantDecay", boundaries=[1], values=[1.0])),
        ("callback", Named(name="ModelCheckpoint")),
        ("callback", Named(name="ReduceLROnPlateau", factor=2.0)),
    ],
)
def test_arguments_that_keras_refuses_are_said_in_one_line(
    kind: str, named: Named, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(kind, named, tmp_path)
    assert str(caught.value).startswith(f"{kind} {named.name}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "named", "message"),
    [
        ("optimizer", Named(name="SGD", nesterov="no"), "SGD: nesterov must be true or false, got"),
        ("optimizer", Named(name="Adam", beta_1="x"), "Adam: beta_1 must be a number, got 'x'"),
        ("optimizer", Named(name="Adam", amsgrad="False"), "amsgrad must be true or false"),
        ("loss", Named(name="mse", reduction="no such"), "loss MeanSquaredError: "),
        ("loss", Named(name="BinaryCrossentropy", from_logits="True"), "from_logits must be true"),
        ("metric", Named(name="AUC", num_thresholds="many"), "num_thresholds must be a number"),
        ("callback", Named(name="EarlyStopping", patience="x"), "patience must be a number"),
        ("schedule", Named(name="CosineDecay", decay_epochs="x"), "decay_epochs must be a number"),
        ("schedule", Named(name="CosineDecay", decay_epochs=True), "decay_epochs must be a number"),
    ],
)
def test_text_where_a_boolean_or_a_number_is_meant_is_refused(
    kind: str, named: Named, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(kind, named, tmp_path)
    assert message in str(caught.value)


def test_values_of_a_schedule_that_are_no_list_are_said_in_one_line() -> None:
    with pytest.raises(UsageError, match="schedule PiecewiseConstantDecay: "):
        rates(schedule={"name": "PiecewiseConstantDecay", "boundaries": [1], "values": 0.1})
