"""What one column of a data set is: the base of all features."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError, suggestion

ANSWERS = ("probabilities", "class_ids", "labels", "value")
"""What signatures return for rows: some runtimes take no input of an output's name."""


@dataclass(frozen=True)
class Reading:
    """One raw example that a user handed in, and what to call it in answers."""

    name: str
    raw: np.ndarray
    """A batch of one."""
    fault: str = ""
    """Why it cannot be read, in one line; `raw` is empty then."""


@dataclass(frozen=True)
class PixelRange:
    """The numbers that black and white become in a model's input."""

    span: float
    """White minus black."""
    clipped: bool
    """Whether values outside [0, 1] are cut off."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column: its raw form, its form in the model's input, and all that was fitted on it.

    It is plain data that travels as JSON with a run and an export. Raw values become tensors by
    `encode`, in training, prediction and serving alike; a model's answer becomes what people read
    by `decode`.
    """

    type: ClassVar[str]
    """Its name in JSON."""
    form: ClassVar[tuple[str, ...]] = ()
    """The fields that a recipe may set, in its table ``[data.<column>]``."""
    uses: ClassVar[tuple[str, ...]] = ()
    """What a model or a task can use it for, see `serves`."""
    in_graph: ClassVar[bool] = True
    """Whether TensorFlow's graph can encode raw values and put decoded ones together."""
    suffix: ClassVar[str] = ".txt"
    """The suffix of a file that `write` makes."""

    # Its form.

    def with_form(self, column: str, values: Mapping[str, Any]) -> Self:
        """Return the feature in the form that a recipe asks for.

        Args:
            column: Its name, for messages.
            values: By the name of a field.

        Raises:
            UsageError: It has no such field, or not with this value.
        """
        for key in values:
            if key not in self.form:
                fields = f" It takes: {', '.join(self.form)}." if self.form else ""
                none = f" {self.noun().capitalize()} takes none."
                hint = suggestion(key, self.form) or fields or none
                raise UsageError(f"data.{column}.{key}: unknown key.{hint}")
        try:
            return dataclasses.replace(self, **values) if values else self
        except (TypeError, ValueError) as error:
            raise UsageError(f"data.{column}.{error}") from None

    def form_values(self) -> dict[str, Any]:
        """Return the fields that a recipe may set, with their values."""
        return {key: getattr(self, key) for key in self.form}

    def check(self, column: str) -> None:
        """Raise a `UsageError` if a model cannot be fed with the column in this form."""

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature fitted on the training split.

        Args:
            chunks: The column's raw values, a part at a time. They may be iterated over again.
        """
        return self

    @property
    def cuts(self) -> bool:
        """Whether a raw value is cut into several examples, see `cut`."""
        return False

    def cut(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the examples that raw values (B, …) are cut into, and their places in `raw`."""
        return raw, np.arange(len(raw))

    # What it is for.

    def serves(self, *needs: str) -> bool:
        """Return whether it can be used for one of the needs.

        Needs are ``"pixels"`` (images), ``"numbers"`` (vectors of them), ``"series"`` (vectors at
        successive steps), ``"tokens"`` (sequences of whole numbers), ``"class"`` (one of several),
        ``"tags"`` (one of several for each token) and ``"value"`` (one number).
        """
        return any(need in self.uses for need in needs)

    @classmethod
    def noun(cls) -> str:
        """Return what one is called in messages, such as ``"an image"``."""
        return f"{'an' if cls.type[0] in 'aeiou' else 'a'} {cls.type}"

    def with_names(self, names: Sequence[str]) -> Self:
        """Return the feature with the names of its classes, where it has classes."""
        return self

    @property
    def classes(self) -> int:
        """How many classes there are; 0 where it is no class."""
        return 0

    def titles(self, raw: Iterable[Any]) -> list[str]:
        """Return a short text for each raw value, such as its class's name."""
        return [str(value) for value in raw]

    def summary(self) -> str:
        """Return its size or its classes in a few words."""
        return ""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of one encoded value."""
        raise NotImplementedError

    @property
    def pixels(self) -> PixelRange | None:
        """How pixels are encoded, where it is an image that can be augmented."""
        return None

    def shape_as_it_comes(self) -> tuple[int | None, ...]:
        """Return the shape of one raw value; None is any size."""
        return self.shape

    def default_shape(self) -> tuple[int | None, ...]:
        """Return the shape of one value in the form that it has now, known or not."""
        return self.shape

    def builder_arguments(self) -> dict[str, Any]:
        """Return what a model's builder has to know of it as an input."""
        return {"input_shape": self.shape}

    # Tensors.

    def prepare(self, raw: Any) -> Any:
        """Return what can be computed once for all epochs, from raw values (B, …)."""
        raise NotImplementedError

    def finish(self, prepared: Any, seeds: Any = None) -> Any:
        """Return the model's input (B, *shape) from what `prepare` returned.

        Args:
            prepared: For a batch.
            seeds: (B, 2) int64. Random choices, such as a crop, depend on them alone; without them
                there are none.
        """
        return prepared

    def encode(self, raw: Any) -> Any:
        """Return the model's input (B, *shape) from raw values (B, …), without random choices."""
        return self.finish(self.prepare(raw))

    def mask(self, encoded: Any) -> Any:
        """Return 1.0 where an encoded value counts and 0.0 where it is padding, or None."""
        return None

    def signature(self, name: str) -> Any:
        """Return the `tf.TensorSpec` of a raw batch, as serving takes it."""
        raise NotImplementedError

    def serving_inputs(self, name: str) -> dict[str, Any]:
        """Return the `tf.TensorSpec` of each input of a serving signature that it needs."""
        return {name: self.signature(name)}

    def from_serving(self, inputs: Mapping[str, Any]) -> Any:
        """Return raw values (B, …) from the tensors of `serving_inputs`, in the graph."""
        (values,) = inputs.values()
        return values

    def to_serving(self, name: str, raw: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a client sends for raw values (B, …)."""
        return {name: raw}

    def file_inputs(self, name: str) -> dict[str, Any]:
        """Return the `tf.TensorSpec` of an input of whole files, where it can be read from them."""
        return {}

    def from_files(self, contents: Any) -> Any:
        """Return raw values (B, …) from the contents of files (B,), in the graph."""
        raise NotImplementedError

    def to_files(self, raw: np.ndarray) -> np.ndarray:
        """Return the contents of files (B,) with raw values."""
        raise NotImplementedError

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return raw values that fit: random, but the same every time."""
        raise NotImplementedError

    def beside(self) -> Mapping[str, str]:
        """Return the files, by name, that stand beside an export because it cannot hold them."""
        return {}

    @classmethod
    def how_to_use(cls, file: str) -> str:
        """Return the lines of Python that use a file of `beside`."""
        return ""

    def resources(self) -> Sequence[Any]:
        """Return the Keras layers with look-up tables that an export has to keep."""
        return ()

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return a feature of this type for noise, to measure a paper's network with.

        Args:
            shape: Of the network's input; () for a target.
            defaults: The arguments of the network's builder.
        """
        return self

    # People.

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return raw values from the text cells of a file, a row for each.

        Raises:
            ValueError: A cell is not what it should be.
        """
        raise NotImplementedError

    def class_number(self, text: str) -> int:
        """Return the number of the class that a user names, by its name or its number.

        Raises:
            UsageError: There is no such class, or it is no class at all.
        """
        raise UsageError(f"{self.noun()} has no classes, got '{text}'")

    def decode(self, encoded: Any) -> list[Any]:
        """Return what people read, for each of a model's answers (B, …)."""
        raise NotImplementedError

    def as_raw(self, values: Any) -> np.ndarray:
        """Return raw values (B, …) from what a Python caller hands in.

        Raises:
            UsageError: They do not fit.
        """
        raise NotImplementedError

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield the examples that a command line names.

        Args:
            text: A file, a folder or the value itself; ``-`` is standard input.
            stdin: Where ``-`` reads from.

        Raises:
            UsageError: Nothing is there, or it cannot be read at all.
        """
        raise NotImplementedError

    def unusual(self, raw: np.ndarray) -> str | None:
        """Return in one line why raw values are far from those trained on, or None.

        Args:
            raw: A batch of one.
        """
        return None

    def inverted(self, raw: np.ndarray) -> np.ndarray:
        """Return raw values with light and dark swapped.

        Raises:
            UsageError: It is not an image.
        """
        raise UsageError(f"--invert swaps light and dark in images; the input is {self.noun()}")

    @classmethod
    def require_suffix(cls, path: Path) -> None:
        """Raise a `UsageError` unless `write` can write such a file."""

    def write(self, values: Sequence[Any], path: Path) -> None:
        """Write values as `decode` returns them into a file."""
        from zoo.base.files import write_text

        write_text(path, "".join(f"{value}\n" for value in values))

    def preview(self, raw: np.ndarray, titles: Sequence[str], path: Path) -> None:
        """Draw a page of examples into a picture.

        Raises:
            UsageError: It cannot be drawn.
        """
        raise UsageError(f"a preview draws images, and the input is {self.noun()}")

    # JSON.

    def as_dict(self) -> dict[str, Any]:
        """Return plain values with the type's name."""
        return {"type": self.type, **dataclasses.asdict(self)}


def tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with tuples for lists, as JSON and TOML know only lists."""
    return {key: _tuple(value) for key, value in values.items()}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(part) for part in value) if isinstance(value, list) else value
