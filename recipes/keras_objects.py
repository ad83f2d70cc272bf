"""Recipe to Keras: optimizers, schedules, losses, metrics, regularizers and callbacks by name."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import keras

from recipes.keras_classes import construct, default_of, find_class
from recipes.recipe import Named, Optimizer, Recipe, Warmup
from zoo.base.errors import UsageError

# Arguments of callbacks that are paths. They must lie inside the run.
_PATHS = ("filepath", "filename", "log_dir", "backup_dir", "directory")
# Callbacks that import a package only when training starts: the module, and what to install.
_PACKAGES = {
    "TensorBoard": ("tensorboard", "tensorboard"),
    "OrbaxCheckpoint": ("orbax.checkpoint", "orbax-checkpoint"),
    "RemoteMonitor": ("requests", "requests"),
}


def compile_arguments(recipe: Recipe, steps_per_epoch: int) -> dict[str, Any]:
    """Return the arguments for `keras.Model.compile`.

    Args:
        recipe: Names the optimizers, the loss and the metrics.
        steps_per_epoch: Updates of the weights in an epoch, in which schedules count.

    Returns:
        ``optimizer``, or ``<network>_optimizer`` for each of several; ``loss`` and ``metrics``
        if the recipe names them.

    Raises:
        UsageError: A name or an argument is unknown.
    """
    arguments: dict[str, Any] = {}
    for key, named in recipe.all_optimizers.items():
        keyword = key if recipe.optimizer else f"{key}_optimizer"
        arguments[keyword] = optimizer(named, recipe.epochs, steps_per_epoch, recipe.accumulate)
    if recipe.loss:
        arguments["loss"] = loss(recipe.loss)
    if recipe.metrics:
        arguments["metrics"] = [metric(named) for named in recipe.metrics]
    return arguments


def optimizer(named: Optimizer, epochs: int, steps_per_epoch: int, accumulate: int = 1) -> Any:
    """Return a Keras optimizer whose learning rate follows its schedule and warm-up.

    Args:
        named: Its name, arguments, schedule and warm-up.
        epochs: Length of the training.
        steps_per_epoch: Converts epochs to steps: updates of the weights.
        accumulate: How many steps of the training make one update.
    """
    from zoo.layers.schedules import PerUpdate, WarmUp

    arguments = named.arguments
    kind = find_class("optimizer", named.name, keras.optimizers, keras.optimizers.Optimizer)
    rate = arguments.get("learning_rate", default_of(kind, "learning_rate"))
    total = epochs * steps_per_epoch
    if named.warmup:
        total -= _steps(named.warmup, steps_per_epoch)
    if named.schedule:
        values = named.schedule.arguments.get("values")
        first = values[0] if isinstance(values, list) and values else rate
        if "learning_rate" in arguments and first != rate:
            raise UsageError(
                f"schedule {named.schedule.name} begins at {first}: "
                f"a learning_rate of {rate} beside it would do nothing"
            )
        rate = schedule(named.schedule, rate, total, steps_per_epoch)
    if named.warmup:
        rate = WarmUp(rate, _steps(named.warmup, steps_per_epoch), named.warmup.start)
    if named.schedule or named.warmup:
        arguments["learning_rate"] = rate if accumulate == 1 else PerUpdate(rate, accumulate)
    if accumulate > 1:
        arguments["gradient_accumulation_steps"] = accumulate
    return construct("optimizer", kind, arguments, also=("schedule", "warmup"))


def _steps(warmup: Warmup, steps_per_epoch: int) -> int:
    return max(1, round(warmup.epochs * steps_per_epoch))


def schedule(named: Named, rate: float, total: int, steps_per_epoch: int) -> Any:
    """Return a learning-rate schedule.

    Args:
        named: Its name and arguments. An argument in steps, such as ``decay_steps`` or
            ``boundaries``, may be given in epochs (``decay_epochs``, ``boundary_epochs``) or as a
            fraction of the whole training (``decay_fraction``, ``boundary_fractions``).
        rate: The initial learning rate, unless the schedule names one.
        total: Steps of the whole training after the warm-up.
        steps_per_epoch: Converts epochs to steps.
    """
    kinds = keras.optimizers.schedules
    kind = find_class("schedule", named.name, kinds, kinds.LearningRateSchedule)
    known = inspect.signature(kind.__init__).parameters
    arguments: dict[str, Any] = {}
    for key, value in named.arguments.items():
        stem, _, unit = key.rpartition("_")
        scale = {"epoch": steps_per_epoch, "fraction": total}.get(unit.removesuffix("s"))
        target = "boundaries" if stem == "boundary" else f"{stem}_steps"
        if key in known or scale is None or target not in known:
            arguments[key] = value
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if isinstance(part, bool) or not isinstance(part, int | float):
                raise UsageError(f"schedule {named.name}: {key} must be a number, got {part!r}")
        steps = [round(part * scale) for part in parts]
        arguments[target] = steps if isinstance(value, list) else max(1, steps[0])
    if "initial_learning_rate" in known:
        arguments.setdefault("initial_learning_rate", rate)
    return construct("schedule", kind, arguments)


def loss(named: Named) -> Any:
    """Return a loss. Keras's function names and short forms such as ``mse`` are names too."""
    name = _long_name(named.name, keras.losses.get)
    return construct(
        "loss", find_class("loss", name, keras.losses, keras.losses.Loss), named.arguments
    )


