"""One signature of an exported model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model."""

    function: Callable[..., Any]
    """From tensors to a dict of named tensors."""
    signature: Mapping[str, Any]
    """A `tf.TensorSpec` for each argument, by name and in order."""
    sample: Callable[[int], tuple[Any, ...]]
    """Gives that many examples of its arguments, the same ones every time."""
    examples: Callable[[Mapping[str, np.ndarray]], tuple[Any, ...]] | None = None
    """From raw columns (B, …) of a data set to arguments; None where it is not asked with such."""
    left_out: str = ""
    """What a runtime without strings has to do outside of it, in one line."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that this needs."""
    tolerance: float = 0.0
    """By how much its answers may differ in any format, where that is more than the format's own:
    many steps one after another multiply what rounding changes."""

    def asked_with(self, raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        """Return arguments for raw examples, or as many samples."""
        if self.examples is None:
            return self.sample(len(next(iter(raw.values()))))
        return self.examples(raw)
