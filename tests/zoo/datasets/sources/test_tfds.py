"""Data sets through tensorflow-datasets: prepared and read for real, and what can fail."""

from __future__ import annotations

import dataclasses
import io
import itertools
import logging
import re
import socket
import tarfile
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets
from PIL import Image as Pillow

from tests.mocked import downloads, source
from zoo.base.errors import DlzooError, UsageError
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.loading import load
from zoo.datasets.sources import list_sources, tfds
from zoo.datasets.sources.base import Description
from zoo.datasets.sources.network import unreachable
from zoo.datasets.sources.tfds import OFFLINE, TensorFlowDataset

DOWNLOADED = ("mnist", "cifar10", "imagenet")
SIZES = {"train": 7, "validation": 3, "test": 4}


def picture(number: int, *, alike: bool) -> np.ndarray:
    """An image of one colour, its number."""
    shape = (4, 5, 3) if alike else (4 + number % 3, 5, 3)
    return np.full(shape, 10 * number, np.uint8)


class TinyPictures(tensorflow_datasets.core.GeneratorBasedBuilder):
    """Fourteen images of one size, made on the spot."""

    VERSION = tensorflow_datasets.core.Version("1.0.0")
    SHAPE: tuple[int | None, ...] = (4, 5, 3)

    def _info(self) -> Any:
        features = {
            "image": tensorflow_datasets.features.Image(shape=self.SHAPE, encoding_format="png"),
            "label": tensorflow_datasets.features.ClassLabel(names=["even", "odd"]),
            "other": tf.int64,  # no model reads it
        }
        return self.dataset_info_from_configs(
            features=tensorflow_datasets.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> Any:
        return {"train": self._examples(range(10)), "test": self._examples(range(10, 14))}

    def _generate_examples(self) -> Any:
        raise NotImplementedError

    def _examples(self, numbers: range) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in numbers:
            yield number, self._example(number, picture(number, alike=True))

    def _example(self, number: int, image: Any) -> dict[str, Any]:
        return {"image": image, "label": ("even", "odd")[number % 2], "other": number}


class TinyArchives(TinyPictures):
    """Fourteen images of several sizes, out of an archive that the user brings."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Bring tiny.tar."
    SHAPE = (None, None, 3)

    def _split_generators(self, dl_manager: Any) -> Any:
        archive = dl_manager.manual_dir / "tiny.tar"
        return {
            "train": self._read(dl_manager, archive, range(10)),
            "test": self._read(dl_manager, archive, range(10, 14)),
        }

    def _read(
        self, dl_manager: Any, archive: Any, numbers: range
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for name, file in dl_manager.iter_archive(archive):
            if int(Path(name).stem) in numbers:
                number = int(Path(name).stem)
                yield number, self._example(number, io.BytesIO(file.read()))


def tiny(builder: str, **facts: Any) -> TensorFlowDataset:
    """A source of one of the two builders."""
    in_memory = builder == "tiny_pictures"
    description = Description(
        name="tiny",
        title="Tiny",
        question="Which is it?",
        features={
            "image": Image(raw_shape=(4, 5, 3) if in_memory else (0, 0, 3)),
            "label": Label(count=2),
        },
        inputs=("image",),
        targets=("label",),
        sizes=SIZES,
        in_memory=in_memory,
        url="https://example.org/tiny",
        first_use="downloads 1 MB",
    )
    values = {"builder": f"{builder}:1.0.0", "test": "test", "description": description, **facts}
    return TensorFlowDataset(**values)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tensorflow-datasets' own."""
    monkeypatch.setattr(tensorflow_datasets.core.constants, "DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def numbers(split: Any) -> list[int]:
    """The numbers of a split's images, each checked against its label."""
    found = []
    for chunk in split.chunks(4):
        assert set(chunk) == {"image", "label"}
        assert chunk["image"].dtype == np.uint8
        for image, label in zip(chunk["image"], chunk["label"], strict=True):
            number = int(image[0, 0, 0]) // 10
            assert int(label) == number % 2
            found.append(number)
    return found


def test_a_builder_of_our_own_is_prepared_and_read_into_memory(data_dir: Path) -> None:
    tiny_source = tiny("tiny_pictures")
    assert not tiny_source.is_prepared()
    loaded = tiny_source.load()
    assert tiny_source.is_prepared()
    assert (data_dir / "tiny_pictures" / "1.0.0" / "dataset_info.json").exists()
    found = {name: numbers(split) for name, split in loaded.splits.items()}
    assert {name: len(split) for name, split in loaded.splits.items()} == SIZES
    assert sorted(found["train"] + found["validation"]) == list(range(10))
    assert sorted(found["test"]) == list(range(10, 14))
    assert all(split.take is not None for split in loaded.splits.values())
    assert loaded.features["label"] == Label(names=("even", "odd"), count=2)
    again = tiny_source.load()
    assert {name: numbers(split) for name, split in again.splits.items()} == found


def test_a_builder_of_our_own_is_read_from_disk_part_by_part(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfds, "PART", 3)
    streamed = tiny("tiny_archives", archives=("tiny.tar",), encoded=("image",))
    manual = data_dir / "downloads" / "manual"
    with pytest.raises(UsageError, match=rf"put tiny\.tar into {manual} \(see https://example"):
        streamed.load()
    manual.mkdir(parents=True)
    with tarfile.open(manual / "tiny.tar", "w") as archive:
        for number in range(14):
            stored = io.BytesIO()
            Pillow.fromarray(picture(number, alike=False)).save(stored, "PNG")
            entry = tarfile.TarInfo(f"{number}.png")
            entry.size = len(stored.getvalue())
            archive.addfile(entry, io.BytesIO(stored.getvalue()))
    splits = streamed.load().splits
    assert {name: len(split) for name, split in splits.items()} == SIZES
    assert all(split.take is None for split in splits.values())
    found = {name: numbers(split) for name, split in splits.items()}
    assert sorted(found["train"] + found["validation"]) == list(range(10))
    assert sorted(found["test"]) == list(range(10, 14))
    assert numbers(splits["train"]) == found["train"]  # the order is that of the disk


def test_what_tensorflow_datasets_imports_without_requiring_it_is_required_here() -> None:
    root = Path(__file__).parents[4]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert any(one.startswith("importlib_resources") for one in project["dependencies"])
    assert "importlib_resources==" in (root / "constraints.txt").read_text(encoding="utf-8")


# What they ask tensorflow-datasets for, without their data.


@pytest.mark.parametrize("name", DOWNLOADED)
def test_what_is_downloaded_says_whose_it_is_what_that_takes_and_how_it_is_split(name: str) -> None:
    told = source(name).describe()
    assert told.origin == "tensorflow-datasets"
    assert re.fullmatch(r"\w+:\d+\.\d+\.\d+", source(name).fingerprint())
    assert re.search(r"\d [MG]B", told.first_use)
    assert all((told.title, told.question, told.source, told.licence, told.citation))
    assert re.fullmatch(r"https://\S+", told.url)
    assert sum(told.sizes.values()) == told.rows


def asked(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a load asks tensorflow-datasets for, split by split."""
    found: list[str] = []

    def as_dataset(self: Any, *, split: str, **arguments: Any) -> tf.data.Dataset:
        assert arguments["shuffle_files"] is False
        found.append(split)
        images = np.zeros((1, 8, 8, 3), np.uint8)
        stored = images if not arguments["decoders"] else [tf.io.encode_jpeg(images[0])]
        return tf.data.Dataset.from_tensor_slices({"image": stored, "label": [0]})

    with downloads(folder, 1):
        monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "as_dataset", as_dataset)
        source(name).load()
    return found


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        ("mnist", ["train[0:55000]", "train[55000:60000]", "test[0:10000]"]),
        # He et al. 2015, section 4.2.
        ("cifar10", ["train[0:45000]", "train[45000:50000]", "test[0:10000]"]),
    ],
)
def test_validation_is_the_end_of_the_training_split(
    name: str, splits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(name, tmp_path / "data", monkeypatch) == splits


def test_the_parts_on_disk_are_the_whole_split_and_the_labelled_images_are_tested_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *parts, validation, test = asked("imagenet", tmp_path / "data", monkeypatch)
    bounds = [part.removeprefix("train[").removesuffix("]").split(":") for part in parts]
    assert [bounds[0][0], bounds[-1][1]] == ["0", "1271167"]
    assert all(one[1] == after[0] for one, after in itertools.pairwise(bounds))
    assert validation == "train[1271167:1281167]"
    assert test == "validation[0:50000]"


def test_images_of_any_size_are_brought_to_one_and_their_classes_are_named(tmp_path: Path) -> None:
    form = {"image": {"size": [24, 20], "resize": "shorter-side", "crop": 16}}
    with downloads(tmp_path / "data", 1):
        dataset = load("imagenet", form)
        label = dataset.spec.features["label"]
        assert label.classes == 1000
        assert label.titles([0]) == ["n01440764"]  # WordNet's number
        assert dataset.spec.sizes == {"train": 26, "validation": 1, "test": 1}
        (chunk,) = dataset.split("validation").chunks(10)
        image = dataset.spec.features["image"]
        assert image.prepare(chunk["image"]).shape == (1, 24, 20, 3)
        assert image.encode(chunk["image"]).shape == (1, 16, 16, 3)


# What can fail.


def test_archives_that_are_missing_are_named_with_where_to_put_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with downloads(tmp_path / "data", 1):
        folder = tmp_path / "data" / "downloads" / "manual"
        (folder / "ILSVRC2012_img_val.tar").unlink()
        with pytest.raises(UsageError) as caught:
            source("imagenet").load()
    message = str(caught.value)
    assert f"put ILSVRC2012_img_val.tar into {folder} " in message
    assert not caplog.records  # tensorflow-datasets would tell it in words of its own
    assert "TFDS_DATA_DIR" in message
    assert "\n" not in message


def no_network(*arguments: Any, **more: Any) -> Any:
    raise socket.gaierror(-2, "Name or service not known")


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr("urllib.request.getproxies", dict)


@pytest.mark.usefixtures("_offline", "data_dir")
def test_without_a_network_one_line_says_what_is_there_offline(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*arguments: Any) -> None:
        raise AssertionError("it would try for minutes")

    monkeypatch.setattr(TensorFlowDataset, "prepare", prepare)
    with pytest.raises(DlzooError) as caught:
        source("mnist").load()
    assert not isinstance(caught.value, UsageError)  # nothing that the user typed is wrong
    message = str(caught.value)
    assert message.startswith(
        "mnist is not on this machine and cannot be downloaded (storage.googleapis.com: Name or "
        "service not known); its first use downloads 11.6 MB."
    )
    assert f"{OFFLINE} and others, see dlzoo datasets" in message
    assert "\n" not in message
    assert not caplog.records
    assert set(OFFLINE.split(", ")) < set(list_sources()) - set(DOWNLOADED)


@pytest.mark.usefixtures("_offline")
def test_what_was_downloaded_before_needs_no_network(data_dir: Path) -> None:
    from tensorflow_datasets.core.download.resource import get_dl_fname

    mnist = tensorflow_datasets.builder("mnist:3.0.1")
    folder = data_dir / "downloads"
    folder.mkdir(parents=True)
    for url, file in mnist.url_infos.items():
        (folder / get_dl_fname(url, file.checksum)).touch()
    source("mnist").require_network(mnist)
    tiny("tiny_pictures").load()


@pytest.mark.usefixtures("_offline")
def test_a_host_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["https://data.example.org/a", "http://example.com:81/b"]
    assert unreachable([]) is None
    assert unreachable(["file:///tmp/a"]) is None
    assert unreachable(urls[:1]) == "data.example.org: Name or service not known"
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "http://proxy:3128"})
    assert unreachable(urls) is None  # only the proxy can tell


def test_one_host_that_answers_is_enough_and_none_is_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address)
        if address[0] == "silent":
            raise TimeoutError("timed out")
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    assert unreachable(["https://silent/a", "http://there:81/b"]) is None
    assert sorted(tried) == [("silent", 443), ("there", 81)]
    assert unreachable(["https://silent/a"]) == "silent: timed out"
    answered = threading.Event()

    def wait(address: tuple[str, int], timeout: float) -> socket.socket:
        answered.wait()  # as a look-up of a name does
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", wait)
    assert unreachable(["https://slow/a"], seconds=0.01) == "no answer from slow in 0.01 s"
    answered.set()


def test_a_failure_is_one_line_that_says_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Any, **arguments: Any) -> None:
        print("Downloading and preparing")
        logging.getLogger("urllib3.connectionpool").warning("Retrying")
        raise ConnectionError("no route to host\nand much more")

    with downloads(tmp_path / "data", 1):
        monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "download_and_prepare", fail)
        with pytest.raises(DlzooError) as caught:
            source("mnist").load()
    assert not isinstance(caught.value, UsageError)
    message = str(caught.value)
    assert message.startswith("tensorflow-datasets cannot get mnist: ConnectionError: no route to ")
    assert "downloads 11.6 MB" in message
    assert "TFDS_DATA_DIR" in message
    assert "\n" not in message
    out, err = capsys.readouterr()
    assert out == ""  # a table or a JSON document may be what belongs there
    assert "Downloading" in err
    assert "Retrying" not in err


def test_tensorflow_datasets_looks_nowhere_else_for_prepared_data(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {}
    builder = tensorflow_datasets.core.DatasetBuilder
    monkeypatch.setattr(builder, "download_and_prepare", lambda self, **more: given.update(more))
    tiny("tiny_pictures").prepare(tensorflow_datasets.builder("tiny_pictures"))
    assert given["download_config"].try_download_gcs is False
    assert dataclasses.is_dataclass(given["download_config"])
