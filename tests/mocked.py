"""tensorflow-datasets without a network: random images of the right shapes and types."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from zoo.datasets.sources import open_source, tfds


def source(name: str) -> tfds.TensorFlowDataset:
    """A data set that comes through tensorflow-datasets."""
    found = open_source(name)
    assert isinstance(found, tfds.TensorFlowDataset)
    return found


@contextmanager
def downloads(folder: Path, examples: int) -> Iterator[None]:
    """Let every data set be there, the archives of imagenet too.

    Args:
        folder: Where tensorflow-datasets would keep its data.
        examples: In each split, and in each of the 26 parts of imagenet's training split.
    """
    import tensorflow_datasets

    archives = folder / "downloads" / "manual"
    archives.mkdir(parents=True)
    for name in source("imagenet").archives:
        (archives / name).touch()
    with (
        tensorflow_datasets.testing.mock_data(num_examples=examples, data_dir=str(folder)),
        mock.patch.object(tfds, "unreachable", return_value=None),
    ):
        yield
