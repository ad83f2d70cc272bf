"""Putting a training together: the batches, and the model compiled for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recipes.recipe import Recipe
from zoo import registry, runs
from zoo.catalog import ModelCard
from zoo.errors import UsageError
from zoo.training import strategy as strategies
from zoo.training.resolve import require_even_shares


def make_batches(recipe: Recipe, task: Any, dataset: Any, strategy: Any) -> Any:
    """Return the training batches that a recipe asks for.

    Raises:
        UsageError: The devices cannot share a batch evenly, or images are to be mixed whose
            targets cannot be.
    """
    from zoo.datasets.augmentation import augmenter

    augment = augmenter(recipe.augmentation, dataset.spec)
    if augment is not None and augment.mixes:
        task.require_soft_targets()
    size = len(dataset.split("train"))
    batch_size = size if recipe.batch_size == "full" else min(int(recipe.batch_size), size)
    require_even_shares(batch_size, strategy.num_replicas_in_sync)
    return task.training_batches(
        dataset,
        batch_size=batch_size,
        seed=recipe.seed,
        augment=augment,
    )


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A model that is ready to be trained."""

    model: Any
    parameters: int
    """Trainable ones, before any layer was frozen."""
    initial_weights: str
    """What was loaded and what was not, in one line; empty where all were drawn."""


def make_model(recipe: Recipe, card: ModelCard, task: Any, batches: Any, strategy: Any) -> Any:
    """Return the model alone of what `assemble` returns."""
    return assemble(recipe, card, task, batches, strategy).model


def assemble(
    recipe: Recipe,
    card: ModelCard,
    task: Any,
    batches: Any,
    strategy: Any,
    *,
    initialise: bool = True,
) -> Assembled:
    """Return the model of a recipe, built for the data and compiled inside the strategy's scope.

    Args:
        recipe: What to train.
        card: The model's.
        task: Bound to the data.
        batches: Of the training split.
        strategy: Of `tf.distribute`.
        initialise: Whether to load the weights that the recipe starts from; a checkpoint has all.

    Raises:
        UsageError: The builder or Keras does not take what the recipe says, or its initial weights
            do not fit.
    """
    from recipes.compile import regularizer
    from zoo.cost import trainable_parameters
    from zoo.training.state import optimizers_of
    from zoo.training.updates import fuse_updates
    from zoo.weights import freeze, load_into

    report = ""
    with strategy.scope():
        model = registry.build(card.name, **{**task.builder_arguments(), **recipe.arguments})
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
            arguments = runs.model_compile_arguments(recipe, task, batches.steps)
            if batches.mixes:
                arguments["metrics"] = task.soft_metrics(arguments["metrics"])
            model.compile(
                **arguments,
                jit_compile=strategies.jit_compile(recipe, card, strategy),
                steps_per_execution=strategies.steps_per_execution(
                    recipe, model, batches, strategy
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
    return Assembled(model=model, parameters=parameters, initial_weights=report)
