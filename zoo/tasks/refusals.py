"""What only some kinds of work can do; all others refuse it in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.tasks.samples import SampleRequest, Samples

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset


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

    def require_worst(self) -> None:
        """Raise a `UsageError` unless `draw_worst` can draw errors of this kind of work."""
        raise UsageError(f"this model does {self.name}; --worst is for classes of images")

    def draw_worst(self, values: dict[str, Any], dataset: Dataset, path: Path) -> bool:
        """Draw the answers that were most wrong, and return whether there are any.

        Args:
            values: What `data_for_figures` returned.
            dataset: That was asked.
            path: The picture to write.

        Raises:
            UsageError: As of `require_worst`.
        """
        self.require_worst()
        return False

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
        raise self._no_vectors()

    def example_words(self) -> list[str]:
        """Return words that one may ask the neighbours of; see `neighbours`."""
        raise self._no_vectors()

    def draw_words(self, model: Any, words: Sequence[str], path: Path, marked: int = 0) -> None:
        """Draw words where their vectors lie; see `neighbours`."""
        raise self._no_vectors()

    def _no_vectors(self) -> UsageError:
        return UsageError(
            f"this model does {self.name} and has no vectors of words; "
            "see: dlzoo list --task embedding"
        )

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
            "this model draws no class that is asked for; --class is for conditional models"
        )
