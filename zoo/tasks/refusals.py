"""What only some kinds of work can do; all others refuse it in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.tasks.samples import SampleRequest, Samples


class Refusals:
    """Refuses all that a task is asked for beside answering; a task that can do it overrides it."""

    name: str
    """Of the task, as users know it."""

    def draw_attention(self, model: Any, raw: Mapping[str, np.ndarray], path: Path) -> None:
        """Draw what a model looks at while it answers one raw example.

        Raises:
            UsageError: Models of this kind have no attention to draw.
        """
        raise UsageError(f"this model does {self.name} and has no attention to draw")

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return new examples.

        Raises:
            UsageError: This kind of work makes none.
        """
        raise UsageError(
            f"this model does {self.name} and generates nothing; see: dlzoo list --task generation"
        )

    def neighbours(
        self, model: Any, plus: Sequence[str], minus: Sequence[str] = (), count: int = 10
    ) -> list[tuple[str, float]]:
        """Return the words nearest to a sum of words, each with its cosine.

        Raises:
            UsageError: This kind of work learns no vectors of words.
        """
        raise UsageError(
            f"this model does {self.name} and has no vectors of words; "
            "see: dlzoo list --task embedding"
        )

    def example_words(self) -> list[str]:
        """Return words that one may ask the neighbours of.

        Raises:
            UsageError: This kind of work learns no vectors of words.
        """
        self.neighbours(None, ())
        return []

    def draw_words(self, model: Any, words: Sequence[str], path: Path, marked: int = 0) -> None:
        """Draw words where their vectors lie; see `neighbours`."""
        self.neighbours(model, words)

    def animate(self, model: Any, request: SampleRequest, pictures: int) -> list[Samples]:
        """Return the way from noise to samples, as pictures of all of them; [] if there is none.

        Args:
            model: The trained one.
            request: What to sample.
            pictures: At most so many, of evenly spread steps; the last is of the samples.

        Raises:
            UsageError: It has no sampler of so many steps, or makes no images.
        """
        raise UsageError(f"this model does {self.name}; --animate is for generators of images")

    def class_number(self, text: str) -> int:
        """Return the number of the class that a user asks samples of.

        Args:
            text: Its name or number.

        Raises:
            UsageError: The model makes no samples of one class, or there is no such class.
        """
        raise UsageError(
            f"this model does {self.name} without labels; --class is for conditional models"
        )
