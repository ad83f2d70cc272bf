"""A trained model as a folder for serving, verified before it gets its name."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import claimed, remove_leftovers, temporary_name, writable_folder
from zoo.serving.formats import savedmodel
from zoo.serving.verify import largest_difference
from zoo.tasks.base import Endpoint, Task

MOST_VERSION = 2**31 - 1
"""TensorFlow Serving reads versions as 64-bit integers; clients of other languages as 32-bit."""


def export_model(
    model: Any,
    task: Task,
    output: Path,
    *,
    name: str,
    version: int | None,
    overwrite: bool,
    origin: str,
) -> Path:
    """Write ``<output>/<name>/<version>/`` as TensorFlow Serving reads it, and return it.

    The folder holds the SavedModel, whose inputs are named and raw (all preprocessing is inside)
    and whose outputs are named; ``model.keras``; and ``export.json``, which says what goes in and
    what comes out. It is written beside and renamed once its answers are verified.

    Args:
        model: The trained model.
        task: Bound to its data.
        output: The folder above.
        name: What it is served as.
        version: A positive number, or None for one more than the highest.
        overwrite: Whether that version may be replaced.
        origin: The run it is from.

    Raises:
        UsageError: The name or version cannot be used, the folder cannot be written, or another
            export writes there now.
        DlzooError: The SavedModel's answers differ from the model's.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", name):
        raise UsageError(
            f"a model's name may have letters, digits, '.', '_' and '-', 200 at most; got '{name}'"
        )
    if version is not None and not 1 <= version <= MOST_VERSION:
        raise UsageError(f"a version is a number from 1 to {MOST_VERSION}, got {version}")
    target = output / name / str(version)
    if version is not None and target.exists() and not overwrite:
        raise UsageError(f"{target} exists; --overwrite replaces it")
    with (
        _made_folder(output / name) as folder,
        claimed(folder, f"another export writes to {folder} now"),
    ):
        remove_leftovers(folder)
        taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
        target = folder / str(version or 1 + max(taken, default=0))
        beside = folder / temporary_name(target.name)
        try:
            beside.mkdir(parents=True)
            network = task.served(model)
            endpoints = task.endpoints(network)
            savedmodel.write(network, task, endpoints, beside)
            worst = largest_difference(endpoints, beside)
            model.save(beside / "model.keras")
            files = _write_files(task, beside)
            facts = {
                "name": name,
                "version": int(target.name),
                "run": origin,
                "task": task.name,
                "signatures": {key: _signature(one) for key, one in endpoints.items()},
                "data": task.spec.as_dict(),
                "largest_difference": worst,
                "files": files,
            }
            text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
            (beside / "export.json").write_text(text, encoding="utf-8")
            _put_in_place(beside, target)
        except (OSError, tf.errors.OpError) as error:
            told = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
            raise DlzooError(f"cannot write {target}: {told}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return target


@contextlib.contextmanager
def _made_folder(path: Path) -> Iterator[Path]:
    """Make a folder and those above it; remove those of them again that the body left empty."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield writable_folder(path)
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # it is not empty: it holds what was asked for
                folder.rmdir()


def _write_files(task: Task, folder: Path) -> list[str]:
    """Write what the graph cannot hold of the columns, and a README that says how to use it."""
    given = {name: feature.beside() for name, feature in task.fed.items()}
    several = sum(map(bool, given.values())) > 1
    written: dict[str, str] = {}
    for column, files in given.items():
        for name, text in files.items():
            file = f"{column}-{name}" if several else name
            (folder / file).write_text(text, encoding="utf-8")
            written[file] = task.fed[column].how_to_use(file)
    if written:
        parts = [f"`{file}`:\n\n```python\n{use}```\n" for file, use in written.items()]
        text = "The signatures take and give tokens as numbers. What is text, these files know.\n\n"
        (folder / "README.md").write_text(text + "\n".join(parts), encoding="utf-8")
    return list(written)


def _put_in_place(beside: Path, target: Path) -> None:
    if not target.exists():
        beside.replace(target)
        return
    old = target.with_name(temporary_name(target.name))
    target.replace(old)
    beside.replace(target)
    shutil.rmtree(old)


def _signature(endpoint: Endpoint) -> dict[str, Any]:
    return {
        name: {"shape": list(spec.shape), "dtype": spec.dtype.name}
        for name, spec in endpoint.signature.items()
    }
