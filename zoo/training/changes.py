"""What a training may change of its recipe, said once for Python and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from recipes.recipe import Recipe
from zoo.runs.folder import RunFolder


class Changes(TypedDict, total=False):
    """Keyword arguments of `zoo.train`; None leaves what the recipe says."""

    recipe: str | Path | Recipe | None
    """Instead of the model's default: a recipe's name, a recipe, or a TOML file. A file that names
    its model stands alone; one that does not is laid over the model's own recipe."""
    dataset: str | None
    """Train on this instead. The recipe of this model and data set is taken if there is one;
    otherwise loss, metrics and target, which belong to the data, are left to the task."""
    target: str | None
    """Of a source of one's own: the column that is asked for."""
    group: str | None
    """The column whose equal values stay in one split."""
    data_dir: str | None
    """The folder in which tensorflow-datasets keeps its data."""
    skip_bad_files: bool | None
    """Whether to go on without files that cannot be read."""
    epochs: int | None
    """Passes over the training split."""
    batch_size: int | str | None
    """Examples per step; ``"full"`` is the whole training split."""
    learning_rate: float | None
    """Of every optimizer."""
    seed: int | None
    """Of the weights, the order of the examples, and all else that is drawn."""
    precision: str | None
    """One of `recipes.recipe.PRECISIONS`."""
    strategy: str | None
    """One of `recipes.recipe.STRATEGIES`."""
    devices: int | None
    """How many to use."""
    checkpoint_minutes: float | None
    """Save every so many minutes; by default so rarely that it costs less than 3 %."""
    checkpoint_steps: int | None
    """Save every so many steps."""
    keep: int | None
    """How many checkpoints to keep."""
    accumulate: int | None
    """Steps in which a batch is reached, each of an equal part of it."""
    init_from: str | Path | RunFolder | None
    """Weights to start from: ``"imagenet"``, a ``.keras`` or ``.weights.h5`` file, or a run, its
    name or its folder. Layers of other names or shapes keep their initial weights."""
    freeze: str | Sequence[str] | None
    """One or more shell patterns over the names of layers that are not trained."""
    overrides: Mapping[str, Any] | None
    """Any other key of the recipe, dotted: ``{"optimizer.momentum": 0.9}``."""
