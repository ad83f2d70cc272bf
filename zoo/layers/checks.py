"""Checks of builders' arguments, with messages that say what would be right."""

from __future__ import annotations


def require_image(input_shape: tuple[int, ...], least: int) -> None:
    """Raise unless `input_shape` is (height, width, channels) of at least `least` a side.

    Raises:
        ValueError: It is not.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"images are wanted: input_shape must be (height, width, channels), got {input_shape}"
        )
    if min(input_shape[:2]) < least:
        raise ValueError(
            f"the least input is {least}×{least}, got {input_shape[0]}×{input_shape[1]}"
        )
