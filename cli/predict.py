"""`dlzoo predict`: ask a run's model about images, rows or texts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.options import RUN, json_option, run_dir_option
from cli.output import emit_json, hint, number, table
from zoo import runs


@click.command("predict")
@click.argument("run", type=RUN)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--top-k", type=click.IntRange(min=1), default=3, show_default=True, help="Classes to name."
)
@run_dir_option
@json_option
def command(run: str, inputs: tuple[str, ...], top_k: int, run_dir: Path, as_json: bool) -> None:
    """Ask RUN's model about each INPUT.

    For images, INPUT is a file or a folder of them; for tables, a CSV file or a row such as
    5.1,3.5,1.4,0.2; for texts, a text or a file of one a line. '-' is standard input.
    """
    from zoo.datasets.inputs import read

    found = runs.load(run, run_dir)
    examples = read(found.spec, inputs, sys.stdin.buffer)
    answers = found.predict_each([example.raw for example in examples])
    rows = found.task.rows(answers, top_k)
    if as_json:
        emit_json(
            {
                "run": str(found.path),
                "predictions": [
                    {"input": example.name, **row}
                    for example, row in zip(examples, rows, strict=True)
                ],
            }
        )
        return
    if "top" in rows[0]:
        lines = [
            (
                example.name,
                *(f"{one['class']} {number(one['probability'])}" for one in row["top"]),
            )
            for example, row in zip(examples, rows, strict=True)
        ]
        ranks = [str(rank) for rank in range(1, len(rows[0]["top"]) + 1)]
        table(("input", *ranks), lines)
    else:
        lines = [
            (example.name, *(number(value) for value in row.values()))
            for example, row in zip(examples, rows, strict=True)
        ]
        table(("input", *rows[0]), lines, right=tuple(rows[0]))
    hint(f"dlzoo export {found.reference}")
