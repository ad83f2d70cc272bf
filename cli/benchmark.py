"""`dlzoo benchmark`: speed and memory of training and inference on this machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import DATASET, MODEL, PATH, json_option, overwrite_option, precision_option
from cli.output import emit_json, heading, hint, next_command, note, table
from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import writable, write_text
from zoo.registry import card

if TYPE_CHECKING:
    from zoo.training.benchmark import Measurement


@click.command("benchmark")
@click.argument("models", nargs=-1, type=MODEL, metavar="MODEL...")
@click.option(
    "--input-pipeline",
    "dataset",
    type=DATASET,
    metavar="DATASET",
    help="How fast this data set's batches come, and whether a MODEL waits for them.",
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Examples per step; by default chosen by cost."
)
@click.option(
    "--input-size",
    type=click.IntRange(min=1),
    help="Height and width of images, length of texts; by default the paper's.",
)
@precision_option
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many times each is timed.",
)
@click.option("--output", type=PATH, help="A CSV file for the measurements as well.")
@overwrite_option
@json_option
def command(
    models: tuple[str, ...],
    dataset: str | None,
    batch_size: int | None,
    input_size: int | None,
    precision: str | None,
    repeats: int,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure how fast each MODEL trains and answers here, and in how much memory.

    The paper's network gets the same batch of noise again and again, in a separate process.
    If a batch does not fit into memory, it is halved. Close other programs before you measure.

    \b
    dlzoo benchmark lenet5 resnet20
    dlzoo benchmark resnet50 --batch-size 16 --input-size 64
    dlzoo benchmark --input-pipeline digits resnet20
    """
    if dataset is not None:
        if input_size is not None or precision is not None or output is not None:
            raise UsageError("--input-pipeline takes --batch-size, --repeats and --json only")
        _pipeline(dataset, models, batch_size, repeats, as_json)
        return
    if not models:
        raise UsageError("name a MODEL to measure, or --input-pipeline DATASET")
    from zoo.training.benchmark import benchmark

    if output is not None:
        if output.suffix.lower() != ".csv" and not output.is_dir():
            raise UsageError(f"--output writes CSV: its name must end in .csv, got '{output}'")
        writable(output, overwrite=overwrite)
    found: list[Measurement] = []
    failed: list[DlzooError] = []
    names = list(dict.fromkeys(card(model).name for model in models))
    for name in names:
        try:
            found += benchmark(
                name,
                batch_size=batch_size,
                input_size=input_size,
                precision=precision,
                repeats=repeats,
                tell=note,
            )
        except DlzooError as error:  # the other models are still measured and shown
            failed.append(error)
    if found and output is not None:
        write_text(output, _as_csv(found))
    if found and as_json:
        emit_json([one.as_dict() for one in found])
    elif found:
        _show(found)
        if output is not None:
            click.echo(f"measurements: {output}")
    if failed:
        raise type(failed[0])("; ".join(str(error) for error in failed)) from failed[0]
    hint(next_command("train", names[0]))


def _pipeline(
    dataset: str, models: Sequence[str], batch_size: int | None, repeats: int, as_json: bool
) -> None:
    """Measure a data set's input pipeline, alone or beside each model."""
    from zoo.training.pipeline import measure_pipeline

    found = [
        measure_pipeline(dataset, model, batch_size=batch_size, repeats=repeats)
        for model in models or (None,)
    ]
    if as_json:
        emit_json([flow.as_dict() for flow in found])
        return
    first = found[0]
    heading(f"{dataset}: examples per second, median of {repeats} rounds")
    rows = []
    for flow in found:
        low, high = flow.quartiles
        rows.append(
            (
                flow.recipe,
                flow.batch_size,
                f"{flow.pipeline:,.0f} ({low:,.0f} to {high:,.0f})",
                "" if flow.device is None else f"{flow.device:,.0f}",
                "" if flow.training is None else f"{flow.training:,.0f}",
                flow.bottleneck or "",
            )
        )
    columns = ("recipe", "batch", "input pipeline", "device alone", "training", "bottleneck")
    table(columns, rows, right=("batch", "input pipeline", "device alone", "training"))
    if first.growth is not None:
        grown = max(flow.growth or 0 for flow in found)
        click.echo(f"memory grew by {grown / 1e6:,.0f} MB after the first round")
    if not models:
        hint(next_command("benchmark", "--input-pipeline", dataset, first.model))


def _as_csv(found: list[Measurement]) -> str:
    """Return one line per measurement, with the names that ``--json`` uses."""
    rows = [_row(one) for one in found]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(one: Measurement) -> dict[str, Any]:
    values = one.as_dict()
    first, third = values.pop("quartiles")
    shape = "x".join(str(side) for side in one.input_shape)
    return {**values, "input_shape": shape, "first_quartile": first, "third_quartile": third}


def _show(found: list[Measurement]) -> None:
    where = ", ".join(dict.fromkeys(f"{one.device} in {one.precision}" for one in found))
    rates = [one.matmul_rate / 1e9 for one in found]
    products = " to ".join(dict.fromkeys(f"{rate:,.0f}" for rate in (min(rates), max(rates))))
    heading(
        f"median (quartiles) of {found[0].repeats} on {where}; matrix products: {products} GFLOP/s"
    )
    rows = [
        (
            one.model,
            one.mode,
            one.batch_size,
            f"{one.samples_per_second:,.0f}",
            f"{_milliseconds(one.seconds)} "
            f"({' to '.join(_milliseconds(seconds) for seconds in one.quartiles)})",
            "" if one.peak_memory is None else f"{one.peak_memory / 1e6:,.0f} MB",
            _percent(one.share_of_matmul_rate),
        )
        for one in found
    ]
    columns = ("model", "mode", "batch", "samples/s", "ms per step", "memory", "of matmul")
    table(columns, rows, right=("batch", "samples/s", "memory", "of matmul"))
    for one in found:
        if one.batch_size < one.asked_batch_size:
            click.echo(
                f"{one.model}: {one.mode} with batch {one.asked_batch_size} does not fit into "
                f"memory, with {one.batch_size} it does"
            )


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def _milliseconds(seconds: float) -> str:
    return f"{1000.0 * seconds:,.3g}" if seconds < 1.0 else f"{1000.0 * seconds:,.0f}"
