"""Classes of Keras and of dlzoo: find them by name, and construct them from a recipe's values.

A name is looked up in Keras first, then among the classes that are registered with
``keras.saving.register_keras_serializable("dlzoo")``: those of `zoo.layers`, and plug-ins' own.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import Any

import keras

from zoo.base.errors import UsageError, suggestion, unknown

# What the registered names of dlzoo's own classes begin with.
_REGISTERED = "dlzoo>"
# Arguments with a number as their default that take text too.
_TEXT_TOO = ("profile_batch",)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def find_class(what: str, name: str, module: Any, base: type) -> Any:
    """Return the class with a name, in CamelCase or snake_case: Keras's, or else dlzoo's own.

    Args:
        what: What it should be, for messages.
        name: The class's name.
        module: The Keras module to look into.
        base: The class must be a subclass of this.

    Raises:
        UsageError: There is no such class.
    """
    for kinds in (_subclasses(vars(module), base), _own(base)):
        for key, value in kinds.items():
            if _plain(key) == _plain(name):
                return value
    raise unknown(what, name, {**_subclasses(vars(module), base), **_own(base)})


def _subclasses(named: dict[str, Any], base: type) -> dict[str, Any]:
    return {
        key: value
        for key, value in named.items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }


def _own(base: type) -> dict[str, Any]:
    """Return the subclasses of `base` that are registered under dlzoo, by name."""
    import zoo.layers
    from zoo.layers.schedules import WarmUp

    for found in pkgutil.iter_modules(zoo.layers.__path__, "zoo.layers."):
        importlib.import_module(found.name)  # registers what it defines
    registered = {
        key.removeprefix(_REGISTERED): value
        for key, value in keras.saving.get_custom_objects().items()
        if key.startswith(_REGISTERED) and value is not WarmUp  # which is a recipe's [warmup]
    }
    return _subclasses(registered, base)


def default_of(kind: Any, argument: str) -> Any:
    """Return the default of a constructor's argument, or None."""
    parameter = inspect.signature(kind.__init__).parameters.get(argument)
    return None if parameter is None else parameter.default


def construct(what: str, kind: Any, arguments: dict[str, Any], also: Iterable[str] = ()) -> Any:
    """Return an object of a class.

    Args:
        what: What it is, for messages.
        kind: The class.
        arguments: The constructor's arguments.
        also: Keys that a recipe takes beside them, to be suggested.

    Raises:
        UsageError: An argument is unknown, missing or not what the class takes.
    """
    parameters = _parameters(kind)
    for key, value in arguments.items():
        if key not in parameters:
            known = [*parameters, *also]
            hint = suggestion(key, known) or f" It takes: {', '.join(known)}."
            raise UsageError(f"{what} {kind.__name__} takes no argument '{key}'.{hint}")
        if isinstance(value, str) and key not in _TEXT_TOO:
            _require_no_text(f"{what} {kind.__name__}: {key}", value, parameters[key].default)
    try:
        return kind(**arguments)
    except (TypeError, ValueError, ImportError) as error:
        message = " ".join(str(error).split())
        raise UsageError(f"{what} {kind.__name__}: {message}") from None


def _require_no_text(where: str, value: str, default: Any) -> None:
    """Raise a `UsageError` if an argument's default is a boolean or a number."""
    # Keras takes any text for true, and computes with text only after the first step.
    wanted = {bool: "true or false", int: "a number", float: "a number"}.get(type(default))
    if wanted:
        raise UsageError(f"{where} must be {wanted}, got {value!r}")


def _parameters(kind: Any) -> dict[str, inspect.Parameter]:
    """Return what a class's constructor takes, with its base classes' through ``**kwargs``."""
    found: dict[str, inspect.Parameter] = {}
    for owner in inspect.getmro(kind)[:-1]:  # without object
        parameters = inspect.signature(vars(owner).get("__init__", object.__init__)).parameters
        for name, parameter in parameters.items():
            found.setdefault(name, parameter)
        if "kwargs" not in parameters:
            break
    return {key: value for key, value in found.items() if key not in ("self", "args", "kwargs")}
