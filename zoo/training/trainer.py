"""The one trainer: a recipe goes in, a run comes out, for every family alike."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.recipe import Recipe
from zoo import registry
from zoo.base.environment import describe_environment
from zoo.base.errors import DlzooError, UsageError, gist
from zoo.base.files import require_writable, write_text, written_whole
from zoo.base.runtime import precision_policy, start_tensorflow
from zoo.runs import folder as runs
from zoo.runs.folder import BEST, MODEL, RUNS, STATE, RunFolder
from zoo.training import strategy as strategies
from zoo.training.progress import PlainReporter, Reporter, TrainingStart

if TYPE_CHECKING:
    from zoo.datasets.spec import DatasetSpec
    from zoo.training.preparation import Prepared
    from zoo.training.state import Checkpoint

Made = Callable[[RunFolder], None]
"""Is told of the run's folder as soon as it is there."""


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
        reporter: Who is told how it goes; lines on standard output by default.
        made: Is told of the run's folder.

    Returns:
        The run, and what it was trained with.

    Raises:
        UsageError: Something does not fit together.
        DlzooError: The training failed: the loss is no longer a number, say.
    """
    require_writable(run_dir)
    runs.require_free_name(name, run_dir)
    with ready(recipe) as (prepared, policy):
        environment = describe_environment(recipe.seed, prepared.strategy, policy)
        environment["sessions"] = [_session(recipe, environment, 0)]
        run = runs.create(recipe, prepared.dataset.spec.to_json(), environment, run_dir, name)
        made(run)
        with runs.training(run):
            _train(run, prepared, environment, None, recipe.epochs, reporter)
    return run, prepared


def resume(
    run: RunFolder,
    *,
    epochs: int | None = None,
    reporter: Reporter | None = None,
) -> tuple[RunFolder, Prepared]:
    """Go on with a training from its last checkpoint, in its own folder.

    Args:
        run: What to go on with.
        epochs: In all, counting those that are finished; the recipe's by default.
        reporter: As for `train`.

    Returns:
        The run, and what it was trained with.

    Raises:
        UsageError: There is nothing to go on from, nothing left to do, or another process trains
            the run.
        DlzooError: The training failed: the loss is no longer a number, say.
    """
    from zoo.datasets.spec import DatasetSpec

    with runs.training(run):
        recipe = _recipe_to_resume(run, epochs)
        try:
            spec = DatasetSpec.from_json(run.data)
        except ValueError as error:
            raise UsageError(
                f"run {run.name} is damaged: {run.path / 'data.json'}: {error}"
            ) from None
        _require_same_data(run, spec)
        file = run.path / STATE
        # A checkpoint has all weights: those that the recipe starts from may be gone.
        with ready(recipe, fitted=spec, initialise=not file.is_file()) as (prepared, policy):
            from zoo.training import state

            checkpoint = None
            if file.is_file():
                with prepared.strategy.scope():
                    checkpoint = state.load(file, prepared.model)
            done = checkpoint.epoch if checkpoint else 0
            # What early stopping had ended is over, unless more epochs are asked for.
            over = checkpoint is not None and checkpoint.stopped and epochs is None
            environment = describe_environment(recipe.seed, prepared.strategy, policy)
            run.begin_session(_session(recipe, environment, done))
            last = done if over else recipe.epochs
            _train(run, prepared, environment, checkpoint, last, reporter)
    return run, prepared


def _recipe_to_resume(run: RunFolder, epochs: int | None) -> Recipe:
    recipe, done = run.recipe, run.epochs_done
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs must be at least 1, got {epochs}")
    if epochs is not None and epochs < done:
        raise UsageError(f"run {run.name} has trained {done} epochs already, got epochs = {epochs}")
    if epochs is not None:
        recipe = recipe.model_copy(update={"epochs": epochs})
    if run.finished and (epochs is None or epochs == done):
        how = "its epoch" if done == 1 else f"its {done} epochs"
        if done < run.recipe.epochs:
            how = f"early, after {done} of {run.recipe.epochs} epochs"
        raise UsageError(
            f"run {run.name} has finished {how}. "
            f"To go on: {run.command('train --resume', f'--epochs {done + 10}')}"
        )
    # The history is written before the checkpoint: a process may be killed in between.
    if (done > 1 or run.finished) and not (run.path / STATE).is_file():
        raise UsageError(f"run {run.name} is damaged: it has no {STATE}")
    return recipe


def _require_same_data(run: RunFolder, spec: DatasetSpec) -> None:
    from zoo.datasets.sources import open_source

    now = open_source(spec.name).fingerprint()
    if spec.fingerprint and now != spec.fingerprint:
        raise UsageError(
            f"the data of {spec.name} have changed since run {run.name} began: resuming would mix "
            "two data sets. Start a new training"
        )


def _session(recipe: Recipe, environment: dict[str, Any], first_epoch: int) -> dict[str, Any]:
    """Return what environment.json keeps of one command that trains a run."""
    kept = ("command", "date", "commit", "versions", "devices", "precision")
    return {
        **{key: environment[key] for key in kept},
        "from_epoch": first_epoch,
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
    from zoo.training.conclusion import conclude

    began = time.monotonic()
    reporter = reporter or PlainReporter()
    recipe, batches = prepared.recipe, prepared.batches
    first = checkpoint.epoch if checkpoint else 0
    try:
        reporter.begin(
            TrainingStart(
                run=run.path,
                model=prepared.card.name,
                dataset=prepared.dataset.spec.name,
                parameters=prepared.parameters,
                trained=prepared.trained,
                initial_weights="" if checkpoint else prepared.initial_weights,
                examples=len(batches.split),
                devices=environment["devices"],
                precision=environment["precision"],
                epochs=recipe.epochs,
                first_epoch=first,
                steps=batches.steps,
                batch_size=batches.batch_size,
                headline=prepared.watched.name,
            )
        )
        try:
            # Also where no epoch is left: callbacks restore the best weights at the end.
            _fit(run, prepared, checkpoint, epochs, reporter)
        finally:
            reporter.end()
        with written_whole(run.path / MODEL) as beside:
            prepared.model.save(beside)
        conclude(RunFolder(run.path), prepared, time.monotonic() - began)
        run.end_session("finished")
    except KeyboardInterrupt:
        _stopped(run)
        raise
    except SystemExit:  # the system asked for it
        _stopped(run)
        raise
    except Exception as error:
        raise _failed(run, error) from error


def _stopped(run: RunFolder) -> None:
    """Note that a training was stopped; a run without a finished epoch is of no use to anybody."""
    if run.epochs_done:
        run.end_session("stopped")
    else:
        shutil.rmtree(run.path, ignore_errors=True)
        runs.remove_if_empty(run.path.parent)


def _failed(run: RunFolder, error: Exception) -> DlzooError:
    """Note why a training failed, and return the error in one line."""
    if isinstance(error, DlzooError):
        told = error
    elif isinstance(error, OSError):
        told = DlzooError(f"run {run.name} cannot be written: {error.strerror or error}")
    elif isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        told = DlzooError("the training does not fit into memory; try a smaller --batch-size")
    else:
        told = DlzooError(f"the training failed: {type(error).__name__}: {gist(error)}")
    with contextlib.suppress(OSError, DlzooError):  # where the disk is full, this may be too much
        run.end_session("failed", str(told))
    return told


def _fit(
    run: RunFolder,
    prepared: Prepared,
    checkpoint: Checkpoint | None,
    epochs: int,
    reporter: Reporter,
) -> None:
    from recipes.keras_objects import callbacks as recipe_callbacks
    from recipes.keras_objects import prepare_folders
    from zoo.training.callbacks import EpochLog, RestoreCallbacks, StopAtNaN
    from zoo.training.watched import set_modes

    recipe, batches = prepared.recipe, prepared.batches
    prepare_folders(recipe, run.path)
    callbacks = recipe_callbacks(recipe, run.path)
    set_modes(recipe, prepared.task, prepared.model, callbacks)
    finished = checkpoint.epoch if checkpoint else 0
    history = {key: values[:finished] for key, values in run.history.items()}

    def go_on() -> None:
        """Make a finished run an unfinished one: its scores are of a shorter training."""
        if recipe != run.recipe:
            write_text(run.path / "recipe.toml", recipe.to_toml())
        (run.path / "metrics.json").unlink(missing_ok=True)

    prepared.model.fit(
        batches.start(finished * batches.steps),
        steps_per_epoch=batches.steps,
        epochs=epochs,
        initial_epoch=finished,
        validation_data=prepared.validation,
        shuffle=False,
        verbose=0,
        callbacks=[
            StopAtNaN(),
            *callbacks,
            RestoreCallbacks(callbacks, checkpoint.arrays if checkpoint else {}),
            EpochLog(
                folder=run.path,
                recipe_callbacks=callbacks,
                reporter=reporter,
                epochs=recipe.epochs,
                examples=batches.steps * batches.batch_size,
                watched=prepared.watched,
                history=history,
                state_file=run.path / STATE,
                best_file=run.path / BEST,
                before_first=go_on,
            ),
        ],
    )
