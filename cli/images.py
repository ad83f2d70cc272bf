"""What `dlzoo generate` does with images beside samples: animations, and images without noise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.output import emit_json, note
from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import writable
from zoo.run import Run


def animation(found: Run, request: Any, path: Path, overwrite: bool) -> None:
    """Draw a GIF of a request's samples step by step, or else of how the training went."""
    from zoo.runs.animation import grids, join, pictures_of_training, require_gif

    require_gif(path)
    writable(path, overwrite=overwrite)
    steps = found.animate(request)
    if steps:
        join(grids([samples.values for samples in steps]), path)
    else:
        join(pictures_of_training(found), path)


def denoised(
    found: Run, inputs: Sequence[str], output: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Write images of files and folders into one picture, without their noise.

    Raises:
        UsageError: The model takes no noise away, or there is nothing to read.
        DlzooError: Some images could not be read; the others are drawn.
    """
    name = found.task.inputs[0]
    feature = found.task.asked[name]
    path = output or Path(f"{found.name}{feature.suffix}")
    feature.require_suffix(path)
    writable(path, overwrite=overwrite)
    readings = [one for text in inputs for one in feature.read(text, sys.stdin.buffer)]
    for one in readings:
        if one.fault:
            note(f"not read: {one.fault}")
    raw = [{name: one.raw} for one in readings if not one.fault]
    if not raw:
        raise UsageError(f"there is no readable image in {', '.join(inputs)}")
    samples = found.denoise(raw)
    samples.feature.write(samples.values, path)
    if as_json:
        emit_json({"run": str(found.path), "images": len(raw), "output": str(path)})
    else:
        click.echo(f"{len(raw)} image{'s' * (len(raw) > 1)} without noise: {path}")
    if len(raw) < len(readings):
        bad = len(readings) - len(raw)
        raise DlzooError(f"{bad} of {len(readings)} images could not be read")
