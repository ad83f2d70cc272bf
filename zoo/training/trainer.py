"""The one trainer: a recipe goes in, a run comes out, for every family alike."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.recipe import Checkpointing, Recipe
from zoo import registry
from zoo.base.environment import describe_environment
from zoo.base.errors import DlzooError, gist
from zoo.base.files import require_writable, write_text, written_whole
from zoo.base.runtime import precision_policy, start_tensorflow
from zoo.datasets.faults import readable, unreadable
from zoo.runs import folder as runs
from zoo.runs.folder import MODEL, RUNS, RunFolder
from zoo.training import cluster, resuming
from zoo.training import strategy as strategies
from zoo.training.progress import PlainReporter, Reporter, TrainingStart, WorkerReporter

if TYPE_CHECKING:
    from zoo.datasets.spec import DatasetSpec
    from zoo.training.preparation import Prepared
    from zoo.training.saving import Saver
    from zoo.training.state import Checkpoint, Progress
    from zoo.training.writer import Writer

Made = Callable[[RunFolder], None]
"""Called with the run's folder, once it exists."""


def train(
    recipe: Recipe,
    *,
    run_dir: Path = RUNS,
    name: str | None = None,
    reporter: Reporter | None = None,
    made: Made = lambda run: None,
) -> tuple[RunFolder, Prepared]:
    """Train by a resolved recipe, in a new run.

    The run's folder is made when all is ready for the first step: what is wrong with a recipe is
    said before, and leaves nothing behind.

    Args:
        recipe: Resolved.
        run_dir: The folder in which the run's folder is made.
        name: Of the run; by default the recipe's name and a number.
        reporter: Is told how the training goes; lines on standard output by default.
        made: Is told of the run's folder.

    Returns:
        The run, and what it was trained with.

    Raises:
        UsageError: Something does not fit together.
        DlzooError: The training failed: the loss is no longer a number, say.
    """
    require_writable(run_dir)
    runs.require_free_name(name, run_dir)
    run_dir = cluster.own_run_dir(recipe, run_dir)
    with ready(recipe) as (prepared, policy):
        environment = describe_environment(recipe.seed, prepared.strategy, policy)
        environment["sessions"] = [_session(recipe, environment, None)]
        dataset = prepared.dataset
        run = runs.create(
            recipe, dataset.spec.to_json(), environment, run_dir, name, dataset.listed()
        )
        cluster.note_run(run)
        made(run)
        with runs.training(run):
            _train(run, prepared, environment, None, recipe.epochs, reporter)
    return run, prepared


def resume(
    run: RunFolder,
    *,
    epochs: int | None = None,
    checkpoint: Checkpointing | None = None,
    reporter: Reporter | None = None,
) -> tuple[RunFolder, Prepared]:
    """Go on with a training from its last checkpoint, in its own folder.

    Args:
        run: What to go on with.
        epochs: In all, counting those that are finished; the recipe's by default.
        checkpoint: How often to save from now on; as before by default.
        reporter: As for `train`.

    Returns:
        The run, and what it was trained with.

    Raises:
        UsageError: There is nothing to go on from, nothing left to do, or another process trains
            the run.
        DlzooError: The training failed: the loss is no longer a number, say.
    """
    run = cluster.own_run(run)
    cluster.note_run(run)
    with runs.training(run):
        require_writable(run.path)
        found = resuming.last_checkpoint(run, lambda line: print(line, file=sys.stderr))
        recipe = resuming.recipe_to_resume(run, found.progress if found else None, epochs)
        if checkpoint is not None:
            recipe = recipe.model_copy(update={"checkpoint": checkpoint})
        spec = resuming.spec_of(run)
        # Executions of as many steps as before: a checkpoint stands at the end of one.
        steps = found.progress.steps_per_execution if found else recipe.steps_per_execution
        exact = recipe.model_copy(update={"steps_per_execution": steps})
        # A checkpoint has all weights: those that the recipe starts from may be gone.
        with ready(exact, fitted=spec, initialise=not found) as (made, policy):
            from zoo.training import knowledge, state

            prepared = replace(made, recipe=recipe)
            if found is not None:
                state.require_fit(found, prepared.model)
                knowledge.require_known(run.name, _knowing(run, prepared))
            environment = describe_environment(recipe.seed, prepared.strategy, policy)
            at = found.progress if found else None
            try:
                run.begin_session(_session(recipe, environment, at))
            except OSError as error:
                raise _failed(run, error) from error
            # What early stopping had ended is over, unless more epochs are asked for.
            over = at is not None and at.stopped and epochs is None
            last = at.epoch if at is not None and over else recipe.epochs
            _train(run, prepared, environment, found, last, reporter)
    return run, prepared


