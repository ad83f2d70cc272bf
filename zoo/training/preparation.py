"""Everything before the first step: data, model, callbacks; and whether they fit together."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.base.errors import DlzooError, UsageError
from zoo.catalog import ModelCard
from zoo.datasets.batches import Batches, spread
from zoo.datasets.loading import Dataset, load
from zoo.datasets.sources import open_source
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import Task
from zoo.training import strategy as strategies
from zoo.training.resolve import require_even_shares
from zoo.training.watched import WatchedScore, watched_score

REHEARSED = 10
"""Steps that `rehearse` times, or those of one epoch if it has fewer."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A training that is ready for its first step; nothing has been written."""

    recipe: Recipe
    card: ModelCard
    task: Task
    dataset: Dataset
    batches: Batches
    strategy: Any
    """Of `tf.distribute`."""
    model: Any
    """Built and compiled in the strategy's scope."""
    validation: Any
    """The validation split's batches, as `fit` takes them."""
    parameters: int
    """Trainable ones, before any layer was frozen."""
    trained: int
    """Those of them that are trained."""
    initial_weights: str
    """What was loaded and what was not, in one line; empty where all were drawn."""
    class_weights: dict[int, float] | None
    """By the class's number, as `keras.Model.fit` takes them."""
    watched: WatchedScore
    """The score by which epochs are compared."""


def prepare(
    recipe: Recipe,
    strategy: Any,
    *,
    fitted: DatasetSpec | None = None,
    initialise: bool = True,
) -> Prepared:
    """Return a training that is ready for its first step.

    Args:
        recipe: Resolved.
        strategy: Of `tf.distribute`.
        fitted: The spec of the run that is resumed: nothing is fitted again.
        initialise: Whether to load the weights that the recipe starts from.

    Raises:
        UsageError: Parts of the recipe do not fit together.
        DlzooError: The data cannot be loaded.
    """
    from recipes.keras_objects import callbacks as recipe_callbacks
    from zoo.anatomy.counts import trainable_parameters

    card = registry.card(recipe.model)
    name = tasks.check(card, recipe.task, open_source(recipe.data).describe())
    dataset = load(recipe.data, recipe.data.forms, adapt=tasks.find(name).adapt, fitted=fitted)
    task = make_task(recipe, dataset.spec)
    batches = make_batches(recipe, task, dataset, strategy)
    model, parameters, report = build_model(
        recipe, card, task, batches, strategy, initialise=initialise
    )
    replicas = strategy.num_replicas_in_sync

    def validation(shard: int, shards: int) -> Any:
        return task.evaluation_batches(
            dataset, "validation", replicas=replicas, shard=shard, shards=shards
        )

    callbacks = recipe_callbacks(recipe, Path("run"))
    scores = _score_names(model, spread(strategy, lambda *part: validation(*part).take(1)))
    return Prepared(
        recipe=recipe,
        card=card,
        task=task,
        dataset=dataset,
        batches=batches,
        strategy=strategy,
        model=model,
        validation=spread(strategy, validation),
        parameters=parameters,
        trained=trainable_parameters(model),
        initial_weights=report,
        class_weights=task.class_weights(dataset) if recipe.class_weights else None,
        watched=watched_score(recipe, task, model, callbacks, scores),
    )


def make_task(recipe: Recipe, spec: DatasetSpec) -> Task:
    """Return the task of a recipe, bound to a data set."""
    card = registry.card(recipe.model)
    loss = recipe.loss.name if recipe.loss else None
    return tasks.make(tasks.check(card, recipe.task, spec), spec, loss, card)


def make_batches(recipe: Recipe, task: Task, dataset: Dataset, strategy: Any) -> Batches:
    """Return the training batches that a recipe asks for.

    Raises:
        UsageError: The devices cannot share a batch evenly, or images are to be mixed whose
            targets cannot be.
    """
    from zoo.datasets.augmentation.augmenter import augmenter

    augment = augmenter(recipe.augmentation, task.asked)
    if augment is not None and augment.mixes:
        task.require_soft_targets()
    size = len(dataset.split("train"))
    if not size:
        raise UsageError(f"{dataset.spec.name} has no examples to train on")
    batch_size = size if recipe.batch_size == "full" else min(int(recipe.batch_size), size)
    share, rest = divmod(batch_size, recipe.accumulate)
    if rest:
        raise UsageError(
            f"a batch of {batch_size} cannot be divided into {recipe.accumulate} equal steps"
        )
    require_even_shares(share, strategy.num_replicas_in_sync)
    return task.training_batches(
        dataset,
        batch_size=share,
        seed=recipe.seed,
        accumulate=recipe.accumulate,
        augment=augment,
    )


