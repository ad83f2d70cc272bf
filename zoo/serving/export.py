"""A trained model as a folder for serving, verified before it gets its name."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import (
    claimed,
    exchange,
    remove_leftovers,
    rename_durably,
    temporary_name,
    writable_folder,
    write_text,
)
from zoo.base.runtime import quiet_stderr
from zoo.serving import answer, readme, samples
from zoo.serving.artefact import FACTS, Artefact, versions
from zoo.serving.formats import DEFAULT, MOST_LOST, PORTABLE, Format, formats
from zoo.serving.served import Served
from zoo.serving.verify import Case, Report, check, fault
from zoo.tasks.base import Task
from zoo.tasks.endpoint import Endpoint

MOST_VERSION = 2**31 - 1
"""TensorFlow Serving reads versions as 64-bit integers; clients of other languages as 32-bit."""
CONFIG = "model.config"


def export_model(
    served: Served,
    output: Path,
    *,
    name: str,
    version: int | None,
    overwrite: bool,
    origin: str,
    wanted: Sequence[str] = DEFAULT,
    quantize: str | None = None,
    max_loss: float = MOST_LOST,
) -> Artefact:
    """Write ``<output>/<name>/<version>/`` as TensorFlow Serving reads it, and return it.

    The folder holds the model in each format; ``export.json``, which says what goes in and what
    comes out; ``samples.npz`` with real examples and the model's answers; and a page with requests.
    It is written beside, verified, and renamed.

    Args:
        served: The trained model with its task.
        output: The folder above. Its ``model.config`` lists all models in it.
        name: What it is served as.
        version: A positive number, or None for one more than the highest.
        overwrite: Whether that version may be replaced.
        origin: The run it is from.
        wanted: The formats by name, see `zoo.serving.formats.FORMATS`.
        quantize: ``"dynamic"``, ``"float16"`` or ``"int8"``, for formats that can.
        max_loss: The most that a quantised format may lose of the task's score.

    Raises:
        UsageError: The name, version or format cannot be used, the folder cannot be written, or
            another export writes there now.
        DlzooError: A format's answers differ from the model's.
    """
    if name == CONFIG:
        raise UsageError(f"{CONFIG} is the list of all models; give this one another name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", name):
        raise UsageError(
            f"a model's name may have letters, digits, '.', '_' and '-', 200 at most; got '{name}'"
        )
    if version is not None and not 1 <= version <= MOST_VERSION:
        raise UsageError(f"a version is a number from 1 to {MOST_VERSION}, got {version}")
    chosen = formats(tuple(wanted), quantize)
    target = output / name / str(version)
    if version is not None and target.exists() and not overwrite:
        raise UsageError(f"{target} exists; --overwrite replaces it")
    with (
        _made_folder(output / name) as folder,
        claimed(folder, f"another export writes to {folder} now"),
    ):
        remove_leftovers(folder)
        taken = [int(path.name) for path in versions(folder)]
        if version in taken and not overwrite:  # by another export, a moment ago
            raise UsageError(f"{target} exists; --overwrite replaces it")
        target = folder / str(version or 1 + max(taken, default=0))
        _require_served(target, chosen)
        beside = folder / temporary_name(target.name)
        try:
            beside.mkdir(parents=True)
            told = _write_formats(served, chosen, beside, quantize, max_loss)
            uses = _write_beside(served.task, beside)
            facts = {
                "name": name,
                "version": int(target.name),
                "run": origin,
                "task": served.task.name,
                "data": served.task.spec.as_dict(),
                **told,
                "files": [*told["files"], *uses],
            }
            text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
            (beside / FACTS).write_text(text, encoding="utf-8")
            (beside / "README.md").write_text(readme.page(facts, uses), encoding="utf-8")
            _put_in_place(beside, target)
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
            raise DlzooError(f"cannot write {target}: {reason}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    with claimed(output, f"another export writes to {output} now", wait=10.0):
        _write_config(output)
    return Artefact(target, facts)


def _write_formats(
    served: Served, wanted: Sequence[Format], folder: Path, quantize: str | None, max_loss: float
) -> dict[str, Any]:
    """Write and check each format, and return what ``export.json`` says of them."""
    written: dict[str, Any] = {}
    cases: dict[str, list[Case]] = {}
    reports: list[Report] = []
    for one in wanted:
        # The encoded network is for training on, too: it keeps its normalisations.
        whole = served if one.group == "encoded" else served.folded
        with quiet_stderr(), warnings.catch_warnings():  # converters tell their whole work
            warnings.simplefilter("ignore")
            notes = one.module.write(whole, folder, quantize)
        if one.group not in cases:
            cases |= samples.cases(served, [one.group])
        widest = max(endpoint.tolerance for endpoint in whole.group(one.group).values())
        if widest > one.tolerance:
            notes["tolerance"] = widest
        if quantize is not None:
            notes["max_loss"] = max_loss
        found = check(one, folder, cases[one.group])
        for report in found:
            if wrong := fault(one, report, notes):
                raise DlzooError(f"{wrong}. Nothing was written.")
        reports += found
        present = [file for file in one.files if (folder / file).exists()]
        written[one.name] = {"files": present, **notes}
    samples.save(folder / samples.FILE, cases)
    signatures = {
        group: {
            one.signature: _signature(served.group(group)[one.signature], one.expected)
            for one in several
        }
        for group, several in cases.items()
    }
    told: dict[str, Any] = {
        "formats": written,
        "signatures": signatures.get("raw", {}),
        "portable": signatures.get("portable", {}).get(PORTABLE),
        "checked_on": served.split or "noise",
        "largest_difference": max((one.largest_difference for one in reports), default=0.0),
        "reports": [asdict(one) for one in reports],
        "files": [],
    }
    if "raw" in cases:
        readme.write_requests(folder, {one.signature: one.inputs for one in cases["raw"]})
    if "portable" in cases:
        shutil.copyfile(answer.__file__, folder / readme.ANSWERING)
        told["files"] = [readme.ANSWERING]
    return told


def _require_served(target: Path, chosen: Sequence[Format]) -> None:
    """Raise a `UsageError` if TensorFlow Serving would look for a SavedModel where none is to be.

    It answers by the highest version of a name, whatever that holds: a file for a phone would end
    its answers at the next start.
    """
    served = [int(path.parent.name) for path in target.parent.glob("[0-9]*/saved_model.pb")]
    others = [number for number in served if number != int(target.name)]
    if others and int(target.name) > max(others) and not any(one.group == "raw" for one in chosen):
        raise UsageError(
            f"{target} would be the highest version, by which TensorFlow Serving answers, "
            "without a SavedModel: add --format savedmodel, or choose another --name"
        )


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


def _write_beside(task: Task, folder: Path) -> dict[str, str]:
    """Write what no format can hold of the columns, and return how each file is used."""
    given = {name: feature.beside() for name, feature in task.fed.items()}
    several = sum(map(bool, given.values())) > 1
    written: dict[str, str] = {}
    for column, files in given.items():
        for name, text in files.items():
            file = f"{column}-{name}" if several else name
            (folder / file).write_text(text, encoding="utf-8")
            written[file] = task.fed[column].how_to_use(file)
    return written


def _put_in_place(beside: Path, target: Path) -> None:
    """Give a folder its name; one that has the name now gives it up at the same moment."""
    if target.exists():
        exchange(beside, target)  # what was there is removed under the other name
    else:
        rename_durably(beside, target)


def _write_config(output: Path) -> None:
    """Write the list of all models in a folder, for TensorFlow Serving's container."""
    names = sorted(
        {path.parent.parent.name for path in output.glob("*/[0-9]*/saved_model.pb")},
    )
    blocks = [
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    ]
    if names:
        write_text(output / CONFIG, "model_config_list {\n" + "".join(blocks) + "}\n")


def _signature(endpoint: Endpoint, expected: Mapping[str, np.ndarray]) -> dict[str, Any]:
    outputs = {
        name: {
            "shape": [None, *one.shape[1:]],
            "dtype": "string" if one.dtype.kind in "US" else one.dtype.name,
        }
        for name, one in expected.items()
    }
    inputs = {
        name: {"shape": list(spec.shape), "dtype": spec.dtype.name}
        for name, spec in endpoint.signature.items()
    }
    constants = {"constants": dict(endpoint.constants)} if endpoint.constants else {}
    return {"inputs": inputs, "outputs": outputs, **constants}
