"""`dlzoo export`: write a model for serving, verified."""

from __future__ import annotations

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
from cli.output import emit_json, facts, heading, hint, table
from zoo.base.files import require_writable
from zoo.run import load
from zoo.serving.formats import DEFAULT, FORMATS, MOST_LOST, QUANTIZATIONS

COLUMNS = ("format", "signature", "examples", "difference", "agrees", "score", "bytes", "ms")


@click.command("export")
@click.argument("run", type=RUN)
@click.option(
    "--format",
    "formats",
    type=click.Choice(list(FORMATS)),
    multiple=True,
    help=f"May be given several times; {' and '.join(DEFAULT)} by default.",
)
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
@click.option(
    "--quantize",
    type=click.Choice(QUANTIZATIONS),
    help="Smaller numbers: litert takes all three, onnx dynamic and int8, openvino float16.",
)
@click.option(
    "--max-loss",
    type=click.FloatRange(min=0.0),
    default=MOST_LOST,
    show_default=True,
    help="The most that a quantised format may lose of the task's score.",
)
@weights_option
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    formats: tuple[str, ...],
    output: Path,
    name: str | None,
    version: int | None,
    quantize: str | None,
    max_loss: float,
    weights: Any,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Write RUN's model for serving: preprocessing, vocabulary and labels are inside.

    Each format is loaded in a fresh process by its own runtime, and must answer the test split as
    the model does, before the export gets its name.
    """
    found = load(run, run_dir, weights=weights)
    require_writable(output)
    path = found.export(
        output,
        formats=formats or DEFAULT,
        name=name,
        version=version,
        overwrite=overwrite,
        quantize=quantize,
        max_loss=max_loss,
    )
    from zoo.serving.artefact import Artefact

    told = Artefact.open(path).facts
    tell_unfinished(found, weights)
    if as_json:
        emit_json({"path": str(path), **told})
        return
    heading(f"{told['name']}, version {told['version']}: {path}")
    for signature, sides in told["signatures"].items():
        facts({f"signature {signature}": _inputs(sides)})
    if told["portable"]:
        facts({"inputs elsewhere": _inputs(told["portable"])})
    for name_, one in told["formats"].items():
        if one.get("left_out"):
            facts({f"left out of {name_}": one["left_out"]})
    click.echo()
    show_reports(told["reports"])
    hint(["dlzoo", "verify", str(path)])


def _inputs(sides: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {one['dtype']} {one['shape']}" for name, one in sides["inputs"].items()
    )


def show_reports(reports: list[dict[str, Any]]) -> None:
    """Print how each signature of each format compares with the model."""
    from zoo.serving.readme import agreed, scored

    rows = [
        (
            one["format"],
            one["signature"],
            f"{one['examples']:,}",
            f"{one['largest_difference']:.1e}",
            agreed(one),
            scored(one),
            f"{one['size']:,}",
            f"{one['milliseconds']:.2f}",
        )
        for one in reports
    ]
    table(COLUMNS, rows, right=("examples", "difference", "agrees", "bytes", "ms"))
