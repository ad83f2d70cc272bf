"""What the catalogue says of one model."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where an architecture was published."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One model of the catalogue."""

    name: str
    """What the user types."""
    family: str
    """Models that share a file and a paper; the family's name is an alias of its first card."""
    task: str
    """The kind of work, a name in `zoo.tasks`."""
    builder: str
    """``"module:function"``, imported when the model is built."""
    paper: Paper
    """Where the architecture was published."""
    inputs: Mapping[str, tuple[int, ...]]
    """Each input's column name and its shape without the batch axis, by the builder's defaults."""
    parameters: int
    """Trainable parameters of the builder's defaults."""
    macs: int
    """Multiply-adds of one forward pass of one example, by the same defaults."""
    depth: int = 0
    """Layers with weights on the longest path from input to output; 0 if not counted."""
    recipe: str
    """The default recipe's name. One recipe may serve a whole family."""
    half_precision: bool = True
    """Whether mixed precision is used on GPUs by default. False for models so small that it makes
    them no faster, and for models whose training loses too many digits by it."""
    hidden_layers: str = ""
    """``"module:function"`` for a model that pre-trains others: it takes the model's saved weights
    and returns those of an mlp's layers ``hidden1``, ``hidden2``, …; empty if there are none."""
    summary: str
    """One line."""
    special: tuple[str, ...] = ()
    """What is special about the architecture, in three lines."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The first input's shape without the batch axis, by the builder's defaults."""
        return next(iter(self.inputs.values()))
