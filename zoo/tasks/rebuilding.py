"""Images that a model makes again: without their noise, or from what it learned of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.tasks.base import Task
from zoo.tasks.samples import Samples


def denoise(task: Task, model: Any, examples: Sequence[Mapping[str, np.ndarray]]) -> Samples:
    """Return images without the noise that is in them.

    Args:
        task: That the model does.
        model: The trained one; one that can do this has ``denoise(images)``.
        examples: Raw columns of one image each, which may differ in size.

    Raises:
        UsageError: The model cannot do it.
    """
    if not hasattr(model, "denoise"):
        raise UsageError(
            f"this model does {task.name} and takes no noise away; --denoise is for diffusion "
            "models and denoising autoencoders"
        )
    from zoo.tasks.predictor import Predictor

    name = task.inputs[0]
    feature = task.asked[name]
    clean = Predictor({name: feature}, lambda encoded: model.denoise(encoded[name]))
    return Samples(feature, feature.decode(np.concatenate(list(clean.each(examples)))))


def require_reconstructions(task: Task, model: Any) -> None:
    """Raise a `UsageError` unless a model has ``reconstruct(inputs)``."""
    if not hasattr(model, "reconstruct"):
        raise UsageError(
            f"this model does {task.name} and has no reconstructions; --reconstruct is for "
            "autoencoders and models of their kind"
        )


def reconstruct(
    task: Task, model: Any, raw: Sequence[np.ndarray]
) -> tuple[list[Any], list[Any], float]:
    """Return examples, what a model makes of them, and the mean squared difference.

    Args:
        task: That the model does.
        model: The trained one.
        raw: Of the one input column: batches of one, which may differ in size, or larger ones.

    Raises:
        UsageError: The model cannot do it.
    """
    require_reconstructions(task, model)
    from zoo.tasks.predictor import Predictor

    name = task.inputs[0]
    feature = task.asked[name]
    again = Predictor(task.asked, lambda encoded: model.reconstruct(encoded[name]))
    made = feature.decode(np.concatenate(list(again.each({name: one} for one in raw))))
    originals = [one for batch in raw for one in feature.decode(feature.encode(batch))]
    error = np.mean(np.square(np.stack(made) - np.stack(originals)))
    return originals, made, float(error)


def beside(originals: Any, made: Any) -> list[np.ndarray]:
    """Return pictures that show each original with its reconstruction to the right of it."""
    return [
        np.concatenate([np.asarray(one), np.asarray(other)], axis=1)
        for one, other in zip(originals, made, strict=True)
    ]
