"""The recipe: one typed schema, unknown keys refused, and how overrides are laid over it."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from zoo.errors import UsageError, suggestion


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Named(BaseModel):
    """Something of Keras by its Keras name, with Keras's own arguments beside the name.

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
        """What stands beside the name."""
        return dict(self.model_extra or {})


class Data(_Strict):
    """Which data set, and in what form the model gets it."""

    name: str
    """A data set, see ``dlzoo datasets``."""
    image_size: tuple[int, int] | None = None
    """Height and width to resize images to; None leaves them as they are."""
    channels: Literal[1, 3] | None = None
    """1 turns images grey, 3 repeats or keeps colours; None leaves them as they are."""
    resize: Literal["stretch", "shorter-side", "pad"] = "stretch"
    """"stretch" changes height and width each for itself; "shorter-side" scales both alike until
    the image covers `image_size`, and cuts out the middle; "pad" lays the image on the middle of a
    field of zeros, scaled down only if it is larger."""
    crop: tuple[int, int] | None = None
    """Height and width of the window of it that the model gets: anywhere in training, drawn by
    (seed, epoch, example), and in the middle elsewhere; None is all of it."""
    scaling: Literal["unit", "centred", "caffe"] = "unit"
    """"unit" is [0, 1], black to white; "centred" is that minus the training split's mean of each
    channel; "caffe" is 0 to 255 in the order blue, green, red, minus 103.939, 116.779 and 123.68,
    as networks with weights out of Caffe want it."""
    sequence_length: int | None = Field(default=None, ge=1)
    """Tokens of a text that are kept; None keeps as many as the longest training text has."""
    vocabulary_size: int | None = Field(default=None, ge=3)
    """The most tokens that are told apart, with padding and the unknown; None keeps all."""
    split_text: Literal["character", "whitespace"] = "character"
    """What one token is."""
    lowercase: bool = False
    """Whether texts are put in lower case first."""

    @field_validator("image_size", "crop", mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        if value is None:
            return None
        pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
        if len(pair) != 2 or any(type(side) is not int or side < 1 for side in pair):
            raise ValueError("must be two positive numbers, height and width")
        return pair


class Warmup(_Strict):
    """A straight climb of the learning rate before its schedule begins."""

    epochs: float = Field(gt=0, strict=False, allow_inf_nan=False)
    """How long it takes."""
    start: float = Field(default=0.0, ge=0, strict=False, allow_inf_nan=False)
    """The learning rate it starts from."""


PUBLISHED = "published, not measured here"


class Target(_Strict):
    """What a run of this recipe is expected to score on the test split."""

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
    """The builder's own arguments."""
    task: str | None = None
    """The kind of work; None leaves it to the model's card."""
    variant: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    """What sets it apart from the other recipes of its model and data set, such as "momentum"."""
    epochs: int = Field(ge=1)
    """Passes over the training split."""
    batch_size: int | Literal["full"] = 64
    """Examples a step: "full" for gradient descent on all of them, 1 for one at a time."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Of the weights, the order of the examples, and all else that is drawn."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Keras's dtype policy; "auto" chooses by device and family."""
    jit_compile: bool | Literal["auto"] = "auto"
    """XLA; "auto" chooses by device and family."""
    steps_per_execution: int | Literal["auto"] = "auto"
    """Steps that TensorFlow runs between two looks of Python's; "auto" chooses by cost."""
    strategy: Literal["auto", "one-device", "mirrored"] = "auto"
    """How `tf.distribute` spreads the work."""
    devices: int | None = Field(default=None, ge=1)
    """How many; None takes every GPU, or the one CPU."""
    init_from: str | None = None
    """Weights to start from: "imagenet", a file of weights, or a run's folder; None draws them."""
    freeze: list[str] = []
    """Shell patterns over the names of layers that are not trained."""
    data: Data
    augmentation: list[Named] = []
    """Changes to training images, in order; see zoo/datasets/augmentation.py."""
    optimizer: Named | None = None
    optimizers: dict[str, Named] = {}
    """For models of several networks, one for each by the network's name."""
    schedule: Named | None = None
    """Of the learning rate; arguments in steps may be given as ``_epochs`` or ``_fraction``."""
    warmup: Warmup | None = None
    loss: Named | None = None
    """None leaves it to the task, or to the model."""
    metrics: list[Named] = []
    """Beside those that the task always gives."""
    regularization: Named | None = None
    """A Keras regularizer on every kernel."""
    callbacks: list[Named] = []
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
        for optimizer in self.all_optimizers.values():
            rate = optimizer.arguments.get("learning_rate", 1.0)
            number = isinstance(rate, int | float) and not isinstance(rate, bool)
            if not number or not 0 < rate < math.inf:
                raise ValueError(f"learning_rate must be a number above 0, got {rate!r}")
        scheduled = self.schedule is not None or self.warmup is not None
        names = [callback.name.replace("_", "").lower() for callback in self.callbacks]
        if scheduled and "reducelronplateau" in names:
            raise ValueError("ReduceLROnPlateau needs a learning rate without schedule or warmup")
        return self

    @property
    def all_optimizers(self) -> dict[str, Named]:
        """Every optimizer by its key in the recipe."""
        return {"optimizer": self.optimizer} if self.optimizer else self.optimizers

    @property
    def name(self) -> str:
        """``<model>-<dataset>`` and its variant if it is one: what runs of it are called."""
        parts = (self.model, self.data.name, self.variant)
        return "-".join(part for part in parts if part)

    def as_dict(self) -> dict[str, Any]:
        """Return plain TOML values, defaults included; what is empty is left out."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {key: value for key, value in values.items() if value not in ({}, [])}

    def to_toml(self) -> str:
        """Return the recipe as TOML."""
        import tomli_w

        return tomli_w.dumps(self.as_dict())


def parse(values: dict[str, Any], *, source: str) -> Recipe:
    """Return the recipe that these values say.

    Args:
        values: As TOML gives them.
        source: Where they are from, for messages.

    Raises:
        UsageError: A key is unknown or missing, or a value is out of range.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{source}: {_explain(error)}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values of a TOML file.

    Raises:
        UsageError: It is not there, not readable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def assignment(text: str) -> tuple[str, Any]:
    """Return the key and value of ``a.b=c``; the value is TOML, or else plain text.

    Raises:
        UsageError: There is no ``=`` or no key.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(
            f"--set takes KEY=VALUE such as optimizer.learning_rate=0.01, got '{text}'"
        )
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def override(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """Return the recipe with values replaced.

    Args:
        recipe: The one to start from.
        changes: New values by dotted key, such as ``{"optimizer.learning_rate": 0.01}``; a number
            counts into a list, as in ``callbacks.0.patience``.

    Raises:
        UsageError: A key is unknown or a value out of range.
    """
    empty: dict[str, Any] = {"callbacks": [], "metrics": [], "augmentation": [], "freeze": []}
    values = {**empty, **recipe.as_dict()}
    for key, value in changes.items():
        _assign(values, key, value)
    return parse(values, source="override")


def overlay(base: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `above` laid over it: tables merge, but one with a name replaces."""
    merged = dict(base)
    for key, value in above.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and "name" not in value:
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged


_NAMED = (
    *("optimizer", "optimizers", "schedule", "loss", "metrics"),
    *("regularization", "callbacks", "augmentation"),
)


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = values
    for depth, part in enumerate(path):
        at: Any = _index(part, place, key) if isinstance(place, list) else part
        found = place[at] if isinstance(place, list) else place.get(part, {})
        if isinstance(found, str) and path[0] in _NAMED:
            found = {"name": found}  # "Adam" is short for {name = "Adam"}
        if not isinstance(found, dict | list):
            raise UsageError(f"override: {'.'.join(path[: depth + 1])} is a value, not a table")
        place[at] = found
        place = found
    if isinstance(place, list):
        place[_index(last, place, key)] = value
    else:
        place[last] = value


def _index(part: str, place: list[Any], key: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        raise UsageError(f"override: {key}: the list has {len(place)} entries, counted from 0")
    return int(part)


def _explain(error: ValidationError) -> str:
    """Return the first fault in one line: where, what was wrong, what was received."""
    fault = error.errors()[0]
    # Union members appear in the location as type names, which no user wrote.
    where = [part for part in fault["loc"] if part not in ("int", "bool", "constrained-int")]
    where = [part for part in where if not str(part).startswith("literal[")]
    key = ".".join(str(part) for part in where)
    if fault["type"] == "extra_forbidden":
        hint = suggestion(str(where[-1]), _known(where[:-1]))
        return f"unknown key '{key}'.{hint or ' There are: ' + ', '.join(_known(where[:-1])) + '.'}"
    if fault["type"] == "missing":
        return f"'{key}' is missing"
    message = fault["msg"][0].lower() + fault["msg"][1:]
    message = message.removeprefix("value error, ")  # ours is written as it should be
    if key == "batch_size" and fault["type"] in ("int_type", "literal_error"):
        message = "must be 'full' or a whole number"
    received = "" if isinstance(fault["input"], dict) else f", got {fault['input']!r}"
    return f"{key}: {message}{received}" if key else message


def _known(path: list[Any]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in path:
        candidates = get_args(model.model_fields[str(part)].annotation)
        found = model.model_fields[str(part)].annotation
        options = [found, *candidates]
        model = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return list(model.model_fields)
