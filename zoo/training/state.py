"""One checkpoint: all that a training must remember to go on as if it had never stopped.

It is one file of plain arrays, so that a single rename makes it whole; nothing in it is unpickled.
The file carries a CRC-32 of every array, which reading checks. `tf.train.Checkpoint` takes as long
(340 MB: 0.2 to 0.6 s of processor time either way), spreads over several files, is not flushed to
disk, and does not hold what callbacks know.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import StorageError, gist
from zoo.base.files import written_whole

# What NumPy raises on a file that is damaged.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a training is, and what it has written down."""

    epoch: int = 0
    """How many epochs are finished."""
    step: int = 0
    """How many steps of the next one are done."""
    stopped: bool = False
    """Whether a callback, such as early stopping, ended the training after that epoch."""
    scores: dict[str, float] = field(default_factory=dict)
    """What the last of those steps returned: the mean so far of each score of the epoch."""
    rows: list[dict[str, float]] = field(default_factory=list)
    """Lines of history.csv."""
    seconds: list[float] = field(default_factory=list)
    """Training time of each finished epoch; one more for the epoch that runs, if steps are done."""
    best: int | None = None
    """Which of the rows is the best, counted from 0."""
    steps_per_execution: int = 1
    callbacks: list[Any] = field(default_factory=list)
    """What each callback knows, see `zoo.training.knowledge`: plain values and arrays."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a file holds."""

    path: Path
    progress: Progress
    variables: list[np.ndarray]
    best_weights: list[np.ndarray]
    """Of the best epoch, if it is not this one; as `model.variables`."""


def optimizers_of(model: Any) -> list[Any]:
    """Return a compiled model's optimizers: its `optimizers` if it trains by several."""
    several = getattr(model, "optimizers", None)
    return list(several) if several else [model.optimizer]


def variables_of(model: Any) -> list[Any]:
    """Return all that training changes.

    These are the weights, statistics and random generators, then the optimizers' (their averages
    of weights and their loss scale too), then what the metrics have counted in this epoch.
    """
    optimizers = [variable for one in optimizers_of(model) for variable in one.variables]
    return [*model.variables, *optimizers, *model.metrics_variables]


def values_of(variables: Sequence[Any]) -> list[np.ndarray]:
    """Return the variables' values. Every worker has to call it: some are sums of all.

    A tensor that was read from a variable never changes: TensorFlow gives the variable new memory
    at its next update. So nothing is copied here on a CPU (340 MB: 1.3 s on a busy machine).
    """
    return [_value(variable) for variable in variables]


def _value(variable: Any) -> np.ndarray:
    if parts := _parts(variable):
        return np.stack([part.numpy() for part in parts])
    import tensorflow as tf

    plain = isinstance(variable.value, tf.Variable) and not _is_distributed(variable.value)
    return np.asarray(variable.value.read_value() if plain else variable.numpy())


def _parts(variable: Any) -> tuple[Any, ...]:
    """Return each replica's own part of a metric's count, where all replicas are in this process.

    Read as one they are summed, and assigned they are shared out evenly: not the same to the bit.
    """
    import tensorflow as tf

    inner = variable.value
    if not _is_distributed(inner):
        return ()
    if inner.synchronization != tf.VariableSynchronization.ON_READ:
        return ()
    whole = len(inner.values) == inner.distribute_strategy.num_replicas_in_sync
    return tuple(inner.values) if whole else ()


def _is_distributed(variable: Any) -> bool:
    import tensorflow as tf

    return isinstance(variable, tf.distribute.DistributedValues)


def assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Give variables the values that `values_of` returned."""
    for variable, value in zip(variables, values, strict=True):
        parts = _parts(variable)
        for part, own in zip(parts, value, strict=True) if parts else ():
            part.assign(own)
        if not parts:
            variable.assign(value)


def packed(
    progress: Progress,
    variables: Sequence[np.ndarray],
    best_weights: Sequence[np.ndarray] = (),
) -> dict[str, np.ndarray]:
    """Return the arrays of a checkpoint, which do not change when the training goes on.

    Args:
        progress: How far the training is.
        variables: The values of `variables_of`.
        best_weights: Of `Checkpoint`.
    """
    arrays: dict[str, np.ndarray] = {
        **{f"variable{at}": value for at, value in enumerate(variables)},
        **{f"best{at}": value for at, value in enumerate(best_weights)},
    }
    # The callbacks' arrays are put beside.
    told = {one.name: getattr(progress, one.name) for one in fields(progress)}
    text = json.dumps(_plain(told, arrays))
    arrays["progress"] = np.frombuffer(text.encode(), np.uint8)
    return arrays


def save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint, whole.

    Args:
        path: An ``.npz``.
        arrays: Of `packed`.
    """
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, all of it: a damaged one is found here and not halfway.

    Raises:
        StorageError: It is damaged.
    """
    try:
        with _arrays(path) as file:
            arrays = dict(file)
        values = _restored(json.loads(arrays["progress"].tobytes()), arrays)
        return Checkpoint(
            path=path,
            progress=Progress(**values),
            variables=_numbered("variable", arrays),
            best_weights=_numbered("best", arrays),
        )
    except _DAMAGE as error:
        raise StorageError(f"checkpoint {path} is damaged: {gist(error)}") from None


def require_fit(checkpoint: Checkpoint, model: Any) -> None:
    """Raise a `StorageError` unless a checkpoint's variables are those of a model."""
    variables, saved = variables_of(model), checkpoint.variables
    fault = ""
    if len(saved) != len(variables):
        fault = f"it has {len(saved)} variables, the model has {len(variables)}"
    elif any(
        not _parts(variable) and tuple(variable.shape) != value.shape
        for variable, value in zip(variables, saved, strict=True)
    ):
        fault = "it is of another model"
    if fault:
        raise StorageError(f"checkpoint {checkpoint.path} cannot be resumed from: {fault}")


def load_weights(path: Path, model: Any, *, best: bool = False) -> None:
    """Put the weights and statistics of a checkpoint into a model.

    Args:
        path: Of the checkpoint.
        model: Need not be compiled.
        best: Whether to take those of the best epoch.

    Raises:
        StorageError: The file is damaged, or of another model.
    """
    try:
        with _arrays(path) as file:
            stem = "best" if best and "best0" in file else "variable"
            values = [file[f"{stem}{at}"] for at in range(len(model.variables))]
        for variable, value in zip(model.variables, values, strict=True):
            if value.shape != tuple(variable.shape):
                raise ValueError("it is of another model")
        assign(model.variables, values)
    except _DAMAGE as error:
        raise StorageError(f"weights cannot be read from {path}: {gist(error)}") from None


@contextmanager
def _arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Open an archive of arrays. NumPy leaves a damaged file open if it is given the path."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        yield file


def _numbered(stem: str, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    count = sum(key.removeprefix(stem).isdigit() for key in arrays if key.startswith(stem))
    return [arrays[f"{stem}{at}"] for at in range(count)]


def _plain(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON has it, with copies of its arrays put beside."""
    if isinstance(value, np.ndarray | np.generic):
        key = f"knowledge{len(arrays)}"
        arrays[key] = np.array(value)
        return {"array": key}
    if isinstance(value, Mapping):
        return {"table": [[key, _plain(one, arrays)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        return [_plain(one, arrays) for one in value]
    return value


def _restored(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_restored(one, arrays) for one in value]
    if isinstance(value, dict):
        if "array" in value:
            found = arrays[value["array"]]
            return found if found.shape else found[()]
        return {key: _restored(one, arrays) for key, one in value["table"]}
    return value
