"""Sources of the user's own: scanned once, divided once, and told apart by their content."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import UsageError
from zoo.base.files import is_file
from zoo.base.names import slug
from zoo.datasets.features.base import Feature
from zoo.datasets.sources import splitting
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.spec import SPLITS, DatasetSpec

if TYPE_CHECKING:
    from zoo.datasets.split import Split

ORIGIN = "yours"
"""What such sources come through, in a word."""
_KEPT_SCANS = 8
_scans: dict[Hashable, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass over a source tells, without TensorFlow."""

    features: Mapping[str, Feature]
    """By the column's name, not fitted."""
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    keys: Sequence[str]
    """What each example is called: a file, or a line's number."""
    contents: np.ndarray
    """(N,) a hash of each example's content."""
    strata: np.ndarray
    """(N,) by which splits are stratified."""
    groups: Sequence[Hashable] | None = None
    given: np.ndarray | None = None
    """(N,) the splits that the source itself names."""
    in_memory: bool = True
    question: str = ""
    told: tuple[str, ...] = ()
    """What was inferred, converted or left out, in a line each."""
    labels: Sequence[str] | None = None
    """(N,) the class of each example, where there are classes."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """What cannot be read and is left out, by its key, with the reason."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What `dlzoo datasets check` shows beside, by name."""


