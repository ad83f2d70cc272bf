"""Embedding: what word2vec and GloVe are trained on, and what their vectors are asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from cli.main import run as dlzoo
from recipes.recipe import parse
from zoo.base.errors import UsageError
from zoo.models.word2vec import Word2Vec
from zoo.run import Run
from zoo.tasks import wordlists
from zoo.tasks.cooccurrence import cooccurrences
from zoo.training.progress import Silent

RECIPE: dict[str, Any] = {
    "model": "word2vec",
    "epochs": 1,
    "batch_size": 64,
    "arguments": {"width": 24, "architecture": "cbow"},
    "data": {"name": "docstrings", "text": {"unit": "word", "vocabulary_size": 1500}},
    "optimizer": {"name": "Adam", "learning_rate": 0.02},
}


@pytest.fixture(scope="module", params=["word2vec", "glove"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = {**RECIPE, "model": request.param}
    if request.param == "glove":
        recipe |= {"batch_size": 8192, "arguments": {"width": 24, "x_max": 10.0}}
    folder = tmp_path_factory.mktemp("words")
    return zoo.train(recipe=parse(recipe, source="tests"), run_dir=folder, reporter=Silent())


# The vectors.


def test_neighbours_are_the_words_of_the_largest_cosines(trained: Run) -> None:
    words = trained.spec.features["text"].vocabulary  # type: ignore[attr-defined]
    vectors = trained.predict(list(words))
    assert vectors.shape == (len(words), 24)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    at = words.index("file")
    cosines = unit @ unit[at]
    order = [place for place in np.argsort(-cosines) if place != at][:5]
    given = trained.neighbours("file", count=5)
    assert [word for word, _ in given] == [words[place] for place in order]
    np.testing.assert_allclose([one for _, one in given], cosines[order], atol=1e-5)

    query = unit[words.index("files")] - unit[at] + unit[words.index("method")]
    cosines = unit @ (query / np.linalg.norm(query))
    cosines[[words.index(one) for one in ("files", "file", "method")]] = -1
    ((answer, _),) = trained.neighbours(["files", "method"], ["file"], count=1)
    assert answer == words[int(cosines.argmax())]


def test_scores_are_those_of_the_questions(trained: Run) -> None:
    words = trained.spec.features["text"].vocabulary  # type: ignore[attr-defined]
    vectors = trained.predict(list(words)).astype(float)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    known = wordlists.ask(unit, words)
    scores = trained.metrics["test"]
    assert scores["analogy_accuracy"] == pytest.approx(known.accuracy, abs=0.005)
    assert scores["similarity"] == pytest.approx(known.similarity, abs=1e-3)
    assert known.pairs > 50
    assert trained.metrics["validation"]["analogy_accuracy"] == scores["analogy_accuracy"]
    assert trained.metrics["validation"]["loss"] != scores["loss"]
    for name in ("words.png", "analogies.png"):
        with Image.open(trained.path / "figures" / name) as picture:
            assert min(picture.size) > 100


def test_an_export_takes_words_and_gives_their_vectors(trained: Run, tmp_path: Path) -> None:
    import tensorflow as tf

    path = trained.export(tmp_path)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    given = serve(text=tf.constant(["file", "method"]))["vector"].numpy()
    np.testing.assert_allclose(given, trained.predict(["file", "method"]), atol=1e-6)


# The questions.


def test_analogies_leave_out_the_words_that_are_asked_with() -> None:
    # Plural is one direction; b - a + c lies exactly at d, but nearest to c without the rule.
    words = ["file", "files", "object", "objects", "value"]
    vectors = np.array([[1.0, 0, 0], [1, 0.1, 0], [0, 0, 1], [0, 0.1, 1], [-1, 0, -1]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = wordlists.ask(vectors, words)
    assert known.kinds == {"plurals": (2, 2)}
    assert known.accuracy == 1.0
    assert np.isnan(known.similarity)


def test_nothing_is_known_where_no_word_is_known() -> None:
    known = wordlists.ask(np.eye(2), ["uno", "due"])
    assert np.isnan(known.accuracy)
    assert known.pairs == 0


def test_similarity_is_spearmans_correlation() -> None:
    from scipy.stats import spearmanr

    words = sorted({word for *pair, _ in wordlists.ratings() for word in pair})
    vectors = np.random.default_rng(0).normal(size=(len(words), 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [vectors[words.index(a)] @ vectors[words.index(b)] for a, b, _ in wordlists.ratings()]
    expected = spearmanr(cosines, [grade for *_, grade in wordlists.ratings()]).statistic
    assert wordlists.ask(vectors, words).similarity == pytest.approx(expected)


def test_no_question_is_asked_twice() -> None:
    for kind, pairs in wordlists.analogies().items():
        assert len(set(pairs)) == len(pairs), kind
        assert all(first != second for first, second in pairs)
    rated = [frozenset(pair) for *pair, _ in wordlists.ratings()]
    assert len(set(rated)) == len(rated)


# Counting.


def test_pairs_count_by_their_distance_in_both_orders() -> None:
    # 1 is unknown and left out: 2 and 3 stand beside each other.
    pairs, counts = cooccurrences([np.array([2, 1, 3, 4, 0]), np.array([3, 2])], specials=2)
    found = {tuple(pair): count for pair, count in zip(pairs.tolist(), counts, strict=True)}
    assert found == {(2, 3): 2, (3, 2): 2, (3, 4): 1, (4, 3): 1, (2, 4): 0.5, (4, 2): 0.5}
    far, weights = cooccurrences([np.array([2, *[3] * 11, 4])], specials=2)
    assert [2, 4] not in far.tolist()  # twelve words apart
    assert weights[far.tolist().index([2, 3])] == pytest.approx(sum(1 / d for d in range(1, 11)))


# The models beside the papers' equations.


def model_of(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    built = zoo.build(
        "word2vec", input_shape=(7,), vocabulary_size=9, width=4, window=2, **arguments
    )
    for variable in built.trainable_variables:
        variable.assign(20.0 * variable)
    return built


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
def test_word2vecs_loss_is_the_papers(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(architecture=architecture, negatives=3)
    noise = np.array([[2, 3, 8, 5], [6, 6, 2, 4]])
    monkeypatch.setattr("zoo.models.word2vec.SHARED", noise.shape[1])
    monkeypatch.setattr(model.unigrams, "noise", lambda *_: noise)
    tokens = np.array([[2, 3, 1, 4, 5, 0, 0], [6, 7, 8, 2, 2, 3, 4]], np.int32)
    words, contexts = (
        np.asarray(one(np.arange(9)[None]))[0] for one in (model.words, model.contexts)
    )

    def log_sigmoid(x: float) -> float:
        return float(-np.log1p(np.exp(-x)))

    total, pairs = 0.0, 0
    for row, drawn in zip(tokens, noise, strict=True):
        text = [token for token in row if token > 1]  # the unknown word is no distance
        for at, token in enumerate(text):
            near = [text[to] for to in range(max(at - 2, 0), min(at + 3, len(text))) if to != at]
            mean = np.mean([words[one] for one in near], axis=0)
            asked = [(words[token], one) for one in near]
            for vector, target in [(mean, token)] if architecture == "cbow" else asked:
                right = log_sigmoid(vector @ contexts[target])
                # Three of noise, expected from the four that were drawn.
                wrong = 3 * float(np.mean([log_sigmoid(-vector @ contexts[one]) for one in drawn]))
                total, pairs = total - right - wrong, pairs + 1
    given = model.compute_loss(x=tokens, training=False)
    assert float(given) == pytest.approx(total / pairs, rel=1e-4)


def test_noise_and_thinning_follow_the_words_frequencies() -> None:
    counts = [0, 0, 8000, 1000, 500, 400, 50, 40, 10]
    model = model_of(word_counts=counts)
    shares = np.array(counts) / sum(counts)
    drawn = np.asarray(model.unigrams.noise((100, 1000), 0.75, seed=1)).ravel()
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=9) / drawn.size, shares**0.75 / (shares**0.75).sum(), atol=0.01
    )
    tokens = np.tile(np.arange(9), (20_000, 1))
    kept = np.asarray(model.unigrams.kept(tokens, 0.01, seed=2)).mean(axis=0)
    expected = np.minimum(1.0, np.sqrt(0.01 / np.maximum(shares, 1e-9)))
    np.testing.assert_allclose(kept[2:], expected[2:], atol=0.01)
    with pytest.raises(UsageError, match="word_counts must be 9 counts"):
        model_of(word_counts=[1, 2])


def test_counts_are_saved_with_the_model(tmp_path: Path) -> None:
    model = model_of(word_counts=[0, 0, 5, 1, 1, 1, 1, 1, 1])
    model.save(tmp_path / "model.keras")
    loaded = zoo.registry.restore("word2vec", tmp_path / "model.keras")
    assert isinstance(loaded, Word2Vec)
    np.testing.assert_array_equal(loaded.unigrams.frequencies, model.unigrams.frequencies)


def test_gloves_loss_is_the_papers() -> None:
    keras.utils.set_random_seed(0)
    model = zoo.build("glove", vocabulary_size=6, width=3, x_max=10.0)
    pairs = np.array([[2, 3], [4, 2], [5, 5]], np.int32)
    counts = np.array([2.0, 40.0, 0.5], np.float32)
    (words, biases), (contexts, others) = (
        (np.asarray(part)[0] for part in one(np.arange(6)[None]))
        for one in (model.words, model.contexts)
    )
    terms = []
    for (i, j), x in zip(pairs, counts, strict=True):
        weight = min((x / 10.0) ** 0.75, 1.0)
        error = words[i] @ contexts[j] + biases[i, 0] + others[j, 0] - np.log(x)
        terms.append(weight * error**2)
    given = model.compute_loss(x=pairs, y=counts)
    assert float(given) == pytest.approx(np.mean(terms), rel=1e-5)
    answer = np.asarray(model(pairs))
    np.testing.assert_allclose(answer, words[pairs] + contexts[pairs], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("word2vec", {"architecture": "skipgram"}, "architecture must be 'skip-gram' or 'cbow'"),
        ("word2vec", {"window": 0}, "window must be at least 1"),
        ("word2vec", {"subsample": -1.0}, "subsample must be 0 or more"),
        ("glove", {"input_shape": (3,)}, r"input_shape must be \(2,\)"),
        ("glove", {"alpha": 0.0}, "alpha must be above 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        zoo.build(name, **{"vocabulary_size": 9, **arguments})


# The command.


def test_the_command_names_neighbours_and_draws_them(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(trained.path)
    picture = tmp_path / "near.png"
    assert dlzoo(["neighbours", run, "file", "--count", "3", "--picture", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["word", "similarity"]
    expected = trained.neighbours("file", count=3)
    assert [line.split()[0] for line in lines[1:]] == [word for word, _ in expected]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert dlzoo(["neighbours", run, "file", "--picture", str(picture)]) == 2
    capsys.readouterr()

    told = []
    for words in (
        ["files", "-", "file", "+", "method"],
        ["files - file + method"],
        ["--analogy", "file", "files", "method"],
    ):
        assert dlzoo(["neighbours", run, *words, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1] == told[2]
    assert (told[0]["words"], told[0]["subtracted"]) == (["files", "method"], ["file"])
    assert dlzoo(["neighbours", run]) == 0
    assert "file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["methd"], "the vocabulary of 1,498 words has no 'methd'. Did you mean 'method'?"),
        (["file", "-"], "a word is missing after '-'"),
        (["file", "-", "+", "name"], "a word is missing between '-' and '+'"),
        (["-", "file"], "name at least one word that is not subtracted"),
        (["file", "--analogy", "a", "b", "c"], "name words or an --analogy, not both"),
        (["file", "--picture", "near.txt"], "a picture's name must end in .png"),
        (["--picture", "near.png"], "--picture needs a WORD"),
        (["file", "--count", "0"], "'--count': 0 is not in the range"),
    ],
)
def test_wrong_input_is_refused(
    words: list[str],
    message: str,
    trained: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dlzoo(["neighbours", str(trained.path), *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_other_models_have_no_neighbours(shared_run_dir: Path) -> None:
    from tests import tiny

    with pytest.raises(UsageError, match="has no vectors of words; see: dlzoo list --task"):
        tiny.run("table", shared_run_dir).neighbours("file")
