"""Recipe to Keras: optimizers, schedules, losses, metrics, regularizers and callbacks by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from recipes.recipe import Named, Recipe, Warmup
from zoo.errors import UsageError, suggestion, unknown


@keras.saving.register_keras_serializable("dlzoo")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A straight climb from `start` to where `schedule` begins, over `steps` steps."""

    def __init__(self, schedule: Any, steps: int, start: float) -> None:
        self.schedule = schedule
        self.steps = steps
        self.start = start

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        step = keras.ops.cast(step, "float32")
        after = keras.ops.maximum(step - self.steps, 0.0)
        rate = self.schedule(after) if callable(self.schedule) else self.schedule
        share = keras.ops.minimum(step / self.steps, 1.0)
        return self.start + share * (rate - self.start)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps, "start": self.start}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WarmUp:
        """Return the schedule of a config."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"], config["start"])


def compile_arguments(recipe: Recipe, steps_per_epoch: int) -> dict[str, Any]:
    """Return what `keras.Model.compile` takes of a recipe.

    Args:
        recipe: Whose optimizers, loss and metrics.
        steps_per_epoch: To turn epochs into the steps that schedules count in.

    Returns:
        ``optimizer``, or ``<network>_optimizer`` for each of several; ``loss`` and ``metrics``
        where the recipe names them.

    Raises:
        UsageError: Keras does not know a name or an argument.
    """
    arguments: dict[str, Any] = {}
    for key, named in recipe.all_optimizers.items():
        keyword = key if recipe.optimizer else f"{key}_optimizer"
        arguments[keyword] = optimizer(named, recipe, steps_per_epoch)
    if recipe.loss:
        arguments["loss"] = loss(recipe.loss)
    if recipe.metrics:
        arguments["metrics"] = [metric(named) for named in recipe.metrics]
    return arguments


def optimizer(named: Named, recipe: Recipe, steps_per_epoch: int) -> Any:
    """Return a Keras optimizer whose learning rate follows the recipe's schedule and warm-up."""
    arguments = named.arguments
    kind = _find("optimizer", named.name, keras.optimizers, keras.optimizers.Optimizer)
    rate = arguments.get("learning_rate", _default(kind, "learning_rate"))
    total = recipe.epochs * steps_per_epoch
    if recipe.warmup:
        total -= _steps(recipe.warmup, steps_per_epoch)
    if recipe.schedule:
        values = recipe.schedule.arguments.get("values", [rate])
        if "learning_rate" in arguments and values[0] != rate:
            raise UsageError(
                f"schedule {recipe.schedule.name} begins at {values[0]}: "
                f"a learning_rate of {rate} beside it would do nothing"
            )
        rate = schedule(recipe.schedule, rate, total, steps_per_epoch)
    if recipe.warmup:
        rate = WarmUp(rate, _steps(recipe.warmup, steps_per_epoch), recipe.warmup.start)
    if recipe.schedule or recipe.warmup:
        arguments["learning_rate"] = rate
    return _make("optimizer", kind, arguments)


def _steps(warmup: Warmup, steps_per_epoch: int) -> int:
    return max(1, round(warmup.epochs * steps_per_epoch))


def schedule(named: Named, rate: float, total: int, steps_per_epoch: int) -> Any:
    """Return a Keras learning-rate schedule.

    Args:
        named: Its name and arguments. An argument in steps, such as ``decay_steps`` or
            ``boundaries``, may be given as ``decay_epochs`` or ``boundary_epochs``, or as
            ``decay_fraction`` or ``boundary_fractions`` of the whole training.
        rate: The learning rate to start from, unless the schedule names one.
        total: Steps of the whole training after the warm-up.
        steps_per_epoch: To turn epochs into steps.
    """
    kinds = keras.optimizers.schedules
    kind = _find("schedule", named.name, kinds, kinds.LearningRateSchedule)
    known = inspect.signature(kind.__init__).parameters
    arguments: dict[str, Any] = {}
    for key, value in named.arguments.items():
        stem, _, unit = key.rpartition("_")
        scale = {"epoch": steps_per_epoch, "fraction": total}.get(unit.removesuffix("s"))
        target = "boundaries" if stem == "boundary" else f"{stem}_steps"
        if key in known or scale is None or target not in known:
            arguments[key] = value
        elif isinstance(value, list):
            arguments[target] = [round(part * scale) for part in value]
        else:
            arguments[target] = max(1, round(value * scale))
    if "initial_learning_rate" in known:
        arguments.setdefault("initial_learning_rate", rate)
    return _make("schedule", kind, arguments)