def build_model(
    recipe: Recipe,
    card: ModelCard,
    task: Task,
    batches: Any,
    strategy: Any,
    *,
    initialise: bool = True,
) -> tuple[Any, int, str]:
    """Return the model of a recipe, built for the data and compiled inside the strategy's scope.

    Args:
        recipe: What to train.
        card: The model's.
        task: Bound to the data.
        batches: Of the training split.
        strategy: Of `tf.distribute`.
        initialise: Whether to load the weights that the recipe starts from.

    Returns:
        The model, its trainable parameters before any layer was frozen, and what was loaded.

    Raises:
        UsageError: The builder or Keras does not take what the recipe says, or its initial weights
            do not fit.
    """
    from recipes.keras_objects import regularizer
    from zoo.anatomy.counts import trainable_parameters
    from zoo.training.accumulation import accumulate_on_replicas
    from zoo.training.keras_multi_worker import run_steps_together
    from zoo.training.state import optimizers_of
    from zoo.training.updates import fuse_updates
    from zoo.weights.freezing import freeze
    from zoo.weights.transfer import load_into

    report = ""
    with strategy.scope():
        arguments = {**task.builder_arguments(), **recipe.arguments}
        model = task.built(registry.build(card.name, **arguments))
        if initialise and recipe.init_from:
            report = str(load_into(model, card.name, recipe.init_from))
        parameters = trainable_parameters(model)
        freeze(model, card.name, recipe.freeze)
        if recipe.regularization:
            penalty = regularizer(recipe.regularization)
            for variable in model.trainable_variables:
                if len(variable.shape) > 1:
                    variable.regularizer = penalty
        try:
            arguments = compile_arguments(recipe, task, batches.updates)
            if batches.mixes:
                metrics = task.soft_metrics(arguments.get("weighted_metrics", []))
                arguments["weighted_metrics"] = metrics
            model.compile(
                **arguments,
                jit_compile=strategies.jit_compile(recipe, strategy),
                steps_per_execution=strategies.steps_per_execution(
                    recipe, model, batches, strategy
                ),
            )
        except (TypeError, ValueError) as error:
            raise UsageError(f"{card.name} cannot be compiled by this recipe: {error}") from error
        if model.steps_per_execution > 1:
            run_steps_together(model)
        for optimizer in optimizers_of(model):
            # Made now, so that a checkpoint finds all its variables.
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
            if strategy.num_replicas_in_sync == 1:
                fuse_updates(optimizer)
            elif recipe.accumulate > 1:
                accumulate_on_replicas(optimizer)
    return model, parameters, report


def compile_arguments(recipe: Recipe, task: Task, steps_per_epoch: int) -> dict[str, Any]:
    """Return what a model is compiled with: the task's arguments, and the recipe's over them.

    The task's metrics stand beside the recipe's. All of them are weighted, so that examples count
    in scores as they do in the loss.
    """
    from recipes.keras_objects import compile_arguments as of_recipe

    own, asked = task.compile_arguments(), of_recipe(recipe, steps_per_epoch)
    metrics = asked.pop("metrics", [])
    names = {getattr(metric, "name", metric) for metric in metrics}
    always = [metric for metric in own.get("weighted_metrics", []) if metric not in names]
    merged = {"weighted_metrics": [*always, *metrics]} if always or metrics else {}
    return {**own, **asked, **merged}


def _score_names(model: Any, validation: Any) -> list[str]:
    """Return what a model computes, by measuring it on one batch.

    This is the check that data, model, loss and metrics fit together. What it traces serves the
    first validation too.

    Args:
        model: Compiled.
        validation: One batch.
    """
    import tensorflow as tf

    try:
        return list(model.evaluate(validation, return_dict=True, verbose=0))
    except (DlzooError, OSError, MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:  # of whatever the loss or the metrics make of the data
        raise UsageError(f"model, loss and data do not fit together: {error}") from error


def rehearse(prepared: Prepared, policy: str) -> dict[str, Any]:
    """Return what a training would be, as plain values, from a few of its steps.

    The model is trained by them: do not use it afterwards.

    Args:
        prepared: Ready for the first step.
        policy: Keras's dtype policy.
    """
    from zoo.base.environment import devices_line
    from zoo.base.memory import peak_memory

    model, batches = prepared.model, prepared.batches
    together = model.steps_per_execution
    steps = together * math.ceil(min(batches.steps, REHEARSED) / together)
    data = spread(prepared.strategy, lambda *part: batches.start(0, *part))
    model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)  # traces and compiles
    times = []
    for _ in range(3):
        began = time.perf_counter()
        model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)
        times.append((time.perf_counter() - began) / steps)
    return {
        "model": prepared.card.name,
        "dataset": prepared.dataset.spec.name,
        "inputs": {name: one.shape for name, one in prepared.task.asked.items()},
        "parameters": prepared.parameters,
        "trained_parameters": prepared.trained,
        "examples": len(batches.split),
        "batch_size": batches.batch_size,
        "steps": batches.steps,
        "epochs": prepared.recipe.epochs,
        "devices": devices_line(prepared.strategy),
        "precision": policy,
        "peak_memory": peak_memory(),
        "seconds_per_epoch": statistics.median(times) * batches.steps,
    }
