"""Data sets through tensorflow-datasets: which of its splits, in what form, and what can fail."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets

from tests.mocked import downloads
from zoo.datasets import catalog, tfds
from zoo.datasets.loading import load
from zoo.datasets.spec import Examples
from zoo.datasets.streaming import Stream
from zoo.errors import DlzooError, UsageError


@pytest.fixture
def mocked(tmp_path: Path) -> Iterator[Path]:
    """Three examples in each split; the folder of tensorflow-datasets."""
    with downloads(tmp_path / "data", 3):
        yield tmp_path / "data"


@pytest.mark.parametrize(("name", "shape"), [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))])
@pytest.mark.usefixtures("mocked")
def test_small_images_come_into_memory_as_the_bundled_ones_do(
    name: str, shape: tuple[int, int, int]
) -> None:
    dataset = load(name)
    assert dataset.spec.raw_shape == dataset.spec.input_shape == shape
    assert dataset.spec.class_names == catalog.entry(name).classes
    assert dataset.spec.sizes == {"train": 3, "validation": 3, "test": 3}
    for split in ("train", "validation", "test"):
        examples = dataset.split(split)
        assert isinstance(examples, Examples)
        assert examples.inputs.shape == (3, *shape)
        assert examples.inputs.dtype == np.float32
        assert 0.9 < examples.inputs.max() <= 1.0
        assert examples.inputs.min() >= 0.0
        assert examples.targets.shape == (3,)
        assert examples.targets.dtype == np.int32


@pytest.mark.usefixtures("mocked")
def test_images_of_any_size_are_streamed_and_brought_to_one() -> None:
    dataset = load("imagenet", image_size=(24, 20), resize="shorter-side", crop=(16, 16))
    assert dataset.spec.raw_shape == (None, None, 3)
    assert dataset.spec.input_shape == (16, 16, 3)
    # tensorflow-datasets carries the names, as WordNet's numbers.
    assert len(dataset.spec.class_names) == 1000
    assert dataset.spec.class_names[0] == "n01440764"
    assert dataset.spec.sizes == {"train": 26 * 3, "validation": 3, "test": 3}
    split = dataset.split("validation")
    assert isinstance(split, Stream)
    (chunk,) = split.chunks(10)
    assert chunk.inputs.shape == (3, 24, 20, 3)
    assert chunk.inputs.dtype == np.float32
    assert 0.0 <= chunk.inputs.min() < chunk.inputs.max() <= 1.0 + 1e-6
    assert chunk.targets.dtype == np.int32


def asked(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a load asks tensorflow-datasets for, split by split."""
    found: list[str] = []

    def as_dataset(self: Any, *, split: str, **arguments: Any) -> tf.data.Dataset:
        assert arguments["shuffle_files"] is False
        found.append(split)
        shape = (1, *(side or 8 for side in catalog.entry(name).image_shape or ()))
        images = np.zeros(shape, np.uint8)
        stored = images if "decoders" not in arguments else [tf.io.encode_jpeg(images[0])]
        return tf.data.Dataset.from_tensor_slices({"image": stored, "label": [0]})

    with downloads(folder, 1):
        monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "as_dataset", as_dataset)
        tfds.read(catalog.entry(name))
    return found


def test_validation_is_the_end_of_the_training_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked("mnist", tmp_path / "1", monkeypatch) == [
        "train[0:55000]",
        "train[55000:60000]",
        "test[0:10000]",
    ]
    assert asked("cifar10", tmp_path / "2", monkeypatch) == [
        "train[0:45000]",
        "train[45000:50000]",
        "test[0:10000]",
    ]


def test_the_parts_of_a_stream_are_the_whole_of_it_and_its_test_split_is_labelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *parts, validation, test = asked("imagenet", tmp_path, monkeypatch)
    bounds = [part.removeprefix("train[").removesuffix("]").split(":") for part in parts]
    assert [bounds[0][0], bounds[-1][1]] == ["0", "1271167"]
    assert all(one[1] == after[0] for one, after in itertools.pairwise(bounds))
    assert validation == "train[1271167:1281167]"
    assert test == "validation[0:50000]"


@pytest.mark.usefixtures("mocked")
def test_a_stream_is_centred_by_its_training_split() -> None:
    dataset = load("imagenet", image_size=(8, 8), scaling="centred")
    train = np.concatenate([chunk.inputs for chunk in dataset.split("train").chunks(10)])
    expected = train.mean(axis=(0, 1, 2), dtype=np.float64)
    assert dataset.spec.mean == pytest.approx(list(expected), rel=1e-6)


def test_archives_that_are_missing_are_named_with_where_to_put_them(
    mocked: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = mocked / "downloads" / "manual"
    (folder / "ILSVRC2012_img_val.tar").unlink()
    with pytest.raises(UsageError) as caught:
        load("imagenet", image_size=(8, 8))
    message = str(caught.value)
    assert f"put ILSVRC2012_img_val.tar into {folder} " in message
    assert not caplog.records  # tensorflow-datasets would tell it in words of its own
    assert "TFDS_DATA_DIR" in message
    assert "\n" not in message


@pytest.mark.usefixtures("mocked")
def test_a_failure_is_one_line_that_says_what_would_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Any) -> None:
        print("Downloading and preparing")
        raise ConnectionError("no route to host\nand much more")

    monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(DlzooError) as caught:
        load("mnist")
    assert not isinstance(caught.value, UsageError)  # nothing that the user typed is wrong
    message = str(caught.value)
    assert message.startswith("tensorflow-datasets cannot get mnist: ConnectionError: no route to ")
    assert "downloads 11.6 MB" in message
    assert "TFDS_DATA_DIR" in message
    assert "\n" not in message
    out, err = capsys.readouterr()
    assert out == ""  # a table or a JSON document may be what belongs there
    assert "Downloading" in err


def test_whether_it_was_downloaded_is_known_without_downloading(mocked: Path) -> None:
    mnist = catalog.entry("mnist")
    assert not tfds.is_prepared(mnist)
    (mocked / "mnist" / "3.0.1").mkdir(parents=True)
    tensorflow_datasets.builder("mnist").info.write_to_directory(mocked / "mnist" / "3.0.1")
    assert tfds.is_prepared(mnist)