def loss(named: Named) -> Any:
    """Return a Keras loss; functions' names and short forms such as ``mse`` count too."""
    name = _long_name(named.name, keras.losses.get)
    return _make("loss", _find("loss", name, keras.losses, keras.losses.Loss), named.arguments)


def metric(named: Named) -> Any:
    """Return a Keras metric; ``accuracy`` is left to Keras, which sees what kind is meant."""
    if named.name in ("accuracy", "acc") and not named.arguments:
        return "accuracy"
    name = _long_name(named.name, keras.metrics.get)
    try:
        kind = _find("metric", name, keras.metrics, keras.metrics.Metric)
    except UsageError:
        function = getattr(keras.metrics, name, None)  # some are functions alone: huber
        if not inspect.isfunction(function) or named.arguments:
            raise
        return keras.metrics.MeanMetricWrapper(function, name=name)
    made = _make("metric", kind, named.arguments)
    # Keras numbers a second one of the process: auc, auc_1.
    own = {"name": re.sub(r"_\d+$", "", made.name), **named.arguments}
    return _make("metric", kind, own)


def regularizer(named: Named) -> Any:
    """Return a Keras regularizer."""
    kind = _find("regularizer", named.name, keras.regularizers, keras.regularizers.Regularizer)
    return _make("regularizer", kind, named.arguments)


# Arguments of callbacks that are paths: they stay inside the run.
_PATHS = ("filepath", "filename", "log_dir", "backup_dir", "directory")


def callbacks(recipe: Recipe, folder: Path) -> list[Any]:
    """Return the recipe's Keras callbacks; files they write go under `folder`.

    Raises:
        UsageError: Keras does not know a name or an argument, or a path leaves the folder.
    """
    made = []
    for named in recipe.callbacks:
        kind = _find("callback", named.name, keras.callbacks, keras.callbacks.Callback)
        arguments = named.arguments
        if kind is keras.callbacks.TensorBoard:
            arguments.setdefault("log_dir", "logs")  # Keras's default, but inside the run
        for key in _PATHS:
            if key in arguments:
                path = (folder / str(arguments[key])).resolve()
                if not path.is_relative_to(folder.resolve()):
                    raise UsageError(
                        f"{named.name}: {key} must lie inside the run, got '{arguments[key]}'"
                    )
                path.parent.mkdir(parents=True, exist_ok=True)
                arguments[key] = str(path)
        made.append(_make("callback", kind, arguments))
    return made


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _find(what: str, name: str, module: Any, base: type) -> Any:
    """Return the class of a Keras module by its name, in CamelCase or snake_case."""
    kinds = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }
    for key, value in kinds.items():
        if _plain(key) == _plain(name):
            return value
    raise unknown(what, name, kinds)


def _long_name(name: str, get: Any) -> str:
    """Return the full name behind Keras's short forms: ``mse`` is ``mean_squared_error``."""
    try:
        found = get(name)
    except (ValueError, TypeError):
        return name
    return str(getattr(found, "__name__", type(found).__name__))


def _default(kind: Any, argument: str) -> Any:
    parameter = inspect.signature(kind.__init__).parameters.get(argument)
    return None if parameter is None else parameter.default


def _make(what: str, kind: Any, arguments: dict[str, Any]) -> Any:
    parameters = inspect.signature(kind.__init__).parameters
    known = [name for name in parameters if name not in ("self", "args", "kwargs")]
    # Optimizers and callbacks take the base class's arguments through **kwargs.
    for base in inspect.getmro(kind)[1:]:
        known += _constructor_names(base) if "kwargs" in parameters else []
    for key in arguments:
        if key not in known:
            hint = suggestion(key, known) or f" It takes: {', '.join(dict.fromkeys(known))}."
            raise UsageError(f"{what} {kind.__name__} takes no argument '{key}'.{hint}")
    try:
        return kind(**arguments)
    except (TypeError, ValueError, ImportError) as error:
        raise UsageError(f"{what} {kind.__name__}: {error}") from None


def _constructor_names(kind: Any) -> Iterable[str]:
    if kind is object:
        return []
    names = inspect.signature(kind.__init__).parameters
    return [name for name in names if name not in ("self", "args", "kwargs")]
