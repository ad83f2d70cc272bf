"""The last layer: one for every family, so that tasks know what they get."""

from __future__ import annotations

from typing import Any

from keras import layers


def head(x: Any, classes: int | None, *, prefix: str = "", **arguments: Any) -> Any:
    """Return the output layer applied to features of shape (B, F).

    Args:
        x: The features.
        classes: None for one number (regression), shape (B, 1); 2 for the probability of the
            second class under a sigmoid, shape (B, 1); more for a softmax, shape (B, classes).
        prefix: Of the layer's name, for a model of several heads.
        arguments: Passed to `keras.layers.Dense`.

    Raises:
        ValueError: There are fewer than two classes.
    """
    if classes is None:
        return layers.Dense(1, dtype="float32", name=f"{prefix}value", **arguments)(x)
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    # float32 whatever the precision policy: probabilities lose their tails in half precision.
    if classes == 2:
        return layers.Dense(
            1, activation="sigmoid", dtype="float32", name=f"{prefix}probability", **arguments
        )(x)
    return layers.Dense(
        classes, activation="softmax", dtype="float32", name=f"{prefix}probabilities", **arguments
    )(x)
