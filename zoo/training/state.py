"""What a training must remember to go on as if it had never stopped."""

from __future__ import annotations

import inspect
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError, gist
from zoo.base.files import written_whole

_PLAIN = (bool, int, float, str, type(None))
# What NumPy raises on a file that is damaged.
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What was saved beside the variables."""

    epoch: int
    """How many epochs are finished."""
    stopped: bool
    """Whether a callback, such as early stopping, ended the training after that epoch."""
    arrays: Mapping[str, np.ndarray]
    """What `restore_callbacks` reads."""


def optimizers_of(model: Any) -> list[Any]:
    """Return a compiled model's optimizers: its `optimizers` if it trains by several."""
    several = getattr(model, "optimizers", None)
    return list(several) if several else [model.optimizer]


def variables_of(model: Any) -> list[Any]:
    """Return all that training changes: weights, statistics, random generators, optimizers."""
    return [*model.variables, *(v for one in optimizers_of(model) for v in one.variables)]


def save(path: Path, epoch: int, model: Any, callbacks: list[Any]) -> None:
    """Write the state after an epoch, whole.

    Args:
        path: An ``.npz`` of plain arrays.
        epoch: How many epochs are finished.
        model: Compiled.
        callbacks: Those of the recipe; what they know of earlier epochs is kept.
    """
    arrays: dict[str, Any] = {
        "epoch": np.array(epoch),
        "stopped": np.array(bool(model.stop_training)),
    }
    for at, variable in enumerate(variables_of(model)):
        arrays[f"variable{at}"] = variable.numpy()
    for at, callback in enumerate(callbacks):
        plain, lists = _knowledge(callback)
        arrays[f"callback{at}"] = np.array(json.dumps(plain))
        for key, values in lists.items():
            for index, value in enumerate(values):
                arrays[f"callback{at}.{key}.{index}"] = value
    with written_whole(path) as beside:
        np.savez(beside, **arrays)


def save_weights(path: Path, model: Any) -> None:
    """Write a model's weights and statistics, whole; `load_weights` reads them."""
    with written_whole(path) as beside:
        np.savez(beside, **{f"variable{at}": v.numpy() for at, v in enumerate(model.variables)})


def load_weights(path: Path, model: Any) -> None:
    """Put the weights of `save_weights` or of `save` into a model.

    Raises:
        UsageError: The file is damaged, or of another model.
    """
    try:
        with _arrays(path) as file:
            variables = model.variables
            for at, variable in enumerate(variables):
                values = file[f"variable{at}"]
                if values.shape != tuple(variable.shape):
                    raise ValueError("it is of another model")
                variable.assign(values)
    except _DAMAGE as error:
        raise UsageError(f"weights cannot be read from {path}: {gist(error)}") from None


def load(path: Path, model: Any) -> Checkpoint:
    """Put a saved state into a model, and return what was saved beside it.

    Raises:
        UsageError: The file is damaged, or of another model.
    """
    try:
        with _arrays(path) as file:
            arrays = dict(file)
        variables = variables_of(model)
        saved = sum(key.startswith("variable") for key in arrays)
        if saved != len(variables):
            raise ValueError(f"it has {saved} variables, the model has {len(variables)}")
        for at, variable in enumerate(variables):
            variable.assign(arrays[f"variable{at}"])
        return Checkpoint(
            epoch=int(arrays["epoch"]), stopped=bool(arrays["stopped"]), arrays=arrays
        )
    except _DAMAGE as error:
        raise UsageError(f"checkpoint {path} cannot be resumed from: {gist(error)}") from None


@contextmanager
def _arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Open an archive of arrays. NumPy leaves a damaged file open if it is given the path."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        yield file


def restore_callbacks(callbacks: list[Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Give callbacks back what they knew; call it after they have begun, which clears them."""
    for at, callback in enumerate(callbacks):
        if f"callback{at}" not in arrays:
            continue
        vars(callback).update(json.loads(str(arrays[f"callback{at}"])))
        prefix = f"callback{at}."
        lists: dict[str, dict[int, np.ndarray]] = {}
        for key, value in arrays.items():
            if key.startswith(prefix):
                name, index = key.removeprefix(prefix).rsplit(".", 1)
                lists.setdefault(name, {})[int(index)] = value
        for name, values in lists.items():
            setattr(callback, name, [values[index] for index in sorted(values)])


def _knowledge(callback: Any) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """Return a callback's plain attributes, and those that are lists of arrays (best weights)."""
    plain: dict[str, Any] = {}
    lists: dict[str, list[np.ndarray]] = {}
    # What the constructor takes is the recipe's; some of it (min_delta) Keras changes in passing.
    given = inspect.signature(type(callback).__init__).parameters
    for key, found in vars(callback).items():
        if key in given:
            continue
        scalar = isinstance(found, np.generic) or (hasattr(found, "numpy") and not found.shape)
        value = np.asarray(found).item() if scalar else found
        if isinstance(value, _PLAIN):
            plain[key] = value
        elif isinstance(value, list) and value and all(hasattr(v, "shape") for v in value):
            lists[key] = [np.asarray(v) for v in value]
    return plain, lists