@dataclass(frozen=True, kw_only=True)
class OwnSource(Source):
    """A source that a reference such as ``folder:photos`` opens."""

    options: ClassVar[tuple[str, ...]] = ("split_seed",)
    """The keys of ``[data]`` that it takes beside its name."""
    noun: ClassVar[str] = "file"

    data: Data
    """The reference, and what is said beside it."""
    path: Path
    scored: DatasetSpec | None = None
    """Of a run that is scored on this source: its columns are looked for, nothing is inferred."""
    stored: Mapping[str, Sequence[str]] | None = None
    """The splits of a run: the keys of the examples in each."""

    def __post_init__(self) -> None:
        for key in self.data.options:
            if key not in self.options:
                flag = key.replace("_", "-")
                takes = ", ".join(self.options)
                raise UsageError(f"{self.data.name} takes no {key} (--{flag}); it takes: {takes}")

    def scanned(self) -> Scan:
        """Return what a pass over the source tells; the last few are remembered.

        Raises:
            UsageError: It is not there, cannot be read, or holds nothing to train on.
        """
        return self._scan

    @functools.cached_property
    def _scan(self) -> Scan:
        # Once for each opened source: to look whether the files have changed takes time too.
        scored = None if self.scored is None else self.scored.to_json()
        key = (
            *(type(self), str(self.path.absolute()), str(self.data.options), scored),
            self.signature(),
        )
        if key not in _scans:
            while len(_scans) >= _KEPT_SCANS:
                del _scans[next(iter(_scans))]
            _scans[key] = self.scan()
        found: Scan = _scans[key]
        return found

    def signature(self) -> Hashable:
        """Return what changes at once when the files do: their sizes and times."""
        if not is_file(self.path):
            raise UsageError(f"there is no {self.noun} {self.path} ({self.data.name})")
        state = self.path.stat()
        return state.st_size, state.st_mtime_ns

    def scan(self) -> Scan:
        """Pass over the source."""
        raise NotImplementedError

    def describe(self) -> Description:
        """Return the columns and the sizes of the splits, from a pass over the source."""
        scan = self.scanned()
        assigned = self.assigned()
        sizes = {name: int((assigned == number).sum()) for number, name in enumerate(SPLITS)}
        return Description(
            name=self.data.name,
            title=self.path.name,
            question=scan.question,
            features=scan.features,
            inputs=scan.inputs,
            targets=scan.targets,
            sizes=sizes,
            rows=len(scan.keys),
            in_memory=scan.in_memory,
            source=str(self.path),
            licence="yours",
            origin=ORIGIN,
            told=scan.told,
            imbalance=self._imbalance(),
        )

    def _imbalance(self) -> float:
        counts = Counter(self.scanned().labels or ()).values()
        return max(counts, default=1) / min(counts, default=1)

    @property
    def slug(self) -> str:
        """The reference as a part of a file's name."""
        return slug(self.data.name)

    def fingerprint(self) -> str:
        """Return a hash of every example's name and content, and of what is asked for."""
        scan = self.scanned()
        digest = hashlib.sha256(repr((scan.inputs, scan.targets)).encode())
        for key in scan.keys:
            digest.update(key.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(np.ascontiguousarray(scan.contents).tobytes())
        return digest.hexdigest()

    def with_splits(self, stored: Mapping[str, Sequence[str]]) -> OwnSource:
        """Return the source with the splits of a run."""
        return dataclasses.replace(self, stored=stored)

    def assigned(self) -> np.ndarray:
        """Return the split of each example, see `zoo.datasets.sources.splitting.assign`."""
        scan = self.scanned()
        if self.stored is not None:
            codes = np.full(len(scan.keys), splitting.LEFT_OUT, np.int8)
            place = {key: at for at, key in enumerate(scan.keys)}
            for number, name in enumerate(SPLITS):
                for key in self.stored.get(name, ()):
                    if key not in place:
                        raise UsageError(
                            f"{self.data.name} no longer has {key}, which is in the run's splits"
                        )
                    codes[place[key]] = number
            return codes
        return splitting.assign(
            scan.contents,
            scan.strata,
            groups=scan.groups,
            given=scan.given,
            seed=self.data.split_seed or 0,
        )

    def splits(self) -> dict[str, np.ndarray]:
        """Return the places of each split's examples, in a drawn order."""
        assigned = self.assigned()
        draw = np.random.default_rng(self.data.split_seed or 0)
        return {
            name: draw.permutation(np.flatnonzero(assigned == number))
            for number, name in enumerate(SPLITS)
        }

    def load(self) -> Loaded:
        """Return the examples in the form that `describe` tells."""
        return self.load_as(self.describe())

    def load_as(self, described: Description) -> Loaded:
        """Return the examples, divided into splits."""
        scan, places = self.scanned(), self.splits()
        for name in SPLITS:
            if not len(places[name]):
                raise UsageError(
                    f"{self.data.name}: the {name} split would be empty, with "
                    f"{len(scan.keys)} examples in all"
                )
        self.require_trained_classes(places)
        splits = {name: self.split(chosen, described) for name, chosen in places.items()}
        keys = {name: [scan.keys[at] for at in chosen] for name, chosen in places.items()}
        return Loaded(splits, scan.features, keys=keys, skipped=scan.skipped)

    def load_whole(self, described: Description) -> tuple[Split, Sequence[str]]:
        """Return all examples as one split, with their keys, to score a model of other data on."""
        scan = self.scanned()
        return self.split(np.arange(len(scan.keys)), described), scan.keys

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the examples at some places, with columns as they are described."""
        raise NotImplementedError

    def require_trained_classes(self, places: Mapping[str, np.ndarray]) -> None:
        """Raise a `UsageError` for a class that the training split does not have."""
        labels = self.scanned().labels
        if labels is None:
            return
        trained = {labels[at] for at in places["train"]}
        for name in SPLITS[1:]:
            for at in places[name]:
                if labels[at] not in trained:
                    raise UsageError(
                        f"{self.data.name}: class '{labels[at]}' is in the {name} split and never "
                        f"in the training split (such as {self.scanned().keys[at]})"
                    )


def numbers_of(labels: Iterable[str], names: Sequence[str], source: str) -> np.ndarray:
    """Return the numbers of classes by their names.

    Raises:
        UsageError: There is another class.
    """
    index = {name: at for at, name in enumerate(names)}
    try:
        return np.array([index[label] for label in labels], np.int32)
    except KeyError as error:
        shown = ", ".join(names[:8]) + ", …" * (len(names) > 8)
        raise UsageError(f"{source} has the class {error}, and the model knows {shown}") from None
