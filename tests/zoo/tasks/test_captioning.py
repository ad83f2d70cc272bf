"""Captioning: a tiny run, from images to texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoo
from cli.main import run as dlzoo
from recipes.recipe import parse
from zoo.base.errors import UsageError
from zoo.run import Run
from zoo.tasks import bleu
from zoo.training.progress import Silent

RECIPE: dict[str, Any] = {
    "model": "show-and-tell",
    "epochs": 2,
    "batch_size": 512,
    "steps_per_execution": 1,
    "arguments": {"filters": [4, 4], "embedding_dim": 16, "units": 24, "dropout": 0.0},
    "data": {"name": "digit-captions"},
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("show-and-tell")
    return zoo.train(recipe=parse(RECIPE, source="tests"), run_dir=folder, reporter=Silent())


def first(run: Run, count: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = next(run.dataset.split("test").chunks(count))
    return found


def test_scores_are_those_of_the_texts_that_are_written(trained: Run) -> None:
    scores = trained.metrics["test"]
    assert set(scores) == {"loss", "accuracy", "exact_match", "bleu"}
    assert trained.metrics["score"]["metric"] == "exact_match"
    columns = first(trained, 3000)
    answers = trained.predict(columns["image"])
    assert np.mean(answers == columns["text"]) == pytest.approx(scores["exact_match"])
    texts = [[one.decode() for one in many] for many in (answers, columns["text"])]
    assert bleu.corpus_bleu(*texts) == pytest.approx(scores["bleu"])
    assert 0.0 <= scores["bleu"] <= 100.0
    wrong = trained.metrics["figures"]["wrong_answers"]["examples"][0]
    assert wrong["truth"] == columns["text"][wrong["place"]].decode()
    assert wrong["answer"] == answers[wrong["place"]].decode()
    assert (trained.path / "figures" / "wrong_answers.png").exists()


def test_what_is_written_with_states_is_what_recomputing_writes(trained: Run) -> None:
    from zoo.datasets.features.text import START

    images = first(trained, 8)["image"]
    written = np.zeros((8, 7), "int32")
    written[:, 0] = START
    for at in range(5):
        inputs = {"source": images, "before": written[:, :5]}
        probabilities = np.array(trained.model(inputs, training=False))
        written[:, at + 1] = probabilities[:, at].argmax(axis=-1)
    expected = trained.task.target.decode(written[:, :6])  # type: ignore[attr-defined]
    assert [one.decode() for one in trained.predict(images)] == expected


def test_a_batch_is_written_as_its_rows_are_and_one_beam_is_greedy(trained: Run) -> None:
    from zoo.datasets.features.text import END, START
    from zoo.layers.decoding import beam_search, greedy

    images = first(trained, 5)["image"]
    for beams in (1, 3):
        rows = [trained.predict(image[None], beams=beams)[0] for image in images]
        assert trained.predict(images, beams=beams).tolist() == rows
    state, context = trained.model.begin(images)
    start = np.full(5, START, "int32")
    arguments = {"length": 5, "end": END, "context": context}
    one = beam_search(trained.model.step, start, state, beams=1, **arguments)
    quick = greedy(trained.model.step, start, state, **arguments)
    np.testing.assert_array_equal(one.tokens, quick.tokens)


def test_padding_changes_nothing(trained: Run) -> None:
    columns = first(trained, 16)
    features = trained.spec.features
    images, text = (np.array(features[name].encode(columns[name])) for name in ("image", "text"))
    assert (text[:, -1] == 0).any()
    arguments = {**trained.task.builder_arguments(), **trained.recipe.arguments}
    longer = zoo.build("show-and-tell", **{**arguments, "target_shape": (text.shape[1] + 3,)})
    longer.set_weights(trained.model.get_weights())
    compiled = trained._compiled
    longer.compile(loss=compiled.loss, weighted_metrics=["accuracy"])
    scores = []
    for model, more in ((compiled, 0), (longer, 3)):
        padded = np.pad(text, [(0, 0), (0, more)])
        inputs = {"source": images, "before": padded[:, :-1]}
        weights = (padded[:, 1:] != 0).astype("float32")
        model.reset_metrics()
        scores.append(model.test_on_batch(inputs, padded[:, 1:], weights))
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-5)


def test_the_export_takes_images_and_writes_the_same_texts(trained: Run, tmp_path: Path) -> None:
    import tensorflow as tf

    serve = tf.saved_model.load(str(trained.export(tmp_path))).signatures["generate"]
    images = first(trained, 6)["image"]
    answers = serve(image=tf.constant(255.0 * images))["answer"].numpy()
    assert answers.tolist() == trained.predict(images).tolist()


def test_the_command_reads_picture_files(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = first(trained, 1)["image"]
    pixels = np.round(255 * image[0, ..., 0]).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "digits.png")
    expected = trained.predict(pixels[None])[0].decode()
    for more in ([], ["--beams", "2"]):
        assert dlzoo(["predict", str(trained.path), str(tmp_path / "digits.png"), *more]) == 0
    assert expected in capsys.readouterr().out
    picture = tmp_path / "attention.png"
    asked = [str(tmp_path / "digits.png"), "--attention", str(picture)]
    assert dlzoo(["predict", str(trained.path), *asked]) == 2
    assert "has no attention to draw" in capsys.readouterr().err


def test_texts_are_refused_where_images_are_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="show-and-tell does captioning and reads images"):
        zoo.train("show-and-tell", dataset="dates", run_dir=tmp_path, reporter=Silent())
    with pytest.raises(UsageError, match="needs a text for each example"):
        zoo.train("show-and-tell", dataset="digits", run_dir=tmp_path, reporter=Silent())