def metric(named: Named) -> Any:
    """Return a metric, or ``"accuracy"``, which Keras turns into the one that fits the loss."""
    if named.name in ("accuracy", "acc") and not named.arguments:
        return "accuracy"
    name = _long_name(named.name, keras.metrics.get)
    try:
        kind = find_class("metric", name, keras.metrics, keras.metrics.Metric)
    except UsageError:
        function = getattr(keras.metrics, name, None)  # some exist as functions only: huber
        if not inspect.isfunction(function) or named.arguments:
            raise
        return keras.metrics.MeanMetricWrapper(function, name=name)
    made = construct("metric", kind, named.arguments)
    # Keras numbers the second one in a process: auc, auc_1.
    own = {"name": re.sub(r"_\d+$", "", made.name), **named.arguments}
    return construct("metric", kind, own)


def regularizer(named: Named) -> Any:
    """Return a regularizer."""
    kind = find_class("regularizer", named.name, keras.regularizers, keras.regularizers.Regularizer)
    return construct("regularizer", kind, named.arguments)


def callbacks(recipe: Recipe, folder: Path) -> list[Any]:
    """Return the recipe's callbacks, whose files go under `folder`. Nothing is written yet.

    Args:
        recipe: Names the callbacks.
        folder: The run's folder; it need not exist.

    Raises:
        UsageError: A name or an argument is unknown, a path lies outside the folder, or a package
            is not installed.
    """
    made = []
    for named in recipe.callbacks:
        kind = _callback_class(named)
        arguments = {**named.arguments, **_callback_paths(named, kind, folder)}
        module, package = _PACKAGES.get(kind.__name__, ("", ""))
        if package and not _installed(module):
            raise UsageError(
                f"callback {kind.__name__} needs a package that is not installed: "
                f"pip install {package}"
            )
        if kind is keras.callbacks.BackupAndRestore:
            raise UsageError(
                "callback BackupAndRestore goes on with other examples than it left off at. Leave "
                "it out: dlzoo train --resume goes on from checkpoints of the run's own"
            )
        made.append(construct("callback", kind, arguments))
    return made


def prepare_folders(recipe: Recipe, folder: Path) -> None:
    """Make the folders that the recipe's callbacks write into.

    Args:
        recipe: Names the callbacks.
        folder: The run's folder.
    """
    for named in recipe.callbacks:
        for path in _callback_paths(named, _callback_class(named), folder).values():
            Path(path).parent.mkdir(parents=True, exist_ok=True)


def _callback_class(named: Named) -> Any:
    return find_class("callback", named.name, keras.callbacks, keras.callbacks.Callback)


def _callback_paths(named: Named, kind: Any, folder: Path) -> dict[str, str]:
    """Return the arguments of a callback that are paths, as absolute paths inside `folder`."""
    given = {key: value for key, value in named.arguments.items() if key in _PATHS}
    if kind is keras.callbacks.TensorBoard:
        given.setdefault("log_dir", "logs")  # Keras's default, but inside the run
    paths = {}
    for key, value in given.items():
        path = (folder / str(value)).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise UsageError(f"{named.name}: {key} must lie inside the run, got '{value}'")
        paths[key] = str(path)
    return paths


def _long_name(name: str, get: Any) -> str:
    """Return the full name behind Keras's short forms: ``mse`` is ``mean_squared_error``."""
    try:
        found = get(name)
    except (ValueError, TypeError):
        return name
    return str(getattr(found, "__name__", type(found).__name__))


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
