"""A first training on a source of the user's own: which model, and by which settings."""

from __future__ import annotations

from typing import Any

from recipes.overrides import override
from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.base.errors import UsageError
from zoo.datasets.sources.base import Description

FEW = 2_000
"""Training examples below which a smaller network is taken."""
SMALL = 40
"""Pixels of the shorter side up to which images are small."""
STEPS = 6_000
"""Training steps that a recipe of one's own aims at."""
UNBALANCED = 2.0
"""How many times the rarest class the most frequent one must be for classes to be weighed."""

# The settings of a first training on rows of a table.
_TABLE = {
    "arguments": {
        "hidden_units": [128, 128, 128],
        "activation": "relu",
        "kernel_initializer": "he_normal",
        "dropout": 0.4,
        "input_scales": 10.0,
    },
    "optimizer": {"name": "AdamW", "learning_rate": 0.003, "weight_decay": 1.0},
    "schedule": {"name": "CosineDecay", "decay_fraction": 1.0},
}


def suited_model(described: Description) -> tuple[str, str]:
    """Return a model for a source, and why, in a line.

    Args:
        described: Of a source of the user's own.

    Raises:
        UsageError: No model fits.
    """
    column = described.features[described.inputs[0]]
    size = described.sizes.get("train", described.rows)
    target = described.features[described.targets[0]] if described.targets else None
    if column.serves("pixels"):
        height, width = described.shown_size()
        side = min(height, width)
        if target is None:
            return "vae", "images without classes: a generator learns to draw more of them"
        if side > SMALL:
            return "resnet18", f"{size:,} images of about {height}×{width} pixels"
        name = "lenet5" if size < FEW and target.serves("class") else "resnet20"
        return name, f"{size:,} small images of about {height}×{width} pixels"
    if column.serves("numbers"):
        return "mlp", f"{size:,} rows of a table, and {_asked(target)} is asked for"
    if column.serves("tokens"):
        if target is None:
            return "gpt", "plain text: a language model learns to go on writing it"
        if target.serves("tokens"):
            return "transformer", f"{size:,} pairs of texts: one is written from the other"
        return "gru", f"{size:,} texts, and {_asked(target)} is asked for"
    if column.serves("series"):
        return "gru", f"{size:,} series, and {_asked(target)} is asked for"
    raise UsageError(f"no model reads {column.noun()}; name a MODEL, see: dlzoo list")


def _asked(target: Any) -> str:
    if target is None:
        return "nothing"
    return f"one of {target.classes} classes" if target.serves("class") else target.noun()


def suited_recipe(recipe: Recipe, described: Description) -> Recipe:
    """Return a model's recipe with settings for a source of the user's own.

    The optimizer is the model's own, as its recipe for the data in the catalogue has it. Epochs
    and batches go by the number of examples, augmentation by the images, and the training stops
    where the validation split says so.

    Args:
        recipe: The model's, for this source already.
        described: Of the source.
    """
    card = registry.card(recipe.model)
    size = max(described.sizes.get("train", described.rows), 1)
    column = described.features[described.inputs[0]]
    batch = 16 if size < 500 else 32 if size < 5_000 else 64 if size < 50_000 else 256
    epochs = max(5, min(60, round(STEPS * batch / size)))
    changes: dict[str, Any] = {
        "batch_size": batch,
        "epochs": epochs,
        "callbacks": [
            {
                "name": "EarlyStopping",
                "patience": max(5, epochs // 4),
                "restore_best_weights": True,
                "monitor": "val_loss",
            }
        ],
    }
    if card.family == registry.card("mlp").family and not column.serves("pixels"):
        changes.update(_TABLE)
        # Of a few dozen validation rows the loss of a single early epoch may be the lowest by luck.
        changes["callbacks"][0]["start_from_epoch"] = epochs // 4
    if column.pixels is not None and described.targets:
        changes["augmentation"] = _augmentation(described)
    name = recipe.task or card.task
    if not tasks.fits(tasks.find(name), described):  # numbers are asked for instead of classes, say
        others = (one for one in tasks.list_tasks() if card.name in tasks.find(one).example_models)
        name = next((one for one in others if tasks.fits(tasks.find(one), described)), name)
        changes["task"] = name
    task = tasks.find(name)
    if task.answers == "class" and described.imbalance >= UNBALANCED:
        changes["class_weights"] = "balanced"
    cleared = recipe.model_copy(
        update={
            key: getattr(Recipe.model_fields[key], "default", None) for key in ("variant", "target")
        }
    )
    return override(cleared, changes)


def _augmentation(described: Description) -> list[dict[str, Any]]:
    """Return changes that keep a picture what it is: no flip of small ones, often letters."""
    height, width = described.shown_size()
    gentle = {"name": "affine", "translation": 0.06, "rotation": 5.0, "zoom": 0.08}
    if min(height, width) <= SMALL:
        return [gentle]
    return [{"name": "flip"}, {**gentle, "zoom": 0.15}]
