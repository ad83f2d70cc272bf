"""The bundled data sets: what is said of each is what its file holds."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.base.errors import DlzooError, UsageError
from zoo.datasets import sources
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.sources import list_sources, open_source, register
from zoo.datasets.sources.base import Description, Source
from zoo.datasets.sources.bundled import FOLDER, Bundled
from zoo.datasets.spec import SPLITS

NAMES = [name for name in list_sources() if open_source(name).describe().origin == "bundled"]
TRUTH_TABLES = ("and", "or", "xor")
INDEX: dict[str, Any] = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))
LABELLED = [name for name in NAMES if "label" in INDEX[name]["features"]]


def source(name: str) -> Bundled:
    found = open_source(name)
    assert isinstance(found, Bundled)
    return found


@cache
def rows(name: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a data set's file."""
    path = source(name).path
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    header, *body = csv.reader(text.decode("utf-8").splitlines())
    return header, body


def labels(name: str) -> list[str]:
    """The label of each row."""
    header, body = rows(name)
    return [row[header.index("label")] for row in body]


def columns(name: str, split: str) -> dict[str, Any]:
    """The raw columns of a split."""
    loaded = source(name).load().splits[split]
    (chunk,) = loaded.chunks(len(loaded))
    return chunk


def test_the_promised_data_sets_are_there() -> None:
    tables = {"digits", "iris", "wine", "breast-cancer", "diabetes", *TRUTH_TABLES}
    promised = tables | {"languages", "dates", "pydoc", "python-tokens", "docstrings"}
    assert set(NAMES) == promised == set(INDEX)
    others = {
        "adding",
        "mackey-glass",
        "digit-captions",
        "glyphs",
        "mnist",
        "cifar10",
        "imagenet",
        "imdb",
        "ted",
    }
    assert set(list_sources()) == promised | others


@pytest.mark.parametrize("name", NAMES)
def test_rows_splits_and_the_checksum_are_the_files(name: str) -> None:
    told = source(name).describe()
    header, body = rows(name)
    assert hashlib.sha256(source(name).path.read_bytes()).hexdigest() == source(name).fingerprint()
    assert header[0] == "split"
    assert all(len(row) == len(header) for row in body)
    assert len(body) == told.rows
    assert Counter(row[0] for row in body) == INDEX[name]["splits"]
    whole = {"all"} if name in TRUTH_TABLES else set(SPLITS)
    assert set(INDEX[name]["splits"]) == whole
    assert tuple(told.features) == (*told.inputs, *told.targets)


@pytest.mark.parametrize("name", NAMES)
def test_every_split_loads_as_it_is_described(name: str) -> None:
    told = source(name).describe()
    loaded = source(name).load()
    for split in SPLITS:
        assert len(loaded.splits[split]) == told.sizes[split]
        chunk = columns(name, split)
        assert set(chunk) == set(told.features)
        for column, feature in told.features.items():
            signature = feature.signature(column)
            assert signature.shape.is_compatible_with(chunk[column].shape), column
        if name in LABELLED:
            assert set(chunk["label"]) == set(range(told.features["label"].classes))
        for values in chunk.values():
            assert values.dtype.kind in "SOU" or np.isfinite(values).all()


@pytest.mark.parametrize("name", LABELLED)
def test_every_class_occurs_and_is_named(name: str) -> None:
    assert set(labels(name)) == set(INDEX[name]["features"]["label"]["names"])


# Modules and topics stay whole, so that their shares of the examples differ.
SPLIT_BY_FILE = {"python-tokens", "pydoc", "docstrings"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - {*TRUTH_TABLES} - SPLIT_BY_FILE))
def test_the_splits_are_seven_one_and_two_tenths(name: str) -> None:
    told = source(name).describe()
    # Spellings of one name stay together, which shifts the largest data set by a few.
    slack = 0.001 if name == "languages" else 1.0 / told.rows
    for split, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert told.sizes[split] / told.rows == pytest.approx(share, abs=slack)


def test_digits_has_the_split_that_scores_are_quoted_on() -> None:
    assert source("digits").describe().sizes == {"train": 1257, "validation": 180, "test": 360}


@pytest.mark.parametrize("name", [name for name in LABELLED if name not in TRUTH_TABLES])
def test_every_split_has_the_classes_in_the_proportions_of_the_whole(name: str) -> None:
    told = source(name).describe()
    _, body = rows(name)
    whole = Counter(labels(name))
    pairs = Counter(zip((row[0] for row in body), labels(name), strict=True))
    for split, size in told.sizes.items():
        for label, count in whole.items():
            slack = 1.0 if name != "languages" else 0.02 * size
            assert abs(pairs[split, label] - size * count / told.rows) <= slack, (split, label)


