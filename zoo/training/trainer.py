"""The one trainer: a recipe goes in, a run comes out, for every family alike."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.recipe import Recipe
from zoo import registry, runs, tasks
from zoo.environment import describe_environment
from zoo.errors import UsageError
from zoo.files import write_text, written_whole
from zoo.runs import CHECKPOINT, RUNS, Run
from zoo.runtime import precision_policy, start_tensorflow
from zoo.training import strategy as strategies
from zoo.training.assembly import assemble, make_batches
from zoo.training.report import Beginning, PlainReporter, Reporter
from zoo.training.resolve import resolve


def train(
    model: str | None = None,
    *,
    recipe: str | Path | Recipe | None = None,
    dataset: str | None = None,
    epochs: int | None = None,
    batch_size: int | str | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    precision: str | None = None,
    strategy: str | None = None,
    devices: int | None = None,
    init_from: str | Path | Run | None = None,
    freeze: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    run_dir: str | Path = RUNS,
    reporter: Reporter | None = None,
) -> Run:
    """Train a model by a recipe and return the run.

    Args:
        model: A model or family, see `zoo.list_models`.
        recipe: Instead of the model's default: a recipe's name, a TOML file or a `Recipe`.
        dataset: Instead of the recipe's.
        epochs: Instead of the recipe's.
        batch_size: Instead of the recipe's; ``"full"`` is the whole training split.
        learning_rate: Instead of the recipe's.
        seed: Instead of the recipe's.
        precision: ``"auto"``, ``"float32"``, ``"mixed_float16"`` or ``"mixed_bfloat16"``.
        strategy: ``"auto"``, ``"one-device"`` or ``"mirrored"``.
        devices: How many devices to use.
        init_from: Weights to start from: ``"imagenet"``, a ``.keras`` or ``.weights.h5`` file, or a
            run, its name or its folder. Layers of other names or shapes start fresh.
        freeze: One or more shell patterns over the names of layers that are not trained.
        overrides: Any other of the recipe's keys, dotted: ``{"optimizer.momentum": 0.9}``.
        run_dir: The folder in which the run's folder is made.
        reporter: Who is told how it goes; lines on standard output by default.

    Returns:
        The run, with its model trained and scored.

    Raises:
        UsageError: Something is unknown, out of range or does not fit together.
        DlzooError: The loss is no longer a number.

    Example:
        >>> run = zoo.train("resnet", epochs=20)
        >>> run.evaluate()["accuracy"]
    """
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
        overrides=overrides,
        run_dir=run_dir,
    )
    return run_recipe(resolved, run_dir=Path(run_dir), reporter=reporter)


def resume(
    run: Run | str | Path,
    *,
    epochs: int | None = None,
    run_dir: str | Path = RUNS,
    reporter: Reporter | None = None,
) -> Run:
    """Go on with a training from its last finished epoch, in its own folder.

    Args:
        run: A run, its name or its folder.
        epochs: In all, counting those that are finished; the recipe's by default.
        run_dir: The folder of runs.
        reporter: As for `train`.

    Raises:
        UsageError: There is nothing to go on from, or nothing left to do.
    """
    run = run if isinstance(run, Run) else runs.load(run, run_dir)
    done = len(run.history.get("epoch", []))
    recipe = run.recipe if epochs is None else run.recipe.model_copy(update={"epochs": epochs})
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs must be at least 1, got {epochs}")
    if done >= recipe.epochs and run.finished:
        raise UsageError(
            f"run {run.name} has finished its {recipe.epochs} epochs. "
            f"To go on: dlzoo train --resume {run.reference} --epochs {done + 10}"
        )
    if done and not (run.path / CHECKPOINT).is_file():
        raise UsageError(f"run {run.name} is damaged: it has no {CHECKPOINT}")
    return run_recipe(recipe, run=Run(run.path), reporter=reporter)


def run_recipe(
    recipe: Recipe,
    *,
    run_dir: Path = RUNS,
    run: Run | None = None,
    reporter: Reporter | None = None,
) -> Run:
    """Train by a resolved recipe, in a new run or on from the checkpoint of `run`."""
    start_tensorflow()
    import keras

    from zoo.cost import trainable_parameters
    from zoo.training import state

    card = registry.card(recipe.model)
    strategy = strategies.make_strategy(recipe)
    policy = precision_policy(
        recipe.precision, allow_mixed=card.family not in strategies.NO_MIXED_PRECISION
    )
    keras.utils.set_random_seed(recipe.seed)
    began = time.monotonic()
    with _dtype_policy(policy):
        from zoo.datasets.loading import load as load_dataset

        dataset = load_dataset(**recipe.data.model_dump())
        loss = recipe.loss.name if recipe.loss else None
        task = tasks.make(tasks.check(card, recipe.task, dataset.spec), dataset.spec, loss)
        batches = make_batches(recipe, task, dataset, strategy)
        resumed = run is not None and (run.path / CHECKPOINT).is_file()
        assembled = assemble(recipe, card, task, batches, strategy, initialise=not resumed)
        model = assembled.model

        environment = describe_environment(recipe, strategy, policy)
        made = run or runs.create(recipe, dataset.spec, environment, run_dir)
        finished = 0
        remembered: dict[str, Any] = {}
        if resumed:
            with strategy.scope():
                finished, remembered = state.load(made.path / CHECKPOINT, model)
            # Unfinished from now on: what it scored was a shorter training's.
            for name in ("metrics.json", "model.keras"):
                (made.path / name).unlink(missing_ok=True)
            write_text(made.path / "recipe.toml", recipe.to_toml())
        reporter = reporter or PlainReporter()
        beginning = Beginning(
            run=made.path,
            model=card.name,
            dataset=dataset.spec.name,
            parameters=assembled.parameters,
            trained=trainable_parameters(model),
            initial_weights=assembled.initial_weights,
            examples=len(dataset.split("train")),
            devices=environment["devices"],
            precision=policy,
            epochs=recipe.epochs,
            first_epoch=finished,
            steps=batches.steps,
            batch_size=batches.batch_size,
            headline=f"val_{_headline(recipe, task)}",
        )
        reporter.begin(beginning)
        try:
            if finished < recipe.epochs:
                _fit(model, recipe, task, dataset, batches, made, reporter, remembered, beginning)
        finally:
            reporter.end()
        with written_whole(made.path / "model.keras") as beside:
            model.save(beside)
    made.dataset = dataset  # loaded once is enough
    _conclude(made, recipe, beginning, time.monotonic() - began)
    return made


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Set Keras's dtype policy for a while: it is the whole process's."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _headline(recipe: Recipe, task: Any) -> str:
    return recipe.target.metric if recipe.target else str(task.headline)


def _fit(
    model: Any,
    recipe: Recipe,
    task: Any,
    dataset: Any,
    batches: Any,
    run: Run,
    reporter: Reporter,
    remembered: dict[str, Any],
    beginning: Beginning,
) -> None:
    from recipes.compile import callbacks as recipe_callbacks
    from zoo.training.callbacks import CheckNames, Keep, Remind, StopAtNaN

    theirs = recipe_callbacks(recipe, run.path)
    history = run.history
    keep = Keep(
        folder=run.path,
        recipe_callbacks=theirs,
        reporter=reporter,
        epochs=recipe.epochs,
        examples=batches.steps * batches.batch_size,
        headline=beginning.headline,
        better=task.better(beginning.headline),
        history={key: values[: beginning.first_epoch] for key, values in history.items()},
    )
    model.fit(
        batches.epochs(beginning.first_epoch),
        steps_per_epoch=batches.steps,
        epochs=recipe.epochs,
        initial_epoch=beginning.first_epoch,
        validation_data=task.evaluation_batches(
            dataset,
            "validation",
            replicas=model.distribute_strategy.num_replicas_in_sync,
        ),
        shuffle=False,
        verbose=0,
        callbacks=[
            StopAtNaN(),
            CheckNames(theirs, beginning.headline.removeprefix("val_"), task.final_scores),
            *theirs,
            Remind(theirs, remembered),
            keep,
        ],
    )


def _conclude(run: Run, recipe: Recipe, beginning: Beginning, seconds: float) -> None:
    """Score the model as it was saved, and write metrics, figures and the run's card."""
    from zoo.report_card import draw_figures, write_card

    history = run.history
    trained = sum(history.get("seconds", []))
    metrics: dict[str, Any] = {
        "epochs": len(history.get("epoch", [])),
        "seconds": round(seconds, 2),
        "training_seconds": round(trained, 2),
        "parameters": beginning.parameters,
        "trained_parameters": beginning.trained,
    }
    for split in ("validation", "test"):
        metrics[split] = run.evaluate(split)
    name = _headline(recipe, run.task)
    score: dict[str, Any] = {"metric": name, "split": "test", "value": metrics["test"][name]}
    if recipe.target:
        score["target"] = str(recipe.target)
        score["reached"] = recipe.target.reached(score["value"])
    metrics["score"] = score
    metrics["figures"] = run.task.data_for_figures(run.model, run.dataset, "test")
    write_text(run.path / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    draw_figures(run)
    write_card(run)
