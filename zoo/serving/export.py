"""A trained model as a SavedModel for serving, verified before it is handed over."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import DlzooError, UsageError
from zoo.files import writable_folder
from zoo.layers.side_outputs import answer_only

TOLERANCE = 1e-5
"""The most by which an export's answers may differ from the model's."""


def export_model(
    model: Any,
    task: Any,
    output: Path,
    *,
    name: str,
    version: int | None,
    overwrite: bool,
    origin: str,
    keras_file: Path,
) -> Path:
    """Write ``<output>/<name>/<version>/`` as TensorFlow Serving reads it, and return it.

    The folder holds the SavedModel, whose input is named and raw (what was fitted on the data is
    inside) and whose outputs are named; ``model.keras``; and ``export.json``, which says what
    goes in and what comes out. It is written beside and renamed once its answers are verified.

    Args:
        model: The trained model.
        task: Bound to its data.
        output: The folder above.
        name: What it is served as.
        version: A positive number, or None for one more than the highest.
        overwrite: Whether that version may be replaced.
        origin: The run it is from.
        keras_file: The model as Keras saved it.

    Raises:
        UsageError: The name or version cannot be used, or the folder cannot be written.
        DlzooError: The SavedModel answers otherwise than the model.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(f"a model's name may have letters, digits, '.', '_' and '-', got '{name}'")
    if version is not None and version < 1:
        raise UsageError(f"a version is a positive number, got {version}")
    new = not (output / name).exists()
    folder = writable_folder(output / name)
    taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    target = folder / str(version or 1 + max(taken, default=0))
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists; --overwrite replaces it")

    beside = folder / f".{target.name}-{secrets.token_hex(4)}"
    model = answer_only(model)
    try:
        endpoints = task.endpoints(model)
        _write(model, task, endpoints, beside)
        worst = _verify(endpoints, task, beside)
        shutil.copyfile(keras_file, beside / "model.keras")
        facts = {
            "name": name,
            "version": int(target.name),
            "run": origin,
            "signatures": {key: _signature(endpoint) for key, endpoint in endpoints.items()},
            "class_names": list(task.spec.class_names),
            "value_range": task.spec.value_range,
            "largest_difference": worst,
        }
        text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
        (beside / "export.json").write_text(text, encoding="utf-8")
        if target.exists():
            old = folder / f".{target.name}-{secrets.token_hex(4)}"
            target.replace(old)
            beside.replace(target)
            shutil.rmtree(old)
        else:
            beside.replace(target)
    except OSError as error:
        raise DlzooError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if new:
            with contextlib.suppress(OSError):  # it is not empty: it holds what was asked for
                folder.rmdir()
    return target


def _write(model: Any, task: Any, endpoints: dict[str, Any], folder: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model)
    if task.spec.kind == "text":
        task.encoder(tf.constant([""]))  # Keras tracks only what has been called once
        archive.track(task.encoder.vectorize)
    for name, endpoint in endpoints.items():
        archive.add_endpoint(name, endpoint.function, input_signature=endpoint.signature)
    archive.write_out(str(folder), verbose=False)


def _verify(endpoints: dict[str, Any], task: Any, folder: Path) -> float:
    """Return the largest difference between the SavedModel's answers and the model's."""
    loaded = tf.saved_model.load(str(folder))
    worst = 0.0
    for name, endpoint in endpoints.items():
        inputs = {spec.name: _probe(spec, task) for spec in endpoint.signature}
        wanted = endpoint.function(*inputs.values())
        given = loaded.signatures[name](**inputs)
        if sorted(given) != sorted(wanted):
            raise DlzooError(f"the export's {name} returns {sorted(given)}, not {sorted(wanted)}")
        for key in wanted:
            said, meant = given[key].numpy(), np.asarray(wanted[key])
            # Absolute for probabilities and pixels; relative for numbers in large units.
            differences = np.abs(said - meant) / np.maximum(1.0, np.abs(meant))
            worst = float(np.maximum(worst, differences.max()))  # NaN, once it is there, stays
    if not worst <= TOLERANCE:
        raise DlzooError(
            f"the export answers otherwise than the model: they differ by {worst:.2g}, "
            f"more than {TOLERANCE:g}. Nothing was written."
        )
    return worst


def _probe(spec: tf.TensorSpec, task: Any) -> Any:
    """Return a batch of eight that fits a signature: random, but the same every time."""
    random = np.random.default_rng(0)
    if spec.dtype == tf.string:
        letters = [*task.spec.vocabulary[:50], "?"]
        return tf.constant(["".join(random.choice(letters, 12)) for _ in range(8)])
    shape = (8, *spec.shape[1:])
    values = random.uniform(size=shape) if spec.name == "image" else random.normal(size=shape)
    if spec.name == "features":
        values = values * task.spec.standard_deviation + np.asarray(task.spec.mean)
    return tf.constant(values, tf.float32)


def _signature(endpoint: Any) -> dict[str, Any]:
    return {
        spec.name: {"shape": list(spec.shape), "dtype": spec.dtype.name}
        for spec in endpoint.signature
    }
