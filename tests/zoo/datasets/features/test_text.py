"""Texts: one tokeniser for fitting, training and serving, special tokens, and the way back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.features.reading import names, read, refusal, values
from zoo.base.errors import UsageError
from zoo.datasets.features.text import END, PADDING, START, UNKNOWN, Text

LETTERS = Text(length=5, vocabulary=("a", "b", "ä"))
WORDS = Text(unit="word", length=4, vocabulary=("the", "cat", "sat"))
MARKED = Text(unit="word", length=5, marked=True, vocabulary=("the", "cat", "sat"))
SPACES = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]


def encode(feature: Text, *texts: str) -> list[list[int]]:
    encoded = np.asarray(feature.encode(np.array(texts)))
    assert encoded.dtype == np.int32
    return encoded.tolist()


def test_a_text_is_cut_padded_and_looked_up() -> None:
    assert encode(LETTERS, "ab", "aäbab ab", "", "xa A") == [
        [2, 3, 0, 0, 0],
        [2, 4, 3, 2, 3],
        [0, 0, 0, 0, 0],
        [1, 2, 1, 1, 0],
    ]


def test_a_text_is_put_in_lower_case_if_asked_accents_included() -> None:
    lower = Text(length=5, vocabulary=("a", "b", "ä"), lowercase=True)
    assert encode(lower, "AbÄ", "Äa") == [[2, 3, 4, 0, 0], [4, 2, 0, 0, 0]]


@pytest.mark.parametrize(
    "space", ["\u00a0", "\u2003", "\t", "\n", "\u3000", " \u00a0\t "], ids=ascii
)
def test_words_are_the_same_in_fitting_and_in_the_graph_whatever_space_is_between(
    space: str,
) -> None:
    text = f"{space}12{space}km{space}"
    fitted = Text(unit="word").fit([np.array([text])])
    assert fitted.vocabulary == ("12", "km")
    assert fitted.length == 2
    served = tf.function(fitted.encode, input_signature=[fitted.signature("text")])
    assert served(tf.constant([text])).numpy().tolist() == [[2, 3]]


def test_all_that_python_calls_white_space_separates_words() -> None:
    text = "a" + "a".join(SPACES) + "a"
    assert set(Text(unit="word").fit([np.array([text])]).vocabulary) == set(text.split()) == {"a"}


@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_no_token_of_the_training_texts_is_unknown(unit: str, lowercase: bool) -> None:
    texts = np.array(["Ça va", "Île  de\tFrance", "12\u00a0km", "İstanbul ẞ", "日本 \u2003x", ""])
    fitted = Text(unit=unit, lowercase=lowercase).fit([texts[:2], texts[2:]])
    encoded = np.asarray(fitted.encode(texts))
    assert UNKNOWN not in encoded
    assert encoded.shape[1] == fitted.length


def test_the_vocabulary_has_the_most_frequent_first_then_by_code_point() -> None:
    fitted = Text().fit([np.array(["bcb"]), np.array(["acba"])])
    assert fitted.vocabulary == ("b", "a", "c")
    assert fitted.counts == (3, 2, 2)
    assert fitted.length == 4  # of the longest text
    assert fitted.tokens == 5
    assert fitted.builder_arguments() == {"input_shape": (4,), "vocabulary_size": 5}


def test_vocabulary_and_length_are_cut_as_asked_for() -> None:
    fitted = Text(vocabulary_size=4, length=3).fit([np.array(["aaabbc"])])
    assert fitted.vocabulary == ("a", "b")
    assert fitted.tokens == 4
    assert fitted.shape == (3,)


def test_marks_surround_a_text_and_count_in_its_length() -> None:
    assert encode(MARKED, "the cat", "the dog sat", "") == [
        [START, 4, 5, END, PADDING],
        [START, 4, UNKNOWN, 6, END],
        [START, END, 0, 0, 0],
    ]
    fitted = Text(unit="word", marked=True).fit([np.array(["a b", "a"])])
    assert fitted.length == 4
    assert fitted.tokens == 6


def test_padding_does_not_count() -> None:
    encoded = MARKED.encode(np.array(["the cat", "the cat sat"]))
    mask = MARKED.mask(encoded)
    assert mask.dtype == tf.float32
    assert mask.numpy().tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("unit", ["character", "word"])
def test_decoding_is_the_way_back_from_tokens_to_text(unit: str, marked: bool) -> None:
    texts = ["the cat sat", "the", "日本 cat"]
    fitted = Text(unit=unit, marked=marked).fit([np.array(texts)])
    assert fitted.decode(fitted.encode(np.array(texts))) == texts


def test_what_follows_the_end_is_not_read_and_the_unknown_is_shown() -> None:
    assert MARKED.decode([[START, 4, END, 5, 5]]) == ["the"]
    assert MARKED.decode([[START, 4, UNKNOWN, 5, 6]]) == ["the \ufffd cat sat"]


def test_control_characters_in_a_text_are_no_special_tokens() -> None:
    text = "a\x01\x02\x03b"
    for marked in (False, True):
        fitted = Text(marked=marked).fit([np.array([text])])
        inner = [token for token in encode(fitted, text)[0] if token not in (START, END)]
        if marked:
            assert inner == [4, UNKNOWN, UNKNOWN, UNKNOWN, 5]
        assert encode(fitted, text)[0].count(END) <= 1
        assert fitted.vocabulary == ("a", "b")


def test_an_export_keeps_the_look_up() -> None:
    (lookup,) = WORDS.resources()
    assert lookup(tf.constant(["cat"])).numpy().tolist() == [3]


def test_a_served_text_is_encoded_as_a_training_text() -> None:
    served = tf.function(MARKED.encode, input_signature=[MARKED.signature("text")])
    texts = ["the cat", " sat\u00a0the "]
    assert served(tf.constant(texts)).numpy().tolist() == encode(MARKED, *texts)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"unit": "whitespace"}, "data.text.unit: must be one of 'character', 'word', 'byte-pair'"),
        ({"split": "word"}, "data.text.split: unknown key. It takes: unit, length, "),
        ({"lenght": 8}, "data.text.lenght: unknown key. Did you mean 'length'?"),
        ({"size": [4, 4]}, "data.text.size: unknown key."),
        ({"vocabulary": ["a"]}, "data.text.vocabulary: unknown key."),  # fitted, never set
        ({"length": 0}, "data.text.length: must be a whole number of at least 1, got 0"),
        ({"length": True}, "data.text.length: must be a whole number of at least 1, got True"),
        ({"vocabulary_size": 2}, "data.text.vocabulary_size: must be a whole number of at least 3"),
        ({"vocabulary_size": 9.5}, "data.text.vocabulary_size: must be a whole number"),
        ({"lowercase": "no"}, "data.text.lowercase: must be true or false, got 'no'"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_by_its_key(form: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Text().with_form("text", form)
    assert str(caught.value).startswith(message)


def test_a_text_of_unknown_tokens_is_unusual() -> None:
    assert WORDS.unusual(np.array(["the cat sat there"])) is None
    told = WORDS.unusual(np.array(["un chat the"]))
    assert told == "2 of 3 words are not in the vocabulary ('un', 'chat' …)"


def test_arrays_of_texts_one_or_several() -> None:
    assert LETTERS.as_raw("Norge").tolist() == ["Norge"]
    assert LETTERS.as_raw(["Norge", "ä"]).tolist() == ["Norge", "ä"]
    for wrong in (np.ones(3), [["a"], ["b"]]):
        with pytest.raises(UsageError, match="expected texts, got an array of"):
            LETTERS.as_raw(wrong)


# On the command line.


def test_a_text_is_itself_a_file_or_a_line_of_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("  Norge \n\nÎle de France\n", encoding="utf-8")
    assert values(LETTERS, "Ísland, Danmark") == ["Ísland, Danmark"]
    assert values(LETTERS, str(path)) == ["Norge", "Île de France"]
    assert values(LETTERS, "-", "Éire\n".encode()) == ["Éire"]
    assert names(LETTERS, str(path)) == ["Norge", "Île de France"]


def test_a_text_may_be_longer_than_the_name_of_a_file() -> None:
    text = "a long text " * 50
    assert values(LETTERS, text) == [text]


@pytest.mark.parametrize("name", ["reviews.txt", "./here/reviews.csv", "~/a.json", "../b.TXT"])
def test_a_files_name_that_is_mistyped_is_no_text(name: str) -> None:
    message = refusal(LETTERS, name)
    assert message.startswith(f"there is no file {name}. If it is the text itself, pass it through")
    assert values(LETTERS, "-", name.encode()) == [name]


@pytest.mark.parametrize("text", ["Dr. Who", "see notes.txt for more", "e.g.", "3.14"])
def test_a_text_with_a_dot_is_a_text(text: str) -> None:
    assert values(LETTERS, text) == [text]


def test_texts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    binary, empty = tmp_path / "binary.txt", tmp_path / "empty.txt"
    binary.write_bytes(b"\xff\xfe")
    empty.touch()
    assert refusal(LETTERS, str(binary)).startswith(f"{binary} is not UTF-8 text: ")
    assert read(LETTERS, str(empty)) == read(LETTERS, "-") == []
    for nothing in ("", "  \n"):
        expected = "an input is empty; expected a text, or a file with one text a line"
        assert refusal(LETTERS, nothing) == expected
