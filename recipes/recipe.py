"""The recipe: its schema, and how it is read and written as TOML."""

from __future__ import annotations

import copy
import math
import tomllib
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recipes.messages import explain
from zoo.base.errors import UsageError
from zoo.base.names import slug

Precision = Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"]
Strategy = Literal[
    "auto",
    "one-device",
    "mirrored",
    "multi-worker",
    "tpu",
    "central-storage",
    "parameter-server",
]
PRECISIONS: tuple[str, ...] = get_args(Precision)
STRATEGIES: tuple[str, ...] = get_args(Strategy)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Named(BaseModel):
    """A Keras object: its name, and its constructor's arguments beside the name.

    In TOML ``"Adam"`` or ``{name = "Adam", learning_rate = 0.001}``.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self.model_extra or {})


class Warmup(_Strict):
    """A linear climb of the learning rate before its schedule begins."""

    epochs: float = Field(gt=0, strict=False, allow_inf_nan=False)
    """Length of the climb."""
    start: float = Field(default=0.0, ge=0, strict=False, allow_inf_nan=False)
    """Learning rate at the first step."""


class Checkpointing(_Strict):
    """How often a training is saved; what it learns does not depend on it.

    Without ``minutes``, ``steps`` and ``epochs`` the time between two checkpoints follows from
    what one costs, so that all of them take less than 3 % of the training time.
    """

    minutes: float | None = Field(default=None, gt=0, strict=False, allow_inf_nan=False)
    """Save when so many have passed since the last time."""
    steps: int | None = Field(default=None, ge=1)
    """Save after so many, also within an epoch."""
    epochs: int | None = Field(default=None, ge=1)
    """Save after so many."""
    keep: int = Field(default=2, ge=1)
    """How many checkpoints to keep: if the last is damaged, the one before it is used."""


class Optimizer(Named):
    """A Keras optimizer, and how its learning rate changes during the training."""

    schedule: Named | None = None
    """None takes the recipe's schedule, if it has one."""
    warmup: Warmup | None = None
    """None takes the recipe's warm-up, if it has one."""

    @model_validator(mode="after")
    def _learning_rate_is_positive(self) -> Self:
        rate = self.arguments.get("learning_rate", 1.0)
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if not number or not 0 < rate < math.inf:
            raise ValueError(f"learning_rate must be a number above 0, got {rate!r}")
        return self


class Data(BaseModel):
    """The data set, and the form of each of its columns.

    A column's form is a table of the column's name, such as ``[data.image]``. The features in
    zoo/datasets/features check what is in it: a recipe does not know which columns there are.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, dict[str, Any]]
    name: str
    """A data set, see ``dlzoo datasets``, or a source of one's own such as ``folder:photos``."""
    target: str | None = None
    """Of a source of one's own: the column that is asked for. ``COLUMN:class`` and
    ``COLUMN:number`` say what it is where its values do not."""
    group: str | None = None
    """The column whose equal values stay in one split, such as a patient's number."""
    split_seed: int | None = Field(default=None, ge=0, lt=2**31)
    """Of the division into splits; None is 0. The recipe's seed does not change it."""
    data_dir: str | None = None
    """The folder in which tensorflow-datasets keeps its data."""
    skip_bad_files: bool | None = None
    """Whether to go on without files that cannot be read, and rows that do not fit."""
    train_examples: int | None = Field(default=None, ge=1)
    """Train on so many examples of the training split, each class in its share; None takes all."""
    train_seed: int = Field(default=0, ge=0, lt=2**31)
    """Which ones. The recipe's seed does not change it."""

    @property
    def forms(self) -> dict[str, dict[str, Any]]:
        """The form of each column that the recipe mentions, by the column's name."""
        return copy.deepcopy(self.model_extra or {})

    @property
    def options(self) -> dict[str, Any]:
        """What is said of the source beside its name, by key."""
        others = ("name", "train_examples", "train_seed")
        keys = [key for key in type(self).model_fields if key not in others]
        return {key: value for key in keys if (value := getattr(self, key)) is not None}


PUBLISHED = "published, not measured here"


