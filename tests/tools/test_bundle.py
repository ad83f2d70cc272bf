"""Making the bundled files: the same packages give the same bytes, and splits are fair."""

from __future__ import annotations

import gzip
import tomllib
from collections import Counter
from collections.abc import Hashable
from importlib.metadata import version
from pathlib import Path

import pytest

from tools import bundle
from zoo.datasets.sources.bundled import FOLDER

# Names of languages come with Babel's version; the other data are the same in every version.
SAME_NAMES = f"Babel {version('babel')} " in bundle.MADE_WITH


def same(shipped: bytes, made: bytes, *, compressed: bool) -> bool:
    """Whether two files hold the same; zlib's bytes may differ by its version."""
    return gzip.decompress(shipped) == gzip.decompress(made) if compressed else shipped == made


def test_every_shipped_file_can_be_made_again(tmp_path: Path) -> None:
    bundle.main(tmp_path)
    made, shipped = (
        {path.name for path in folder.iterdir()} - {"LICENCES.md"} for folder in (tmp_path, FOLDER)
    )
    assert made == shipped
    for name in made - {"index.toml"}:
        if SAME_NAMES or not name.startswith("languages"):
            files = ((folder / name).read_bytes() for folder in (FOLDER, tmp_path))
            assert same(*files, compressed=name.endswith(".gz")), name
    index, again = (
        tomllib.loads((folder / "index.toml").read_text("utf-8")) for folder in (FOLDER, tmp_path)
    )
    assert list(again) == list(index)
    for name, facts in index.items():
        if facts["file"].endswith(".gz"):  # the checksum is of zlib's bytes
            del facts["sha256"], again[name]["sha256"]
        if SAME_NAMES or name != "languages":
            assert again[name] == facts


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


def test_a_split_is_shuffled_and_always_the_same() -> None:
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
