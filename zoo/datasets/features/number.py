"""A number, in the unit of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.base import Feature

SPREAD = (1e-12, 1e12)
"""Standard deviations of which float32 holds the squares, with some room."""


@dataclass(frozen=True, kw_only=True)
class Number(Feature):
    """Raw it is float32 of shape (), encoded of shape (1,)."""

    type: ClassVar[str] = "number"
    uses: ClassVar[tuple[str, ...]] = ("value",)

    unit: str = ""
    """For axes and tables."""
    standardised: bool = False
    """Whether a network's last layer is scaled by the training split's mean and deviation."""
    mean: float = 0.0
    """Over the training split."""
    standard_deviation: float = 1.0

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(1,)."""
        return (1,)

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with a mean and a deviation, where it is standardised.

        Raises:
            UsageError: The numbers are so small or so large that squares of errors would not fit.
        """
        if not self.standardised:
            return self
        values = np.concatenate(list(chunks)).astype(np.float64)
        deviation = float(values.std())
        if deviation and not SPREAD[0] <= deviation <= SPREAD[1]:
            raise UsageError(
                f"the numbers that are asked for have a standard deviation of {deviation:.2g}; "
                f"write them in another unit, so that it lies between {SPREAD[0]:g} and "
                f"{SPREAD[1]:g}"
            )
        return dataclasses.replace(
            self, mean=float(values.mean()), standard_deviation=deviation or 1.0
        )

    def titles(self, raw: Iterable[Any]) -> list[str]:
        """Return the numbers with up to six digits."""
        return [f"{float(value):g}" for value in raw]

    def prepare(self, raw: Any) -> Any:
        """Return (B, 1), as scores such as R² want it."""
        import tensorflow as tf

        return tf.cast(raw, tf.float32)[:, None]

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return the numbers of one cell each."""
        return np.array([float(cell) for (cell,) in cells], np.float32)

    def decode(self, encoded: Any) -> list[Any]:
        """Return floats for answers (B, 1)."""
        return [float(value) for value in np.asarray(encoded)[:, 0]]

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return random numbers (count,)."""
        return np.random.default_rng(seed).normal(size=count).astype(np.float32)

    def signature(self, name: str) -> Any:
        """Return (B,) of float32."""
        import tensorflow as tf

        return tf.TensorSpec((None,), tf.float32, name=name)