def test_truth_tables_are_whole_in_every_split() -> None:
    for name, outputs in (("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1]), ("xor", [0, 1, 1, 0])):
        for split in SPLITS:
            chunk = columns(name, split)
            np.testing.assert_array_equal(chunk["features"], [[0, 0], [0, 1], [1, 0], [1, 1]])
            np.testing.assert_array_equal(chunk["label"], outputs)
        assert source(name).describe().rows == 4


def test_images_are_ink_from_0_to_1_the_right_way_up() -> None:
    train = columns("digits", "train")
    images = train["image"]
    assert (images.min(), images.max(), images.dtype) == (0.0, 1.0, np.float32)
    means = [images[train["label"] == digit].mean(axis=0)[..., 0] for digit in range(10)]
    # A zero is empty in the middle, a one full; a seven is heavier above than below.
    assert means[0][3:5, 3:5].mean() < 0.3
    assert means[1][3:5, 3:5].mean() > 0.6
    assert means[7][:4].sum() > means[7][4:].sum()


def test_no_image_is_in_two_splits() -> None:
    seen = [{image.tobytes() for image in columns("digits", split)["image"]} for split in SPLITS]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_names_of_languages_are_in_one_language_and_one_split_whatever_their_case() -> None:
    header, body = rows("languages")
    assert header == ["split", "text", "label"]
    seen: dict[str, tuple[str, str]] = {}
    for split, text, label in body:
        assert text == text.strip()
        assert text
        assert seen.setdefault(text.lower(), (split, label)) == (split, label)


@pytest.mark.parametrize("name", NAMES)
def test_source_and_licence_are_stated_and_shipped(name: str) -> None:
    told = source(name).describe()
    assert all((told.title, told.question, told.source, told.licence))
    assert told.first_use == ""
    shipped = (FOLDER / "LICENCES.md").read_text(encoding="utf-8")
    if name not in TRUTH_TABLES:
        assert re.fullmatch(r"https://\S+", told.url)
        assert told.citation
        assert source(name).path.name in shipped
        if "no licence" not in told.licence:
            assert told.licence in shipped


@pytest.mark.parametrize("name", list_sources())
def test_a_description_can_be_printed_as_json_without_this_machines_paths(name: str) -> None:
    printed = json.dumps(open_source(name).describe().as_dict())
    assert json.loads(printed)["name"] == name
    assert str(FOLDER) not in printed


def test_examples_are_shown_where_they_are_one_cell() -> None:
    examples = source("languages").examples()
    assert len(examples) == 5
    assert all(re.fullmatch(r".+: \w+", example) for example in examples)
    assert source("digits").examples() == []
    assert source("iris").examples() == []


# Files that are not as they were shipped.


def made(folder: Path, lines: Sequence[Sequence[Any]], **features: Any) -> Bundled:
    """A source of a file with these rows; the first is the header."""
    path = folder / "made.csv"
    path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    like = source("and")
    told = dataclasses.replace(like.describe(), name="made", **features)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(like, description=told, path=path, sha256=digest)


def test_columns_that_are_no_target_are_the_inputs_wherever_they_stand(tmp_path: Path) -> None:
    lines: list[list[Any]] = [
        ["split", "x1", "label", "x2"],
        ["train", 1, "1", 2],
        ["test", 3, "0", 4],
    ]
    loaded = made(tmp_path, lines).load().splits
    assert {name: len(split) for name, split in loaded.items()} == {
        "train": 1,
        "validation": 0,
        "test": 1,
    }
    (chunk,) = loaded["train"].chunks(4)
    assert chunk["features"].tolist() == [[1.0, 2.0]]
    assert chunk["label"].tolist() == [1]


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_a_damaged_file_is_said_to_be_with_what_to_do(name: str, tmp_path: Path) -> None:
    good = source(name)
    content = bytearray(good.path.read_bytes())
    content[len(content) // 2] ^= 1
    copy = tmp_path / good.path.name
    copy.write_bytes(content)
    with pytest.raises(DlzooError) as caught:
        dataclasses.replace(good, path=copy).load()
    assert not isinstance(caught.value, UsageError)  # nothing that the user typed is wrong
    message = str(caught.value)
    assert message.startswith(f"data set {name} is damaged: {copy} ")
    assert good.sha256 in message
    assert message.endswith("Install dlzoo again.")
    assert "\n" not in message


def test_a_file_that_is_gone_is_said_to_be_with_what_to_do(tmp_path: Path) -> None:
    gone = dataclasses.replace(source("iris"), path=tmp_path / "iris.csv")
    with pytest.raises(DlzooError) as caught:
        gone.load()
    assert str(caught.value) == (
        f"data set iris cannot be read: {tmp_path / 'iris.csv'}: No such file or directory. "
        "Install dlzoo again."
    )


# Names and references.


def test_an_unknown_data_set_is_answered_with_the_nearest_or_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown data set 'digit'\. Did you mean 'digits'\?"):
        open_source("digit")
    with pytest.raises(UsageError, match=r"unknown data set 'qqq'\. See them with: dlzoo datasets"):
        open_source("qqq")
    assert open_source("Digits").describe().name == "digits"


def test_a_source_of_the_users_own_is_opened_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    added: dict[str, Callable[[], Any]] = {}
    monkeypatch.setattr(sources, "_registered", added)
    told = Description(
        name="folder:./my photos",
        title="Mine",
        question="What is it?",
        features={"label": Label(count=2), "size": Number()},
        inputs=("size",),
    )

    class Mine(Source):
        def describe(self) -> Description:
            return told

    register("mine", Mine)
    assert "mine" in list_sources()
    opened = open_source("mine")
    assert opened.describe() is told
    assert opened.slug == "folder-my-photos"
    for taken in ("mine", "digits"):
        with pytest.raises(ValueError, match=f"two data sets are called '{taken}'"):
            register(taken, Mine)
