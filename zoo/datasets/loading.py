"""From a name to a data set: checked, split, and fitted on its training split."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from zoo.datasets.catalog import entry
from zoo.datasets.spec import SPLITS, Dataset, DatasetEntry, DatasetSpec, Examples, Split, require
from zoo.errors import DlzooError


def load(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    crop: tuple[int, int] | None = None,
    resize: str = "stretch",
    scaling: str = "unit",
    sequence_length: int | None = None,
    vocabulary_size: int | None = None,
    split_text: str = "character",
    lowercase: bool = False,
    fitted: DatasetSpec | None = None,
) -> Dataset:
    """Load a data set in the form that a recipe asks for.

    Args:
        name: A data set, see `zoo.datasets.catalog.list_datasets`.
        image_size: Height and width that images are brought to; None leaves them.
        channels: 1 for grey, 3 for colours; None leaves them.
        crop: Height and width of the window of it that models get; None is all of it.
        resize: ``"stretch"``, ``"shorter-side"`` or ``"pad"``, see `recipes.recipe.Data`.
        scaling: ``"unit"``, ``"centred"`` or ``"caffe"``, see `recipes.recipe.Data`.
        sequence_length: Tokens of a text that are kept; None keeps the longest training text's.
        vocabulary_size: The most tokens, with padding and the unknown; None keeps all.
        split_text: One token is a ``"character"`` or what ``"whitespace"`` separates.
        lowercase: Whether texts are put in lower case first.
        fitted: Of an earlier load in the same form: nothing is fitted again.

    Raises:
        UsageError: There is no such data set, or the form does not fit it.
        DlzooError: Its file is damaged, or it cannot be downloaded.
    """
    found = entry(name)
    check_form(
        found,
        image_size=image_size,
        channels=channels,
        crop=crop,
        resize=resize,
        scaling=scaling,
        sequence_length=sequence_length,
        vocabulary_size=vocabulary_size,
    )
    class_names, columns, splits = _read(found)
    facts: dict[str, Any] = {
        "name": name,
        "kind": found.kind,
        "target": found.target,
        "class_names": class_names,
        "sizes": {split: len(examples) for split, examples in splits.items()},
    }
    if fitted is not None:
        spec = fitted
    elif found.kind == "image":
        whole = _whole_shape(found, image_size, channels)
        facts["raw_shape"] = found.image_shape
        facts["input_shape"] = (*(crop or whole[:2]), whole[2])
        facts["image_size"] = whole[:2] if crop else None
        facts["resize"] = resize
        facts["scaling"] = scaling
        facts["value_range"] = (0.0, 1.0)
        spec = DatasetSpec(**facts)
        if scaling == "centred":
            spec = dataclasses.replace(spec, mean=_channel_means(spec, splits["train"]))
    elif found.kind == "table":
        train = _inputs(splits["train"])
        deviation = train.std(axis=0, dtype=np.float64)
        facts["raw_shape"] = facts["input_shape"] = (len(columns),)
        facts["feature_names"] = columns
        facts["mean"] = tuple(float(value) for value in train.mean(axis=0, dtype=np.float64))
        facts["standard_deviation"] = tuple(float(value) or 1.0 for value in deviation)
        spec = DatasetSpec(**facts)
    else:
        texts = [tokenise(text, split_text, lowercase) for text in _inputs(splits["train"])]
        facts["raw_shape"] = ()
        facts["input_shape"] = (sequence_length or max(len(text) for text in texts),)
        facts["vocabulary"] = _vocabulary(texts, vocabulary_size)
        facts["split_text"] = split_text
        facts["lowercase"] = lowercase
        spec = DatasetSpec(**facts)
    return Dataset(spec, {name: _of_one_size(split, spec) for name, split in splits.items()})


def check_form(
    found: DatasetEntry,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    crop: tuple[int, int] | None = None,
    resize: str = "stretch",
    scaling: str = "unit",
    sequence_length: int | None = None,
    vocabulary_size: int | None = None,
) -> None:
    """Raise a `UsageError` unless a data set has the form that `load` is asked for."""
    name, kind = found.name, found.kind
    plain = (image_size, channels, crop, resize, scaling) == (None, None, None, "stretch", "unit")
    require(
        kind == "image" or plain,
        f"{name} is {_a(kind)} data set: image_size, channels, crop, resize and scaling are for "
        "images",
    )
    require(
        kind == "text" or (sequence_length is None and vocabulary_size is None),
        f"{name} is {_a(kind)} data set: sequence_length and vocabulary_size are for texts",
    )
    if kind != "image":
        return
    height, width, colours = _whole_shape(found, image_size, channels)
    require(
        height is not None and width is not None,
        f"{name} has images of any size; say which: --set data.image_size=[224,224]",
    )
    require(
        crop is None or (crop[0] <= height and crop[1] <= width),
        f"a crop of {crop and _by(crop)} does not fit into images of {_by((height, width))}",
    )
    require(
        scaling != "caffe" or colours == 3,
        f"scaling caffe is for images of 3 channels, got {colours}; try --set data.channels=3",
    )


def _whole_shape(
    found: DatasetEntry, image_size: tuple[int, int] | None, channels: int | None
) -> tuple[Any, Any, int]:
    assert found.image_shape is not None
    height, width = image_size or found.image_shape[:2]
    return height, width, channels or found.image_shape[2]


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _inputs(split: Split) -> np.ndarray:
    return np.concatenate([chunk.inputs for chunk in split.chunks(1 << 20)])


def _of_one_size(split: Split, spec: DatasetSpec) -> Split:
    """Return a split whose images can stand in one array: a stream brings its own to one size."""
    if isinstance(split, Examples):
        return split
    from zoo.datasets.encoding import Encoder
    from zoo.datasets.streaming import Stream

    assert isinstance(split, Stream)
    return split.then(Encoder(spec).bring_to_size)


def _channel_means(spec: DatasetSpec, train: Split) -> tuple[float, ...]:
    """Return the mean of each channel over images as they are brought to one size."""
    from zoo.datasets.encoding import Encoder

    encoder = Encoder(spec)
    total = np.zeros(spec.input_shape[-1])
    for chunk in _of_one_size(train, spec).chunks(1024):
        means = encoder.bring_to_size(chunk.inputs).numpy().mean(axis=(1, 2), dtype=np.float64)
        total += means.sum(axis=0)
    return tuple(float(value) for value in total / len(train))


def tokenise(text: str, split_text: str, lowercase: bool) -> list[str]:
    """Return the tokens of a text."""
    text = text.lower() if lowercase else text
    return list(text) if split_text == "character" else text.split()


def _vocabulary(texts: Iterable[Sequence[str]], limit: int | None) -> tuple[str, ...]:
    counts = Counter(token for text in texts for token in text)
    # The most frequent first, and by code point among equals, so that every machine agrees.
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    return tuple(ranked[: None if limit is None else limit - 2])


def _read(found: DatasetEntry) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Split]]:
    """Return the names of the classes and of a table's columns, and the splits."""
    if found.tfds is not None:
        from zoo.datasets.tfds import read

        class_names, splits = read(found)
        return class_names, (), splits
    columns, splits = _bundled(found)
    return found.classes, columns, splits


