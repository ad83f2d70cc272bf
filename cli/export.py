"""`dlzoo export`: write a verified SavedModel for serving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cli.options import (
    PATH,
    RUN,
    json_option,
    overwrite_option,
    run_dir_option,
    tell_unfinished,
    weights_option,
)
from cli.output import emit_json, facts, heading, hint
from zoo.base.files import require_writable
from zoo.run import load


@click.command("export")
@click.argument("run", type=RUN)
@click.option(
    "--output",
    type=PATH,
    default=Path("exports"),
    show_default=True,
    help="The export goes to OUTPUT/NAME/VERSION.",
)
@click.option("--name", help="What it is served as; <model>-<dataset> by default.")
@click.option(
    "--version",
    type=click.IntRange(min=1, max=2**31 - 1),
    help="One more than the highest by default.",
)
@weights_option
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    output: Path,
    name: str | None,
    version: int | None,
    weights: Any,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Write RUN's model as a SavedModel that TensorFlow Serving reads, and as .keras.

    The SavedModel takes raw inputs: all preprocessing is inside. It is loaded again and must answer
    as the model does before it gets its name.
    """
    found = load(run, run_dir, weights=weights)
    require_writable(output)
    path = found.export(output, name=name, version=version, overwrite=overwrite)
    told = json.loads((path / "export.json").read_text(encoding="utf-8"))
    tell_unfinished(found, weights)
    if as_json:
        emit_json({"path": str(path), **told})
        return
    heading(f"{told['name']}, version {told['version']}: {path}")
    facts(
        {
            **{
                f"signature {key}": ", ".join(
                    f"{what} {one['dtype']} {one['shape']}" for what, one in inputs.items()
                )
                for key, inputs in told["signatures"].items()
            },
            "verified": f"answers differ from the model's by at most "
            f"{told['largest_difference']:.1e}",
        }
    )
    show = (
        f"import tensorflow as tf; print(tf.saved_model.load({json.dumps(str(path))}).signatures)"
    )
    hint(["python", "-c", show])
