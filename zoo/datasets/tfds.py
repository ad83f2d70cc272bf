"""Data sets that come through tensorflow-datasets, which downloads and keeps them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo.datasets.spec import DatasetEntry, Examples, Origin, Split
from zoo.errors import DlzooError, UsageError
from zoo.runtime import start_tensorflow

PART = 50_000
"""Examples of a stream that are read one after the other; the parts of a split are mixed."""


def read(found: DatasetEntry) -> tuple[tuple[str, ...], dict[str, Split]]:
    """Return the names of the classes, and the splits, downloaded if they are not there yet.

    Args:
        found: An entry that has an `Origin`.

    Raises:
        UsageError: Files are missing that the user has to fetch.
        DlzooError: It cannot be downloaded or read.
    """
    assert found.tfds is not None
    start_tensorflow()
    with _telling(found):
        builder = _builder(found.tfds)
        _require_archives(found, builder)
        builder.download_and_prepare()
        train, validation = found.splits["train"], found.splits["validation"]
        make = _stream if found.streamed else _examples
        splits = {
            "train": make(builder, "train", 0, train),
            "validation": make(builder, "train", train, train + validation),
            "test": make(builder, found.tfds.test, 0, found.splits["test"]),
        }
    return found.classes or tuple(builder.info.features["label"].names), splits


def is_prepared(found: DatasetEntry) -> bool:
    """Return whether a data set was downloaded before."""
    assert found.tfds is not None
    start_tensorflow()
    with _telling(found):
        return bool(_builder(found.tfds).is_prepared())


def _builder(origin: Origin) -> Any:
    import tensorflow_datasets

    if not sys.stderr.isatty():  # its bars are escape codes
        tensorflow_datasets.disable_progress_bar()
    return tensorflow_datasets.builder(origin.name)


@contextlib.contextmanager
def _telling(found: DatasetEntry) -> Iterator[None]:
    """Keep standard output clean, and say in one line what fails and what can be done."""
    assert found.tfds is not None
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns that what is not downloaded yet is not there
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except DlzooError:
        raise
    except Exception as error:  # the network's, the disk's, and whatever tensorflow-datasets raises
        lines = str(error).strip().splitlines() or [""]
        raise DlzooError(
            f"tensorflow-datasets cannot get {found.name}: {type(error).__name__}: {lines[0]}. "
            f"The first use {found.tfds.first_use}, later ones find it in TFDS_DATA_DIR or else in "
            "~/tensorflow_datasets"
        ) from error
    finally:
        log.setLevel(level)


def _require_archives(found: DatasetEntry, builder: Any) -> None:
    """Raise a `UsageError` that says what to fetch, and where to put it."""
    assert found.tfds is not None
    if builder.is_prepared():
        return
    folder = builder.data_dir_root / "downloads" / "manual"
    missing = [name for name in found.tfds.archives if not (folder / name).exists()]
    if missing:
        raise UsageError(
            f"{found.name} is for you to fetch: put {' and '.join(missing)} into {folder} "
            f"(see {found.url}; TFDS_DATA_DIR chooses another folder than {builder.data_dir_root})"
        )


def _raw(builder: Any, split: str, start: int, stop: int, **arguments: Any) -> Any:
    """Return a `tf.data.Dataset` of dicts, in the order of the disk."""
    import tensorflow_datasets

    # One file after the other, so that the order does not depend on how many are read at a time.
    config = tensorflow_datasets.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    return builder.as_dataset(
        split=f"{split}[{start}:{stop}]", shuffle_files=False, read_config=config, **arguments
    )


def _examples(builder: Any, split: str, start: int, stop: int) -> Split:
    batches = list(_raw(builder, split, start, stop).batch(4096).as_numpy_iterator())
    images = np.concatenate([batch["image"] for batch in batches])
    targets = np.concatenate([batch["label"] for batch in batches])
    return Examples(images.astype(np.float32) / 255.0, targets.astype(np.int32))


def _stream(builder: Any, split: str, start: int, stop: int) -> Split:
    import tensorflow as tf
    import tensorflow_datasets

    from zoo.datasets.streaming import Stream

    bounds = [*range(start, stop, PART), stop]
    skip = {"image": tensorflow_datasets.decode.SkipDecoding()}
    parts = [
        _raw(builder, split, first, last, decoders=skip).map(
            lambda example: (example["image"], tf.cast(example["label"], tf.int32))
        )
        for first, last in itertools.pairwise(bounds)
    ]
    return Stream(parts, builder.info.features["image"].decode_example)
