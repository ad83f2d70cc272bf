"""Checks of builders' arguments; messages state what is expected."""

from __future__ import annotations


def require_image(input_shape: tuple[int, ...], smallest: int) -> None:
    """Raise an error unless `input_shape` is that of images of a sufficient size.

    Args:
        input_shape: (height, width, channels).
        smallest: The smallest height and width.

    Raises:
        ValueError: It has another number of axes, or is too small.
    """
    if len(input_shape) != 3:
        raise ValueError(f"input_shape must be (height, width, channels), got {input_shape}")
    if min(input_shape[:2]) < smallest:
        raise ValueError(
            f"the smallest input is {smallest}×{smallest}, got {input_shape[0]}×{input_shape[1]}"
        )


def require_shares(**shares: float) -> None:
    """Raise an error unless each argument is a share from 0 to below 1."""
    for name, share in shares.items():
        if not 0.0 <= share < 1.0:
            raise ValueError(f"{name} must be in [0, 1), got {share}")
