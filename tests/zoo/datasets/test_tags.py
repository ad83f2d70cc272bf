"""Tags as a column, and the data set of Python's tokens."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets.features import from_dict
from zoo.datasets.features.tags import PADDING, Tags
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.split import Split

TAGS = Tags(letters="abc", names=("first", "second", "third"))


def test_letters_become_numbers_and_padding_is_told_apart() -> None:
    fitted = TAGS.fit([np.array([b"ab", b"cab"])])
    assert fitted.shape == (3,)
    encoded = np.asarray(fitted.encode(np.array([b"ab", b"cab", b""])))
    np.testing.assert_array_equal(encoded, [[0, 1, PADDING], [2, 0, 1], [PADDING] * 3])
    np.testing.assert_array_equal(fitted.mask(encoded), [[1, 1, 0], [1, 1, 1], [0, 0, 0]])


def test_a_length_cuts() -> None:
    cut = Tags(letters="ab", names=("a", "b"), length=2)
    np.testing.assert_array_equal(cut.encode(np.array([b"abab"])), [[0, 1]])


def test_probabilities_are_decoded_where_there_are_any() -> None:
    answers = np.array([[[0.1, 0.8, 0.1], [0.9, 0.1, 0.0], [0.0, 0.0, 0.0]]])
    assert TAGS.decode(answers) == ["ba"]


def test_it_travels_as_json_and_samples_fit() -> None:
    assert from_dict(TAGS.as_dict()) == TAGS
    sample = TAGS.fit([np.array([b"abca"])]).sample(3)
    assert set("".join(TAGS.titles(sample))) <= set("abc")
    assert TAGS.parse([["ab"], ["c"]]).tolist() == [b"ab", b"c"]
    with pytest.raises(ValueError, match="there is no tag 'x'"):
        TAGS.parse([["ax"]])


def test_each_letter_needs_a_name() -> None:
    with pytest.raises(ValueError, match="a letter for each name"):
        Tags(letters="aa", names=("first", "second"))


# Python's tokens.


def whole(split: Split) -> tuple[list[str], list[str]]:
    """All texts of a split, and their tags."""
    (columns,) = split.chunks(100_000)
    texts = [text.decode("utf-8") for text in columns["text"]]
    return texts, [tags.decode("ascii") for tags in columns["tags"]]


@pytest.fixture(scope="module")
def splits() -> dict[str, tuple[list[str], list[str]]]:
    return {name: whole(split) for name, split in load("python-tokens").splits.items()}


def test_every_character_has_a_class(splits: dict[str, tuple[list[str], list[str]]]) -> None:
    for texts, tags in splits.values():
        assert all(len(one) == len(other) for one, other in zip(texts, tags, strict=True))
        assert max(map(len, texts)) == 128


def test_the_classes_are_those_of_tokenize(
    splits: dict[str, tuple[list[str], list[str]]],
) -> None:
    from tools.bundle import character_classes

    source = 'def f(x):  # note\n    return "a" + x * 1.5\n'
    assert character_classes(source) == "kkkwnonoowwccccccwwwwwkkkkkkwssswownwowdddw"
    texts, tags = splits["test"]
    for text, letters in zip(texts, tags, strict=True):
        for character, letter in zip(text, letters, strict=True):
            assert letter != "k" or character.isalpha()
            assert letter != "c" or character != "\n"


def test_hardly_anything_of_the_test_part_was_trained_on(
    splits: dict[str, tuple[list[str], list[str]]],
) -> None:
    def lines(texts: list[str]) -> list[str]:
        """The whole lines, of which windows cut the first and the last."""
        found = [line for text in texts for line in text.split("\n")[1:-1]]
        return [line for line in found if len(line.strip()) >= 30]

    trained = set(lines(splits["train"][0]))
    asked = lines(splits["test"][0])
    assert sum(line in trained for line in asked) / len(asked) == pytest.approx(0.007, abs=0.001)
    assert "0.7 %" in open_source("python-tokens").describe().note
