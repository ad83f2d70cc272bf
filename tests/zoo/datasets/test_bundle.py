"""Making the bundled files: the same packages give the same bytes, and splits are fair."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Hashable
from importlib.metadata import version

import pytest

from zoo.datasets import bundle, catalog

# Names of languages come with Babel's version; the other data are the same in every version.
SAME_NAMES = f"Babel {version('babel')} " in bundle.MADE_WITH


def test_every_shipped_file_is_one_that_can_be_made_again() -> None:
    entries = {entry.name: entry for entry in bundle.entries()}
    paths = {name: catalog.entry(name).path for name in catalog.list_datasets()}
    assert list(entries) == [name for name, path in paths.items() if path is not None]
    for name, entry in entries.items():
        path = paths[name]
        assert path is not None
        shipped = path.read_bytes()
        made = bundle.content(entry)
        if entry.compressed:  # zlib's bytes may differ by its version, the content may not
            shipped, made = gzip.decompress(shipped), gzip.decompress(made)
        if name != "languages" or SAME_NAMES:
            assert made == shipped, name


@pytest.mark.parametrize("size", [10, 57, 178])
def test_a_split_is_a_tenth_and_a_fifth_and_has_the_classes_in_proportion(size: int) -> None:
    strata = ["a"] * (size // 2) + ["b"] * (size // 5) + ["c"] * (size - size // 2 - size // 5)
    names = bundle.split_names(strata)
    counts = Counter(names)
    assert (counts["test"], counts["validation"]) == (round(size / 5), round(size / 10))
    assert sum(counts.values()) == size
    for split, total in counts.items():
        for label, whole in Counter(strata).items():
            dealt = sum(pair == (split, label) for pair in zip(names, strata, strict=True))
            assert abs(dealt - total * whole / size) <= 1.0


def test_a_split_is_not_dealt_in_the_files_order_and_is_always_the_same() -> None:
    strata: list[Hashable] = ["a"] * 40
    names = bundle.split_names(strata, validation=4, test=8)
    assert names != sorted(names)
    assert names != sorted(names, reverse=True)
    assert names == bundle.split_names(strata, validation=4, test=8)


def test_shares_are_whole_and_add_up() -> None:
    assert bundle.proportional({"a": 1, "b": 1, "c": 1}, 2) == {"a": 1, "b": 1, "c": 0}
    assert bundle.proportional({"a": 5, "b": 3, "c": 2}, 5) == {"a": 3, "b": 1, "c": 1}
    assert bundle.proportional({"a": 7, "b": 3}, 0) == {"a": 0, "b": 0}


def test_columns_are_named_in_plain_words() -> None:
    assert bundle.snake_case("sepal length (cm)") == "sepal_length_cm"
    assert bundle.snake_case("od280/od315_of_diluted_wines") == "od280_od315_of_diluted_wines"


@pytest.mark.parametrize(("value", "text"), [(5.0, "5"), (0.1, "0.1"), (1e-4, "0.0001")])
def test_numbers_are_written_as_briefly_as_they_can_be_read_back(value: float, text: str) -> None:
    assert bundle.number(value) == text
    assert float(text) == value
