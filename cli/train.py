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
    skip_option,
    source_options,
    strategy_option,
)
from cli.output import emit_json, facts, hint, note, number, run_command
from recipes.overrides import assignment
from zoo.base.errors import UsageError
from zoo.base.files import is_file, require_writable
from zoo.runs.folder import RunFolder, find, require_free_name
from zoo.training.changes import Changes
from zoo.training.cluster import is_chief

if TYPE_CHECKING:
    from recipes.recipe import Checkpointing, Recipe
    from zoo.training.progress import Reporter


CHANGES = tuple(key for key in Changes.__annotations__ if key != "overrides")
"""The options that change the recipe."""


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
@click.option(
    "--dataset", type=DATASET, help="Train on this data set or source of your own instead."
)
@source_options
@skip_option
@click.option(
    "--epochs", type=click.IntRange(min=1, max=2**31 - 1), help="Passes over the training split."
)
@click.option("--batch-size", type=_BatchSize(), help="Examples per step, or 'full'.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Of every optimizer."
)
@click.option(
    "--find-learning-rate",
    "find_rate",
    is_flag=True,
    help="Find it by a short range test before the training.",
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
@click.option(
    "--accumulate",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Reach the batch size in so many steps, if it does not fit into memory.",
)
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
@click.option(
    "--checkpoint-minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Save every so many minutes; by default so rarely that it costs under 3 %.",
)
@click.option("--checkpoint-steps", type=click.IntRange(min=1), help="Save every so many steps.")
@click.option("--keep", type=click.IntRange(min=1), help="How many checkpoints to keep: 2.")
@click.option("--name", help="Of the run; <model>-<dataset>-<number> by default.")
@click.option("--resume", type=RUN, metavar="RUN", help="Continue a run where it stopped.")
@click.option("--continue", "continue_", is_flag=True, help="Resume the run of that --name.")
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
    continue_: bool,
    dry_run: bool,
    find_rate: bool,
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
        if name is not None or dry_run or continue_ or find_rate:
            flags = {"--dry-run": dry_run, "--continue": continue_}
            flags |= {"--find-learning-rate": find_rate, "--name": True}
            what = next(flag for flag, given in flags.items() if given)
            raise UsageError(f"{what} is for a new training; --resume continues one that is there")
        run = _resume(find(resume, run_dir), model, assignments, changes, run_dir, as_json)
    else:
        if continue_ and name is None:
            raise UsageError("--continue looks for the run by its --name, which was not given")
        begun = _begun(name, run_dir) if continue_ else None
        recipe = _resolved(model, name, assignments, run_dir, changes, begun)
        if find_rate:
            recipe = _with_found_rate(recipe, changes["learning_rate"])
        if dry_run:
            _dry_run(recipe, as_json)
            return
        if begun is not None:
            goes_on = not begun.finished
            run = _go_on(begun, None, None, run_dir, as_json) if goes_on else begun
        else:
            from zoo.training import trainer

            with _told_how_to_resume(run_dir) as made:
                run, _ = trainer.train(
                    recipe, run_dir=run_dir, name=name, reporter=_reporter(as_json), made=made
                )
    if is_chief(run.recipe):
        _conclude(run, run_dir, as_json)


def _begun(name: str | None, run_dir: Path) -> RunFolder | None:
    """Return the run of a name, where there is anything to go on from.

    All workers must answer alike: the chief cannot have written a checkpoint before the last of
    them has asked.
    """
    run = RunFolder(run_dir / str(name))
    if not is_file(run.path / "recipe.toml"):
        return None
    return run if run.checkpoints or is_chief(run.recipe) else None


def _require_same(run: RunFolder, recipe: Recipe) -> None:
    """Raise a `UsageError` unless a run was begun by this recipe."""
    old, new = run.recipe.as_dict(), recipe.as_dict()
    differ = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if differ:
        raise UsageError(
            f"run {run.name} was begun by another recipe: {', '.join(differ)} differ. Go on with "
            f"{run.command('train --resume')}, or give another --name"
        )


def _resolved(
    model: str | None,
    name: str | None,
    assignments: tuple[str, ...],
    run_dir: Path,
    changes: dict[str, Any],
    begun: RunFolder | None = None,
) -> Recipe:
    from zoo.datasets.sources import open_source
    from zoo.training.resolve import describe, resolve

    if model is None and changes["recipe"] is None:
        model = _suited(changes)
    overrides = dict(assignment(text) for text in assignments)
    recipe = resolve(model, run_dir=run_dir, overrides=overrides, **changes)
    require_writable(run_dir)
    if begun is None:
        require_free_name(name, run_dir)
    else:
        _require_same(begun, recipe)
    if is_chief(recipe):
        note(describe(recipe))
        for line in open_source(recipe.data).describe().told:
            note(f"data: {line}")
        if recipe.class_weights:
            note("data: the classes are of unequal size and are weighed: --set class_weights")
    return recipe


def _with_found_rate(recipe: Recipe, given: float | None) -> Recipe:
    from zoo.training.range_test import with_found_rate

    if given is not None:
        raise UsageError("--find-learning-rate and --learning-rate contradict each other")
    found, rate = with_found_rate(recipe)
    note(f"learning rate {rate:g}, found by a range test")
    return found


def _suited(changes: dict[str, Any]) -> str:
    """Return a model for a source of the user's own, and say why."""
    from recipes.recipe import Data
    from zoo.datasets.sources import is_own, open_source
    from zoo.training.own import suited_model

    if changes["dataset"] is None or not is_own(changes["dataset"]):
        raise UsageError("name a MODEL to train, see: dlzoo list")
    keys = ("target", "group", "data_dir", "skip_bad_files")
    said = {key: changes[key] for key in keys if changes[key] is not None}
    model, why = suited_model(open_source(Data(name=changes["dataset"], **said)).describe())
    note(f"model {model}: {why}")
    return model


def _resume(
    run: RunFolder,
    model: str | None,
    assignments: tuple[str, ...],
    changes: dict[str, Any],
    run_dir: Path,
    as_json: bool,
) -> RunFolder:
    from zoo.training.resolve import resolve_resumed

    overrides = dict(assignment(text) for text in assignments)
    asked = resolve_resumed(run, model, run_dir=run_dir, overrides=overrides, **changes)
    epochs = None if asked.epochs == run.recipe.epochs else asked.epochs
    return _go_on(run, epochs, asked.checkpoint, run_dir, as_json)


def _go_on(
    run: RunFolder,
    epochs: int | None,
    checkpoint: Checkpointing | None,
    run_dir: Path,
    as_json: bool,
) -> RunFolder:
    from zoo.training import trainer

    with _told_how_to_resume(run_dir) as made:
        made(run)
        resumed, _ = trainer.resume(
            run, epochs=epochs, checkpoint=checkpoint, reporter=_reporter(as_json)
        )
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
    """Say how to resume where a training is stopped that has begun."""
    runs: list[RunFolder] = []
    try:
        yield runs.append
    except (KeyboardInterrupt, SystemExit):
        for run in runs:
            if not run.removed and run.path.is_dir() and is_chief(run.recipe):
                hint(run_command("train --resume", run, run_dir))
        raise


def _reporter(as_json: bool) -> Reporter:
    stream = sys.stderr if as_json else sys.stdout
    if stream.isatty():
        from cli.live import LiveReporter

        return LiveReporter(stream)
    from zoo.training.progress import PlainReporter

    return PlainReporter(stream)
