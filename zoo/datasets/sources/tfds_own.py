"""``tfds:NAME[/CONFIG][:VERSION]`` and ``tfds:FILE.py``: any data set of tensorflow-datasets.

Downloads, checksums, progress, resuming and mirrors are tensorflow-datasets' own. Only columns of
kinds that models here read are taken: images, classes, texts, numbers and series of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError, gist, suggestion
from zoo.base.files import is_file, is_folder
from zoo.base.runtime import start_tensorflow
from zoo.datasets.features.base import Feature
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.series import Series
from zoo.datasets.features.table import Table
from zoo.datasets.features.text import Text
from zoo.datasets.sources import splitting
from zoo.datasets.sources.base import Description
from zoo.datasets.sources.own import OwnSource, Scan, numbers_of
from zoo.datasets.sources.tfds import OFFLINE, TensorFlowDataset

if TYPE_CHECKING:
    from zoo.datasets.split import Split

SPLITS = {"train": 0, "validation": 1, "valid": 1, "val": 1, "dev": 1, "test": 2}
"""Names of splits there, and ours."""
IN_MEMORY = 500_000_000
"""Bytes that a data set has on disk up to which its examples are held in memory."""
LONGEST = 256
"""Tokens of a text that are read where a recipe does not say."""


@dataclass(frozen=True, kw_only=True)
class Tfds(OwnSource):
    """A data set that tensorflow-datasets prepares, of its catalogue or of the user's own file."""

    options: ClassVar[tuple[str, ...]] = ("target", "data_dir", "split_seed")

    def signature(self) -> Hashable:
        """Return the state of the user's file, or nothing: a version never changes."""
        return super().signature() if self.path.suffix == ".py" else ""

    @property
    def _folder(self) -> str | None:
        folder = self.data.data_dir
        if folder is not None and is_file(folder):
            raise UsageError(f"data_dir: {folder} is a file, not a folder")
        return folder

    def _builder(self) -> Any:
        """Return the builder; nothing is downloaded yet."""
        import tensorflow_datasets

        if not sys.stderr.isatty():  # its bars are escape codes
            tensorflow_datasets.disable_progress_bar()
        if self.path.suffix == ".py":
            return self._of_file()(data_dir=self._folder)
        try:
            return tensorflow_datasets.builder(str(self.path), data_dir=self._folder)
        except tensorflow_datasets.core.registered.DatasetNotFoundError:
            name = str(self.path).partition("/")[0].partition(":")[0]
            hint = suggestion(name, tensorflow_datasets.list_builders())
            raise UsageError(f"tensorflow-datasets has no data set '{name}'.{hint}") from None
        except (ValueError, AssertionError) as error:  # a version or config that is not there
            raise UsageError(f"{self.data.name}: {gist(error)}") from None

    def _of_file(self) -> Any:
        """Return the builder's class that the user's file defines."""
        from etils import epath
        from tensorflow_datasets.core import DatasetBuilder, registered

        digest = hashlib.sha256(f"{self.path.resolve()} {self.signature()}".encode())
        name = f"dlzoo_tfds_{digest.hexdigest()[:12]}"
        known = sys.modules.get(name)
        if known is None:
            spec = importlib.util.spec_from_file_location(name, self.path)
            assert spec is not None
            assert spec.loader is not None
            known = importlib.util.module_from_spec(spec)
            sys.modules[name] = known
            try:
                # Its name may be that of another data set, or of the file before a change.
                with registered.skip_registration():
                    spec.loader.exec_module(known)
            except Exception as error:
                del sys.modules[name]
                raise UsageError(
                    f"{self.path} cannot be imported: {type(error).__name__}: {gist(error)}"
                ) from None
        found: list[Any] = [
            one
            for one in vars(known).values()
            if isinstance(one, type) and issubclass(one, DatasetBuilder) and one.__module__ == name
        ]
        if len(found) != 1:
            names = ", ".join(one.__name__ for one in found) or "none"
            raise UsageError(
                f"{self.path} must define one tensorflow-datasets builder, got {names}"
            )
        # Where it looks for checksums and citations: the file is in no package.
        found[0].pkg_dir_path = epath.Path(self.path.resolve().parent)
        return found[0]

    def _prepared(self) -> Any:
        """Return the builder, its data downloaded and prepared if they are not there yet."""
        start_tensorflow()
        told = Description(
            name=self.data.name,
            title="",
            question="",
            features={},
            inputs=(),
            first_use="downloads it",
        )
        helper = TensorFlowDataset(description=told, builder=str(self.path), test="test")
        with helper.one_line_errors():
            builder = self._builder()
            if not builder.is_prepared():
                try:
                    helper.require_network(builder)
                except DlzooError as error:
                    here = self._offline()
                    raise DlzooError(f"{str(error).partition(';')[0]}. {here}") from None
                helper.prepare(builder)
        return builder

    def _offline(self) -> str:
        """Return which data sets need no network, in a sentence."""
        root = Path(
            self._folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
        ).expanduser()
        there = sorted(
            one.name
            for one in (root.iterdir() if is_folder(root) else ())
            if one.is_dir() and one.name != "downloads"
        )
        prepared = f"In {root}: {', '.join(there)}. " if there else ""
        return f"{prepared}Without network: {OFFLINE} and others, see dlzoo datasets"

    def scan(self) -> Scan:
        """Read every example once, after the first use has downloaded and prepared them."""
        builder = self._prepared()
        names = {name: SPLITS[name] for name in builder.info.splits if name in SPLITS}
        if 0 not in names.values():
            there = ", ".join(builder.info.splits) or "none"
            raise UsageError(f"{self.data.name} has no split called train; it has {there}")
        if builder.info.dataset_size > IN_MEMORY:
            raise UsageError(
                f"{self.data.name} takes {builder.info.dataset_size / 1e6:,.0f} MB on disk; "
                f"sources of tensorflow-datasets are held in memory, up to {IN_MEMORY // 10**6} MB"
            )
        features, left = _features(builder.info.features)
        inputs, target = self._columns(builder, features)
        examples: dict[str, list[Any]] = {
            name: [] for name in (inputs, *([target] if target else []))
        }
        given: list[int] = []
        digests: list[int] = []
        for split, number in names.items():
            for one in self._read(builder, split, features):
                digest = hashlib.blake2b(digest_size=8)
                for name, values in examples.items():
                    values.append(one[name])
                    if name == inputs:
                        digest.update(np.ascontiguousarray(one[name]).tobytes())
                digests.append(int.from_bytes(digest.digest()))
                given.append(number)
        labels = None
        strata = np.zeros(len(given), np.int64)
        if target is not None and features[target].classes:
            labels = features[target].titles(examples[target])
            strata = np.array(examples[target])
        elif target is not None and features[target].serves("value"):
            strata = splitting.bins(np.array(examples[target], np.float64))
        kept = {name: features[name] for name in examples}
        told = [f"column {name} is left out" for name in (*left, *features) if name not in kept]
        return Scan(
            features=kept,
            inputs=(inputs,),
            targets=() if target is None else (target,),
            keys=[f"example {number}" for number in range(len(given))],
            contents=np.array(digests, np.uint64),
            strata=strata,
            given=np.array(given, np.int8),
            question=str(builder.info.description or self.data.name).strip().split("\n")[0][:100],
            told=tuple(told),
            labels=labels,
            facts={"examples": examples},
        )

    def _read(self, builder: Any, split: str, features: Mapping[str, Feature]) -> Any:
        """Yield examples by column; those of images of any size are kept as they are stored."""
        import tensorflow_datasets

        config = tensorflow_datasets.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        data = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        for one in data.map(lambda each: {name: each[name] for name in features}):
            yield {name: value.numpy() for name, value in one.items()}

    def _columns(self, builder: Any, features: Mapping[str, Feature]) -> tuple[str, str | None]:
        """Return the input and the target: the data set's own choice, or the user's."""
        said = self.data.target
        own = builder.info.supervised_keys
        pair = tuple(one for one in own or () if isinstance(one, str))
        if said is not None and said not in features:
            hint = suggestion(said, features) or f" There are: {', '.join(features)}."
            raise UsageError(f"unknown column '{said}' of {self.data.name}.{hint}")
        target = said or (pair[1] if len(pair) > 1 and pair[1] in features else None)
        if target is None and not own:
            target = next((name for name, one in features.items() if one.classes), None)
        rest = [name for name in features if name != target]
        first = pair[0] if pair and pair[0] in rest else None
        chosen = first or (rest[0] if len(rest) == 1 else None)
        if chosen is None and target is not None:
            inputs = [name for name in rest if not features[name].serves("class", "value")]
            chosen = inputs[0] if inputs else None
        if chosen is None:
            raise UsageError(
                f"{self.data.name} says neither input nor target: say --target COLUMN; there are: "
                + (", ".join(features) or "none that a model reads")
            )
        return chosen, target

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the examples at some places, in memory."""
        import tensorflow as tf

        from zoo.datasets.split import Split

        held: dict[str, Any] = {}
        own = self.scanned().features
        ragged = None
        for name in (*described.inputs, *described.targets):
            values = [self.scanned().facts["examples"][name][at] for at in places]
            if own[name].classes and described.features[name].classes:
                names = getattr(described.features[name], "names", ())
                held[name] = numbers_of(own[name].titles(values), names, self.data.name)
            elif own[name].serves("pixels") and None in own[name].shape_as_it_comes():
                ragged = (name, values)
            elif own[name].serves("tokens"):
                held[name] = np.array(values, object)
            elif own[name].serves("pixels"):
                held[name] = np.stack(values)
            else:
                rows = np.array(values, np.float32)
                narrow = own[name].serves("numbers") and rows.ndim == 1
                held[name] = rows[:, None] if narrow else rows
        if ragged is None:
            return Split.in_memory(held)
        name, images = ragged
        shape = own[name].shape_as_it_comes()
        tensors = {key: tf.constant(values) for key, values in held.items()}

        def read(place: Any) -> dict[str, Any]:
            image = tf.numpy_function(lambda at: images[int(at)], [place], tf.uint8)
            image = tf.ensure_shape(image, shape)
            return {name: image, **{key: values[place] for key, values in tensors.items()}}

        return Split.by_place(len(images), read, held)


def _features(info: Any) -> tuple[dict[str, Feature], list[str]]:
    """Return the columns that models read, and the names of the others."""
    found: dict[str, Feature] = {}
    left = []
    for name, one in info.items():
        feature = _feature(one)
        if feature is None:
            left.append(name)
        else:
            found[name] = feature
    return found, left


def _feature(one: Any) -> Feature | None:
    """Return the feature that a column of tensorflow-datasets is here, or None."""
    from tensorflow_datasets import features as theirs

    if isinstance(one, theirs.Image):
        height, width, channels = one.shape
        if one.np_dtype != np.uint8 or channels not in (1, 3):
            return None
        sized = Image(raw_shape=(height, width, channels))
        any_size = height is None or width is None
        form = {"size": (96, 96), "resize": "shorter-side"} if any_size else {}
        return dataclasses.replace(sized, **form)  # type: ignore[arg-type]
    if isinstance(one, theirs.ClassLabel):
        return Label(names=tuple(one.names)) if one.names else Label(count=one.num_classes or 0)
    if isinstance(one, theirs.Text):
        return Text(length=LONGEST)
    dtype, shape = np.dtype(one.np_dtype), one.shape
    if dtype.kind in "OUS":
        return Text(length=LONGEST) if shape == () else None
    if dtype.kind not in "buif" or None in shape:
        return None
    if shape == ():
        return Number(standardised=True)
    if len(shape) == 1:
        return Table(names=tuple(f"column{number}" for number in range(shape[0])))
    if len(shape) == 2:
        channels = tuple(f"channel{number}" for number in range(shape[1]))
        return Series(channels=channels, length=shape[0])
    return None


def open_tfds(data: Data, path: str) -> Tfds:
    """Return the source that ``tfds:PATH`` names."""
    return Tfds(data=data, path=Path(path))