class Target(_Strict):
    """The score on the test split that a run of this recipe should reach."""

    metric: str
    at_least: float | None = Field(default=None, strict=False)
    at_most: float | None = Field(default=None, strict=False)
    source: str = "measured here"
    """Where the figure comes from; `PUBLISHED` if it is the paper's."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give one of at_least and at_most")
        return self

    @property
    def published(self) -> bool:
        """Whether the figure is the paper's own."""
        return self.source == PUBLISHED

    def reached(self, value: float) -> bool:
        """Return whether a score meets the target."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def __str__(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{self.metric} {sign} {bound:g}"


class Recipe(_Strict):
    """How one model is trained on one data set."""

    model: str
    """A model or family of the catalogue."""
    arguments: dict[str, Any] = {}
    """The builder's arguments."""
    task: str | None = None
    """The kind of work; None takes the one on the model's card."""
    variant: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    """Tells recipes of the same model and data set apart, such as "momentum"."""
    epochs: int = Field(ge=1, lt=2**31)
    """Passes over the training split."""
    batch_size: int | Literal["full"] = 64
    """Examples per step; "full" is the whole training split."""
    accumulate: int = Field(default=1, ge=1)
    """Steps whose gradients are averaged for one update of the weights. Each computes an equal part
    of the batch, so that one that does not fit into memory can be reached."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """For the initial weights, the order of the examples and everything else that is random."""
    precision: Precision = "auto"
    """Keras's dtype policy; "auto" chooses by device and model."""
    jit_compile: bool | Literal["auto"] = "auto"
    """Whether XLA compiles the training step; "auto" chooses by device and model."""
    steps_per_execution: int | Literal["auto"] = "auto"
    """Steps that TensorFlow runs before it returns to Python; "auto" chooses by a step's cost."""
    strategy: Strategy = "auto"
    """How `tf.distribute` spreads the work over devices."""
    devices: int | None = Field(default=None, ge=1)
    """How many devices; None takes every GPU, or the one CPU."""
    init_from: str | None = None
    """Initial weights: "imagenet", a file of weights, or a run's folder; None draws them."""
    freeze: list[str] = []
    """Shell patterns; layers whose name matches one are not trained."""
    data: Data
    augmentation: list[Named] = []
    """Changes to training images, in order; see zoo/datasets/augmentation."""
    optimizer: Optimizer | None = None
    optimizers: dict[str, Optimizer] = {}
    """For models of several networks: an optimizer for each, by the network's name."""
    schedule: Named | None = None
    """Of every optimizer without its own. Arguments in steps may be given in epochs
    (``decay_epochs``) or as a fraction of the training (``decay_fraction``)."""
    warmup: Warmup | None = None
    """Of every optimizer without its own."""
    loss: Named | None = None
    """None takes the task's loss, or the model's own."""
    metrics: list[Named] = []
    """In addition to the task's metrics."""
    class_weights: Literal["balanced"] | None = None
    """"balanced" gives each class the same weight in the loss, however rare it is in training."""
    regularization: Named | None = None
    """A Keras regularizer for every kernel."""
    callbacks: list[Named] = []
    checkpoint: Checkpointing | None = None
    """How often to save; None by time, at little cost."""
    target: Target | None = None

    @field_validator("batch_size")
    @classmethod
    def _positive_batch(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("must be 'full' or at least 1")
        return value

    @field_validator("steps_per_execution")
    @classmethod
    def _positive_steps(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("must be 'auto' or at least 1")
        return value

    @model_validator(mode="after")
    def _optimizers_fit(self) -> Self:
        if (self.optimizer is None) == (not self.optimizers):
            raise ValueError("give either [optimizer], or [optimizers.NAME] for several networks")
        names = [callback.name.replace("_", "").lower() for callback in self.callbacks]
        if "reducelronplateau" in names:
            for key, optimizer in self.all_optimizers.items():
                if optimizer.schedule or optimizer.warmup:
                    raise ValueError(
                        "ReduceLROnPlateau needs a learning rate without schedule or warmup, but "
                        f"{key} has one"
                    )
        return self

    @property
    def all_optimizers(self) -> dict[str, Optimizer]:
        """Every optimizer by its key in the recipe, with the schedule and warm-up it follows."""
        keyed = {"optimizer": self.optimizer} if self.optimizer else self.optimizers
        return {
            key: optimizer.model_copy(
                update={
                    "schedule": optimizer.schedule or self.schedule,
                    "warmup": optimizer.warmup or self.warmup,
                }
            )
            for key, optimizer in keyed.items()
        }

    @property
    def name(self) -> str:
        """``<model>-<dataset>[-<variant>]``, safe as a file name. Runs are named after it."""
        parts = (slug(self.model), slug(self.data.name), self.variant)
        return "-".join(part for part in parts if part)

    def as_dict(self) -> dict[str, Any]:
        """Return plain TOML values, defaults included. Empty tables and lists are left out."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {key: value for key, value in values.items() if value not in ({}, [])}

    def to_toml(self) -> str:
        """Return the recipe as TOML."""
        import tomli_w

        return tomli_w.dumps(self.as_dict())


def parse(values: dict[str, Any], *, source: str) -> Recipe:
    """Return the recipe with these values.

    Args:
        values: As TOML gives them.
        source: Where they come from, for messages.

    Raises:
        UsageError: A key is unknown or missing, or a value is out of range.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{source}: {explain(error, Recipe)}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values of a TOML file.

    Raises:
        UsageError: The file does not exist, cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    except ValueError as error:  # of a path with a NUL in it
        raise UsageError(f"cannot read {str(path)!r}: {error}") from None
