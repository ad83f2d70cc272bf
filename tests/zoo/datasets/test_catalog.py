"""What the catalogue says of each bundled data set is what its file holds."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import math
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from zoo.datasets import catalog
from zoo.errors import UsageError

EVERY = catalog.list_datasets()
NAMES = [name for name in EVERY if catalog.entry(name).tfds is None]
DOWNLOADED = [name for name in EVERY if name not in NAMES]
TRUTH_TABLES = ("and", "or", "xor")


def file_of(name: str) -> Path:
    """A bundled data set's file."""
    path = catalog.entry(name).path
    assert path is not None
    return path


@cache
def rows(name: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a data set's file."""
    path = file_of(name)
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    header, *body = csv.reader(text.decode("utf-8").splitlines())
    return header, body


def labels(name: str) -> list[str]:
    """The label of each row."""
    header, body = rows(name)
    return [row[header.index("label")] for row in body]


def classified() -> list[str]:
    """The data sets with classes."""
    return [name for name in NAMES if catalog.entry(name).target == "class"]


def test_the_promised_data_sets_are_there() -> None:
    promised = {"digits", "iris", "wine", "breast-cancer", "diabetes", "languages", *TRUTH_TABLES}
    assert set(NAMES) == promised
    assert set(DOWNLOADED) == {"mnist", "cifar10", "imagenet"}


@pytest.mark.parametrize("name", NAMES)
def test_the_checksum_is_the_files(name: str) -> None:
    entry = catalog.entry(name)
    assert hashlib.sha256(file_of(name).read_bytes()).hexdigest() == entry.sha256


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_splits_are_counted_rightly(name: str) -> None:
    entry = catalog.entry(name)
    header, body = rows(name)
    assert header[0] == "split"
    assert all(len(row) == len(header) for row in body)
    assert len(body) == entry.rows
    assert Counter(row[0] for row in body) == dict(entry.splits)
    whole = {"all"} if name in TRUTH_TABLES else {"train", "validation", "test"}
    assert set(entry.splits) == whole


@pytest.mark.parametrize("name", classified())
def test_every_class_occurs_and_is_named(name: str) -> None:
    assert set(labels(name)) == set(catalog.entry(name).classes)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TRUTH_TABLES])
def test_the_splits_are_seven_one_and_two_tenths(name: str) -> None:
    entry = catalog.entry(name)
    # Spellings of one name stay together, which shifts the largest data set by a few.
    slack = 0.001 if name == "languages" else 1.0 / entry.rows
    for split, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert entry.splits[split] / entry.rows == pytest.approx(share, abs=slack)


def test_digits_has_the_split_that_scores_are_quoted_on() -> None:
    entry = catalog.entry("digits")
    assert dict(entry.splits) == {"train": 1257, "validation": 180, "test": 360}
    assert entry.image_shape == (8, 8, 1)


@pytest.mark.parametrize("name", [name for name in classified() if name not in TRUTH_TABLES])
def test_every_split_has_the_classes_in_the_proportions_of_the_whole(name: str) -> None:
    entry = catalog.entry(name)
    _, body = rows(name)
    whole = Counter(labels(name))
    pairs = Counter(zip((row[0] for row in body), labels(name), strict=True))
    for split, size in entry.splits.items():
        for label, count in whole.items():
            slack = 1.0 if name != "languages" else 0.02 * size
            assert abs(pairs[split, label] - size * count / entry.rows) <= slack, (split, label)


@pytest.mark.parametrize("name", [name for name in NAMES if catalog.entry(name).kind == "image"])
def test_pixels_use_the_range_that_is_stated(name: str) -> None:
    entry = catalog.entry(name)
    assert entry.image_shape is not None
    header, body = rows(name)
    pixels = [float(value) for row in body for value in row[2:]]
    assert len(header) - 2 == math.prod(side or 0 for side in entry.image_shape)
    assert (min(pixels), max(pixels)) == entry.value_range


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
    entry = catalog.entry(name)
    assert entry.title
    assert entry.description
    assert entry.source
    assert entry.licence
    shipped = (catalog.BUNDLED / "LICENCES.md").read_text(encoding="utf-8")
    if name not in TRUTH_TABLES:
        assert re.fullmatch(r"https://\S+", entry.url)
        assert entry.citation
        assert file_of(name).name in shipped
        if "no licence" not in entry.licence:
            assert entry.licence in shipped


@pytest.mark.parametrize("name", EVERY)
def test_an_entry_can_be_printed_as_json_without_this_machines_paths(name: str) -> None:
    values = json.loads(json.dumps(catalog.entry(name).as_dict()))
    assert values["name"] == name
    assert str(catalog.BUNDLED) not in json.dumps(values)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_what_is_downloaded_says_whose_it_is_what_that_takes_and_how_it_is_split(name: str) -> None:
    entry = catalog.entry(name)
    assert entry.origin == "tensorflow-datasets"
    assert entry.tfds is not None
    assert re.fullmatch(r"\w+:\d+\.\d+\.\d+", entry.tfds.name)
    assert re.search(r"\d [MG]B", entry.tfds.first_use)
    assert all((entry.title, entry.description, entry.source, entry.licence, entry.citation))
    assert re.fullmatch(r"https://\S+", entry.url)
    assert sum(entry.splits.values()) == entry.rows
    assert len(entry.classes) in (0, entry.class_count)


def test_the_validation_splits_are_those_of_the_papers() -> None:
    def sizes(name: str) -> list[int]:
        return [catalog.entry(name).splits[split] for split in ("train", "validation", "test")]

    assert sizes("mnist") == [55_000, 5_000, 10_000]
    assert sizes("cifar10") == [45_000, 5_000, 10_000]  # He et al. 2015, section 4.2
    assert sizes("imagenet") == [1_281_167 - 10_000, 10_000, 50_000]


def test_an_unknown_data_set_is_answered_with_the_nearest_or_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown data set 'digit'\. Did you mean 'digits'\?"):
        catalog.entry("digit")
    with pytest.raises(UsageError, match=r"unknown data set 'qqq'\. See them with: dlzoo datasets"):
        catalog.entry("qqq")
