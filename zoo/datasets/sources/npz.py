"""``npz:FILE``: arrays by name, as `numpy.savez` writes them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError, gist, unknown
from zoo.base.names import natural
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
from zoo.datasets.spec import SPLITS

if TYPE_CHECKING:
    from zoo.datasets.split import Split

INPUTS = ("x", "image", "images", "features", "data", "text")
"""Arrays that a model is given where several are left."""
TARGETS = ("y", "label", "labels", "target", "targets", "class")
"""Arrays that are asked for where nobody says."""
IN_MEMORY = 200_000_000
"""Bytes of the input up to which memory holds it; more is read from the file by place."""
MOST_CLASSES = 1_000


@dataclass(frozen=True, kw_only=True)
class Arrays(OwnSource):
    """Two arrays of one length: ``x`` and ``y``; or ``x_train``, ``y_train``, ``x_test``, …."""

    options: ClassVar[tuple[str, ...]] = ("target", "group", "split_seed")

    def scan(self) -> Scan:
        """Look at every array once."""
        arrays, given = self._joined(self._arrays())
        target = self._target(arrays)
        group = self.data.group
        if group is not None and group not in arrays:
            raise unknown(f"array of {self.path} for group", group, arrays)
        rest = [one for one in arrays if one not in (target, group)]
        if not rest:
            raise UsageError(f"{self.path} holds no array beside {target}")
        named = [name for name in rest if name.lower() in INPUTS]
        beside = f" beside {target}" if target else ""
        if len(rest) > 1 and len(named) != 1:
            raise UsageError(
                f"{self.path} holds several arrays{beside}: {', '.join(rest)}; call the "
                f"one that a model is given {INPUTS[0]}"
            )
        column = (named or rest)[0]
        sizes = {name: len(arrays[name]) for name in (column, *([target] if target else []))}
        if len(set(sizes.values())) > 1:
            both = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
            raise UsageError(f"the arrays of {self.path} differ in length: {both}")
        size = sizes[column]
        if not size:
            raise UsageError(f"the array {column} of {self.path} is empty")
        feature, told = self._input(column, arrays[column])
        features: dict[str, Feature] = {column: feature}
        labels = None
        strata = np.zeros(size, np.int64)
        if target is not None:
            answer, labels = self._answer(target, arrays[target])
            features[target] = answer
            values = arrays[target].reshape(size)
            strata = (
                splitting.bins(values.astype(np.float64))
                if labels is None
                else numbers_of(labels, getattr(answer, "names", ()), self.data.name)
            )
        digests = [
            int.from_bytes(hashlib.blake2b(_bytes(row), digest_size=8).digest())
            for row in arrays[column]
        ]
        return Scan(
            features=features,
            inputs=(column,),
            targets=() if target is None else (target,),
            keys=[f"row {number}" for number in range(size)],
            contents=np.array(digests, np.uint64),
            strata=strata,
            groups=None if group is None else arrays[group].reshape(size).tolist(),
            given=given,
            in_memory=arrays[column].nbytes <= IN_MEMORY,
            question=f"{target}: {features[target].noun()}" if target else "Examples alone.",
            told=tuple(told),
            labels=labels,
            facts={"arrays": arrays},
        )

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name; those that are stored as they are stay on disk."""
        try:
            found = {}
            with zipfile.ZipFile(self.path) as archive:
                entries = {one.filename: one for one in archive.infolist()}
            with np.load(self.path, allow_pickle=False) as file:
                for name in file.files:
                    entry = entries[f"{name}.npy"]
                    mapped = None
                    if entry.compress_type == zipfile.ZIP_STORED and entry.file_size > IN_MEMORY:
                        mapped = _mapped(self.path, entry)
                    found[name] = file[name] if mapped is None else mapped
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            if "pickle" in str(error):
                raise UsageError(
                    f"{self.path} holds Python objects, which are never unpickled; save arrays of "
                    "numbers or texts"
                ) from None
            raise DlzooError(f"{self.path} is not a readable .npz file: {gist(error)}") from None
        if not found:
            raise UsageError(f"{self.path} holds no arrays")
        for name, array in found.items():
            if array.ndim == 0:
                raise UsageError(
                    f"{self.path}: {name} is a single number, not a row for each example"
                )
        return found

    def _joined(
        self, arrays: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return arrays by name without their splits, and each row's split where they have them."""
        endings = {"train": 0, "val": 1, "valid": 1, "validation": 1, "test": 2}
        parts: dict[str, dict[int, np.ndarray]] = {}
        for name, array in arrays.items():
            stem, _, ending = name.rpartition("_")
            if ending not in endings or not stem:
                return dict(arrays), None
            parts.setdefault(stem, {})[endings[ending]] = array
        if any(0 not in part for part in parts.values()):
            raise UsageError(f"{self.path} names splits and has no x_train: {', '.join(arrays)}")
        try:
            joined = {
                stem: np.concatenate([part[at] for at in sorted(part)])
                for stem, part in parts.items()
            }
        except ValueError:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise UsageError(
                f"{self.path}: the arrays of the splits differ in shape: {shapes}"
            ) from None
        first = next(iter(parts.values()))
        given = np.concatenate([np.full(len(first[at]), at) for at in sorted(first)])
        for stem, part in parts.items():
            for at, array in part.items():
                if at not in first or len(array) != len(first[at]):
                    raise UsageError(
                        f"{self.path}: {stem} has {len(array):,} rows in the {SPLITS[at]} split, "
                        f"and {next(iter(parts))} {len(first.get(at, ())):,}"
                    )
        return joined, given

    def _target(self, arrays: Mapping[str, np.ndarray]) -> str | None:
        said = self.data.target
        if said is not None:
            name = said.removesuffix(":class").removesuffix(":number")
            if name not in arrays:
                raise unknown(f"array of {self.path} for target", name, arrays)
            return name
        return next((name for name in arrays if name.lower() in TARGETS), None)

    def _input(self, name: str, array: np.ndarray) -> tuple[Feature, list[str]]:
        """Return the input as a feature, and what will be made of it."""
        if array.dtype.kind in "US" and array.ndim == 1:
            return Text(length=256), [f"{name} is text, read by characters"]
        if array.dtype.kind not in "buif":
            raise UsageError(f"{self.path}: {name} holds {array.dtype}; expected numbers or texts")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            at = int(np.argwhere(~np.isfinite(array))[0][0])
            raise DlzooError(f"{self.path}, row {at}: {name} is not finite (NaN or infinite)")
        shape = array.shape[1:]
        if len(shape) == 3 and shape[2] in (1, 3):
            return Image(raw_shape=shape), self._told_of_pixels(name, array)
        if len(shape) == 2 and (array.dtype == np.uint8 or name.lower().startswith("image")):
            return Image(raw_shape=(*shape, 1)), self._told_of_pixels(name, array)
        if len(shape) == 2:
            channels = tuple(f"channel{number}" for number in range(shape[1]))
            return Series(channels=channels, length=shape[0]), [
                f"{name} is series of {shape[0]} steps"
            ]
        if len(shape) <= 1:
            count = shape[0] if shape else 1
            return Table(names=tuple(f"{name}{number}" for number in range(count))), []
        raise UsageError(
            f"{self.path}: {name} has the shape {array.shape}; expected images (N, height, width, "
            "1 or 3), series (N, steps, channels), rows (N, columns) or texts (N,)"
        )

    def _told_of_pixels(self, name: str, array: np.ndarray) -> list[str]:
        if array.dtype == np.uint8:
            return []
        low, high = float(array.min()), float(array.max())
        if low < 0.0 or high > 255.0:
            raise UsageError(
                f"{self.path}: {name} has values from {low:g} to {high:g}; images are bytes, or "
                "numbers in [0, 1]"
            )
        return [f"{name} has values up to {high:g}, taken as 0 to 255"] if high > 1.0 else []

    def _answer(self, name: str, array: np.ndarray) -> tuple[Feature, list[str] | None]:
        """Return the target as a feature, and the classes' names where it is one."""
        if array.size != len(array):
            raise UsageError(
                f"{self.path}: {name} has the shape {array.shape}; expected one class or number a "
                "row, not one-hot"
            )
        values = array.reshape(len(array))
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                at = int(np.argwhere(~np.isfinite(values))[0][0])
                raise DlzooError(f"{self.path}, row {at}: the target {name} is not finite")
            if not (self.data.target or "").endswith(":class"):
                return Number(standardised=True), None
        if (self.data.target or "").endswith(":number"):
            return Number(standardised=True), None
        if values.dtype.kind not in "USbiuf":
            raise UsageError(
                f"{self.path}: {name} holds {values.dtype}; expected classes or numbers"
            )
        if values.dtype.kind == "i" and len(values) and values.min() < 0:
            at = int(np.argmin(values))
            raise DlzooError(
                f"{self.path}, row {at}: the label {values[at]} of {name} is out of range; classes "
                "are counted from 0"
            )
        labels = [str(value) for value in values.tolist()]
        names = tuple(sorted(set(labels), key=natural))
        if not 2 <= len(names) <= MOST_CLASSES:
            raise UsageError(
                f"{self.path}: {name} has {len(names)} different values; classes are 2 to "
                f"{MOST_CLASSES}. A number is said by --target {name}:number"
            )
        return Label(names=names), labels

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the rows at some places."""
        from zoo.datasets.split import Split

        scan = self.scanned()
        arrays = scan.facts["arrays"]

        def fetch(chosen: Any) -> dict[str, np.ndarray]:
            found: dict[str, np.ndarray] = {}
            for name in (*described.inputs, *described.targets):
                if name not in arrays:
                    raise unknown(f"array of {self.path}", name, arrays)
                values = arrays[name][chosen]
                feature = described.features[name]
                if feature.classes:
                    labels = [str(value) for value in values.reshape(len(values)).tolist()]
                    found[name] = numbers_of(labels, getattr(feature, "names", ()), self.data.name)
                elif feature.serves("pixels"):
                    found[name] = _pixels(values)
                elif feature.serves("tokens"):
                    found[name] = values.astype(str).astype(object)
                elif feature.serves("value"):
                    found[name] = values.reshape(len(values)).astype(np.float32)
                else:
                    rows = values.reshape(len(values), -1) if values.ndim < 3 else values
                    found[name] = rows.astype(np.float32)
            return found

        if scan.in_memory:
            return Split.in_memory(fetch(places))
        from zoo.datasets.sources.reading import rows_by_place

        return rows_by_place(len(places), lambda chosen: fetch(places[list(chosen)]), {})


def _pixels(values: np.ndarray) -> np.ndarray:
    """Return images (B, height, width, channels) as bytes, or as floats in [0, 1]."""
    shaped = values if values.ndim == 4 else values[..., None]
    if shaped.dtype == np.uint8:
        return shaped
    floats = shaped.astype(np.float32)
    return floats / np.float32(255.0) if floats.max(initial=0.0) > 1.0 else floats


def _bytes(row: Any) -> bytes:
    return np.ascontiguousarray(row).tobytes()


def _mapped(path: Path, entry: zipfile.ZipInfo) -> np.ndarray | None:
    """Return an array that is stored uncompressed in a zip file, mapped from disk."""
    with path.open("rb") as file:
        file.seek(entry.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
        file.seek(entry.header_offset + 30 + int(lengths.sum()))
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
        if header is None:
            return None
        shape, fortran, dtype = header(file)
        if dtype.hasobject or fortran:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape)


def open_npz(data: Data, path: str) -> Arrays:
    """Return the source that ``npz:PATH`` names."""
    return Arrays(data=data, path=Path(path))
