"""The output layer that all families share, so that tasks can rely on its form."""

from __future__ import annotations

from typing import Any

from keras import layers


def head(x: Any, classes: int | None, *, prefix: str = "", **arguments: Any) -> Any:
    """Return the output layer applied to features of shape (B, F).

    Args:
        x: The features.
        classes: None for one number (regression), shape (B, 1); 2 for the probability of the
            second class under a sigmoid, shape (B, 1); more for a softmax, shape (B, classes).
        prefix: Put before the layer's name, for models with several heads.
        arguments: Passed to `keras.layers.Dense`.

    Raises:
        ValueError: There are fewer than two classes.
    """
    if classes is None:
        return layers.Dense(1, dtype="float32", name=f"{prefix}value", **arguments)(x)
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    # float32 under every precision policy: half precision cannot hold very small probabilities.
    if classes == 2:
        return layers.Dense(
            1, activation="sigmoid", dtype="float32", name=f"{prefix}probability", **arguments
        )(x)
    return layers.Dense(
        classes, activation="softmax", dtype="float32", name=f"{prefix}probabilities", **arguments
    )(x)
