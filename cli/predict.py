"""`dlzoo predict`: apply a run's model to images, rows or texts."""

from __future__ import annotations

import itertools
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from cli.answers import AnswerFile, require_suffix
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
from zoo.base.files import writable
from zoo.run import Run, load

if TYPE_CHECKING:
    import numpy as np

    from zoo.datasets.features.base import Reading

MOST_WARNINGS = 5
"""Inputs that are warned of one by one."""
CHUNK = 256
"""Answers that come at a time, see `zoo.tasks.predictor.CHUNK`."""
REPORTED = 1_024
"""Answers between two lines of progress."""


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
    type=PATH,
    help="Draw what the model looks at for the first INPUT into this picture.",
)
@click.option("--invert", is_flag=True, help="Swap light and dark in images before asking.")
@click.option(
    "--output",
    type=PATH,
    help="Write the answers to this .csv, .jsonl or .parquet file instead.",
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

    For images, INPUT is a file, a folder of them or a pattern such as 'photos/*.jpg'; for tables,
    a CSV file or a row such as 5.1,3.5,1.4,0.2; for texts, a text or a file with one text a line.
    '-' is standard input. A row that begins with a minus sign comes after '--'. What cannot be
    read is listed, and the others are answered.

    \b
    dlzoo predict RUN "venerdì 3 maggio 1979" --attention attention.png
    """
    if output is not None:
        require_suffix(output)
        writable(output, overwrite=overwrite)
    if attention is not None:
        from zoo.runs.pictures import require_picture_suffix

        writable(require_picture_suffix(attention), overwrite=overwrite)
    found = load(run, run_dir, weights=weights)
    asked = _Asked(found, invert, keep_first=attention is not None)
    shown: list[dict[str, Any]] = []
    answered = 0
    with AnswerFile(output) if output is not None else nullcontext() as file:
        for rows in _answers(asked, asked.examples(inputs, sys.stdin.buffer), top_k, beams):
            answered += len(rows)
            if file is not None:
                file.add(rows)
            if file is None or as_json:
                shown += rows
            _progress(answered)
    asked.tell_warnings()
    first = asked.first
    if attention is not None and first is not None:
        found.draw_attention({name: one.raw for name, one in first.items()}, attention)
    if as_json:
        drawn = {} if first is None else {"attention": str(attention)}
        emit_json({"run": str(found.path), "predictions": shown, "failed": asked.faults, **drawn})
    elif shown:
        _show(shown)
    elif answered:
        click.echo(f"{answered} answers: {output}")
    tell_unfinished(found, weights)
    if first is not None and not as_json:
        note(f"attention of '{first[found.task.inputs[0]].name}': {attention}")
    if asked.faults:
        for fault in asked.faults:
            note(f"not read: {fault}")
        total = answered + len(asked.faults)
        raise DlzooError(f"{len(asked.faults)} of {total} inputs could not be read")
    hint(run_command("export", found, run_dir))


class _Asked:
    """The examples of a command line, read one by one, and what was noticed on the way.

    Args:
        run: Whose model is asked.
        invert: Whether light and dark are swapped.
        keep_first: Whether the first example is wanted again afterwards.
    """

    def __init__(self, run: Run, invert: bool, *, keep_first: bool) -> None:
        self.run, self.invert, self.keep_first = run, invert, keep_first
        self.first: Mapping[str, Reading] | None = None
        self.names: deque[str] = deque()
        """Of the examples that are not answered yet."""
        self.faults: list[str] = []
        self.warned = 0

    def examples(self, inputs: Sequence[str], stdin: BinaryIO) -> Iterator[dict[str, np.ndarray]]:
        """Yield raw columns; what cannot be read is left out and listed."""
        features = self.run.task.asked
        for example in self.run.task.read(inputs, stdin):
            faults = [reading.fault for reading in example.values() if reading.fault]
            self.faults += faults
            if faults:
                continue
            if self.keep_first and self.first is None:
                self.first = example
            raw = {
                name: features[name].inverted(reading.raw) if self.invert else reading.raw
                for name, reading in example.items()
            }
            name = " ".join(reading.name for reading in example.values())
            self._warn(name, (features[key].unusual(values) for key, values in raw.items()))
            self.names.append(name)
            yield raw

    def _warn(self, name: str, warnings: Iterable[str | None]) -> None:
        """Say on standard error that an input is unlike the training data."""
        warning = next(filter(None, warnings), None)
        if warning is None:
            return
        self.warned += 1
        if self.warned <= MOST_WARNINGS:
            note(f"warning: {name}: {warning}")

    def tell_warnings(self) -> None:
        """Say how many inputs were not warned of one by one."""
        if self.warned > MOST_WARNINGS:
            more = self.warned - MOST_WARNINGS
            note(f"warning: {more} more inputs are unlike the training data")


def _answers(
    asked: _Asked, examples: Iterator[dict[str, np.ndarray]], top_k: int, beams: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield what is told of the examples, some at a time, in order."""
    first = next(examples, None)
    if first is None:
        return
    for answers in asked.run.predict_stream(itertools.chain([first], examples), beams=beams):
        told = asked.run.task.rows(answers, top_k)
        yield [{"input": asked.names.popleft(), **row} for row in told]


def _progress(done: int) -> None:
    """Say on standard error how far a long work is; a line for each part in a pipe."""
    if done >= REPORTED and done % REPORTED < CHUNK:
        note(f"{done:,} answered")


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
