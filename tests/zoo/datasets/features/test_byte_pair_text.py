"""Byte pairs: any text and back, in training, in `tf.data`, cut into windows, and in exports."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes.recipe import parse
from zoo.base.errors import DlzooError, UsageError
from zoo.datasets.features import from_dict
from zoo.datasets.features.byte_pair import SPECIALS, USE
from zoo.datasets.features.byte_pair_text import BytePairText
from zoo.datasets.features.text import END, PADDING, START, Text
from zoo.run import Run
from zoo.training.progress import Silent

TEXTS = ["the import of the importer", "an import, the import", "naïve 日本 🙂"]
ODD = ["", " ", "the  import\n\tof", "日本語 🙂🙂 ﬁ", "\x00\x01\x02\x03", "".join(SPECIALS), "ÅÅ"]


def fitted(**form: Any) -> BytePairText:
    """A small vocabulary, made as recipes make it."""
    text = Text().with_form("text", {"unit": "byte-pair", "vocabulary_size": 280, **form})
    assert isinstance(text, BytePairText)
    return text.fit([np.array([one.encode() for one in TEXTS], object)])


@pytest.mark.parametrize("marked", [False, True])
def test_any_text_becomes_tokens_and_is_the_same_again(marked: bool) -> None:
    text = BytePairText(vocabulary_size=280, length=64, marked=marked)
    text = text.fit([np.array([one.encode() for one in TEXTS], object)])
    encoded = np.asarray(text.encode(np.array([*TEXTS, *ODD])))
    assert encoded.dtype == np.int32
    assert encoded.shape == (len(TEXTS) + len(ODD), 64)
    assert text.decode(encoded) == [*TEXTS, *ODD]
    if marked:
        assert (encoded[:, 0] == START).all()
        assert ((encoded == END).sum(axis=1) == 1).all()
    assert encoded.min() == PADDING
    mask = np.asarray(text.mask(encoded))
    np.testing.assert_array_equal(mask, encoded != PADDING)


def test_frequent_pieces_are_one_token_and_the_size_is_kept() -> None:
    text = fitted()
    assert text.tokens == 280
    assert text.length is not None
    (tokens,) = text.numbers(np.array(["the import"])).to_list()
    assert len(tokens) == 2
    assert [piece.decode() for piece in text.split(np.array(["the import"])).to_list()[0]] == [
        "the",
        " import",
    ]
    assert fitted().tokenizer == text.tokenizer  # the same data give the same vocabulary


def test_characters_of_tokens_add_up_to_those_of_the_text() -> None:
    text = fitted()
    counts = text.characters()
    assert counts is not None
    for one in (*TEXTS, *ODD):
        (tokens,) = text.numbers(np.array([one])).to_list()
        assert counts[tokens].sum() == len(one)
    assert (counts[:2] == 0).all()


def test_lower_case_is_a_part_of_the_vocabulary() -> None:
    text = fitted(lowercase=True, length=16)
    assert text.decode(text.encode(np.array(["The IMPORT"]))) == ["the import"]


def test_a_pipeline_on_disk_gives_the_same_tokens() -> None:
    text = fitted(length=8)
    batches = tf.data.Dataset.from_tensor_slices(TEXTS).batch(3).map(text.encode)
    np.testing.assert_array_equal(next(iter(batches)), text.encode(np.array(TEXTS)))


def test_windows_are_tokens_that_overlap_by_one() -> None:
    text = BytePairText(vocabulary_size=280, length=4, windows=True)
    raw = np.array([one.encode() for one in TEXTS], object)
    text = text.fit([raw])
    windows, places = text.cut(raw)
    assert windows.shape[1] == 5
    rows = text.numbers(np.array(TEXTS)).to_list()
    for place, tokens in enumerate(rows):
        own = windows[places == place]
        joined = [own[0][0], *(token for row in own for token in row[1:] if token != PADDING)]
        assert joined == tokens
    np.testing.assert_array_equal(text.encode(windows), windows)


def test_it_travels_as_json() -> None:
    text = fitted()
    again = from_dict(text.as_dict())
    assert again == text
    assert again.encode(np.array(TEXTS)).numpy().tolist() == text.encode(TEXTS).numpy().tolist()
    assert text.noun() == "a text"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "data.text.vocabulary_size: of byte pairs it must be a whole number of at least 258"),
        ({"vocabulary_size": 257}, "data.text.vocabulary_size: of byte pairs it must be"),
        ({"vocabulary_size": 300, "tokenizer": "{}"}, "data.text.tokenizer: unknown key."),
    ],
)
def test_a_form_that_does_not_fit_is_refused(form: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Text().with_form("text", {"unit": "byte-pair", **form})
    assert str(caught.value).startswith(message)


def test_without_the_library_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(DlzooError, match=r"pip install 'dlzoo\[text\]'"):
        fitted()


# A language model of byte pairs.

RECIPE: dict[str, Any] = {
    "model": "gpt",
    "epochs": 1,
    "batch_size": 256,
    "arguments": {"width": 16, "num_layers": 1, "num_heads": 2},
    "data": {
        "name": "pydoc",
        "text": {"unit": "byte-pair", "vocabulary_size": 400, "length": 32},
    },
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = parse(RECIPE, source="tests")
    return zoo.train(recipe=recipe, run_dir=tmp_path_factory.mktemp("pairs"), reporter=Silent())


def test_bits_are_counted_for_each_character(trained: Run) -> None:
    scores = trained.evaluate()
    text: Any = trained.spec.features["text"]
    counts = text.characters()
    tokens, characters = 0.0, 0.0
    for _, targets, weights in trained.task.evaluation_batches(trained.dataset, "test"):
        tokens += weights.numpy().sum()
        characters += (counts[targets.numpy()] * weights.numpy()).sum()
    bits = scores["loss"] / math.log(2) * tokens / characters
    assert scores["bits_per_character"] == pytest.approx(bits, rel=1e-3)
    assert scores["perplexity"] == pytest.approx(math.exp(scores["loss"]), rel=1e-3)
    # All characters of the split but those of each text's first token.
    whole = [
        one.decode()
        for chunk in zoo.datasets.sources.open_source("pydoc").load().splits["test"].column("text")
        for one in chunk
    ]
    firsts = [counts[row[0]] for row in text.numbers(np.array(whole)).to_list()]
    assert characters == sum(map(len, whole)) - sum(firsts)


def test_it_writes_texts_piece_by_piece_and_whole(trained: Run) -> None:
    from zoo.tasks.samples import SampleRequest

    pieces: list[str] = []
    request = SampleRequest(count=1, prompt="The import", length=50, written=pieces.append)
    (text,) = trained.sample(request).values
    assert text == "The import" + "".join(pieces)
    assert not any(special in text for special in SPECIALS)


def test_an_export_takes_tokens_and_its_readme_says_how(trained: Run, tmp_path: Path) -> None:
    path = trained.export(tmp_path)
    readme = (path / "README.md").read_text("utf-8")
    lines = USE.format(file="tokenizer.json")
    assert lines in readme
    assert len(lines.splitlines()) == 3
    variables: dict[str, Any] = {}
    exec(lines.replace("tokenizer.json", str(path / "tokenizer.json")), variables)  # noqa: S102
    tokens = variables["tokenizer"].encode("The import").ids
    serve = tf.saved_model.load(str(path)).signatures["generate"]
    given = serve(prompt=tf.constant([tokens]))["tokens"].numpy()[0]
    expected = trained.generate(
        prompt="The import", length=len(given) - len(tokens), temperature=0.0
    )
    assert variables["tokenizer"].decode(given.tolist()) == expected[0]
