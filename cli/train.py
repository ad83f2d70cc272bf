"""`dlzoo train`: train a model by its recipe, or resume a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import (
    ASSIGNMENT,
    DATASET,
    MODEL,
    RECIPE_OR_FILE,
    RUN,
    json_option,
    precision_option,
    run_dir_option,
    strategy_option,
)
from cli.output import emit_json, facts, hint, note, number, run_command
from recipes.overrides import assignment
from zoo.base.errors import UsageError
from zoo.base.files import require_writable
from zoo.runs.folder import RunFolder, find, require_free_name

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from zoo.training.progress import Reporter


class _BatchSize(click.ParamType):  # type: ignore[type-arg]
    name = "integer or 'full'"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if value == "full" or isinstance(value, int):
            return value
        if not str(value).isdecimal() or int(value) < 1:
            self.fail(f"'{value}' is neither 'full' nor a whole number above 0", param, ctx)
        return int(value)


@click.command("train")
@click.argument("model", type=MODEL, required=False)
@click.option("--recipe", type=RECIPE_OR_FILE, help="Instead of the default; a file is TOML.")
@click.option("--dataset", type=DATASET, help="Train on this data set instead.")
@click.option(
    "--epochs", type=click.IntRange(min=1, max=2**31 - 1), help="Passes over the training split."
)
@click.option("--batch-size", type=_BatchSize(), help="Examples per step, or 'full'.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Of every optimizer."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**31 - 1),
    help="Of all random choices; the same seed repeats a training.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    type=ASSIGNMENT,
    metavar="KEY=VALUE",
    help="Any key of the recipe: optimizer.beta_1=0.5",
)
@strategy_option
@click.option("--devices", type=click.IntRange(min=1), help="How many; without GPUs, of the CPU.")
@precision_option
@click.option(
    "--init-from",
    metavar="RUN|FILE",
    shell_complete=RUN.shell_complete,
    help="Start from these weights: a run, a .keras or .weights.h5 file, or 'imagenet'.",
)
@click.option(
    "--freeze", multiple=True, metavar="PATTERN", help="Do not train these layers: 'conv[1-4]*'"
)
@click.option("--name", help="Of the run; <model>-<dataset>-<number> by default.")
@click.option("--resume", type=RUN, metavar="RUN", help="Continue a run where it stopped.")
@click.option(
    "--dry-run", is_flag=True, help="Do all up to the first step, time some steps, keep nothing."
)
@run_dir_option
@json_option
def command(
    model: str | None,
    assignments: tuple[str, ...],
    name: str | None,
    resume: str | None,
    dry_run: bool,
    run_dir: Path,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train MODEL by its recipe and save a run, or continue one with --resume RUN.

    \b
    dlzoo train resnet --epochs 20
    dlzoo train mlp --dataset iris --set 'arguments.hidden_units=[16,16]'
    dlzoo train resnet50 --init-from imagenet --freeze 'conv[1-4]*'
    dlzoo train --resume latest --epochs 40
    """
    changes["freeze"] = changes["freeze"] or None
    if resume is not None:
        fixed = {key: value for key, value in changes.items() if key != "epochs"}
        given = [key for key, value in fixed.items() if value is not None]
        if model is not None or assignments or given or name is not None or dry_run:
            raise UsageError(
                "--resume continues with the run's own recipe; only --epochs may change"
            )
        run = _resume(find(resume, run_dir), changes["epochs"], run_dir, as_json)
    else:
        recipe = _resolved(model, name, assignments, run_dir, changes)
        if dry_run:
            _dry_run(recipe, as_json)
            return
        from zoo.training import trainer

        with _told_how_to_resume(run_dir) as made:
            run, _ = trainer.train(
                recipe, run_dir=run_dir, name=name, reporter=_reporter(as_json), made=made
            )
    _conclude(run, run_dir, as_json)


def _resolved(
    model: str | None,
    name: str | None,
    assignments: tuple[str, ...],
    run_dir: Path,
    changes: dict[str, Any],
) -> Recipe:
    from zoo.training.resolve import describe, resolve

    if model is None and changes["recipe"] is None:
        raise UsageError("name a MODEL to train, see: dlzoo list")
    overrides = dict(assignment(text) for text in assignments)
    recipe = resolve(model, run_dir=run_dir, overrides=overrides, **changes)
    require_writable(run_dir)
    require_free_name(name, run_dir)
    note(describe(recipe))
    return recipe


def _resume(run: RunFolder, epochs: int | None, run_dir: Path, as_json: bool) -> RunFolder:
    from zoo.training import trainer

    with _told_how_to_resume(run_dir) as made:
        made(run)
        resumed, _ = trainer.resume(run, epochs=epochs, reporter=_reporter(as_json))
    return resumed


def _conclude(run: RunFolder, run_dir: Path, as_json: bool) -> None:
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
    from zoo.registry import card
    from zoo.tasks import find as find_task

    task = find_task(run.recipe.task or card(run.recipe.model).task)
    hint(*(run_command(command, run, run_dir) for command in task.commands))


def _dry_run(recipe: Recipe, as_json: bool) -> None:
    """Print what a training would be, from a few steps of it."""
    from zoo.training.trainer import ready

    with ready(recipe) as (prepared, policy):
        from zoo.training.preparation import rehearse  # imports TensorFlow, which is quiet by now

        told = rehearse(prepared, policy)
    if as_json:
        emit_json(told)
        return
    memory = told["peak_memory"]
    minutes = told["seconds_per_epoch"] * recipe.epochs / 60.0
    facts(
        {
            "inputs": ", ".join(f"{k} {v}" for k, v in told["inputs"].items()),
            "parameters": f"{told['parameters']:,} ({told['trained_parameters']:,} trained)",
            "examples": f"{told['examples']:,} in {told['steps']:,} steps of {told['batch_size']}",
            "devices": f"{told['devices']}, {told['precision']}",
            "memory": "not known" if memory is None else f"{memory / 1e6:,.0f} MB at most so far",
            "an epoch": f"{told['seconds_per_epoch']:.2f} s without validation",
            "the training": f"{recipe.epochs} epochs, about {minutes:.1f} minutes",
        }
    )


@contextmanager
def _told_how_to_resume(run_dir: Path) -> Iterator[Any]:
    """Say how to resume where a training is stopped that has finished an epoch."""
    runs: list[RunFolder] = []
    try:
        yield runs.append
    except (KeyboardInterrupt, SystemExit):
        for run in runs:
            if run.path.is_dir() and run.epochs_done:
                hint(run_command("train --resume", run, run_dir))
        raise


def _reporter(as_json: bool) -> Reporter:
    stream = sys.stderr if as_json else sys.stdout
    if stream.isatty():
        from cli.live import LiveReporter

        return LiveReporter(stream)
    from zoo.training.progress import PlainReporter

    return PlainReporter(stream)
