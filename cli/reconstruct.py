"""`dlzoo generate RUN --reconstruct FILE`: images beside what a model makes of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cli.output import emit_json, note
from zoo.base.errors import DlzooError
from zoo.base.files import writable
from zoo.run import Run


def reconstruct(
    found: Run, source: str, output: Path | None, *, overwrite: bool, as_json: bool
) -> None:
    """Write one picture: each image of a file or folder, and its reconstruction to the right.

    Args:
        found: The run.
        source: An image, a folder of them, or ``-``.
        output: The picture's file; by default ``<run>-reconstructions.png``.
        overwrite: Whether it may be replaced.
        as_json: Whether to print JSON.

    Raises:
        UsageError: The model reconstructs nothing, or there is nothing to read.
        DlzooError: Some images could not be read; the others are drawn.
    """
    from zoo.tasks.rebuilding import beside, reconstruct, require_reconstructions

    require_reconstructions(found.task, found.model)
    feature = found.task.spec.features[found.task.inputs[0]]
    path = output or Path(f"{found.name}-reconstructions{feature.suffix}")
    feature.require_suffix(path)
    writable(path, overwrite=overwrite)
    readings = list(feature.read(source, sys.stdin.buffer))
    good = [reading.raw for reading in readings if not reading.fault]
    faults = [reading.fault for reading in readings if reading.fault]
    error = None
    if good:
        originals, made, error = reconstruct(found.task, found.model, good)
        feature.write(beside(originals, made), path)
    if as_json:
        told: dict[str, Any] = {"run": str(found.path), "count": len(good), "failed": faults}
        emit_json({**told, "mean_squared_error": error, "output": str(path) if good else None})
    elif good:
        images = f"{len(good)} image{'s' * (len(good) > 1)}"
        click.echo(
            f"{images} and what {found.name} makes of them, mean squared error {error:.4f}: {path}"
        )
    for fault in faults:
        note(f"not read: {fault}")
    if faults:
        raise DlzooError(f"{len(faults)} of {len(readings)} images could not be read")
