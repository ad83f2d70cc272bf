"""Putting a training together: the batches, and the model compiled for them."""

from __future__ import annotations

from typing import Any

from recipes.recipe import Recipe
from zoo import registry, runs
from zoo.catalog import ModelCard
from zoo.errors import UsageError
from zoo.training import strategy as strategies
from zoo.training.resolve import require_even_shares


def make_batches(recipe: Recipe, task: Any, dataset: Any, strategy: Any) -> Any:
    """Return the `TrainingBatches` that a recipe asks for.

    Raises:
        UsageError: The devices cannot share a batch evenly.
    """
    from zoo.datasets.augmentation import augmenter
    from zoo.datasets.batches import TrainingBatches

    inputs, targets = task.arrays(dataset, "train")
    size = len(inputs)
    batch_size = size if recipe.batch_size == "full" else min(int(recipe.batch_size), size)
    require_even_shares(batch_size, strategy.num_replicas_in_sync)
    return TrainingBatches(
        inputs,
        targets,
        batch_size=batch_size,
        seed=recipe.seed,
        augment=augmenter(recipe.augmentation, dataset.spec),
    )


def make_model(recipe: Recipe, card: ModelCard, task: Any, batches: Any, strategy: Any) -> Any:
    """Return the model of a recipe, built for the data and compiled inside the strategy's scope.

    Raises:
        UsageError: The builder or Keras does not take what the recipe says.
    """
    from recipes.compile import regularizer
    from zoo.training.state import optimizers_of
    from zoo.training.updates import fuse_updates

    with strategy.scope():
        model = registry.build(card.name, **{**task.builder_arguments(), **recipe.arguments})
        if recipe.regularization:
            penalty = regularizer(recipe.regularization)
            for variable in model.trainable_variables:
                if len(variable.shape) > 1:
                    variable.regularizer = penalty
        try:
            model.compile(
                **runs.model_compile_arguments(recipe, task, batches.steps),
                jit_compile=strategies.jit_compile(recipe, card, strategy),
                steps_per_execution=strategies.steps_per_execution(
                    recipe, model, batches.batch_size, strategy
                ),
            )
        except (TypeError, ValueError) as error:
            raise UsageError(f"{card.name} cannot be compiled by this recipe: {error}") from error
        for optimizer in optimizers_of(model):
            # Made now, so that a checkpoint finds all its variables.
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
            if strategy.num_replicas_in_sync == 1:
                fuse_updates(optimizer)
    return model
