"""`dlzoo predict`: apply a run's model to images, rows or texts."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from cli.output import emit_json, hint, note, number, run_command, table
from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import writable, write_text
from zoo.run import Run, load

if TYPE_CHECKING:
    from zoo.datasets.features.base import Reading

MOST_WARNINGS = 5
"""Inputs that are warned of one by one."""


class _RowsMayFollow(click.Command):
    """Says what to do about a row such as ``-1.5,2`` that looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, or fail with a hint."""
        rows = [word for word in args if re.match(r"-\.?\d", word)]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            if rows and "--" not in args:
                raise UsageError(
                    f"'{rows[0]}' looks like an option: write -- before rows that begin with a "
                    "minus sign, after all options"
                ) from None
            raise


@click.command("predict", cls=_RowsMayFollow)
@click.argument("run", type=RUN)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--top-k", type=click.IntRange(min=1), default=3, show_default=True, help="Classes to name."
)
@click.option(
    "--beams",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Of the beam search, for models that write texts; 1 is greedy.",
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path),
    help="Draw what the model looks at for the first INPUT into this picture.",
)
@click.option("--invert", is_flag=True, help="Swap light and dark in images before asking.")
@click.option(
    "--output",
    type=PATH,
    help="Write the answers to this .csv or .jsonl file instead.",
)
@weights_option
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    inputs: tuple[str, ...],
    top_k: int,
    beams: int,
    attention: Path | None,
    invert: bool,
    output: Path | None,
    weights: Any,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Apply RUN's model to each INPUT.

    For images, INPUT is a file or a folder of them; for tables, a CSV file or a row such as
    5.1,3.5,1.4,0.2; for texts, a text or a file with one text a line. '-' is standard input. A row
    that begins with a minus sign comes after '--'.

    \b
    dlzoo predict RUN "venerdì 3 maggio 1979" --attention attention.png
    """
    if output is not None:
        if output.suffix.lower() not in (".csv", ".jsonl"):
            raise UsageError(f"--output writes .csv or .jsonl files, got {output}")
        writable(output, overwrite=overwrite)
    if attention is not None:
        from zoo.runs.figures import require_picture_suffix

        writable(require_picture_suffix(attention), overwrite=overwrite)
    found = load(run, run_dir, weights=weights)
    examples = found.task.read(inputs, sys.stdin.buffer)
    good = [one for one in examples if not any(reading.fault for reading in one.values())]
    faults = [reading.fault for one in examples for reading in one.values() if reading.fault]
    rows = _answers(found, good, top_k, beams, invert) if good else []
    if attention is not None and good:
        found.draw_attention({name: one.raw for name, one in good[0].items()}, attention)
    if rows and output is not None:
        _write(rows, output)
    if as_json:
        drawn = {} if attention is None or not good else {"attention": str(attention)}
        emit_json({"run": str(found.path), "predictions": rows, "failed": faults, **drawn})
    elif rows and output is None:
        _show(rows)
    elif rows:
        click.echo(f"{len(rows)} answers: {output}")
    tell_unfinished(found, weights)
    if attention is not None and good and not as_json:
        note(f"attention of '{good[0][found.task.inputs[0]].name}': {attention}")
    if faults:
        for fault in faults:
            note(f"not read: {fault}")
        raise DlzooError(f"{len(faults)} of {len(examples)} inputs could not be read")
    hint(run_command("export", found, run_dir))


def _answers(
    found: Run, examples: Sequence[Mapping[str, Reading]], top_k: int, beams: int, invert: bool
) -> list[dict[str, Any]]:
    """Return what is told of each example."""
    features = found.task.asked
    raw = [
        {
            name: features[name].inverted(reading.raw) if invert else reading.raw
            for name, reading in example.items()
        }
        for example in examples
    ]
    names = [" ".join(reading.name for reading in example.values()) for example in examples]
    _warn(
        names,
        [
            next(
                filter(None, (features[column].unusual(values) for column, values in one.items())),
                "",
            )
            for one in raw
        ],
    )
    answers = found.task.rows(found.predict_each(raw, beams=beams), top_k)
    return [{"input": name, **row} for name, row in zip(names, answers, strict=True)]


def _warn(names: Sequence[str], warnings: Sequence[str | None]) -> None:
    """Say on standard error which inputs are unlike the training data, in a line each."""
    told = [f"{name}: {warning}" for name, warning in zip(names, warnings, strict=True) if warning]
    for line in told[:MOST_WARNINGS]:
        note(f"warning: {line}")
    if len(told) > MOST_WARNINGS:
        note(f"warning: {len(told) - MOST_WARNINGS} more inputs are unlike the training data")


def _write(rows: Sequence[dict[str, Any]], output: Path) -> None:
    if output.suffix.lower() == ".jsonl":
        write_text(output, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return
    text = io.StringIO()
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_text(output, text.getvalue())


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a CSV file: the ranked classes in columns of their own."""
    cells = {key: value for key, value in row.items() if key != "top"}
    for rank, one in enumerate(row.get("top", [])[1:], start=2):
        cells |= {f"{key}{rank}": value for key, value in one.items()}
    return cells


def _show(rows: Sequence[dict[str, Any]]) -> None:
    if "top" in rows[0]:
        ranks = [str(rank) for rank in range(1, len(rows[0]["top"]) + 1)]
        lines = [
            (row["input"], *(f"{one['class']} {number(one['probability'])}" for one in row["top"]))
            for row in rows
        ]
        table(("input", *ranks), lines)
        return
    columns = tuple(rows[0])
    lines = [
        tuple(number(cell) if isinstance(cell, float) else str(cell) for cell in row.values())
        for row in rows
    ]
    numbers = tuple(key for key, cell in rows[0].items() if isinstance(cell, float))
    table(columns, lines, right=numbers)