def _session(recipe: Recipe, environment: dict[str, Any], at: Progress | None) -> dict[str, Any]:
    """Return what environment.json keeps of one command that trains a run."""
    kept = ("command", "date", "commit", "versions", "devices", "precision")
    step = {"from_step": at.step} if at is not None and at.step else {}
    return {
        **{key: environment[key] for key in kept},
        "from_epoch": at.epoch if at is not None else 0,
        **step,
        "epochs": recipe.epochs,
    }


@contextlib.contextmanager
def ready(
    recipe: Recipe, *, fitted: DatasetSpec | None = None, initialise: bool = True
) -> Iterator[tuple[Prepared, str]]:
    """Yield a training that is ready for its first step, and its dtype policy, set for a while.

    Args:
        recipe: Resolved.
        fitted: The spec of the run that is resumed: nothing is fitted again.
        initialise: Whether to load the weights that the recipe starts from.
    """
    start_tensorflow()
    import keras

    from zoo.training.preparation import prepare

    card = registry.card(recipe.model)
    strategy = strategies.make_strategy(recipe)
    policy = precision_policy(recipe.precision, allow_mixed=card.half_precision)
    keras.utils.set_random_seed(recipe.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        with readable(recipe.data):
            yield prepare(recipe, strategy, fitted=fitted, initialise=initialise), policy
    finally:
        keras.config.set_dtype_policy(before)


def _train(
    run: RunFolder,
    prepared: Prepared,
    environment: dict[str, Any],
    checkpoint: Checkpoint | None,
    epochs: int,
    reporter: Reporter | None,
) -> None:
    """Train a run up to a number of epochs, and write down how it ended."""
    from zoo.training.conclusion import conclude, scored
    from zoo.training.writer import writing

    began = time.monotonic()
    recipe, batches = prepared.recipe, prepared.batches
    group = cluster.cluster_of(recipe)
    if group is not None and not group.is_chief:
        reporter = WorkerReporter(group.index, group.workers)
    reporter = reporter or PlainReporter()
    first = checkpoint.progress if checkpoint else None
    try:
        reporter.begin(
            TrainingStart(
                run=run.path,
                model=prepared.card.name,
                dataset=prepared.dataset.spec.name,
                parameters=prepared.parameters,
                trained=prepared.trained,
                initial_weights="" if first else prepared.initial_weights,
                examples=len(batches.split),
                devices=environment["devices"],
                precision=environment["precision"],
                epochs=recipe.epochs,
                first_epoch=first.epoch if first else 0,
                first_step=first.step if first else 0,
                steps=batches.steps,
                batch_size=batches.batch_size,
                replicas=prepared.strategy.num_replicas_in_sync,
                accumulate=batches.accumulate,
                headline=prepared.watched.name,
            )
        )
        done = RunFolder(run.path)
        with writing() as writer:
            try:
                # Also where no epoch is left: callbacks restore the best weights at the end.
                saver = _fit(run, prepared, checkpoint, epochs, reporter, writer)
            finally:
                reporter.end()
            with written_whole(run.path / MODEL) as beside:
                prepared.model.save(beside)
            metrics = scored(done, prepared, time.monotonic() - began)
        # A finished run has its last checkpoint.
        conclude(done, prepared, metrics)
        run.end_session("finished", cost=saver.cost())
    except (KeyboardInterrupt, SystemExit):  # the user or the system asked for it
        _stopped(run)
        raise
    except Exception as error:
        raise _failed(run, cluster.lost_worker(error, recipe) or error) from error


def _stopped(run: RunFolder) -> None:
    """Note that a training was stopped; one that has not begun leaves nothing."""
    if run.checkpoints:
        run.end_session("stopped")
    else:
        run.removed = True
        shutil.rmtree(run.path, ignore_errors=True)
        runs.remove_if_empty(run.path.parent)


def _failed(run: RunFolder, error: Exception) -> DlzooError:
    """Note why a training failed, and return the error in one line."""
    if isinstance(error, DlzooError):
        told = error
    elif fault := unreadable(run.recipe.data, error):
        told = DlzooError(fault)
    elif isinstance(error, OSError):
        told = DlzooError(f"run {run.name} cannot be written: {error.strerror or error}")
    elif isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        told = DlzooError("the training does not fit into memory; try a smaller --batch-size")
    else:
        told = DlzooError(f"the training failed: {type(error).__name__}: {gist(error)}")
    with contextlib.suppress(OSError, DlzooError):  # where the disk is full, this may be too much
        run.end_session("failed", str(told))
    return told


def _knowing(run: RunFolder, prepared: Prepared) -> list[Any]:
    """Return the callbacks whose knowledge is saved: the model's own, then the recipe's."""
    from recipes.keras_objects import callbacks as recipe_callbacks
    from zoo.training.watched import set_modes

    asked = recipe_callbacks(prepared.recipe, run.path)
    set_modes(prepared.recipe, prepared.task, prepared.model, asked)
    return [*getattr(prepared.model, "training_callbacks", list)(), *asked]


def _fit(
    run: RunFolder,
    prepared: Prepared,
    checkpoint: Checkpoint | None,
    epochs: int,
    reporter: Reporter,
    writer: Writer,
) -> Saver:
    """Train, and return what saved the training; the last checkpoint may still be written."""
    from recipes.keras_objects import prepare_folders
    from zoo.datasets.batches import spread
    from zoo.training import knowledge
    from zoo.training.callbacks import EpochLog, StopAtNaN
    from zoo.training.continuing import ContinuedCallbacks
    from zoo.training.saving import Saver
    from zoo.training.signals import agreement, stop_requests
    from zoo.training.state import Progress

    recipe, batches, model = prepared.recipe, prepared.batches, prepared.model
    prepare_folders(recipe, run.path)
    knowing = _knowing(run, prepared)
    progress = checkpoint.progress if checkpoint else Progress()

    def go_on() -> None:
        """Make a finished run an unfinished one: its scores are of a shorter training."""
        if recipe != RunFolder(run.path).recipe:
            write_text(run.path / "recipe.toml", recipe.to_toml())

    if not run.finished:
        go_on()
    saver = Saver(
        run, writer, model, knowing, recipe.checkpoint, steps=batches.steps, checkpoint=checkpoint
    )
    at = progress.epoch * batches.steps + progress.step
    with stop_requests() as stop:
        log = EpochLog(
            run=run,
            saver=saver,
            stop=stop,
            reporter=reporter,
            epochs=epochs,
            steps=batches.steps,
            batch_size=batches.batch_size,
            watched=prepared.watched,
            progress=progress,
            before_first=go_on,
            agree=agreement(prepared.strategy),
        )
        figures = prepared.task.training_callbacks(run.path / "figures", epochs)
        callbacks: Any = [StopAtNaN(progress.epoch), *knowing, *figures, log]
        if checkpoint is not None:
            callbacks = ContinuedCallbacks(
                callbacks, knowing, checkpoint, model=model, epochs=epochs, steps=batches.steps
            )
        try:
            model.fit(
                spread(prepared.strategy, lambda *part: batches.start(at, *part)),
                steps_per_epoch=batches.steps,
                epochs=epochs,
                initial_epoch=progress.epoch,
                validation_data=prepared.validation,
                shuffle=False,
                verbose=0,
                class_weight=prepared.class_weights,
                callbacks=callbacks,
            )
        except BaseException:
            with contextlib.suppress(OSError):  # the disk may be what failed
                log.write_history()
            for callback in knowing:
                knowledge.release(callback)
            raise
        log.write_history()
    return saver
