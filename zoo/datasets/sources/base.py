"""Where examples come from: what every source says and does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.base.names import slug
from zoo.datasets.features import from_dict
from zoo.datasets.features.base import Feature, tuples
from zoo.datasets.spec import SPLITS

if TYPE_CHECKING:
    from zoo.datasets.split import Split


@dataclass(frozen=True, kw_only=True)
class Description:
    """What is known of a source before its examples are loaded."""

    name: str
    """The reference by which it is opened."""
    title: str
    question: str
    """What is asked of an example, in a line."""
    features: Mapping[str, Feature]
    """By the column's name, not fitted yet."""
    inputs: tuple[str, ...]
    """The columns that a model is usually given."""
    targets: tuple[str, ...] = ()
    """The columns that a model is usually asked for."""
    weights: str | None = None
    """The column that says how much each example counts, if there is one."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Examples in each split."""
    rows: int = 0
    """Examples in all; a row that stands in several splits counts once."""
    in_memory: bool = True
    """Whether memory holds it; otherwise it is read from disk again in every epoch."""
    source: str = ""
    """Who made it and where it was published."""
    url: str = ""
    licence: str = ""
    citation: str = ""
    origin: str = ""
    """What its examples come through, in a word."""
    note: str = ""
    """What to compare a score with, and what the split holds."""
    told: tuple[str, ...] = ()
    """Of a source of one's own: what was inferred, converted or left out, in a line each."""
    imbalance: float = 1.0
    """How many times the rarest class the most frequent one is, where classes were counted."""
    first_use: str = ""
    """What the first use downloads or reads; empty where nothing is to be done."""

    @classmethod
    def of_table(cls, name: str, table: Mapping[str, Any], *, origin: str) -> Description:
        """Return the description that a table of a TOML file holds.

        Args:
            name: The data set's.
            table: The fields by name; ``splits`` are the sizes, where ``all`` is every split's.
            origin: What the examples come through.
        """
        facts = dict(table)
        features = {column: from_dict(values) for column, values in facts.pop("features").items()}
        splits = facts.pop("splits")
        sizes = {split: splits.get(split, splits.get("all", 0)) for split in SPLITS}
        return cls(name=name, features=features, sizes=sizes, origin=origin, **tuples(facts))

    def shown_size(self) -> tuple[int, int]:
        """Return the height and width of the first input's images; those of any size are 224."""
        shape = self.features[self.inputs[0]].default_shape()
        return shape[0] or 224, shape[1] or 224

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = {key: value for key, value in vars(self).items() if key != "features"}
        features = {name: feature.as_dict() for name, feature in self.features.items()}
        return {**values, "sizes": dict(self.sizes), "features": features}


@dataclass(frozen=True)
class Loaded:
    """The examples of a source."""

    splits: Mapping[str, Split]
    """``"train"``, ``"validation"`` and ``"test"``; the columns hold raw values."""
    features: Mapping[str, Feature]
    """The description's, with what only the examples tell, such as the names of classes."""
    keys: Mapping[str, Sequence[str]] | None = None
    """Of a source of one's own: what the examples of each split are called."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """What could not be read and was left out, with the reason."""


class Source:
    """A place that examples come from, opened by a reference such as ``digits``."""

    def describe(self) -> Description:
        """Return what is known without loading the examples, and without TensorFlow."""
        raise NotImplementedError

    def examples(self) -> Sequence[str]:
        """Return a few examples in a line each, where that can be had without loading."""
        return ()

    def load(self) -> Loaded:
        """Return the examples.

        Raises:
            UsageError: Something is missing that the user has to bring.
            DlzooError: They are damaged, or cannot be downloaded.
        """
        raise NotImplementedError

    def load_as(self, described: Description) -> Loaded:
        """Return the examples in the form that a recipe asks for.

        Sources that compute their examples override it, where these depend on the form.

        Args:
            described: With the form of each column.
        """
        return self.load()

    def with_splits(self, stored: Mapping[str, Sequence[str]]) -> Source:
        """Return the source divided as a run has it; only sources of the user's own are divided.

        Args:
            stored: The keys of the examples in each split.
        """
        return self

    def find_faults(self, progress: Callable[[int], None] = lambda done: None) -> dict[str, str]:
        """Return why examples cannot be read, by what they are called: each is read for this."""
        return {}

    def fingerprint(self) -> str:
        """Return a text that changes when the examples do."""
        raise NotImplementedError

    @property
    def slug(self) -> str:
        """The reference as a part of a file's name."""
        return slug(self.describe().name)