def _bundled(found: DatasetEntry) -> tuple[tuple[str, ...], dict[str, Split]]:
    """Return the names of the columns of a bundled file, and the splits."""
    assert found.path is not None
    try:
        content = found.path.read_bytes()
    except OSError as error:
        raise DlzooError(
            f"data set {found.name} cannot be read: {found.path}: {error.strerror}. "
            "Install dlzoo again."
        ) from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != found.sha256:
        raise DlzooError(
            f"data set {found.name} is damaged: {found.path} has SHA-256 {digest}, "
            f"expected {found.sha256}. Install dlzoo again."
        )
    if found.path.suffix == ".gz":
        content = gzip.decompress(content)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    header, body = rows[0], rows[1:]
    # The label stands first in an image's long row and last in a short one.
    label = header.index("label" if "label" in header else "target")
    columns = [at for at, name in enumerate(header) if at not in (0, label)]

    inputs = np.array([[row[at] for at in columns] for row in body])
    if found.kind == "text":
        inputs = inputs[:, 0]
    elif found.kind == "table":
        inputs = inputs.astype(np.float32)
    else:
        assert found.image_shape is not None
        assert found.value_range is not None
        low, high = found.value_range
        inputs = (inputs.astype(np.float32) - low) / (high - low)
        inputs = inputs.reshape(-1, *_whole_shape(found, None, None))
    labels = [row[label] for row in body]
    if found.target == "class":
        index = {name: at for at, name in enumerate(found.classes)}
        targets = np.array([index[value] for value in labels], np.int32)
    else:
        targets = np.array(labels, np.float32)

    where = np.array([row[0] for row in body])
    splits: dict[str, Split] = {}
    for split in SPLITS:
        # A truth table is whole in every split: there is nothing else to test it on.
        chosen = (where == split) | (where == "all")
        splits[split] = Examples(inputs[chosen], targets[chosen])
    return tuple(header[at] for at in columns), splits
