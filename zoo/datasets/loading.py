"""From a bundled file to a data set: checked, split, and fitted on its training split."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from zoo.datasets.catalog import entry
from zoo.datasets.spec import SPLITS, Dataset, DatasetEntry, DatasetSpec, Examples, require
from zoo.errors import DlzooError


def load(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    sequence_length: int | None = None,
    vocabulary_size: int | None = None,
    split_text: str = "character",
    lowercase: bool = False,
) -> Dataset:
    """Load a data set in the form that a recipe asks for.

    Args:
        name: A data set, see `zoo.datasets.catalog.list_datasets`.
        image_size: Height and width that models get images in; None leaves them.
        channels: 1 for grey, 3 for colours; None leaves them.
        sequence_length: Tokens of a text that are kept; None keeps the longest training text's.
        vocabulary_size: The most tokens, with padding and the unknown; None keeps all.
        split_text: One token is a ``"character"`` or what ``"whitespace"`` separates.
        lowercase: Whether texts are put in lower case first.

    Raises:
        UsageError: There is no such data set, or the form does not fit its kind.
        DlzooError: Its file is damaged.
    """
    found = entry(name)
    require(
        found.kind == "image" or (image_size is None and channels is None),
        f"{name} is {_a(found.kind)} data set: image_size and channels are for images",
    )
    require(
        found.kind == "text" or (sequence_length is None and vocabulary_size is None),
        f"{name} is {_a(found.kind)} data set: sequence_length and vocabulary_size are for texts",
    )
    columns, splits = _read(found)
    facts: dict[str, Any] = {
        "name": name,
        "kind": found.kind,
        "target": found.target,
        "class_names": found.classes,
        "sizes": {split: len(examples) for split, examples in splits.items()},
    }
    train = splits["train"].inputs
    if found.kind == "image":
        assert found.image_shape is not None
        height, width = image_size or found.image_shape[:2]
        facts["raw_shape"] = found.image_shape
        facts["input_shape"] = (height, width, channels or found.image_shape[2])
        facts["value_range"] = (0.0, 1.0)
    elif found.kind == "table":
        deviation = train.std(axis=0, dtype=np.float64)
        facts["raw_shape"] = facts["input_shape"] = (len(columns),)
        facts["feature_names"] = columns
        facts["mean"] = tuple(float(value) for value in train.mean(axis=0, dtype=np.float64))
        facts["standard_deviation"] = tuple(float(value) or 1.0 for value in deviation)
    else:
        texts = [tokenise(text, split_text, lowercase) for text in train]
        facts["raw_shape"] = ()
        facts["input_shape"] = (sequence_length or max(len(text) for text in texts),)
        facts["vocabulary"] = _vocabulary(texts, vocabulary_size)
        facts["split_text"] = split_text
        facts["lowercase"] = lowercase
    return Dataset(DatasetSpec(**facts), splits)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def tokenise(text: str, split_text: str, lowercase: bool) -> list[str]:
    """Return the tokens of a text."""
    text = text.lower() if lowercase else text
    return list(text) if split_text == "character" else text.split()


def _vocabulary(texts: Iterable[Sequence[str]], limit: int | None) -> tuple[str, ...]:
    counts = Counter(token for text in texts for token in text)
    # The most frequent first, and by code point among equals, so that every machine agrees.
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    return tuple(ranked[: None if limit is None else limit - 2])


def _read(found: DatasetEntry) -> tuple[tuple[str, ...], dict[str, Examples]]:
    """Return the names of the input columns, and the splits."""
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
        inputs = inputs.reshape(-1, *found.image_shape)
    labels = [row[label] for row in body]
    if found.target == "class":
        index = {name: at for at, name in enumerate(found.classes)}
        targets = np.array([index[value] for value in labels], np.int32)
    else:
        targets = np.array(labels, np.float32)

    where = np.array([row[0] for row in body])
    splits = {}
    for split in SPLITS:
        # A truth table is whole in every split: there is nothing else to test it on.
        chosen = (where == split) | (where == "all")
        splits[split] = Examples(inputs[chosen], targets[chosen])
    return tuple(header[at] for at in columns), splits
