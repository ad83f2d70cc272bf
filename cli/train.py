"""`dlzoo train`: train a model by its recipe, or resume a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cli.options import (
    DATASET,
    MODEL,
    RECIPE_OR_FILE,
    RUN,
    Choice,
    json_option,
    run_dir_option,
)
from cli.output import emit_json, hint, number
from recipes.recipe import assignment
from zoo import runs
from zoo.errors import UsageError
from zoo.files import writable_folder


class _BatchSize(click.ParamType):  # type: ignore[type-arg]
    name = "integer or 'full'"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if value == "full" or isinstance(value, int):
            return value
        if not str(value).isdigit() or int(value) < 1:
            self.fail(f"'{value}' is neither 'full' nor a whole number above 0", param, ctx)
        return int(value)


@click.command("train")
@click.argument("model", type=MODEL, required=False)
@click.option("--recipe", type=RECIPE_OR_FILE, help="Instead of the default; a file is TOML.")
@click.option("--dataset", type=DATASET, help="Train on this data set instead.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training split.")
@click.option("--batch-size", type=_BatchSize(), help="Examples a step, or 'full'.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Of every optimizer."
)
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), help="Repeats a training.")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any key: optimizer.beta_1=0.5"
)
@click.option(
    "--strategy",
    type=Choice(["auto", "one-device", "mirrored"]),
    help="How tf.distribute spreads the work.",
)
@click.option("--devices", type=click.IntRange(min=1), help="How many; without GPUs, of the CPU.")
@click.option(
    "--precision",
    type=Choice(["auto", "float32", "mixed_float16", "mixed_bfloat16"]),
    help="Keras's dtype policy.",
)
@click.option(
    "--init-from",
    metavar="RUN|FILE",
    shell_complete=RUN.shell_complete,
    help="Start from these weights: a run, a .keras or .weights.h5 file, or 'imagenet'.",
)
@click.option(
    "--freeze", multiple=True, metavar="PATTERN", help="Do not train these layers: 'conv[1-4]*'"
)
@click.option("--resume", type=RUN, metavar="RUN", help="Go on with a run where it stopped.")
@run_dir_option
@json_option
def command(
    model: str | None,
    recipe: str | None,
    dataset: str | None,
    epochs: int | None,
    batch_size: int | str | None,
    learning_rate: float | None,
    seed: int | None,
    assignments: tuple[str, ...],
    strategy: str | None,
    devices: int | None,
    precision: str | None,
    init_from: str | None,
    freeze: tuple[str, ...],
    resume: str | None,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Train MODEL by its recipe and leave a run, or go on with one by --resume RUN.

    \b
    dlzoo train resnet --epochs 20
    dlzoo train mlp --dataset iris --set arguments.hidden_units=[16,16]
    dlzoo train resnet50 --init-from imagenet --freeze 'conv[1-4]*'
    dlzoo train --resume latest --epochs 40
    """
    from zoo.training.resolve import describe, resolve

    changed = (
        *(recipe, dataset, batch_size, learning_rate, seed, strategy, devices, precision),
        *(init_from, freeze or None),
    )
    if resume is not None:
        from zoo.training import trainer

        if model is not None or assignments or any(value is not None for value in changed):
            raise UsageError("--resume goes on by the run's own recipe; only --epochs may change")
        found = runs.load(resume, run_dir)
        with _resumable(run_dir, found):
            run = trainer.resume(found, epochs=epochs, reporter=_reporter(as_json))
    else:
        if model is None and recipe is None:
            raise UsageError("name a MODEL to train, see: dlzoo list")
        resolved = resolve(
            model,
            recipe=recipe,
            dataset=dataset,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            precision=precision,
            strategy=strategy,
            devices=devices,
            init_from=init_from,
            freeze=freeze,
            run_dir=run_dir,
            overrides=dict(assignment(text) for text in assignments),
        )
        writable_folder(run_dir)
        click.echo(f"{resolved.name}: {describe(resolved)}", err=True)
        from zoo.training import trainer

        with _resumable(run_dir):
            run = trainer.run_recipe(resolved, run_dir=run_dir, reporter=_reporter(as_json))

    metrics = run.metrics
    score = metrics["score"]
    if as_json:
        emit_json({"run": str(run.path), **metrics})
    else:
        verdict = ""
        if "target" in score:
            verdict = f" (target {score['target']}, {'reached' if score['reached'] else 'missed'})"
        click.echo(
            f"{run.name}: test {score['metric']} {number(score['value'])}{verdict}, "
            f"{metrics['seconds']:.0f} s, {run.path}"
        )
    first = "generate" if run.task.name == "generation" else "evaluate"
    hint(f"dlzoo {first} {run.reference}", f"dlzoo export {run.reference}")


@contextmanager
def _resumable(run_dir: Path, run: runs.Run | None = None) -> Iterator[None]:
    """Say how to go on where Ctrl-C ends a training that has finished an epoch.

    Args:
        run_dir: Where a new run is made.
        run: The one that is resumed.
    """
    try:
        yield
    except KeyboardInterrupt:
        for stopped in [run] if run else runs.list_runs(run_dir)[-1:]:
            if stopped.history and (run or not stopped.finished):
                hint(f"dlzoo train --resume {stopped.reference}")
        raise


def _reporter(as_json: bool) -> Any:
    stream = sys.stderr if as_json else sys.stdout
    if stream.isatty():
        from cli.live import LiveReporter

        return LiveReporter(stream)
    from zoo.training.report import PlainReporter

    return PlainReporter(stream)
