"""The resolutions that images pass on their way to few pixels and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers


def halvings(input_shape: Sequence[int], smallest: int) -> list[tuple[int, int]]:
    """Return the heights and widths from an image's own, halved until the larger is `smallest`.

    An odd side is halved as a convolution with stride 2 halves it: 7 becomes 4.

    Args:
        input_shape: (height, width, channels).
        smallest: The largest side that is not halved any more.

    Raises:
        ValueError: The image is that small already.
    """
    height, width = input_shape[:2]
    sides = [(height, width)]
    while max(height, width) > smallest:
        height, width = -(-height // 2), -(-width // 2)
        sides.append((height, width))
    if len(sides) == 1:
        raise ValueError(f"images must be larger than smallest = {smallest}, got {height}×{width}")
    return sides


def cropped(x: Any, size: tuple[int, int]) -> Any:
    """Return images cut to a size at the bottom and the right; doubling 4 gives 8 where 7 was."""
    height, width = x.shape[1] - size[0], x.shape[2] - size[1]
    return layers.Cropping2D(((0, height), (0, width)))(x) if height or width else x
