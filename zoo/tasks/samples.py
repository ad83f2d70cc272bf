"""What may be asked of a model that generates, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.datasets.features.base import Feature

MOST_SAMPLES = 100_000
"""The most samples that one request may ask for."""


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What is asked of a model that generates."""

    count: int = 64
    seed: int = 0
    """The same seed gives the same samples."""
    progress: Callable[[int], None] = lambda done: None
    """Is told how many samples are done."""
    prompt: str = ""
    """What a text begins with."""
    length: int = 200
    """Tokens that are written after the prompt."""
    temperature: float = 1.0
    """Below 1 favours probable tokens; 0 takes the most probable one."""
    top_k: int | None = None
    """Draw among so many most probable tokens only."""
    top_p: float | None = None
    """Draw among the most probable tokens that together have this probability."""
    label: int | None = None
    """The number of the class to make, for conditional models; None takes all classes in turn."""
    steps: int | None = None
    """Of a sampler that goes step by step; None takes the model's own."""
    interpolate: bool = False
    """Whether each row of the grid of images goes from one random latent to another."""
    written: Callable[[str], None] = lambda text: None
    """Is told what was written of the first text, a few tokens at a time."""


@dataclass(frozen=True)
class Samples:
    """What a model generated: images, or whatever its data are."""

    feature: Feature
    """What one sample is; it draws or writes them."""
    values: Sequence[Any]
    """As the feature's `decode` returns them."""
